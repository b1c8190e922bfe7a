// Charts that filter: figures from the server, drawn by Plotly, which is fetched when first needed.
"use strict";

RMR.plotly = function () {
  RMR.plotlyComing = RMR.plotlyComing || new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", location.origin + location.pathname);
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => { RMR.plotlyComing = null; reject(new Error("The chart library did not load.")); };
    document.head.append(script);
  });
  return RMR.plotlyComing;
};

RMR.charts = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const accuracy = h("p.accuracy", { role: "status" });
  const by = h("select", { "aria-label": "Split outcomes by", onchange: () => ask(by.value) },
    [["source", "by source"], ["subset", "by subset"], ["judge_version", "by judge"]].map(([value, words]) => h("option", { value }, words)));
  const figures = h("div.figures-grid");
  root.append(h("div.charts-head", {}, accuracy, h("label.hint", {}, "Outcomes ", by)), figures);
  let view = {}, query = null, drawn = null, seen = false, chosen = "";

  const ask = (split) => {
    chosen = split ?? chosen;
    drawn = `${query}|${chosen}`;
    trigger("draw", { query, by: chosen });
  };
  const askIfSeen = () => { if (seen && query !== null && drawn !== `${query}|${chosen}`) ask(); };
  RMR.hear("filter", (next) => { query = next; askIfSeen(); });
  new IntersectionObserver((entries) => {
    seen = entries.at(-1).isIntersecting;
    if (seen && query === null) query = RMR.listQuery();
    askIfSeen();
  }).observe(root);

  const figuresOf = new Map();
  const draw = async () => {
    let library;
    try {
      library = await RMR.plotly();
    } catch (error) {
      figures.replaceChildren(h("p.note.note-warning", {}, error.message));
      return;
    }
    for (const chart of view.charts) RMR.drawChart(library, figuresOf.get(chart.id).plot, chart);
  };
  new MutationObserver(() => { if (view.charts && figures.offsetParent) draw(); }).observe(document.body, { attributes: true, attributeFilter: ["class"] });

  return (next) => {
    if (!next.charts || next.query !== query) return;
    view = next;
    by.value = view.by;
    accuracy.textContent = view.total ? view.accuracy : "";
    const nodes = view.charts.map((chart) => {
      const figure = figuresOf.get(chart.id) || RMR.chartFigure(chart.id);
      figuresOf.set(chart.id, figure);
      figure.say(chart);
      return figure.node;
    });
    figures.replaceChildren(...(nodes.length ? nodes : [h("p.muted", {}, "Nothing to count here.")]));
    draw();
    root.dataset.painted = view.query || "all";
  };
};

RMR.chartFigure = function (id) {
  const { h } = RMR;
  const title = h("h2"), plot = h("div.plot", { role: "img" }), note = h("p.hint"), table = h("div");
  const node = h(`figure.card.chart.chart-${id}`, {}, title, plot, note, h("details.fold", {}, h("summary", {}, "Figures"), table));
  const say = (chart) => {
    title.textContent = chart.title;
    note.textContent = chart.note;
    plot.setAttribute("aria-label", chart.summary);
    RMR.repaint(table, chart, () => RMR.chartTable(chart));
  };
  return { node, plot, say };
};

// The same figures as a table, whose numbers filter too: the way for keyboards and screen readers.
RMR.chartTable = function (chart) {
  const { h } = RMR;
  const narrows = (changes) => changes && Object.keys(changes).length;
  return h("div.table-scroll", {}, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, ""), chart.series.map((series) => h("th", {}, series.name)), chart.asides.length ? h("th", {}, "") : null)),
    h("tbody", {}, chart.names.map((name, index) => h("tr", {},
      h("th", { dir: "auto" }, name),
      chart.series.map((series) => h("td.number", {}, series.values[index] && narrows(series.narrow[index])
        ? h("button.more", { type: "button", onclick: () => RMR.tell("narrow", series.narrow[index]) }, series.values[index].toLocaleString("en"))
        : series.values[index].toLocaleString("en"))),
      chart.asides.length ? h("td", {}, chart.asides[index]) : null)))));
};

// Plotly reads a little markup in its texts; ours come from files and models, so none is left.
RMR.plain = (text, most) => {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
};

RMR.drawChart = function (library, plot, chart) {
  const style = getComputedStyle(document.body);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const tones = { good: colour("good"), bad: colour("bad"), near: colour("near"), accent: colour("accent"), none: colour("muted"), plain: colour("line") };
  const flat = chart.kind === "bars", room = plot.clientWidth || 600;
  const places = chart.names.map((_, index) => index);
  const traces = chart.series.map((series) => ({
    type: "bar", name: series.name, orientation: flat ? "h" : "v",
    x: flat ? series.values : places, y: flat ? places : series.values,
    hovertext: chart.names.map((name, index) => `${RMR.plain(name, 60)}: ${series.values[index].toLocaleString("en")} ${series.name}`), hoverinfo: "text",
    marker: { color: tones[series.tone], pattern: { shape: series.pattern, size: 6, solidity: 0.3, fillmode: "overlay", fgcolor: colour("card") }, line: { width: 0 } },
  }));
  const labels = chart.names.map((name) => RMR.plain(name, room < 420 ? 24 : 30));
  const most = Math.max(1, ...places.map((index) => chart.series.reduce((sum, series) => sum + series.values[index], 0)));
  const names = { tickmode: "array", tickvals: places, ticktext: labels, automargin: true, fixedrange: true, showgrid: false, zeroline: false };
  const numbers = { fixedrange: true, gridcolor: colour("line"), zeroline: false, rangemode: "tozero", nticks: 5, tickformat: ",d", dtick: most < 5 ? 1 : null };
  const aside = chart.asides.some(Boolean);
  if (flat && aside) numbers.range = [0, most * (chart.asides.some((text) => text.length > 12) ? (room < 420 ? 2.8 : 1.9) : 1.3)];
  const lines = chart.legend ? Math.ceil((chart.series.length * 140) / room) : 0;
  const layout = {
    barmode: "stack", bargap: 0.28, height: (flat ? 48 + 27 * chart.names.length : 230) + 24 * lines, margin: { l: 10, r: 10, t: 6 + 24 * lines, b: 28 },
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { family: style.fontFamily, size: 12, color: colour("ink") },
    showlegend: chart.legend, legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal", font: { size: 12 }, itemclick: false, itemdoubleclick: false },
    xaxis: flat ? numbers : { ...names, tickangle: -45 }, yaxis: flat ? { ...names, autorange: "reversed" } : numbers,
    hoverlabel: { bgcolor: colour("card"), font: { color: colour("ink") }, bordercolor: colour("line") },
    annotations: !flat || !aside ? [] : places.map((index) => ({
      x: chart.series.reduce((sum, series) => sum + series.values[index], 0), y: index, text: RMR.plain(room < 420 ? chart.asides[index].replace(/, n = .*/, "") : chart.asides[index], 60),
      showarrow: false, xanchor: "left", xshift: 5, font: { size: 11, color: colour("muted") },
    })),
  };
  library.react(plot, traces, layout, { displayModeBar: false, responsive: true });
  plot.removeAllListeners?.("plotly_click");
  plot.on("plotly_click", ({ points }) => {
    const changes = chart.series[points[0].curveNumber].narrow[points[0].pointNumber];
    if (Object.keys(changes).length) RMR.tell("narrow", changes);
  });
};
