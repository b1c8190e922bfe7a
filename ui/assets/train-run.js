// The Train page's runs: the list, and one of them as it goes on.
"use strict";

RMR.POLL_MS = 3000;

RMR.openRun = function (id) {
  RMR.visit({ tab: "train", run: id });
  RMR.tell("run", id);
};

RMR.STATES = {
  running: { sign: "▶", tone: "accent" }, stopping: { sign: "◼", tone: "near" }, finished: { sign: "✓", tone: "good" },
  stopped: { sign: "◼", tone: "near" }, failed: { sign: "✗", tone: "bad" }, lost: { sign: "?", tone: "bad" },
};
RMR.state = (name) => RMR.h(`span.run-state.is-${(RMR.STATES[name] || {}).tone || "plain"}`, {},
  RMR.h("span", { "aria-hidden": "true" }, (RMR.STATES[name] || {}).sign || "·"), ` ${name}`);

RMR.trainRun = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const list = h("nav.run-list", { "aria-label": "Runs" }), main = h("div.run-main");
  const head = h("div"), passing = h("div"), curves = h("div.curves"), samples = h("div"), log = h("div"), facts = h("div");
  root.append(RMR.stage(3, "Run", h("div.run-grid", {}, list, main)));
  const empty = h("div.empty", {}, h("p", {}, "No run is chosen."), h("p.muted", {}, "Choose one of the list, or start one above: its curves, rollouts and log appear here as it goes on."));
  const paintCurves = RMR.curves(curves), paintSamples = RMR.rollouts(samples), paintLog = RMR.logTail(log);
  let wanted = null, view = {}, seen = false, timer = 0, points = null, opened = false;

  const address = () => Number(new URLSearchParams(location.search).get("run")) || null;
  const open = () => {
    wanted = address();
    points = null;
    trigger("open", { run: wanted, after: -1, log: 0, samples: -1, fresh: true });
  };
  // The last step is asked for again: a look at held-out pairs may add to it.
  const look = () => trigger("poll", { run: wanted, after: points ? points.last - 1 : -1, log: paintLog.at(), samples: paintSamples.last() });
  const poll = () => {
    clearTimeout(timer);
    timer = 0;
    if (!seen || document.hidden || !view.live) return;
    timer = setTimeout(() => {
      timer = 0;
      if (!seen || document.hidden || !element.isConnected) return;
      look();
      poll(); // an answer that changes nothing does not reach the page
    }, RMR.POLL_MS);
  };
  const choose = (id) => { RMR.visit({ run: id, tab: "train" }); open(); };
  RMR.hear("run", () => { open(); root.scrollIntoView({ block: "start" }); });
  RMR.hear("address", () => { if (seen && address() !== wanted) open(); });
  document.addEventListener("visibilitychange", () => { if (seen && !document.hidden && !timer) poll(); });
  new IntersectionObserver((entries) => {
    const before = seen;
    seen = entries.at(-1).isIntersecting;
    if (seen && !before) (wanted !== address() || !opened ? open : look)();
    poll();
  }, { rootMargin: "200px" }).observe(root);
  // On a phone the run lies below what is seen at first; a link to it opens it all the same.
  RMR.whenSeen(element.closest("#train-page") || root, () => { if (!opened && address()) open(); });

  const act = (name) => {
    if (name === "stop" && !confirm("Stop this run? It writes a checkpoint first, and can go on from it.")) return;
    trigger(name, { run: wanted });
  };
  return (next) => {
    if (!next.runs) return;
    if ((next.asked ?? null) !== wanted) return;
    // A run that goes on from a checkpoint makes its last steps anew.
    const comesBack = !next.fresh && view.run && next.run && next.run.step < view.run.step;
    view = next;
    // A link to a run leads to it, below the forms as it stands.
    if (!opened && next.run) setTimeout(() => root.scrollIntoView({ block: "start" }), 300);
    opened = true;
    RMR.repaint(list, [next.runs, wanted], () => RMR.runList(next.runs, wanted, choose));
    if (!next.run) {
      main.replaceChildren(next.problem ? h("p.note.note-warning", { role: "alert" }, next.problem) : empty);
    } else {
      if (head.parentNode !== main) main.replaceChildren(head, curves, samples, log, facts);
      if (next.fresh) points = { last: -1, of: new Map() };
      if (points && next.points) RMR.addPoints(points, next.points);
      const { line, share, step, ...rest } = next.run;
      RMR.repaint(head, [rest, next.problem], () => RMR.runHead(next.run, next.problem, act, passing));
      head.querySelectorAll("[data-resume]").forEach((button) => { button.disabled = false; });
      RMR.repaint(passing, [line, share], () => RMR.runProgress(line, share));
      if (points) paintCurves(next.run.id, next.curves, points);
      paintSamples(next.run.id, next.samples || [], next.fresh);
      paintLog(next.log, next.fresh);
      RMR.repaint(facts, next.run.facts, () => h("details.fold.part", {}, h("summary", {}, "What it was started with"),
        h("dl.facts", {}, next.run.facts.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)]))));
    }
    root.dataset.painted = next.run ? `${next.run.id} ${next.run.state}` : "none";
    if (comesBack) open();
    else poll();
  };
};

RMR.addPoints = function (points, added) {
  for (const [name, pairs] of Object.entries(added)) {
    if (!points.of.has(name)) points.of.set(name, new Map());
    for (const [step, value] of pairs) {
      points.of.get(name).set(step, value);
      points.last = Math.max(points.last, step);
    }
  }
};

RMR.runList = function (runs, chosen, choose) {
  const { h } = RMR;
  if (!runs.length) return [h("p.hint", {}, "No run yet.")];
  return runs.map((run) => h("a.run-item", {
    href: `?tab=train&run=${run.id}`, "aria-current": run.id === chosen ? "true" : null,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(run.id);
    },
  },
    h("span.run-name", { dir: "auto" }, h("span.muted", {}, `${run.id} `), run.name), RMR.state(run.state),
    h("span.run-when", {}, run.at, run.figure ? h("span.run-figure", {}, run.figure) : null)));
};

RMR.runHead = function (run, problem, act, passing) {
  const { h } = RMR;
  return [
    h("div.run-head", {}, RMR.state(run.state), h("h2.title", { dir: "auto" }, `Run ${run.id} · ${run.name}`), h("span.spacer"),
      run.can_stop ? h("button.quiet", { type: "button", "data-stop": "", disabled: run.state === "stopping", onclick: () => act("stop") }, run.state === "stopping" ? "Stopping …" : "Stop") : null,
      run.can_resume ? h("button.quiet.strong", { type: "button", "data-resume": "", onclick: (event) => { event.currentTarget.disabled = true; act("resume"); } }, "Resume") : null,
      h("button.quiet", { type: "button", onclick: (event) => RMR.copy(location.href, event.currentTarget) }, "Copy link")),
    problem ? h("p.note.note-error", { role: "alert" }, problem) : null,
    passing,
    run.message ? h(`p.note.${run.state === "failed" ? "note-error" : "note-warning"}`, {}, run.message) : null,
  ];
};

// What changes while a run goes on, apart from the buttons, which keep the keyboard's focus.
RMR.runProgress = function (line, share) {
  const { h } = RMR;
  return [
    share === null ? null : h("div.progress", { role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": Math.round(100 * share) },
      h("span", { style: `width:${100 * share}%` })),
    h("p.run-facts", {}, line.map((part, place) => [place ? h("span.muted", { "aria-hidden": "true" }, " · ") : null, part])),
  ];
};

// Curves: a chart for each group of metrics that has figures.
RMR.curves = function (root) {
  const { h } = RMR;
  const grid = h("div.curves-grid"), more = h("div.curves-grid"), fold = h("details.fold.part", {}, h("summary", {}, "More curves"), more);
  const waiting = h("p.hint", {}, "No figures yet: the first come with the first step.");
  root.append(waiting, grid, fold);
  const figures = new Map();
  let shown = [], of = null, library = null;
  const draw = async () => {
    if (!shown.length) return;
    try {
      library = await RMR.plotly();
    } catch (error) {
      waiting.hidden = false;
      waiting.textContent = error.message;
      return;
    }
    for (const chart of shown) {
      const figure = figures.get(chart.id);
      if (figure.plot.offsetParent) RMR.drawCurve(library, figure.plot, chart);
    }
  };
  fold.addEventListener("toggle", draw);
  new MutationObserver(() => { if (grid.offsetParent) draw(); }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return (run, spec, points) => {
    if (of !== run) { figures.clear(); grid.replaceChildren(); more.replaceChildren(); of = run; }
    shown = RMR.curveCharts(spec, points);
    waiting.hidden = shown.length > 0;
    for (const chart of shown) {
      const figure = figures.get(chart.id) || RMR.curveFigure(chart.id);
      if (!figures.has(chart.id)) (chart.aside ? more : grid).append(figure.node);
      figures.set(chart.id, figure);
      figure.say(chart);
    }
    fold.hidden = !more.children.length;
    draw();
  };
};

// The charts that there are figures for: [{id, title, unit, series: [{name, tone, steps, values}]}].
RMR.curveCharts = function (spec, points) {
  const tones = ["accent", "b", "good", "bad", "near", "muted"], dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const series = (metric, label, place) => {
    const pairs = [...points.of.get(metric)].sort((one, other) => one[0] - other[0]);
    return { name: label, tone: tones[place % tones.length], dash: dashes[place % dashes.length], steps: pairs.map(([step]) => step), values: pairs.map(([, value]) => value) };
  };
  const left = new Set(points.of.keys()), charts = [];
  for (const chart of spec) {
    const metrics = chart.metrics.filter(([metric]) => points.of.has(metric));
    if (chart.prefix) metrics.push(...[...points.of.keys()].filter((name) => name.startsWith(chart.prefix)).sort().map((name) => [name, name.slice(chart.prefix.length)]));
    metrics.forEach(([metric]) => left.delete(metric));
    if (metrics.length) charts.push({ ...chart, series: metrics.map(([metric, label], place) => series(metric, label, place)) });
  }
  for (const metric of left) charts.push({ id: `other-${metric}`, title: metric, unit: "", aside: true, series: [series(metric, metric, 0)] });
  return charts;
};

RMR.number = (value) => !Number.isFinite(value) ? "–" : Number.isInteger(value) ? value.toLocaleString("en") : Math.abs(value) >= 0.001 || value === 0 ? value.toLocaleString("en", { maximumSignificantDigits: 4 }) : value.toExponential(2);

RMR.curveFigure = function (id) {
  const { h } = RMR;
  const title = h("h3"), last = h("p.hint"), plot = h("div.plot", { role: "img" }), table = h("div");
  const node = h("figure.card.chart", { "data-curve": id }, title, last, plot, h("details.fold", {}, h("summary", {}, "Figures"), table));
  const say = (chart) => {
    title.textContent = chart.unit ? `${chart.title} (${chart.unit})` : chart.title;
    const now = chart.series.map((one) => `${chart.series.length > 1 ? `${one.name} ` : ""}${RMR.number(one.values.at(-1))}`).join(", ");
    last.textContent = `${now} · step ${Math.max(...chart.series.map((one) => one.steps.at(-1))).toLocaleString("en")}`;
    plot.setAttribute("aria-label", `${chart.title}: ${chart.series.map((one) => `${one.name} from ${RMR.number(one.values[0])} at step ${one.steps[0]} to ${RMR.number(one.values.at(-1))} at step ${one.steps.at(-1)}`).join("; ")}.`);
    const rows = chart.series.map((one) => {
      const known = one.values.filter((value) => value !== null);
      return [one.name, known.length, known[0], Math.min(...known), Math.max(...known), known.at(-1)];
    });
    RMR.repaint(table, rows, () => h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": `Figures of ${chart.title}` }, h("table", {},
      h("thead", {}, h("tr", {}, ["Curve", "points", "first", "least", "most", "last"].map((name) => h("th", {}, name)))),
      h("tbody", {}, rows.map(([name, ...figures]) => h("tr", {}, h("th", { scope: "row", dir: "auto" }, name), figures.map((figure) => h("td.number", {}, RMR.number(figure)))))))));
  };
  return { node, plot, say };
};

RMR.drawCurve = function (library, plot, chart) {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const traces = chart.series.map((one) => ({
    type: "scatter", mode: one.steps.length < 40 ? "lines+markers" : "lines", name: RMR.plain(one.name, 30), x: one.steps, y: one.values,
    line: { color: colour(one.tone), width: 2, dash: one.dash }, marker: { color: colour(one.tone), size: 5 },
    hovertext: one.steps.map((step, place) => `step ${step.toLocaleString("en")}: ${chart.series.length > 1 ? `${RMR.plain(one.name, 30)} ` : ""}${RMR.number(one.values[place])}`), hoverinfo: "text",
  }));
  const several = traces.length > 1;
  const axis = { gridcolor: colour("line"), zeroline: false, fixedrange: false, automargin: true };
  const layout = {
    height: 210 + (several ? 26 : 0), margin: { l: 10, r: 12, t: several ? 30 : 8, b: 30 }, uirevision: "keep",
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { family: style.fontFamily, size: 12, color: colour("ink") },
    showlegend: several, legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { size: 12 } },
    xaxis: { ...axis, title: { text: "step", standoff: 4, font: { size: 12, color: colour("muted") } }, rangemode: "tozero", nticks: 7 },
    yaxis: { ...axis, nticks: 5, ...(chart.range ? { range: chart.range } : { tickformat: "~g" }) },
    hoverlabel: { bgcolor: colour("card"), font: { color: colour("ink") }, bordercolor: colour("line") },
  };
  library.react(plot, traces, layout, { displayModeBar: false, responsive: true });
};

// Sample rollouts, a step at a time; the newest unless the person holds another.
RMR.rollouts = function (root) {
  const { h } = RMR;
  const steps = new Map();
  let of = null, held = null;
  const slider = h("input", { type: "range", min: "0", "aria-label": "Step of the rollouts", oninput: () => { hold(Number(slider.value)); } });
  const back = h("button.quiet", { type: "button", "aria-label": "Earlier rollouts", onclick: () => hold(Number(slider.value) - 1) }, "←");
  const on = h("button.quiet", { type: "button", "aria-label": "Later rollouts", onclick: () => hold(Number(slider.value) + 1) }, "→");
  const where = h("span.hint.rollouts-where", { role: "status" }), cards = h("div.rollout-cards");
  const box = h("section.rollouts-box", { "aria-label": "Sample rollouts" }, h("div.rollouts-bar", {}, h("h3", {}, "Sample rollouts"), back, slider, on, where), cards);
  root.append(box);
  const ordered = () => [...steps.keys()].sort((one, other) => one - other);
  const hold = (place) => {
    const all = ordered();
    const kept = Math.max(0, Math.min(place, all.length - 1));
    held = kept === all.length - 1 ? null : all[kept];
    paint();
  };
  const paint = () => {
    const all = ordered();
    box.hidden = !all.length;
    if (!all.length) return;
    const step = held ?? all.at(-1), place = all.indexOf(step);
    slider.max = String(all.length - 1);
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", `step ${step}`);
    back.disabled = place <= 0;
    on.disabled = place >= all.length - 1;
    where.textContent = `step ${step.toLocaleString("en")}${place === all.length - 1 ? ", the newest" : ""} · ${place + 1} of ${all.length}`;
    RMR.repaint(cards, [of, step, steps.get(step)], () => steps.get(step).map((item, index) => RMR.rolloutCard(item, index + 1)));
  };
  const take = (run, samples, fresh) => {
    if (fresh || of !== run) { steps.clear(); held = of === run ? held : null; of = run; }
    for (const { step, items } of samples) steps.set(step, items);
    if (held !== null && !steps.has(held)) held = null;
    paint();
  };
  take.last = () => Math.max(-1, ...steps.keys());
  return take;
};

RMR.rolloutCard = function (item, number) {
  const { h } = RMR;
  return h("article.card.rollout", {},
    item.scores.length ? h("div.rollout-scores", {}, item.scores.map(([name, value, tone]) => h(`span.chip.${tone}`, {}, `${name} ${value}`))) : null,
    h("div.text.scroll", { dir: "auto", tabindex: "0", role: "region", "aria-label": `Rollout ${number}` }, item.text || "(empty)"),
    item.prompt ? h("details.fold", {}, h("summary", {}, "What it was asked"), h("div.text.scroll", { dir: "auto", tabindex: "0", role: "region", "aria-label": `Prompt of rollout ${number}` }, item.prompt)) : null);
};

// The end of the log; it follows unless the person has scrolled up.
RMR.logTail = function (root) {
  const { h } = RMR;
  const KEPT = 60000;
  const text = h("pre.raw.log", { tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Log" });
  const fold = h("details.fold.part", {}, h("summary", {}, "Log"), text);
  root.append(fold);
  fold.addEventListener("toggle", () => { text.scrollTop = text.scrollHeight; });
  let at = 0;
  const take = (log, fresh) => {
    if (!log) return;
    const follows = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
    const before = fresh || log.start !== at ? "" : text.textContent;
    at = log.end;
    if (log.text || fresh) text.textContent = (before + log.text).slice(-KEPT) || "(nothing yet)";
    if (follows) text.scrollTop = text.scrollHeight;
  };
  take.at = () => at;
  return take;
};
