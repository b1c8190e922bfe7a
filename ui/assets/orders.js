// Two rollouts of one pair that differ in the order of the responses, section by section.
"use strict";

RMR.movedList = function (moved) {
  const { h } = RMR;
  const count = moved.moved.length;
  return h("div.moved", {},
    h("h4", {}, count ? "What moved with the order" : "Nothing moved with the order"),
    count ? h("ul", {}, moved.moved.map((sentence) => h("li", {}, sentence)))
      : h("p.hint", {}, "Verdict, rubric, quotations and totals are the same in both."));
};

// The rubrics of both orders, a line for each criterion, by name.
RMR.bothRubrics = function (criteria) {
  const { h } = RMR;
  const cell = (row, index) => row.there[index]
    ? [row.shares[index] === null ? "no weight" : RMR.percent(row.shares[index]), row.winners[index] ? h("span", {}, " · ", row.winners[index] === "=" ? "equal" : [RMR.badge(row.winners[index]), " wins"]) : null]
    : h("span.muted", {}, "not there");
  return h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Criteria in both orders" }, h("table.both-rubrics", {},
    h("thead", {}, h("tr", {}, ["Criterion", "A read first", "B read first", "Moved"].map((name) => h("th", {}, name)))),
    h("tbody", {}, criteria.map((row) => h("tr", {}, h("th", { scope: "row", dir: "auto" }, row.name || "…"),
      h("td", {}, cell(row, 0)), h("td", {}, cell(row, 1)),
      h("td", {}, RMR.rowMoved(row) ? h("span.chip.is-near", {}, RMR.rowMoved(row)) : h("span.muted", {}, "same")))))));
};

RMR.rowMoved = function (row) {
  if (!row.there[0] || !row.there[1]) return "one order only";
  const [first, second] = row.winners;
  if (first && second && first !== second) return "changes hands";
  return row.shares[0] !== null && row.shares[1] !== null && Math.abs(row.shares[0] - row.shares[1]) > 0.005 ? "weighs differently" : "";
};

// Two rollouts beside each other, a row for each section. Letters in badges are the pair's own.
RMR.bothOrders = function (first, second, moved) {
  const { h } = RMR;
  const both = [first, second];
  const row = (title, build) => {
    const cells = both.map(build);
    return cells.some(Boolean) ? [h("h4", {}, title), ...cells.map((cell) => h("div.cell", { dir: "auto", tabindex: "0", role: "region", "aria-label": title }, cell || h("span.muted", {}, "missing")))] : [];
  };
  const only = moved ? moved.only.map((numbers) => new Set(numbers)) : [new Set(), new Set()];
  const quoted = (rollout, index, segment) => {
    const lone = (segment.found || []).some((quote) => only[index].has(quote.index));
    return h(`blockquote.edge-${segment.side.toLowerCase()}`, {}, h("span.tag", {}, RMR.badge(segment.side), ` ${segment.kind}`,
      (segment.found || []).map((quote) => ` · ${RMR.MATCH[quote.match].word}`), lone ? h("span.chip.is-near", {}, "only in this order") : null), RMR.quoted(segment.text));
  };
  return [
    moved ? RMR.movedList(moved) : null,
    moved && moved.criteria.length ? RMR.bothRubrics(moved.criteria) : null,
    h("div.both-orders", {},
      h("span"), ...both.map((rollout) => h("strong", {}, rollout.order === "AB" ? "A was read first" : "B was read first")),
      row("Verdict", (r) => r.verdict ? h("p.verdict", {}, RMR.badge(r.verdict), ` Response ${r.verdict}`, r.probability === null ? null : h("span.muted", {}, ` · ${RMR.percent(r.probability)}`)) : h("span.warning", {}, r.reason || r.state)),
      row("Type", (r) => r.type && h(`span.chip.chip-${r.type.toLowerCase()}`, {}, r.type)),
      moved && moved.totals.some(Boolean) ? row("Totals", (r) => { const sums = moved.totals[both.indexOf(r)]; return sums && `A ${sums[0]}, B ${sums[1]}`; }) : null,
      row("Rubric", (r) => r.criteria.length ? RMR.criteria(r.criteria, r.weights_note) : r.rubric && h("p.prose", {}, r.rubric)),
      row("Justification", (r) => r.justify && h("p.prose", { dir: "auto" }, r.justify)),
      row("Solution", (r) => r.solution && h("p.prose", { dir: "auto" }, r.solution)),
      row("Evaluation", (r) => r.evaluation && r.evaluation.map((segment) => segment.kind === "text"
        ? h("p.prose", { dir: "auto" }, segment.text) : quoted(r, both.indexOf(r), segment)))),
  ];
};
