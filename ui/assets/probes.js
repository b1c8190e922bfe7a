// Contrast probes: the same pair changed in one way, judged again, to see what carries the verdict.
"use strict";

RMR.PROBES = { trim: "Trimmed", reformat: "Without formatting", reorder: "Reordered", swap: "Other order" };

// `show(key, probes, verdict)` paints the table; `read(view)` opens one probe's own judgement.
RMR.probes = function (place, { run, read }) {
  const { h } = RMR;
  const table = h("div"), reading = h("div.probe-reading");
  let key = null, asked = null;
  return {
    show(nextKey, probes, verdict) {
      if (nextKey !== key) {
        key = nextKey;
        asked = null;
        reading.replaceChildren();
        place.replaceChildren(...(probes && probes.possible ? [h("details.fold.part.probes", probes.rows.length ? { open: true } : {},
          h("summary", {}, "What carries the verdict?"),
          h("p.hint", {}, "The pair is changed in ways that should not matter and judged again by the same judge under the same plan. Probes are kept beside this judgement and count nowhere else."),
          table, reading)] : []));
      }
      if (!probes || !probes.possible) return;
      RMR.repaint(table, [key, probes, verdict], () => RMR.probeTable(probes, verdict, run, (probe) => { asked = probe; read(probe); }));
    },
    read(view) {
      if (view.probe !== asked) return;
      reading.replaceChildren(h("section.card", { "aria-label": "The probe", tabindex: "-1" },
        h("div.both-pair", {}, RMR.casePair(view.pair, view.rollouts[0].spans, () => {})),
        h("div.case-chain", {}, RMR.chain(view.rollouts[0], false, () => {}))));
      reading.firstChild.focus({ preventScroll: true });
      RMR.reveal(reading);
    },
  };
};

RMR.probeTable = function (probes, verdict, run, read) {
  const { h } = RMR;
  const missing = probes.possible.length - probes.rows.length;
  const rows = probes.rows.map((row) => h("tr", {},
    h("th", { scope: "row" }, RMR.PROBES[row.change], h("span.row-hint", {}, row.words)),
    h("td", {}, row.verdict ? RMR.badge(row.verdict) : h("span.muted", {}, row.state)),
    h("td.number", {}, RMR.percent(row.confidence)),
    h("td", {}, row.moved === null ? h("span.muted", {}, "cannot be said")
      : h(`span.chip.${row.moved ? "is-absent" : "is-exact"}`, {}, row.moved ? "moves the verdict" : "the same verdict")),
    h("td", {}, h("button.quiet", { type: "button", onclick: () => read(row.key), "aria-label": `Read the probe: ${RMR.PROBES[row.change]}` }, "Read"))));
  return [
    probes.problem ? h("p.note.note-warning", {}, probes.problem) : null,
    rows.length ? h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Probes" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "Change"), h("th", {}, "Verdict"), h("th.number", {}, "Confidence"), h("th", {}, `Against ${verdict ? `the verdict ${verdict}` : "the judgement"}`), h("th", {}, h("span.offscreen", {}, "Read")))),
      h("tbody", {}, rows))) : null,
    probes.sentence ? h("p", {}, h("strong", {}, probes.sentence), h("span.hint", {}, " One pair says little of a judge.")) : null,
    probes.possible.length ? h("div.actions", {},
      h("button.quiet", { type: "button", disabled: Boolean(probes.running), onclick: run },
        probes.running ? [h("span.pulse", { "aria-hidden": "true" }), `Judging: ${RMR.PROBES[probes.running].toLowerCase()}`]
          : rows.length && !missing ? "Judge the probes anew" : `Judge ${probes.possible.length} ${probes.possible.length === 1 ? "probe" : "probes"}`),
      h("span.hint", { role: "status" }, probes.running ? "This takes as long as judging does." : `${probes.rollouts} ${probes.rollouts === 1 ? "rollout" : "rollouts"} of the judge.`))
      : h("p.hint", {}, "Nothing about this pair can be changed without changing what it says."),
  ];
};
