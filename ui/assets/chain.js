// A rollout as a chain of steps: type, rubric or solution, evaluation, verdict.
"use strict";

RMR.step = function (state, title, aside, ...body) {
  const { h } = RMR;
  const word = { done: "done", writing: "being written", pending: "not yet", missing: "missing" }[state];
  return h(`section.step.step-${state}`, {},
    h("header", {},
      h("span.dot", { role: "img", "aria-label": word }),
      h("h2", {}, title),
      aside ? h("span.aside", {}, aside) : null),
    body.length ? h("div.body", {}, ...body) : null);
};

RMR.criteria = function (criteria, note) {
  const { h } = RMR;
  const widest = Math.max(0.01, ...criteria.map((item) => item.share || 0));
  return [
    h("ol.criteria", {}, criteria.map((item) =>
      h("li", {},
        h("div.criterion", {},
          h("strong", { dir: "auto" }, item.name || "…"),
          item.weight_text ? h("span.weight", { title: "The weight as the judge wrote it" }, item.weight_text) : null),
        item.share === null ? null : h("div.bar", { role: "img", "aria-label": `weight ${RMR.percent(item.share)}` },
          h("span", { style: `width:${(100 * item.share) / widest}%` })),
        item.text ? h("p", { dir: "auto" }, item.text) : null))),
    note ? h("p.warning", {}, note) : null,
  ];
};

// A quotation in the evaluation, with the state of its search in the response.
RMR.quote = function (segment, onQuote) {
  const { h } = RMR;
  const side = segment.side.toLowerCase();
  if (segment.kind === "summary")
    return h(`blockquote.summary.edge-${side}`, {},
      h("span.tag", {}, RMR.badge(segment.side), " summary"), RMR.quoted(segment.text));
  const found = segment.found || [];
  if (!found.length)
    return h(`blockquote.quote.edge-${side}`, {},
      h("span.tag", {}, RMR.badge(segment.side), " quote"), RMR.quoted(segment.text));
  return found.map((quote) => {
    const go = () => quote.match !== "absent" && onQuote(quote.index, "pair");
    return h(`blockquote.quote.edge-${side}.is-${quote.match}`, {
      tabindex: "0", role: "button", "data-quote": quote.index, onclick: go,
      onkeydown: (event) => { if (event.key === "Enter") go(); },
      title: RMR.MATCH[quote.match].title,
    },
      h("span.tag", {}, RMR.badge(segment.side), ` quote · ${RMR.MATCH[quote.match].word}`),
      RMR.quoted(quote.differences && quote.differences.length ? RMR.differences(quote.differences) : quote.text));
  });
};

// The quoted text in an element of its own: its direction is its own, not that of the words above it.
RMR.quoted = (content) => RMR.h("div.quoted", { dir: "auto" }, content);

RMR.differences = function (runs) {
  const { h } = RMR;
  return runs.map(([kind, text]) =>
    kind === "same" ? `${text} `
      : kind === "quote" ? [h("ins", { title: "Only in the quotation" }, text), " "]
        : [h("del", { title: "Only in the response" }, text), " "]);
};

RMR.evaluation = function (segments, onQuote) {
  const { h } = RMR;
  return segments.map((segment) =>
    segment.kind === "text" ? h("p.prose", { dir: "auto" }, segment.text) : RMR.quote(segment, onQuote));
};

RMR.fold = function (title, text, open) {
  const { h } = RMR;
  return h("details.fold", open ? { open: true } : {}, h("summary", {}, title), h("div.prose", { dir: "auto" }, text));
};

// All steps of one rollout view; `live` says whether it is still being written.
RMR.chain = function (rollout, live, onQuote) {
  return (rollout.layout === "reasoning" ? RMR.plainSteps : RMR.corSteps)(rollout, live, onQuote);
};

RMR.corSteps = function (r, live, onQuote) {
  const { h } = RMR;
  const open = new Set(r.open || []);
  const state = (known, name, before) =>
    known ? (live && open.has(name) ? "writing" : "done") : live ? (before ? "writing" : "pending") : "missing";
  const typed = Boolean(r.type);
  const steps = [
    RMR.step(state(typed, "type", true), "Type of task",
      typed ? h(`span.chip.chip-${r.type.toLowerCase()}`, {}, r.type) : null,
      ...(typed ? [h("p.muted", {}, r.type === "Chat"
        ? "Open-ended: judged by a rubric that the judge writes for this prompt."
        : "Checkable: judged against the judge's own solution.")] : [])),
  ];
  if (r.thinking) steps.push(RMR.step("done", "Thinking", null, RMR.fold("Read the thinking", r.thinking)));
  const ground = r.type === "Reasoning" ? "solution" : "rubric";
  const known = r[ground] !== null && !open.has(ground);
  if (r.type === "Reasoning" || r.solution !== null)
    steps.push(RMR.step(state(r.solution !== null, "solution", typed), "The judge's own solution", null,
      r.solution !== null ? h("div.prose.solution", { dir: "auto" }, r.solution) : null));
  if (r.type !== "Reasoning" || r.rubric !== null)
    steps.push(RMR.step(state(r.rubric !== null, "rubric", typed), "Rubric", null,
      r.criteria.length ? RMR.criteria(r.criteria, r.weights_note)
        : r.rubric ? h("p.prose", { dir: "auto" }, r.rubric) : null,
      r.justify ? RMR.fold("Why this rubric", r.justify, true) : null));
  steps.push(RMR.step(state(r.evaluation !== null, "eval", known), "Evaluation", RMR.quoteCount(r),
    r.evaluation !== null ? RMR.evaluation(r.evaluation, onQuote) : null));
  if (r.prose && !live) steps.push(RMR.step("done", "Outside the sections", null, h("div.prose", { dir: "auto" }, r.prose)));
  steps.push(RMR.verdictStep(r, live));
  return steps;
};

// A reasoning model that writes no sections: its thinking, its text, its verdict, nothing invented.
RMR.plainSteps = function (r, live, onQuote) {
  const { h } = RMR;
  const text = r.evaluation !== null ? RMR.evaluation(r.evaluation, onQuote) : h("div.prose", { dir: "auto" }, r.prose || "");
  return [
    r.thinking ? RMR.step(live && !r.prose ? "writing" : "done", "Thinking", null, RMR.fold("Read the thinking", r.thinking, live)) : null,
    RMR.step(r.prose || r.evaluation ? "done" : live ? "writing" : "missing", "Reasoning", "no sections", text),
    RMR.verdictStep(r, live),
  ].filter(Boolean);
};

RMR.quoteCount = function (r) {
  const { h } = RMR;
  if (!r.quotes.length) return null;
  const count = { exact: 0, near: 0, absent: 0 };
  for (const quote of r.quotes) count[quote.match] += 1;
  return Object.entries(count).filter(([, n]) => n).map(([match, n]) =>
    h(`span.chip.is-${match}`, { title: RMR.MATCH[match].title }, `${n} ${n === 1 ? "quote" : "quotes"} ${RMR.MATCH[match].word}`));
};

RMR.verdictStep = function (r, live) {
  const { h } = RMR;
  const body = r.verdict
    ? [h("p.verdict", {}, RMR.badge(r.verdict), ` Response ${r.verdict} is better`,
      r.probability === null ? null : h("span.muted", {}, ` · ${RMR.percent(r.probability)} at the verdict`))]
    : live ? [] : [h("p.warning", {}, `No verdict: ${r.reason || r.state || "the judge was stopped"}`)];
  return RMR.step(r.verdict ? "done" : live ? (r.open.includes("answer") ? "writing" : "pending") : "missing", "Verdict", null, ...body);
};
