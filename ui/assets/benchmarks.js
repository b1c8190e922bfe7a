// The Benchmarks page: our runs beside the paper's tables; every number opens its judgements.
"use strict";

RMR.BENCH_POLL_MS = 4000;

RMR.openBench = function (id) {
  RMR.visit({ tab: "benchmarks", bench: id });
  RMR.tell("bench", id);
};

RMR.benchmarks = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, asked = null, seen = false, timer = 0;
  const rule = h("select", { onchange: () => change({ bench_rule: rule.value === "published" ? null : rule.value }) });
  const ruleText = h("p.hint.bench-rule-text"), problem = h("div", { "aria-live": "polite" });
  const list = h("div"), main = h("div"), alone = h("div"), head = h("div"), body = h("div.bench-body");
  const chosen = h("section.card.stage.bench-run", { "aria-label": "The chosen run", hidden: true }, head, body);
  const report = h("div.bench-reports");
  root.append(
    h("div.bench-top", {}, RMR.field("How texts become verdicts", rule), ruleText),
    problem,
    h("section.card.stage", { "aria-label": "Benchmark runs" }, h("h2", {}, "Runs"), list, report),
    chosen,
    h("section.card.stage", { "aria-label": "Beside the paper" }, h("h2", {}, "Beside the paper"), main, alone));

  const address = () => {
    const query = new URLSearchParams(location.search);
    return { run: Number(query.get("bench")) || null, rule: (query.get("bench_rule") || "published").slice(0, 80) };
  };
  const key = (one) => JSON.stringify([one.run, one.rule]);
  const ask = (event) => {
    const now = address();
    if (key(now) !== asked) root.setAttribute("aria-busy", "true");
    asked = key(now);
    trigger(event, now);
  };
  const change = (changes) => { RMR.visit({ tab: "benchmarks", ...changes }); ask("open"); };
  const poll = () => {
    clearTimeout(timer);
    timer = 0;
    if (!seen || document.hidden || !view.live) return;
    // An answer that says nothing new paints nothing: the next look does not wait for it.
    timer = setTimeout(() => { timer = 0; if (seen && !document.hidden && element.isConnected) { ask("poll"); poll(); } }, RMR.BENCH_POLL_MS);
  };
  const act = (name, button) => {
    if (name === "stop" && !confirm("Stop this run? What is judged stays, and it can go on later.")) return;
    button.disabled = true;
    trigger(name, address());
  };
  RMR.hear("bench", () => ask("open"));
  RMR.hear("address", () => { if (seen && key(address()) !== asked) ask("open"); });
  document.addEventListener("visibilitychange", () => { if (seen && !document.hidden && !timer) poll(); });
  RMR.onKeys(root, (event) => {
    if (event.key !== "j" && event.key !== "k") return false;
    const ids = (view.runs || []).map((run) => run.id), at = ids.indexOf(address().run);
    const next = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + (event.key === "j" ? 1 : -1)))];
    if (next) change({ bench: next });
    return Boolean(next);
  });
  new IntersectionObserver((entries) => {
    const before = seen;
    seen = entries.at(-1).isIntersecting;
    if (seen && !before) { RMR.address({ tab: "benchmarks" }); ask("open"); }
  }).observe(root);

  return (next) => {
    if (next.error) { RMR.repaint(problem, next.error, () => RMR.trouble(next.error)); return; }
    if (!next.runs || JSON.stringify(next.asked) !== asked) return;
    view = next;
    root.removeAttribute("aria-busy");
    RMR.options(rule, view.rules.map(([name, words]) => [name, words]), view.rule);
    ruleText.textContent = `${view.rules.find(([name]) => name === view.rule)[2]}.`;
    RMR.repaint(problem, view.problem, () => RMR.trouble(view.problem));
    const current = view.run && view.run.id;
    RMR.repaint(list, [view.runs, current], () => RMR.benchRuns(view.runs, current, (id) => change({ bench: id === current ? null : id })));
    RMR.repaint(report, [view.runs.filter((run) => run.figure).map((run) => run.id), view.rule], () => RMR.benchReports(view.runs.filter((run) => run.figure).map((run) => run.id), view.rule));
    RMR.repaint(main, view.main, () => RMR.mainTable(view.main));
    RMR.repaint(alone, view.alone, () => RMR.aloneTables(view.alone));
    chosen.hidden = !view.run;
    if (view.run) {
      const { score, ...rest } = view.run;
      RMR.repaint(head, [rest, view.rule], () => RMR.benchHead(view.run, view.rule, act));
      head.querySelectorAll("button").forEach((button) => { button.disabled = button.dataset.busy === ""; });
      RMR.repaint(body, [score, view.run.id, view.run.state === "running"], () => RMR.benchScore(view.run));
    }
    root.dataset.painted = `${current || "none"} ${view.run ? view.run.state : ""} ${view.rule}`.trim();
    poll();
  };
};

// A link to the judgements behind a number; it works without a script's help, too.
RMR.behind = function (query, words, ...children) {
  return RMR.h("a.behind", {
    href: `?tab=explore&${query}`, "aria-label": words,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const wanted = new URLSearchParams(query);
      const clean = Object.fromEntries(RMR.LIST_NAMES.map((name) => [name, null]));
      RMR.visit({ ...clean, judgement: null, ...Object.fromEntries(wanted), tab: "explore" });
      RMR.goTab("explore");
      RMR.tell("address");
    },
  }, ...children);
};

RMR.count = (n) => n.toLocaleString("en");

// A score with its interval, what stands behind it, and its failures beside it.
RMR.figure = function (figure) {
  const { h } = RMR;
  if (!figure) return h("span.muted", {}, "–");
  const rate = figure.failure_rate === null ? "" : `${(100 * figure.failure_rate).toFixed(1)} %`;
  const interval = figure.interval || (figure.n ? "no interval" : "");
  return h("div.figure", {},
    figure.n ? RMR.behind(figure.query, `${figure.name}: ${figure.text} per cent, ${interval}, ${RMR.count(figure.n)} judgements: show them`, h("strong", {}, figure.text)) : h("strong", {}, figure.text),
    h("span.figure-interval", { title: figure.how }, interval),
    h("span.figure-n", {}, `n ${RMR.count(figure.n)}`,
      figure.failures ? [" · ", RMR.behind(figure.failed, `${RMR.count(figure.failures)} without a verdict: show them`, `${rate} no verdict`)] : figure.n ? " · 0 % no verdict" : ""),
    figure.missing.length ? h("span.figure-missing", { title: `Without ${figure.missing.join(", ")}` }, "in part") : null);
};

RMR.benchTable = (name, head, rows, kind) => RMR.h(`div.table-scroll.bench-table${kind ? `.${kind}` : ""}`, { tabindex: "0", role: "region", "aria-label": name },
  RMR.h("table", {}, RMR.h("thead", {}, RMR.h("tr", {}, head)), RMR.h("tbody", {}, rows)));

RMR.benchRuns = function (runs, current, choose) {
  const { h } = RMR;
  if (!runs.length)
    return h("div.empty", {}, h("p", {}, "No benchmark has been judged yet."),
      h("p.muted", {}, "Start one below, or bring in what a terminal judged:"), RMR.command("rmr1 bench keep judged.jsonl"));
  const row = (run) => h("tr", { "aria-current": run.id === current ? "true" : null },
    h("th", { scope: "row" }, h("a.bench-open", {
      href: `?tab=benchmarks&bench=${run.id}`, "aria-expanded": String(run.id === current),
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        choose(run.id);
      },
    }, h("span.muted", {}, `${run.id} `), run.benchmark), h("span.row-hint", {}, run.at)),
    h("td", { dir: "auto" }, run.judge, h("span.row-hint", {}, run.plan)),
    h("td.number", {}, RMR.figure(run.figure)),
    h("td.number", {}, RMR.count(run.judged), run.of ? h("span.row-hint", {}, `of ${RMR.count(run.of)}`) : null),
    h("td.number", {}, run.cost.length ? run.cost.map((part) => h("div", {}, part)) : h("span.muted", {}, "not measured")),
    h("td", {}, RMR.state(run.state)));
  return [RMR.benchTable("Runs",
    ["Benchmark", "Judge and plan"].map((name) => h("th", {}, name)).concat(["Score, %", "Pairs", "A judgement"].map((name) => h("th.number", {}, name)), h("th", {}, "State")),
    runs.map(row)), h("p.hint", {}, "Choose a run for its tables; a number opens the judgements behind it. ", RMR.key("j"), " and ", RMR.key("k"), " go through the runs.")];
};

RMR.benchReports = function (ids, rule) {
  const { h } = RMR;
  if (!ids.length) return [];
  const query = `${ids.slice(0, 50).map((id) => `run=${id}`).join("&")}&rule=${encodeURIComponent(rule)}`;
  const to = (kind) => new URL(`benchmarks/report.${kind}?${query}`, location.origin + location.pathname).toString();
  return [h("span.hint", {}, "The report of all of them: "), h("a.quiet", { href: to("html"), download: "" }, "HTML"), " ", h("a.quiet", { href: to("md"), download: "" }, "Markdown")];
};

RMR.mainTable = function (main) {
  const { h } = RMR;
  const ours = main.ours.map((row) => h("tr.is-own", {},
    h("th", { scope: "row", dir: "auto" }, row.name, h("span.row-hint", {}, row.plan)),
    row.cells.map((cell) => h("td.number", {}, RMR.figure(cell))),
    h("td.number", {}, row.average ? h("strong", {}, row.average) : h("span.muted", { title: row.why }, "–"), row.average ? h("span.row-hint", {}, "mean of the three; no interval of its own") : h("span.row-hint", {}, row.why))));
  return [RMR.benchTable("Our judges and the paper's main table",
    [h("th", {}, "Judge"), main.columns.map((name) => h("th.number", {}, name))], [...ours, ...RMR.printedRows(main.printed)], "beside-table"),
  RMR.citation(main.printed), main.ours.length ? null : h("p.hint", {}, "No run on these three yet: the paper's rows stand alone.")];
};

// What the paper says of how a judge is trained and sized: no run of ours stands beside it.
RMR.aloneTables = function (tables) {
  const { h } = RMR;
  const rows = (table) => table.rows.map(([name, ...values]) => h("tr.is-printed", {}, h("th", { scope: "row" }, name), values.map((value) => h("td.number", {}, value))));
  return h("details.fold", {}, h("summary", {}, `What else the paper reports (${tables.length} tables)`), tables.map((table) => h("section.part", { "aria-label": table.title }, h("h3", {}, table.title),
    RMR.benchTable(table.title, [h("th", {}, "Model"), table.columns.map((name) => h("th.number", {}, name))], rows(table), "beside-table"),
    h("p.hint", {}, `As printed, in per cent: ${table.citation}.${table.note ? ` ${table.note}` : ""}`))));
};

RMR.printedRows = (printed) => printed.rows.map(([name, ...values]) => RMR.h("tr.is-printed", {},
  RMR.h("th", { scope: "row", dir: "auto" }, name), values.map((value) => RMR.h("td.number", {}, printed.approximate && value !== "–" ? `≈ ${value}` : value))));

RMR.citation = (printed) => RMR.h("p.hint", {}, `As printed, in per cent: ${printed.title}: ${printed.citation}.${printed.note ? ` ${printed.note}` : ""}`);

RMR.benchHead = function (run, rule, act) {
  const { h } = RMR;
  const stopping = run.state === "stopping";
  return [
    h("div.run-head", {}, RMR.state(run.state), h("h2.title", { dir: "auto" }, `Run ${run.id} · ${run.title}`), h("span.spacer"),
      run.can_stop ? h("button.quiet", { type: "button", "data-stop": "", "data-busy": stopping ? "" : null, disabled: stopping, onclick: (event) => act("stop", event.currentTarget) }, stopping ? "Stopping …" : "Stop") : null,
      run.can_resume ? h("button.quiet.strong", { type: "button", "data-resume": "", onclick: (event) => act("resume", event.currentTarget) }, "Resume") : null,
      run.score ? RMR.benchReports([run.id], rule).slice(1) : null,
      h("button.quiet", { type: "button", onclick: (event) => RMR.copy(location.href, event.currentTarget) }, "Copy link")),
    run.message ? h(`p.note.${run.state === "failed" ? "note-error" : "note-warning"}`, { dir: "auto" }, run.message) : null,
    RMR.runProgress(run.progress.line, run.state === "finished" ? null : run.progress.share),
    h("details.fold", {}, h("summary", {}, "What it was asked"), h("dl.facts", {}, run.facts.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)]))),
  ];
};

RMR.benchScore = function (run) {
  const { h } = RMR;
  const score = run.score;
  if (!score) return h("p.hint", {}, run.state === "running" ? "Its score comes with the first judgements; that of a long run at its end." : "Nothing has been judged, so there is no score.");
  return [
    h("div.bench-headline", {}, h("div.bench-figure", {}, RMR.figure(score.headline)), RMR.whisker(RMR.asShare(score.headline), "new", score.headline.name),
      h("p.hint", {}, `${score.headline.name}; ${RMR.count(score.judged)}${score.of ? ` of the benchmark's ${RMR.count(score.of)}` : ""} pairs judged, on ${RMR.count(score.prompts)} prompts. ${score.headline.how}.`)),
    score.differences.length ? h("div.part", {}, h("h3", {}, "What differs from the published protocol"), h("ul.bench-points", {}, score.differences.map((text) => h("li", {}, text)))) : null,
    score.tables.map((table) => RMR.scoreTable(table, run)),
    h("div.compare-grid", {},
      h("div", {}, RMR.figureTable(score.effects)),
      h("div", {}, RMR.figureTable({ title: "Headline under every rule", note: "", figures: score.by_rule }), RMR.sharesTable(score), RMR.costTable(score))),
    score.slices.figures.length > 1 ? h("details.fold", { open: score.slices.figures.length < 12 }, h("summary", {}, `Slices (${score.slices.figures.length})`), RMR.figureTable(score.slices)) : null,
  ];
};

RMR.asShare = (figure) => figure.value === null ? null : {
  share: figure.value, low: figure.low ?? figure.value, high: figure.high ?? figure.value, n: figure.n,
  words: `${figure.text} % (${figure.interval || "no interval"})`,
};

// A table of the score: beside the paper's where the paper has one, else figure by figure.
RMR.scoreTable = function (table, run) {
  const { h } = RMR;
  if (!table.beside.length && !table.others.length) return table.figures.length > 7 ? h("details.fold", {}, h("summary", {}, table.title), RMR.figureTable(table)) : RMR.figureTable(table);
  const own = (name, plan, cells, current) => h("tr.is-own", { "aria-current": current ? "true" : null },
    h("th", { scope: "row", dir: "auto" }, name, h("span.row-hint", {}, plan)), cells.map((cell) => h("td.number", {}, RMR.figure(cell))));
  return h("section.part", { "aria-label": table.title }, h("h3", {}, table.title), table.note ? h("p.hint", {}, table.note) : null,
    RMR.benchTable(table.title, [h("th", {}, "Judge"), table.figures.map((figure) => h("th.number", {}, figure.name))], [
      own(`This run (${run.id})`, run.plan, table.figures, true),
      table.others.map((other) => own(`${other.name} (run ${other.run})`, other.plan, other.cells, false)),
      table.beside.map(RMR.printedRows)].flat(2), "beside-table"),
    table.beside.map(RMR.citation));
};

RMR.figureTable = function (table) {
  const { h } = RMR;
  return h("section.part", { "aria-label": table.title }, h("h3", {}, table.title), table.note ? h("p.hint", {}, table.note) : null,
    RMR.benchTable(table.title, [h("th", {}, h("span.offscreen", {}, "Figure")), h("th.number", {}, "%"), h("th.scale-cell", {}, h("span.offscreen", {}, "Interval"), RMR.scale())],
      table.figures.map((figure) => h("tr", {}, h("th", { scope: "row", dir: "auto" }, figure.name), h("td.number", {}, RMR.figure(figure)),
        h("td.scale-cell", {}, RMR.whisker(RMR.asShare(figure), "new", figure.name)))), "slices"));
};

RMR.sharesTable = function (score) {
  const { h } = RMR;
  const rows = score.shares.map((one) => h("tr", {}, h("th", { scope: "row" }, one.name),
    h("td.number", {}, h("div.figure", {}, RMR.behind(one.query, `${one.name}: show the judgements`, h("strong", {}, `${(100 * one.share).toFixed(1)} %`)),
      h("span.figure-interval", {}, `${(100 * one.low).toFixed(1)} to ${(100 * one.high).toFixed(1)}`), h("span.figure-n", {}, `${RMR.count(one.count)} of ${RMR.count(one.n)} ${one.of}`)))));
  const states = score.states.map(([state, count, query]) => h("tr", {}, h("th", { scope: "row" }, `State: ${state}`),
    h("td.number", {}, h("div.figure", {}, RMR.behind(query, `${count} judgements in the state ${state}: show them`, h("strong", {}, RMR.count(count))), h("span.figure-n", {}, `${(100 * count / score.judged).toFixed(1)} % of ${RMR.count(score.judged)}`)))));
  return h("section.part", { "aria-label": "Grounding and states" }, h("h3", {}, "Grounding and states"),
    RMR.benchTable("Grounding and states", [h("th", {}, h("span.offscreen", {}, "What")), h("th.number", {}, "Share or count")], [...rows, ...states]));
};

RMR.costTable = (score) => RMR.h("section.part", { "aria-label": "Cost" }, RMR.h("h3", {}, "Cost"),
  score.cost.length ? RMR.h("dl.facts", {}, score.cost.map(([name, value]) => [RMR.h("dt", {}, name), RMR.h("dd", {}, value)])) : RMR.h("p.hint", {}, "Neither seconds nor tokens were measured."));
