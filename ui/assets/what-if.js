// The weights of a rubric moved by hand: what verdict would they give, and how little turns it?
"use strict";

// A what-if: `show(key, rollouts)` begins with the judge's own reading, `weighed(sums, round)`
// takes what the server adds up, `ask(rows, round)` is called when a row has changed.
RMR.whatIf = function (place, ask) {
  const { h } = RMR;
  const said = h("div.what-if-said", { role: "status", "aria-live": "polite" });
  const table = h("div.what-if-rows");
  let key = null, rollouts = [], chosen = 0, rows = [], round = 0, timer = 0;

  const weightOf = (row) => Math.round(1000 * (row.share || 0)) / 10;
  const begin = () => {
    rows = rollouts[chosen].rows.map((row) => ({ name: row.name, weight: weightOf(row), judged: weightOf(row), winner: row.winner, read: row.winner }));
    paint();
    tell(rollouts[chosen].weighed);
  };
  const changed = () => {
    shares();
    clearTimeout(timer);
    timer = setTimeout(() => ask(rows.map(({ weight, winner }) => ({ weight, winner })), ++round), 90);
  };
  const shares = () => {
    const total = rows.reduce((sum, row) => sum + row.weight, 0);
    table.querySelectorAll("output").forEach((node, index) => {
      node.textContent = total ? RMR.percent(rows[index].weight / total) : "0 %";
    });
  };
  const paint = () => {
    table.replaceChildren(...rows.map((row, index) => h("div.what-if-row", { role: "group", "aria-label": row.name },
      h("span.what-if-name", { dir: "auto" }, row.name || "…", row.read ? h("span.row-hint", {}, `the judge says ${row.read === "=" ? "equal" : row.read}`) : h("span.row-hint", {}, "the judge does not say who wins")),
      h("input", { type: "range", min: "0", max: "100", step: "1", value: row.weight, "aria-label": `Weight of ${row.name}`, oninput: (event) => { row.weight = Number(event.target.value); changed(); } }),
      h("output", {}),
      h("span.what-if-winners", { role: "group", "aria-label": `Who wins ${row.name}` }, ["A", "=", "B"].map((winner) => h("button.quiet", {
        type: "button", "aria-pressed": row.winner === winner ? "true" : "false", "aria-label": winner === "=" ? "equal" : `${winner} wins`,
        onclick: (event) => {
          row.winner = row.winner === winner ? null : winner;
          for (const button of event.currentTarget.parentNode.children) button.setAttribute("aria-pressed", button === event.currentTarget && row.winner ? "true" : "false");
          changed();
        },
      }, winner === "=" ? "=" : RMR.badge(winner)))))));
    shares();
  };
  const tell = (sums) => {
    const verdict = rollouts[chosen].verdict;
    said.replaceChildren(...RMR.whatIfSaid(sums, rows, verdict).filter(Boolean));
    said.dataset.verdict = sums.verdict || "none";
  };
  return {
    show(nextKey, given) {
      if (nextKey === key) return;
      key = nextKey;
      rollouts = (given || []).filter((one) => one.rows.some((row) => row.share !== null));
      chosen = 0;
      if (!rollouts.length) return place.replaceChildren();
      place.replaceChildren(h("details.fold.part.what-if", {}, h("summary", {}, "What if the weights were different?"),
        h("p.hint", {}, "The judge's own weights and winners to begin with. Move a weight, or say who wins a criterion; nothing is stored."),
        rollouts.length > 1 ? h("label.what-if-choice", {}, "Rubric of ", h("select", { onchange: (event) => { chosen = Number(event.target.value); begin(); } },
          rollouts.map((one, index) => h("option", { value: index }, RMR.rolloutTitle(one))))) : null,
        table, said,
        h("div.actions", {}, h("button.quiet", { type: "button", onclick: begin }, "Back to the judge's reading"))));
      begin();
    },
    weighed(sums, answered) {
      if (answered === round && rollouts.length) tell(sums);
    },
  };
};

RMR.whatIfSaid = function (sums, rows, verdict) {
  const { h } = RMR;
  const part = (share, tone, name) => share > 0 ? h(`span.sum-${tone}`, { style: `flex-grow:${share}`, title: `${name} ${RMR.percent(share)}` }, share >= 0.08 ? `${name} ${RMR.percent(share)}` : "") : null;
  return [
    h("div.sum-bar", { role: "img", "aria-label": `A ${RMR.percent(sums.a)}, B ${RMR.percent(sums.b)}, equal ${RMR.percent(sums.even)}, nobody yet ${RMR.percent(sums.unknown)}` },
      part(sums.a, "a", "A"), part(sums.even, "even", "="), part(sums.unknown, "unknown", "?"), part(sums.b, "b", "B")),
    h("p", {}, sums.verdict ? RMR.badge(sums.verdict) : null, " ", h("strong", {}, sums.sentence),
      sums.verdict && verdict ? ` The judge answered ${verdict}.` : ""),
    sums.verdict ? h("p", {}, RMR.whatIfChange(sums, rows)) : null,
  ];
};

RMR.whatIfChange = function (sums, rows) {
  const other = sums.verdict === "A" ? "B" : "A";
  if (!sums.flip) return `No change of weights turns it: ${other} wins no criterion.`;
  const points = `${(100 * sums.flip.points).toFixed(1).replace(/\.0$/, "")} points`;
  const [source, target] = [rows[sums.flip.source].name, rows[sums.flip.target].name];
  const from = sums.flip.enough ? `“${source}”` : `“${source}” and the other criteria that ${sums.verdict} wins`;
  return `The smallest change that turns it: more than ${points} from ${from} to “${target}”.`;
};
