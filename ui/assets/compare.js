// The Compare page: two judge versions, dots with whiskers, and the pairs on which they differ.
"use strict";

RMR.COMPARE_NAMES = ["old", "new", "truth", "all"];
RMR.compareQuery = function () {
  const all = new URLSearchParams(location.search), own = new URLSearchParams();
  for (const name of RMR.COMPARE_NAMES) if (all.get(name)) own.set(name, all.get(name));
  return own.toString();
};

// Open the page for some versions: hashes, or an adapter's name@hash.
RMR.openCompare = function (versions) {
  RMR.visit({ old: null, new: null, flip: null, ...versions, tab: "compare" });
  RMR.goTab("compare");
  RMR.tell("address");
};

RMR.compare = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, asked = null, at = -1;
  const choice = (name) => h("select", { onchange: (event) => change({ [name]: event.target.value }) });
  const old = choice("old"), recent = choice("new"), truth = choice("truth");
  const all = h("input", { type: "checkbox", onchange: () => change({ all: all.checked ? "1" : null }) });
  const swap = h("button.quiet", { type: "button", onclick: () => change({ old: view.new, new: view.old }) }, "Swap");
  const said = h("div", { "aria-live": "polite" }), accuracy = h("div"), figures = h("div"), slices = h("div"), flips = h("div");
  root.append(
    h("section.card.stage", { "aria-label": "What is compared" },
      h("div.fields", {}, RMR.field("Old judge", old), RMR.field("New judge", recent), RMR.field("What is right is said by", truth), swap,
        h("label.tick", {}, all, "also pairs that may have been trained on")),
      said, accuracy),
    h("div.compare-grid", {}, slices, figures), flips);

  const change = (changes) => {
    RMR.visit({ flip: null, ...changes });
    ask();
  };
  const ask = () => {
    asked = RMR.compareQuery();
    root.setAttribute("aria-busy", "true");
    trigger("ask", { query: asked });
  };
  const rows = () => view.flips ? [...view.flips.improved.rows, ...view.flips.worsened.rows] : [];
  const choose = (place) => {
    const all = rows();
    if (!all.length) return false;
    at = Math.max(0, Math.min(place, all.length - 1));
    RMR.address({ flip: all[at].pair, tab: "compare" });
    mark();
    RMR.tell("flip", all[at]);
    return true;
  };
  const mark = () => {
    const chosen = rows()[at];
    flips.querySelectorAll("[data-pair]").forEach((node) => {
      const on = Boolean(chosen) && node.dataset.pair === String(chosen.pair);
      if (on) { node.setAttribute("aria-current", "true"); node.scrollIntoView({ block: "nearest" }); } else node.removeAttribute("aria-current");
    });
  };
  RMR.onKeys(root, (event) => event.key === "j" ? choose(at + 1) : event.key === "k" ? choose(at - 1) : false);
  RMR.hear("address", () => { if (new URLSearchParams(location.search).get("tab") === "compare" && RMR.compareQuery() !== asked) ask(); });
  new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    RMR.address({ tab: "compare" });
    ask();
  }).observe(old);

  return (next) => {
    if (!next.versions || next.query !== asked) return;
    view = next;
    root.removeAttribute("aria-busy");
    const choices = [...(view.old && view.new ? [] : [["", "choose …"]]), ...view.versions];
    RMR.options(old, choices, view.old);
    RMR.options(recent, choices, view.new);
    RMR.options(truth, view.truths, view.truth);
    all.checked = view.all;
    RMR.repaint(said, [view.problem, view.sentence, view.remarks, view.basis, view.left_out, view.line], () => RMR.compareSaid(view));
    RMR.repaint(accuracy, [view.accuracy, view.titles], () => view.n ? RMR.accuracies(view) : []);
    RMR.repaint(slices, view.slices, () => (view.slices || []).map((one) => RMR.sliceTable(one)));
    RMR.repaint(figures, view.n ? view.figures : null, () => view.n ? RMR.sideBySide(view) : []);
    RMR.repaint(flips, view.flips, () => view.flips && view.n ? RMR.flipLists(view.flips, (pair) => choose(rows().findIndex((row) => row.pair === pair))) : []);
    const wanted = Number(new URLSearchParams(location.search).get("flip"));
    at = rows().findIndex((row) => row.pair === wanted);
    mark();
    RMR.tell("flip", rows()[at] || null);
    root.dataset.painted = view.query || "default";
  };
};

RMR.compareSaid = function (view) {
  const { h } = RMR;
  if (view.problem)
    return [h("p.note.note-warning", { role: "status" }, view.problem),
      h("p.hint", {}, "From a terminal, with the settings of the judge that is to be measured:"),
      RMR.command("rmr1 judge pairs.jsonl --out judged.jsonl --adapter NAME=FOLDER --profile PROFILE && rmr1 import judged.jsonl")];
  return [
    h("p.compare-sentence", {}, view.sentence),
    view.hidden ? h("p.hint", {}, view.hidden) : null,
    view.remarks.map((remark) => h("p.note.note-warning", {}, remark)),
    h("p.hint", {}, view.basis, view.basis && view.left_out.length ? " " : "", view.left_out.length ? `Left out: ${view.left_out.map(([reason, n]) => `${n.toLocaleString("en")} ${reason}`).join(", ")}.` : ""),
    h("details.fold", {}, h("summary", {}, "The same from a terminal"), RMR.command(view.line)),
  ];
};

// A share as a dot, its 95 % interval as a line, on a scale from 0 to 100 %.
RMR.whisker = function (share, who, words) {
  const { h } = RMR;
  if (!share) return h("div.whisker", {}, h("span.muted", {}, "–"));
  return h(`div.whisker.is-${who}`, { role: "img", "aria-label": `${words}: ${share.words}`, title: `${words}: ${share.words}, n = ${share.n.toLocaleString("en")}` },
    h("span.whisker-line", { style: `left:${100 * share.low}%;width:${100 * (share.high - share.low)}%` }),
    h("span.whisker-dot", { style: `left:${100 * share.share}%` }));
};

RMR.scale = () => RMR.h("div.scale", { "aria-hidden": "true" }, [0, 25, 50, 75, 100].map((at) => RMR.h("span", { style: `left:${at}%` }, at === 100 ? "100 %" : String(at))));

RMR.accuracies = function (view) {
  const { h } = RMR;
  const row = (who, word, title) => [
    h("div.accuracy-name", {}, h(`span.whisker-key.is-${who}`, { "aria-hidden": "true" }), h("span", {}, h("strong", {}, word), h("span.muted", { dir: "auto" }, ` ${title}`))),
    RMR.whisker(view.accuracy[who], who, `${word}, accuracy`),
    h("div.accuracy-figure", {}, view.accuracy[who].words)];
  return [h("div.accuracies", { role: "group", "aria-label": "Accuracy" }, row("old", "Old", view.titles[0]), row("new", "New", view.titles[1]), h("span"), RMR.scale(), h("span.hint", {}, `n = ${view.n.toLocaleString("en")}`)),
    h("p.hint", {}, "Accuracy, with 95 % intervals of Wilson; the line at 50 is coin flipping. No verdict counts as wrong.")];
};

RMR.sliceTable = function (slice) {
  const { h } = RMR;
  return h("section.card.stage", {}, h("h2", {}, slice.title),
    h("div.table-scroll.slices", { tabindex: "0", role: "region", "aria-label": slice.title }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, h("span.offscreen", {}, "Slice")), h("th.number", {}, "n"), h("th.number", {}, "old"), h("th.number", {}, "new"), h("th.number", {}, "points"), h("th.number", {}, "p"), h("th.scale-cell", {}, h("span.offscreen", {}, "Intervals"), RMR.scale()))),
      h("tbody", {}, slice.rows.map((row) => h("tr", {},
        h("th", { scope: "row", dir: "auto" }, row.name), h("td.number", {}, row.n.toLocaleString("en")),
        h("td.number", {}, row.old ? RMR.percent(row.old.share) : "–"), h("td.number", {}, row.new ? RMR.percent(row.new.share) : "–"),
        h("td.number", {}, h("strong", {}, row.difference)), h("td.number", {}, row.p),
        h("td.scale-cell", {}, RMR.whisker(row.old, "old", `${row.name}, old`), RMR.whisker(row.new, "new", `${row.name}, new`))))))));
};

RMR.sideBySide = function (view) {
  const { h } = RMR;
  return h("section.card.stage", {}, h("h2", {}, "Side by side"),
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Side by side" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, h("span.offscreen", {}, "Figure")), h("th", {}, "Old"), h("th", {}, "New"))),
      h("tbody", {}, view.figures.map(([name, old, recent, meaning]) => h("tr", {},
        h("th", { scope: "row" }, name, h("span.row-hint", {}, meaning)), h("td", {}, old), h("td", {}, recent)))))));
};

RMR.flipLists = function (flips, choose) {
  const { h } = RMR;
  const list = (title, found) => h("section", { "aria-label": title }, h("h3", {}, title, " ", h("span.chip.is-plain", {}, found.total.toLocaleString("en"))),
    found.rows.length ? h("div.flips", {}, found.rows.map((row) => h("button.flip", { type: "button", "data-pair": row.pair, onclick: () => choose(row.pair) },
      h("span.flip-prompt", { dir: "auto" }, row.prompt || "(empty prompt)"),
      h("span.flip-facts", {}, RMR.flipVerdict("old", row.old), RMR.flipVerdict("new", row.new), h("span.spacer"), h("span", { dir: "auto" }, row.source)))))
      : h("p.hint", {}, "None."),
    found.total > found.rows.length ? h("p.hint", {}, `The first ${found.rows.length} are listed.`) : null);
  return h("section.card.stage", {}, h("h2", {}, "Pairs on which they differ"),
    h("p.hint", {}, "Choose one to read both judgements beside each other; ", RMR.key("j"), " and ", RMR.key("k"), " go on and back."),
    h("div.flip-lists", {}, list("Only the new judge is right", flips.improved), list("Only the old judge is right", flips.worsened)));
};

RMR.flipVerdict = (word, verdict) => [RMR.h("span", {}, `${word} `), verdict ? RMR.badge(verdict) : RMR.h("span.muted", {}, "none")];

// Two judgements of one pair: the pair once, both chains beside each other.
RMR.compareBoth = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let wanted = "";
  RMR.hear("flip", (row) => {
    const next = row ? `${row.old_key} ${row.new_key}` : "";
    if (next === wanted) return;
    wanted = next;
    if (!row) root.replaceChildren();
    else trigger("show", { old: row.old_key, new: row.new_key });
  });
  return (view) => {
    if (!wanted || view.asked !== wanted) return;
    RMR.repaint(root, view, () => RMR.twoChains(view));
    root.dataset.painted = view.asked;
  };
};

RMR.twoChains = function (view) {
  const { h } = RMR;
  const pair = (view.old.pair && view.old) || (view.new.pair && view.new);
  const column = (word, one) => h("section.chain-column", { "aria-label": `${word} judgement` },
    h("header.chain-head", {}, h("h3", {}, word), one.pair ? RMR.outcome(one.outcome) : null, h("span.spacer"), one.pair ? h("a.quiet", { href: RMR.link(one.asked) }, "Open") : null),
    one.problem ? h("p.note.note-warning", {}, one.problem) : [
      h("p.hint", {}, one.meta), one.reason ? h("p.hint", {}, one.reason) : null,
      h("div.case-chain", {}, RMR.chain(one.rollouts[0], false, () => {})),
      one.rollouts.length > 1 ? h("p.hint", {}, `The first of ${one.rollouts.length} rollouts; the others stand on its own page.`) : null]);
  return h("section.card.stage", { "aria-label": "Both judgements" },
    pair ? h("div.both-pair", {}, RMR.casePair(pair.pair, { A: [], B: [] }, () => {})) : null,
    h("div.two-chains", {}, column("Old", view.old), column("New", view.new)));
};
