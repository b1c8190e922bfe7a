// What the checks say of a judgement: does it hold together, and what would turn it round?
"use strict";

RMR.HOLDINGS = {
  holds: { word: "holds", tone: "is-exact", sign: "✓" },
  contradicts: { word: "contradicts itself", tone: "is-absent", sign: "✗" },
  open: { word: "cannot be said", tone: "is-plain", sign: "–" },
};
RMR.CHECKS = { criteria: "Criteria against verdict", totals: "Totals against verdict", solution: "Its own solution" };

RMR.findings = function (evidence) {
  const { h } = RMR;
  const found = evidence.rollouts.flatMap((rollout) => rollout.findings.map((finding) => ({ ...finding, rollout })));
  if (!found.length) return [];
  const several = evidence.rollouts.length > 1;
  const worst = found.some((one) => one.outcome === "contradicts") ? "contradicts" : found.some((one) => one.outcome === "holds") ? "holds" : "open";
  return [h("section.card.evidence", { "aria-label": "Does it hold together?" },
    h("header", {}, h("h2", {}, "Does it hold together?"), RMR.outcomeChip(worst),
      evidence.pending ? h("span.hint", { role: "status" }, "comparing answers …") : null),
    h("ul.findings", {}, found.map((one) => h(`li.finding-${one.outcome}`, {},
      RMR.outcomeChip(one.outcome),
      h("div", {}, h("strong", {}, RMR.CHECKS[one.check], several ? ` · ${RMR.rolloutTitle(one.rollout)}` : ""),
        h("p", { dir: "auto" }, one.sentence))))),
    h("p.hint", {}, "Read by rules that would rather say nothing than guess: a criterion's winner counts only where the evaluation says it plainly."))];
};

RMR.outcomeChip = function (outcome) {
  const one = RMR.HOLDINGS[outcome];
  return RMR.h(`span.chip.${one.tone}`, {}, RMR.h("span", { "aria-hidden": "true" }, one.sign), ` ${one.word}`);
};
