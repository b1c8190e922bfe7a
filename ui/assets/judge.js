// The Judge page: a case that fills while the judge writes, and a bar to agree or not.
"use strict";

RMR.judge = function ({ element, props, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const bar = h("div.agree");
  const paint = RMR.case(root, { link: true, bar, edit: () => {
    RMR.foldForm(false);
    document.querySelector("#judge-prompt textarea").focus();
  } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const go = document.getElementById("judge-go");
    if (go && go.offsetParent) go.click();
  });
  let before = null;
  return (view) => {
    paint(view);
    root.dataset.phase = view.phase || "idle";
    const another = view.run !== before?.run || view.key !== before?.key;
    if (view.phase && another) RMR.foldForm(true);
    RMR.repaint(bar, [view.phase, view.key, view.receipt, view.verdict], () =>
      view.phase === "done" && view.key ? RMR.agreeBar(view, trigger) : []);
    if (before?.phase === "running" && view.phase === "done") {
      const headline = root.querySelector("[data-headline]");
      if (headline && !RMR.isTyping({ target: document.activeElement })) headline.focus({ preventScroll: true });
    }
    before = view;
  };
};

// The form gives way to the case, which shows the same texts.
RMR.foldForm = (folded) => document.getElementById("judge-form")?.classList.toggle("is-folded", folded);

// After the judge has spoken: agree, or say which response is better. Kept as an inspection label.
RMR.agreeBar = function (view, trigger) {
  const { h } = RMR;
  const say = (value) => trigger("inspect", { judgement: view.key, value, key: RMR.uuid(), annotator: RMR.who() });
  const choices = [["A", "A is better"], ["B", "B is better"], ["tie", "Tie"], ["both_bad", "Both bad"], ["cannot_tell", "Cannot tell"]];
  return [
    h("span.hint", {}, "What do you say?"),
    ...choices.map(([value, words]) => h("button.quiet", {
      type: "button", "aria-pressed": view.receipt && view.receipt.value === value ? "true" : "false", onclick: () => say(value),
    }, value.length === 1 ? RMR.badge(value) : null, words, view.verdict === value ? h("span.muted", {}, "agree") : null)),
    view.receipt ? h("span.receipt", { role: "status" }, `✓ stored ${view.receipt.at} · #${view.receipt.id}`) : h("span.hint", {}, "Labels made here have seen the verdict; they stay out of the headline figures."),
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
