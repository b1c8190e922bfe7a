// The form of the Benchmarks page that starts a run.
"use strict";

RMR.benchmarkForm = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, asking = 0;
  const choice = (name) => h("select", { name, onchange: () => describe() });
  const typed = (attributes) => h("input", { type: "text", autocomplete: "off", spellcheck: "false", oninput: () => describe(), ...attributes });
  const benchmark = choice("benchmark"), judge = choice("judge"), plan = choice("plan");
  const places = h("datalist", { id: "bench-places" });
  const data = typed({ maxlength: "1000", list: "bench-places", name: "data" });
  const sample = typed({ inputmode: "numeric", maxlength: "9", placeholder: "all", name: "sample" });
  const seed = typed({ inputmode: "numeric", maxlength: "9", placeholder: "0", name: "seed" });
  const tokens = typed({ inputmode: "numeric", maxlength: "9", name: "max_tokens" });
  const problem = h("div", { "aria-live": "polite" }), line = h("div"), origin = h("p.hint");
  const button = h("button.quiet.strong", { type: "button", "data-start": "", onclick: () => {
    button.disabled = true;
    button.textContent = "Starting …";
    trigger("start", form());
  } }, "Start the run");
  const form = () => ({ benchmark: benchmark.value, judge: judge.value, plan: plan.value, data: data.value, sample: sample.value, seed: seed.value, max_tokens: tokens.value });
  const describe = () => {
    const one = (view.benchmarks || []).find((each) => each.name === benchmark.value);
    origin.textContent = one ? `${one.title}${one.size ? ` has ${one.size.toLocaleString("en")} pairs; it` : ""} is to be had from ${one.origin}.` : "";
    button.disabled = !view.can_start || !data.value.trim();
    clearTimeout(asking);
    asking = setTimeout(() => { if (data.value.trim()) trigger("line", form()); else line.replaceChildren(); }, 400);
  };
  root.append(h("section.card.stage", { "aria-label": "Start a run" }, h("h2", {}, "Start a run"), problem,
    h("div.fields", {}, RMR.field("Benchmark", benchmark), RMR.field("Judge", judge), RMR.field("Plan", plan)),
    h("div.fields", {}, RMR.field("Data: a file or folder on the studio's machine, or hub:OWNER/NAME", data), places),
    h("div.fields.numbers", {}, RMR.field("Prompts to sample", sample), RMR.field("Seed", seed), RMR.field("Most tokens", tokens)),
    origin, line, h("div.actions", {}, button, h("span.hint", {}, "It runs in a process of its own: the page may be closed meanwhile."))));
  RMR.whenSeen(root, () => { if (!view.benchmarks) trigger("open", {}); });

  return (next) => {
    view = { ...view, ...next };
    button.textContent = "Start the run";
    RMR.repaint(problem, next.error, () => RMR.trouble(next.error));
    if (!view.benchmarks) { button.disabled = true; return; }
    RMR.options(benchmark, view.benchmarks.map((one) => [one.name, one.title]));
    RMR.options(judge, view.judges.map((title) => [title, title]));
    RMR.options(plan, view.plans);
    RMR.repaint(places, view.found, () => view.found.map((path) => h("option", { value: path })));
    tokens.placeholder = String(view.max_tokens);
    if (next.line === undefined && !next.run && !next.error) describe();
    button.disabled = !view.can_start || !data.value.trim();
    if (view.why_not) RMR.repaint(problem, view.why_not, () => h("p.note.note-warning", {}, view.why_not));
    if (next.line !== undefined) RMR.repaint(line, next.line, () => next.line ? RMR.commandLine(next.line) : []);
    // A panel that is mounted again is given its last value again.
    if (next.run && next.run !== RMR.startedBench) {
      RMR.openBench(RMR.startedBench = next.run);
      document.getElementById("benchmarks").scrollIntoView({ block: "start" });
    }
    root.dataset.painted = "yes";
  };
};
