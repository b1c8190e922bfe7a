// The Rank page: a form with as many responses as are wanted, and the ranking of them.
"use strict";

RMR.rank = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let most = 8, running = false;
  const prompt = h("textarea", { id: "rank-prompt", rows: "2", placeholder: "What was asked" });
  const boxes = h("div.rank-boxes");
  const judge = h("select", { id: "rank-judge" });
  const method = h("select", {}, h("option", { value: "round-robin" }, "every pair (round robin)"), h("option", { value: "knockout" }, "knockout: fewer pairs, says less"));
  const both = h("input", { type: "checkbox" }), conversation = h("input", { type: "checkbox" });
  const more = h("button.quiet", { type: "button", onclick: () => add(true) }, "Add a response");
  const go = h("button.quiet.strong", { type: "button", id: "rank-go", onclick: () => send() }, "Rank");
  const stop = h("button.quiet", { type: "button", id: "rank-stop", disabled: true, onclick: () => { trigger("stop", {}); RMR.tell("rank-stopped"); } }, "Stop");
  const count = h("span.hint", { "aria-live": "polite" });

  const texts = () => [...boxes.querySelectorAll("textarea")].map((box) => box.value);
  const renumber = () => {
    [...boxes.children].forEach((box, at) => {
      box.querySelector("label").firstChild.textContent = `Response ${at + 1}`;
      box.querySelector("button").hidden = boxes.children.length <= 2;
      box.querySelector("button").setAttribute("aria-label", `Remove response ${at + 1}`);
    });
    more.hidden = boxes.children.length >= most;
    tally();
  };
  const tally = () => {
    const n = new Set(texts().filter((text) => text.trim())).size;
    const pairs = method.value === "knockout" ? Math.floor((n * n) / 4) : (n * (n - 1)) / 2;
    count.textContent = n < 2 ? "At least two responses." : `${method.value === "knockout" ? "at most " : ""}${pairs} ${pairs === 1 ? "pair" : "pairs"} to judge`;
    go.disabled = running || n < 2;
  };
  const add = (focus) => {
    const box = h("textarea", { rows: "3", oninput: tally });
    const label = h("label", {}, "Response", box);
    const one = h("div.rank-box", {}, label, h("button.quiet", { type: "button", onclick: () => { one.remove(); renumber(); boxes.lastChild.querySelector("textarea").focus(); } }, "Remove"));
    boxes.append(one);
    renumber();
    if (focus) box.focus();
  };
  const send = () => {
    if (go.disabled) return;
    trigger("rank", { prompt: prompt.value, conversation: conversation.checked, responses: texts(), judge: judge.value, method: method.value, both: both.checked });
  };
  method.addEventListener("change", tally);
  root.append(h("section.card.stage.rank-form", { "aria-label": "What is ranked" },
    h("label", {}, "Prompt", prompt), boxes,
    h("div.actions", {}, more, h("label.tick", {}, conversation, "the prompt is a conversation")),
    h("div.fields", {}, RMR.field("Judge", judge), RMR.field("Who meets whom", method), h("label.tick", {}, both, "each pair in both orders")),
    h("div.actions", {}, go, stop, count)));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  });
  add(); add(); add();
  RMR.hear("rank-phase", (phase) => {
    running = phase === "running";
    stop.toggleAttribute("disabled", !running);
    tally();
  });
  return (view) => {
    if (!view.judges) return;
    most = view.most;
    RMR.options(judge, view.judges.map((title) => [title, title]), view.judges.includes(judge.value) ? judge.value : view.judges[0]);
    renumber();
  };
};

RMR.ranking = function ({ element }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const said = h("div", { role: "status", "aria-live": "polite" }), found = h("div.ranking");
  root.append(said, found);
  let view = {}, stopped = null;
  const paint = () => {
    const running = view.phase === "running" && view.run !== stopped;
    const line = running ? `${view.judged} of ${view.method === "knockout" ? "at most " : ""}${view.most} pairs judged`
      : view.phase === "running" ? `Stopped after ${view.judged} pairs; they are kept.` : view.sentence;
    RMR.repaint(said, [line, running], () => line ? h("p.rank-line", {}, running ? h("span.pulse", { "aria-hidden": "true" }) : null, h("strong", {}, line)) : []);
    RMR.repaint(found, view.standings ? [view.standings, view.matches] : null, () => view.standings ? [RMR.standings(view), RMR.matchTable(view)] : []);
    RMR.tell("rank-phase", running ? "running" : "done");
  };
  RMR.hear("rank-stopped", () => { stopped = view.run; paint(); });
  return (next) => { if (next.phase) { view = next; paint(); } };
};

// The responses, best first: rank, share of matches won, text.
RMR.standings = function (view) {
  const { h } = RMR;
  const shared = (one) => view.standings.filter((other) => other.rank === one.rank).length > 1;
  return h("section.card", {}, h("header", {}, h("h2", {}, "Ranking"), h("span.count", {}, view.judge)),
    h("ol.standings", {}, view.standings.map((one) => h("li", {},
      h("span.place", { "aria-label": `Place ${one.rank}${shared(one) ? ", shared" : ""}` }, `${shared(one) ? "=" : ""}${one.rank}`),
      h("div", {},
        h("div.standing", {}, h("strong", {}, `Response ${one.index + 1}`),
          one.win_rate === null ? h("span.muted", {}, "no match decided")
            : [h("span.meter", { role: "img", "aria-label": `${RMR.percent(one.win_rate)} won` }, h("span", { style: `width:${100 * one.win_rate}%` })), h("span", {}, `${one.wins} of ${one.wins + one.losses} won`)],
          one.undecided ? h("span.chip.is-near", {}, `${one.undecided} undecided`) : null,
          one.same_as === null ? null : h("span.muted", {}, `the same text as response ${one.same_as + 1}`)),
        h("details.fold", {}, h("summary", {}, RMR.excerpt(view.responses[one.index])), h("div.text", { dir: "auto" }, view.responses[one.index])))))));
};

RMR.excerpt = (text) => {
  const plain = text.replace(/\s+/g, " ").trim();
  return plain.length > 150 ? `${plain.slice(0, 149)}…` : plain;
};

// Who won against whom; each cell opens its judgement.
RMR.matchTable = function (view) {
  const { h } = RMR;
  const order = view.standings.filter((one) => one.same_as === null).map((one) => one.index);
  const match = (row, column) => view.matches.find((one) => (one.first === row && one.second === column) || (one.first === column && one.second === row));
  const cell = (row, column) => {
    if (row === column) return h("td.self", {}, "");
    const one = match(row, column);
    if (!one) return h("td", {}, h("span.muted", { title: "They did not meet." }, "–"));
    const [mark, kind, words] = one.winner === null ? ["?", "none", `no verdict: ${one.state_title}`] : one.winner === row ? ["✓", "won", "won"] : ["✗", "lost", "lost"];
    const label = `Response ${row + 1} ${words} against response ${column + 1}`;
    return h("td", {}, one.key ? h(`a.match.is-${kind}`, { href: RMR.link(one.key), "aria-label": label, title: [label, one.reason].filter(Boolean).join(". ") }, mark) : mark);
  };
  return h("section.card", {}, h("header", {}, h("h2", {}, "Matches"), h("span.count", {}, `${view.matches.length} judged; each opens its judgement`)),
    h("div.table-scroll", {}, h("table.matches", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "against"), order.map((index) => h("th", { scope: "col" }, String(index + 1))))),
      h("tbody", {}, order.map((row) => h("tr", {}, h("th", { scope: "row" }, `Response ${row + 1}`), order.map((column) => cell(row, column))))))));
};
