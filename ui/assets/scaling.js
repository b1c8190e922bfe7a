// Test-time scaling on the Benchmarks page: which votes, then the curves and their numbers.
"use strict";

RMR.scaling = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const pool = h("select", { "aria-label": "Votes to replay" });
  const go = h("button.quiet.strong", { type: "button", "data-scale": "", onclick: () => { root.setAttribute("aria-busy", "true"); said.textContent = "Working it out …"; trigger("work", { pool: pool.value }); } }, "Draw the curves");
  const said = h("p", { role: "status" }), figures = h("div.scaling-figures"), tables = h("div");
  const form = h("div.fields", {}, RMR.field("Judgements with several votes of each pair", pool), go);
  const none = h("p.muted", {}, "No pair with a known better side has been judged with several votes yet. Judge some with two votes or more and a temperature above 0 (on the Data page, or by rmr1 judge --votes 8 --orders both --temperature 1), and the curves of all smaller plans can be drawn from them.");
  root.append(h("section.card.stage", { "aria-label": "Test-time scaling" }, h("header", {}, h("h2", {}, "Test-time scaling")), none, form, said, figures, tables));
  let view = {}, drawn = null;

  const paint = async () => {
    if (!view.figures || !figures.offsetParent) return;
    const library = await RMR.plotly();
    const style = getComputedStyle(document.body), colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const key = JSON.stringify([view.chosen, colour("ink"), view.sentence]);
    if (drawn === key) return;
    drawn = key;
    const plots = view.figures.map(() => h("div.plot"));
    figures.replaceChildren(...plots);
    view.figures.forEach((figure, at) => library.react(plots[at], figure.data, RMR.inTheme(figure.layout, colour, style.fontFamily), { displayModeBar: false, responsive: true }));
  };
  new MutationObserver(() => paint()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  RMR.whenSeen(root, () => (view.pools ? paint() : trigger("look", {})));

  return (next) => {
    if (!next.pools) return;
    view = { ...view, ...next };
    root.removeAttribute("aria-busy");
    none.hidden = view.pools.length > 0;
    form.hidden = !view.pools.length;
    RMR.options(pool, view.pools.map((one) => [one.id, one.title]), next.chosen);
    said.className = next.problem ? "note note-warning" : "hint";
    said.textContent = next.problem || next.sentence || "";
    if (next.tables) RMR.repaint(tables, next.tables, () => next.tables.map(RMR.scalingTable));
    paint();
  };
};

// A figure made on white, in the colours of the page.
RMR.inTheme = function (layout, colour, family) {
  const axis = (one) => ({ ...one, gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line") });
  const themed = { ...layout, paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { ...layout.font, family, color: colour("ink") } };
  for (const name of Object.keys(themed)) if (/^[xy]axis\d*$/.test(name)) themed[name] = axis(themed[name]);
  return themed;
};

RMR.scalingTable = function (table) {
  const { h } = RMR;
  return h("details.fold", {}, h("summary", {}, table.title), table.note ? h("p.hint", {}, table.note) : null,
    h("div.table-scroll", {}, h("table", {},
      h("thead", {}, h("tr", {}, table.head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell, at) => h(at ? "td.number" : "th", {}, cell))))))));
};
