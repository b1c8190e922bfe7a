// The Judge page: a case that fills while the judge writes, and a bar to agree or not.
"use strict";

RMR.judge = function ({ element, props, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const bar = h("div.agree"), beside = h("div.beside-place");
  const paint = RMR.case(root, { link: true, bar: h("div", {}, beside, bar), edit: () => {
    RMR.foldForm(false);
    document.querySelector("#judge-prompt textarea").focus();
  } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const go = document.getElementById("judge-go");
    if (go && go.offsetParent) go.click();
  });
  const intro = h("div");
  root.append(intro);
  let before = null, stoppedRun = null;
  RMR.stopJudging = () => {
    if (before?.phase !== "running") return;
    stoppedRun = before.run;
    show(before);
    document.getElementById("judge-go").focus();
  };
  // What was on its way when Stop was pressed must not set the judge going again.
  const asStopped = (view) => view.phase === "running" && view.run === stoppedRun
    ? { ...view, phase: "stopped", state_title: "stopped, nothing was stored", status: "Stopped. Nothing was stored." } : view;
  const show = (given) => {
    const view = asStopped(given);
    paint(view);
    RMR.repaint(intro, view.examples || [], () => view.examples ? RMR.introduction(view.examples, (title) => trigger("example", { title }), view.shown) : []);
    root.dataset.phase = view.phase || "idle";
    document.getElementById("judge-stop")?.toggleAttribute("disabled", view.phase !== "running");
    const another = view.run !== before?.run || view.key !== before?.key;
    if (view.phase && another) RMR.foldForm(true);
    RMR.repaint(beside, view.beside, () => view.beside ? RMR.besideLine(view.beside) : []);
    RMR.repaint(bar, [view.phase, view.key, view.receipt, view.verdict], () =>
      view.phase === "done" && view.key ? RMR.agreeBar(view, trigger) : []);
    if (view.phase === "done" && (before?.phase === "running" || another)) {
      const isElsewhere = RMR.isTyping({ target: document.activeElement }) && !document.activeElement.closest("#judge-form");
      if (!isElsewhere) root.querySelector("[data-headline]")?.focus({ preventScroll: true });
    }
    before = view;
  };
  return show;
};

// What a visitor sees before anything was judged: what this is, and pairs to begin with.
RMR.introduction = function (examples, choose, shown) {
  const { h } = RMR;
  const steps = [
    ["Type", "Is the task a matter of quality, or does it have a right answer?"],
    ["Rubric or solution", "Weighted criteria for this very prompt, or the judge's own solution of it."],
    ["Evaluation", "Both responses compared, with quotations that the studio looks up in them."],
    ["Verdict", "A or B: the preference that other models can be trained on."],
  ];
  const already = h("div");
  if (shown) {
    RMR.case(already, {})(shown);
    new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && RMR.sawCard(shown.pair_hash)).observe(already);
  }
  return [h("section.introduction", {},
    h("h2", {}, "What is a reasoning reward model?"),
    h("p", {}, "A reward model says which of two responses is better. Most give a bare number; this one writes down its reasons first, so that they can be read, checked and corrected."),
    h("ol.introduction-steps", {}, steps.map(([name, words]) => h("li", {}, h("strong", {}, name), h("span", {}, words)))),
    h("div.actions", {}, h("strong", {}, "See it judge:"),
      examples.map((title) => h("button.quiet", { type: "button", onclick: () => choose(title) }, title)),
      h("span.hint", {}, "or fill in a pair of your own above."))),
  shown ? h("section.first-case", {}, h("header", {}, h("h2", {}, RMR.words("first.already")),
    h("button.quiet", { type: "button", onclick: () => { RMR.visit({ tab: "gallery", card: null, play: null }); RMR.goTab("gallery"); } }, RMR.words("first.gallery"))),
    h("p.happened", {}, RMR.outcome(shown.outcome), h("span.sentence", {}, shown.sentence)), already) : null];
};

// The form gives way to the case, which shows the same texts.
RMR.foldForm = (folded) => document.getElementById("judge-form")?.classList.toggle("is-folded", folded);

// After the judge has spoken: agree, or say which response is better. Kept as an inspection label.
RMR.agreeBar = function (view, trigger) {
  const { h } = RMR;
  const say = (value) => (RMR.lastSaid = value) && trigger("inspect", { judgement: view.key, value, key: RMR.uuid(), annotator: RMR.who() });
  const choices = [["A", "A is better"], ["B", "B is better"], ["tie", "Tie"], ["both_bad", "Both bad"], ["cannot_tell", "Cannot tell"]];
  const buttons = choices.map(([value, words]) => h("button.quiet", {
    type: "button", "aria-pressed": view.receipt && view.receipt.value === value ? "true" : "false", onclick: () => say(value),
  }, value.length === 1 ? RMR.badge(value) : null, words, view.verdict === value ? h("span.muted", {}, "agree") : null));
  if (view.receipt && view.receipt.value === RMR.lastSaid) {
    RMR.lastSaid = null; // painted anew after an answer: the keyboard goes on where it was
    setTimeout(() => document.activeElement === document.body && buttons.find((button) => button.getAttribute("aria-pressed") === "true")?.focus({ preventScroll: true }));
  }
  return [
    h("span.hint", {}, "What do you say?"),
    ...buttons,
    view.receipt ? h("span.receipt", { role: "status" }, `✓ stored ${view.receipt.at} · #${view.receipt.id}`, RMR.whereStored("label", view.receipt.id)) : h("span.hint", {}, "Labels made here have seen the verdict; they stay out of the headline figures."),
  ];
};

RMR.uuid = function () {
  if (globalThis.crypto && crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};

// What a second judge says of the same pair, in a line.
RMR.besideLine = function (one) {
  const { h } = RMR;
  if (one.phase === "running") return h("p.beside", { role: "status" }, h("span.pulse", { "aria-hidden": "true" }), h("span", {}, `Beside it, ${one.judge} judges`));
  const line = one.verdict ? [RMR.badge(one.verdict), h("strong", {}, `Response ${one.verdict} is better`)]
    : [h("span.state", { "aria-hidden": "true" }, "!"), h("strong", {}, `No verdict: ${one.state_title}`)];
  return h("div.beside", { role: "status" }, h("span.muted", {}, "Beside it"), h("span", {}, one.judge), ...line, RMR.confidence(one),
    one.agrees === null ? null : h(`span.chip${one.agrees ? ".is-exact" : ".is-absent"}`, {}, one.agrees ? "the same verdict" : "another verdict"),
    h("span.spacer"), one.key ? h("a.quiet", { href: RMR.link(one.key) }, "Open") : null,
    one.reason ? h("p.beside-reason", {}, one.reason) : null);
};
