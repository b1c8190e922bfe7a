// The Agreement page: filters in the address, and sections of figures that lead to their items.
"use strict";

RMR.AGREEMENT_NAMES = ["stage", "judge_version", "source", "subset", "type", "state", "annotator", "queue_id"];
RMR.AGREEMENT_FIELDS = [["judge_version", "Judge"], ["stage", "Answers given"], ["source", "Source"], ["subset", "Subset"], ["annotator", "Person"], ["queue_id", "Queue"]];
RMR.agreementQuery = function () {
  const all = new URLSearchParams(location.search), own = new URLSearchParams();
  for (const name of RMR.AGREEMENT_NAMES) if (all.get(name)) own.set(name, all.get(name));
  return own.toString();
};

// Where a figure's items are: an address of another page, opened without loading anew.
RMR.itemsLink = function (link, name) {
  const { h } = RMR;
  const tab = link.tab || "explore";
  const wanted = new URLSearchParams(link.query);
  const url = new URL(location.origin + location.pathname);
  url.search = new URLSearchParams([["tab", tab], ...wanted]).toString();
  return h("a.items", { href: url.toString(), "aria-label": name ? `${link.text}: the items of ${name}` : null, onclick: (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !document.getElementById(`tab-${tab}-button`)) return;
    event.preventDefault();
    const cleared = Object.fromEntries([...RMR.LIST_NAMES, "judgement", "old", "new", "truth", "all"].map((one) => [one, null]));
    RMR.visit({ ...cleared, ...Object.fromEntries(wanted), tab });
    RMR.goTab(tab);
    RMR.tell("address");
  } }, link.text);
};

RMR.agreement = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let asked = null, view = {};
  const selects = Object.fromEntries(RMR.AGREEMENT_FIELDS.map(([name, words]) => [name, h("select", { onchange: (event) => change(name, event.target.value) })]));
  const fields = h("div.fields", { hidden: true }, RMR.AGREEMENT_FIELDS.map(([name, words]) => RMR.field(words, selects[name])));
  const said = h("div", { "aria-live": "polite" });
  root.append(h("section.card.stage", { "aria-label": "What is looked at" }, h("h2", {}, "How far people and judge agree"), fields, said));

  const change = (name, value) => {
    RMR.visit({ [name]: value || null, ...(name === "source" ? { subset: null } : {}) });
    ask();
  };
  const ask = () => {
    asked = RMR.agreementQuery();
    trigger("ask", { query: asked });
  };
  RMR.hear("address", () => { if (new URLSearchParams(location.search).get("tab") === "agreement") ask(); });
  new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    RMR.address({ tab: "agreement" });
    ask();
  }).observe(root);

  return (next) => {
    if (next.query === undefined || next.query !== asked) return;
    view = next;
    fields.hidden = !view.lead;
    for (const [name, choices] of Object.entries(view.choices || {})) {
      RMR.options(selects[name], choices, view.chosen[name]);
      selects[name].closest(".field").hidden = choices.length < 2;
    }
    RMR.repaint(said, [view.problem, view.left_out, view.lead], () => [
      view.problem ? h("p.note.note-warning", { role: "status" }, view.problem) : null,
      view.lead ? h("p.hint", {}, "Headlines rest on the random stream: pairs that chance alone chose for a person. Targeted items stand apart, folded below each section.",
        view.left_out.length ? ` Left out: ${view.left_out.map(([reason, n]) => `${n.toLocaleString("en")} labels ${reason}`).join(", ")}.` : "") : null,
    ]);
    RMR.tell("agreement", { query: view.query, lead: view.lead, name: (view.chosen || {}).annotator || (view.lead ? "" : view.name) });
    root.dataset.painted = view.query || "default";
  };
};

RMR.agreementPart = function ({ element, trigger }) {
  const root = element.querySelector("[data-root]");
  const name = element.closest("[id^=agreement-]").id.replace("agreement-", "");
  let asked = null;
  RMR.hear("agreement", (found) => {
    if (name === "mirror" ? !found.name : !found.lead) {
      asked = null;
      root.replaceChildren();
      root.rmrShown = null;
      return;
    }
    asked = found.query;
    root.setAttribute("aria-busy", "true");
    trigger("ask", { query: asked, name: found.name || "" });
  });
  return (view) => {
    if (asked === null || view.query !== asked) return;
    root.removeAttribute("aria-busy");
    RMR.repaint(root, view, () => RMR.agreementSection(view));
    root.dataset.painted = view.query || "default";
  };
};

RMR.agreementSection = function (view) {
  const { h } = RMR;
  const help = view.blocks.find((block) => block.kind === "help");
  return h("section.card.stage.agreement", { "aria-label": view.title },
    h("div.agreement-title", {}, h("h2", {}, view.title),
      help ? h("details.help", {}, h("summary", { "aria-label": `What this means: ${view.title}` }, "?"), help.paragraphs.map((one) => h("p", {}, one))) : null),
    h("p.compare-sentence", { dir: "auto" }, view.lead, " ", (view.links || []).map((link) => RMR.itemsLink(link))),
    view.blocks.map((block) => RMR.agreementBlock(block)));
};

RMR.agreementBlock = function (block) {
  const { h } = RMR;
  switch (block.kind) {
    case "note": return h(block.warning ? "p.note.note-warning" : "p.hint", {}, block.text);
    case "heading": return h("h3", {}, block.text);
    case "figures": return h("div.agreement-figures", {}, block.rows.map((row) => RMR.agreementFigure(row)));
    case "table": return RMR.agreementTable(block);
    case "fold": return h("details.fold", {}, h("summary", {}, block.title), block.blocks.map((inner) => RMR.agreementBlock(inner)));
    default: return null;
  }
};

// A figure as a dot and its interval as a line; the mark is what it ought to be.
RMR.agreementWhisker = function (cell, name) {
  const { h } = RMR;
  if (!cell.at) return null;
  const [low, high] = cell.scale, place = (value) => (100 * (value - low)) / (high - low);
  const [value, from, to] = cell.at.map(place);
  return h("div.whisker.is-new", { role: "img", "aria-label": `${name}: ${cell.words}` },
    h("span.whisker-line", { style: `left:${from}%;width:${to - from}%` }),
    cell.mark === undefined ? null : h("span.whisker-mark", { style: `left:${place(cell.mark)}%` }),
    h("span.whisker-dot", { style: `left:${value}%` }));
};

// What the ends of a figure's line stand for.
RMR.agreementEnds = (scale) => RMR.h("div.whisker-ends", { "aria-hidden": "true" },
  ...(scale[0] < 0 ? ["\u22121", "0 (chance)", "1"] : ["0 %", "50 %", "100 %"]).map((one) => RMR.h("span", {}, one)));

RMR.agreementLinks = (cell, name) => (cell.links || []).map((link) => [" ", RMR.itemsLink(link, name)]);

RMR.agreementFigure = function (row) {
  const { h } = RMR;
  return h("div.agreement-figure", {},
    h("div.agreement-name", {}, row.name, row.explained ? h("span.row-hint", {}, row.explained) : null),
    h("div.agreement-value", {}, h("strong", {}, row.words), row.n ? h("span.muted", {}, ` ${row.n}`) : null, RMR.agreementLinks(row, row.name),
      row.why ? h("span.row-hint", {}, row.why) : null),
    row.at ? h("div", {}, RMR.agreementWhisker(row, row.name), RMR.agreementEnds(row.scale)) : h("span"));
};

RMR.agreementTable = function (block) {
  const { h } = RMR;
  const cell = (one, name) => h(`td${one.strong ? ".is-same" : ""}${one.n || one.why ? "" : ".is-count"}`, {},
    one.words ? h("span", { dir: "auto" }, one.words) : null,
    RMR.agreementLinks(one, name),
    one.n ? h("span.row-hint", {}, one.n) : null,
    one.why ? h("span.row-hint.why", {}, one.why) : null,
    RMR.agreementWhisker(one, name));
  return h("div", {}, h("h3", {}, block.title),
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": block.title }, h("table", {},
      h("thead", {}, h("tr", {}, block.columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, block.rows.map(([first, ...rest]) => h("tr", {},
        h("th", { scope: "row", dir: "auto" }, first.words, RMR.agreementLinks(first, first.words)),
        rest.map((one) => cell(one, first.words || "this row"))))))));
};
