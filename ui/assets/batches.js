// The part of the Data page that judges what is on record: which pairs, by whom, how far.
"use strict";

RMR.batches = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const look = () => { trigger("look", form()); poll(); };
  const choice = (label, choices) => h("select", { onchange: look, "aria-label": label }, choices.map(([value, words]) => h("option", { value }, words)));
  const judge = h("select", { onchange: look });
  const which = choice("Which pairs", [["all", "all pairs"], ["labelled", "pairs that people labelled"], ["known", "pairs whose better side is known"]]);
  const orders = choice("Order", [["AB", "A first"], ["BA", "B first"], ["both", "both orders"]]);
  const votes = h("input", { type: "number", min: "1", max: "64", value: "1", onchange: look });
  const limit = h("input", { type: "number", min: "1", placeholder: "all", title: "A random sample of so many; empty takes all" });
  const go = h("button.quiet.strong", { type: "button", "data-batch-go": "", disabled: true, onclick: () => trigger("start", form(true)) }, "Judge them");
  const stop = h("button.quiet", { type: "button", "data-batch-stop": "", onclick: () => trigger("stop", form()) }, "Stop");
  const line = h("span.hint", { "aria-live": "polite" }), said = h("div", { role: "status" }), list = h("div");
  let timer = 0, view = {}, asked = false;

  const form = (whole) => ({
    ...(judge.value ? { judge: judge.value } : {}), which: which.value, votes: Number(votes.value) || 1,
    ...(asked ? { orders: orders.value } : {}), ...(whole && limit.value ? { limit: Number(limit.value) } : {}),
  });
  root.append(h("section.card.stage", { "aria-label": "Judge what is on record" },
    h("div.fields", {}, RMR.field("Judge", judge), RMR.field("Which pairs", which), RMR.field("Order", orders), RMR.field("Votes per order", votes), RMR.field("At most", limit)),
    h("div.actions", {}, go, stop, line), said, list));

  // An answer that changes nothing does not reach the page, so the next look never waits for one.
  const poll = () => {
    clearTimeout(timer);
    if (root.offsetParent !== null && view.running && !document.hidden) timer = setTimeout(look, 2000);
  };
  document.addEventListener("visibilitychange", poll);
  RMR.whenSeen(root, look);
  return (next) => {
    if (!next.judges) return;
    view = next;
    if (!asked) orders.value = view.orders;
    asked = true;
    RMR.options(judge, view.judges.map((title) => [title, title]), view.judges.includes(judge.value) ? judge.value : view.judges[0]);
    const { pairs, unjudged } = view.left || { pairs: 0, unjudged: 0 };
    line.textContent = view.problem || (!pairs ? "There are no such pairs on record." : unjudged ? `${unjudged.toLocaleString("en")} of ${pairs.toLocaleString("en")} pairs are not judged by it yet.` : `It has judged all ${pairs.toLocaleString("en")} pairs.`);
    go.disabled = view.running || !unjudged;
    stop.hidden = !view.running;
    RMR.repaint(said, view.said, () => view.said ? h("p.note.note-warning", {}, view.said) : []);
    RMR.repaint(list, view.runs, () => RMR.batchTable(view.runs));
    poll();
  };
};

RMR.batchTable = function (runs) {
  const { h } = RMR;
  if (!runs.length) return [];
  const rate = (one) => one.done && one.seconds ? one.seconds / one.done : null;
  const rest = (one) => one.state === "running" && rate(one) ? `, about ${RMR.duration((one.total - one.done) * rate(one))} to go` : "";
  return h("div.table-scroll", {}, h("table.batches", {},
    h("thead", {}, h("tr", {}, ["Batch", "Judge", "Judged", "State"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, runs.map((one) => h("tr", {},
      h("th", { scope: "row" }, `#${one.id} · ${one.at}`), h("td", {}, one.name),
      h("td", {}, h("span.meter", { role: "img", "aria-label": `${one.done} of ${one.total}` }, h("span", { style: `width:${(100 * one.done) / (one.total || 1)}%` })), ` ${one.done.toLocaleString("en")} of ${one.total.toLocaleString("en")}${rest(one)}`,
        one.failed ? h("span.chip.is-absent", {}, `${one.failed} failed`) : null),
      h("td", {}, one.state, rate(one) ? ` · ${RMR.seconds(rate(one))} a pair` : "", one.message ? h("p.muted", {}, one.message) : null))))));
};

RMR.duration = (seconds) => seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
