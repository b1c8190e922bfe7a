// How the Annotate page looks: bar, pair, label column, and what stands there when no pair does.
"use strict";

RMR.annotatePage = function (root) {
  const { h } = RMR;
  const place = { bar: h("div.annotate-bar"), alert: h("div"), main: h("div.annotate-main"), side: h("aside.annotate-side", { "aria-label": "Your label" }), rest: h("div") };
  const caseBox = h("div.annotate-case"), editor = h("div.annotate-editor");
  const status = h("div.offscreen", { role: "status", "aria-live": "polite" });
  place.main.append(caseBox, editor);
  // The column fits under whatever stands above it, and grows as that scrolls away.
  const fit = () => { if (root.isConnected) place.side.style.setProperty("--room", `${innerHeight - 16 - Math.max(8, place.main.getBoundingClientRect().top)}px`); };
  addEventListener("scroll", fit, { passive: true });
  addEventListener("resize", fit);
  root.classList.add("annotate");
  root.append(place.bar, place.alert, h("div.annotate-grid", {}, place.main, place.side), place.rest, status);
  const paintCase = RMR.case(caseBox, {});
  let painted = "";

  const self = { onRun: () => false };
  self.paint = (state, actions, wire) => {
    const isItem = state.phase === "item";
    root.dataset.phase = state.phase;
    root.setAttribute("aria-busy", String(Boolean(state.isBusy)));
    root.dataset.step = isItem ? state.step : "";
    root.toggleAttribute("data-wrong", Boolean(isItem && state.isWrong));
    root.toggleAttribute("data-editing", Boolean(isItem && state.isEditing));
    const button = RMR.actionButton(self);
    const shown = actions.map(({ run, ...rest }) => rest);
    RMR.repaint(place.bar, [state.queue, state.queues, state.progress, state.sitting.seconds, state.receipt, wire.isStoring(), isItem && [state.item.why, state.item.reveal && state.item.reveal.why]],
      () => RMR.annotateBar(state, actions, wire, self, button));
    RMR.repaint(place.alert, [wire.failure(), state.notice], () => RMR.annotateAlert(state, wire, self));
    RMR.repaint(place.side, [state.phase, state.step, shown, state.isBusy, state.isJudging, state.isNoting, state.check, state.value, state.item && [state.item.pair_id, state.item.blind_value]],
      () => isItem ? RMR.annotateSide(state, actions, button, self) : []);
    RMR.repaint(place.rest, [state.phase, state.closed, shown, state.progress, state.sitting.seconds, state.notice], () => RMR.annotateRest(state, actions, button));
    RMR.repaint(editor, [isItem && state.isEditing && state.item.pair_id], () => (isItem && state.isEditing ? RMR.sectionEditor(state, self) : []));
    const caseKey = isItem ? `${state.item.pair_id} ${state.step}` : "";
    if (isItem && (caseKey !== painted || state.step !== "blind")) {
      const scrolls = painted.split(" ")[0] === String(state.item.pair_id) ? [...caseBox.querySelectorAll(".case-pair .scroll")].map((box) => box.scrollTop) : [];
      paintCase(RMR.annotateCase(state));
      caseBox.querySelectorAll(".case-pair .scroll").forEach((box, index) => { box.scrollTop = scrolls[index] || 0; });
    }
    painted = caseKey;
    fit();
    const words = isItem ? RMR.STEP_WORDS[state.step] : "";
    if (status.textContent !== words) status.textContent = words;
  };
  self.focus = () => {
    const target = root.querySelector("[data-done]") || root.querySelector(".annotate-side [data-heading]");
    if (target && !RMR.isTyping({ target: document.activeElement })) target.focus({ preventScroll: true });
  };
  self.flash = (id) => {
    const node = root.querySelector(`[data-action="${id}"]`);
    if (!node) return;
    node.classList.add("pressed");
    setTimeout(() => node.classList.remove("pressed"), 180);
  };
  return self;
};

RMR.STEP_WORDS = {
  blind: "Step 1 of 3: which response is better? The judge is hidden.",
  verdict: "Step 2 of 3: the judge's verdict is in view.",
  reasoning: "Step 3 of 3: the judge's reasoning is in view.",
  bare: "Stored. No judge has a verdict on this pair.",
};

// What the case shows at each step: nothing of the judge, its verdict, everything.
RMR.annotateCase = function (state) {
  const { item, step } = state;
  if (step === "blind" || step === "bare") return { key: `pair-${item.pair_id}`, phase: "blind", pair: item.pair, rollouts: [], notes: [] };
  if (step === "verdict")
    return { ...item.reveal, status: "", pair: item.pair, notes: [], rollouts: item.reveal.rollouts.map((rollout) => ({ ...rollout, notes: [], spans: { A: [], B: [] } })) };
  const { calls } = item.reveal;
  const named = (side) => calls[side.side] === side.side ? side : { ...side, title: `Response ${side.side} (“${calls[side.side]}” in the judge's text)` };
  return { ...item.reveal, status: "", pair: { ...item.pair, a: named(item.pair.a), b: named(item.pair.b) } };
};

RMR.actionButton = (page) => (action, style = "choice") => {
  const { h } = RMR;
  return h(`button.${style}${action.isPrimary ? ".primary-choice" : ""}`, {
    type: "button", "data-action": action.id, title: action.title || null, disabled: action.isOff,
    "aria-pressed": action.pressed === undefined ? null : String(Boolean(action.pressed)),
    "aria-keyshortcuts": action.keys[0], onclick: () => page.onRun(action),
  }, action.side ? RMR.badge(action.side) : null,
    h("span.long", {}, action.label), h("span.short", {}, action.short || action.label), RMR.key(RMR.keyName(action.keys[0])));
};
RMR.keyName = (key) => ({ enter: "Enter", escape: "Esc" }[key] || key.toUpperCase());

RMR.annotateBar = function (state, actions, wire, page, button) {
  const { h } = RMR;
  const p = state.progress || { done: 0, total: 0, skipped: 0, flagged: 0 };
  const choose = h("select", { "aria-label": "Queue", onchange: (event) => { event.target.blur(); page.onQueue(Number(event.target.value)); } },
    state.queues.map((queue) => h("option", { value: queue.id, selected: queue.id === state.queue }, queue.name)));
  const sitting = state.sitting.seconds;
  return [
    h("label.queue", {}, h("span.hint", {}, "Queue"), choose),
    h("span.progress", {},
      h("span.meter", { role: "img", "aria-label": `${p.done} of ${p.total} labelled` }, h("span", { style: `width:${p.total ? (100 * p.done) / p.total : 0}%` })),
      h("strong", {}, `${p.done.toLocaleString("en")} / ${p.total.toLocaleString("en")}`),
      h("span.muted", {}, [p.skipped ? `${p.skipped} skipped` : "", p.flagged ? `${p.flagged} flagged` : ""].filter(Boolean).join(" · "))),
    sitting.length ? h("span.muted.sitting", { title: "This sitting: pairs labelled, and the median time in view" }, `${sitting.length} now · ${RMR.seconds(RMR.median(sitting))} median`) : null,
    state.item && state.phase === "item" ? RMR.whyChip(state.item) : null,
    h("span.spacer"),
    RMR.receipt(state, wire),
    button(actions.find((action) => action.id === "help"), "quiet"),
  ];
};

RMR.whyChip = function (item) {
  const { h } = RMR;
  const words = { random: ["random draw", "Chance alone chose this pair: it counts for the headline figures."], link: ["from a link", "A link named this pair."],
    "sent back": ["sent back", "You have labelled this pair before; the lead asks you to look at it again."],
    chosen: ["chosen", "The queue chose this pair by a filter or an order; which one shows after your answer, as it may tell the verdict."] }[item.why];
  const full = item.reveal && item.why === "chosen" ? item.reveal.why : "";
  return h("span.chip.is-plain", { title: full || words[1] }, full ? full.slice(0, 60) : words[0]);
};

RMR.receipt = function (state, wire) {
  const { h } = RMR;
  if (wire.failure()) return h("span.receipt.is-lost", {}, "not stored");
  if (wire.isStoring()) return h("span.receipt.is-storing", {}, "storing …");
  if (!state.receipt) return null;
  const time = new Date(state.receipt.at).toLocaleTimeString("en-GB");
  return h("span.receipt", { "data-receipt": state.receipt.id }, `✓ stored ${time} · #${state.receipt.id}`, RMR.whereStored("label", state.receipt.id));
};

RMR.median = function (numbers) {
  const sorted = [...numbers].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

RMR.annotateAlert = function (state, wire, page) {
  const { h } = RMR;
  if (wire.failure())
    return h("div.note.note-error.lost", { role: "alert" },
      h("span", {}, h("strong", {}, "Your last answer is not stored. "), wire.failure(), " It is kept here; nothing else can be said until it is stored."),
      h("button.quiet", { type: "button", "data-retry": "", onclick: page.onRetry }, "Try again"),
      h("button.quiet", { type: "button", onclick: page.onDiscard }, "Drop it"));
  return state.notice ? h("p.note", { role: "status" }, state.notice) : [];
};

RMR.annotateSide = function (state, actions, button, page) {
  const { h } = RMR;
  const group = (name) => actions.filter((action) => action.group === name);
  const steps = [["blind", "Blind"], ["verdict", "Verdict"], ["reasoning", "Reasoning"]];
  const now = state.step === "bare" ? 0 : steps.findIndex(([step]) => step === state.step);
  return [
    h("ol.stages", {}, steps.map(([step, name], index) => h(`li${index < now ? ".past" : index === now ? ".now" : ""}`, index === now ? { "aria-current": "step" } : {}, h("span", {}, index < now ? "✓" : String(index + 1)), name))),
    ...RMR.sideBodies[state.isEditing ? "editing" : state.step](state, group, button),
    state.isEditing ? null : h("div.tools", {}, group("tool").map((action) => button(action, "tool"))),
    state.isNoting ? RMR.noteBox(state, page) : null,
  ];
};

// What the lead said who sent the pair back.
RMR.sentBack = (note) => typeof note === "string"
  ? RMR.h("p.note.note-warning.sent-back", {}, RMR.h("strong", {}, "Sent back to you. "), RMR.h("span", { dir: "auto" }, note)) : null;

RMR.heading = (title, ...below) => [RMR.h("h2", { tabindex: "-1", "data-heading": "", style: "outline: none !important" }, title), ...below];

RMR.strengthRow = (group, button) => RMR.h("div.strengths", { role: "group", "aria-label": "How much better, optional" },
  RMR.h("span.hint", {}, "How much better? ", RMR.h("em", {}, "optional, first")), RMR.h("div", {}, group("strength").map((action) => button(action, "small"))));

RMR.sideBodies = {
  blind: (state, group, button) => [
    ...RMR.heading("Which response is better?", RMR.h("p.hint", {}, "The judge stays hidden until you answer.")),
    RMR.sentBack(state.item.returned),
    RMR.h("div.values", { "data-busy": state.isBusy ? "" : null }, group("value").map((action) => button(action))),
    RMR.strengthRow(group, button),
  ],
  bare: (state, group, button) => [
    ...RMR.heading("Your answer is stored", RMR.h("p.hint", {}, state.isJudging ? "The judge reads the pair …" : `You said: ${RMR.valueWords(state.value)}. No judge has a verdict on this pair, so there is nothing to compare with.`)),
    state.isJudging ? RMR.h("span.pulse") : RMR.h("div.mains", {}, group("main").map((action) => button(action))),
    RMR.isLead() && !state.isJudging ? RMR.h("p.hint", {}, RMR.h("a", { href: "?tab=data" }, "Judge all pairs in the background"), " and go on labelling.") : null,
  ],
  verdict: (state, group, button) => [
    ...RMR.heading("The judge's verdict", RMR.versus(state)),
    RMR.h("div.mains", {}, group("main").map((action) => button(action))),
    RMR.h("span.hint.wide-only", {}, "or change it"),
    RMR.h("div.values.compact", {}, group("change").map((action) => button(action))),
    RMR.strengthRow(group, button),
  ],
  reasoning: (state, group, button) => [
    ...RMR.heading(state.isWrong ? "What is wrong?" : "Is the reasoning sound?", state.check ? RMR.checkNote(state.check) : RMR.versus(state)),
    RMR.h("div.mains.many", {}, group("main").map((action) => { const node = button(action); if (action.id === "done" || (action.id === "next" && state.check)) node.dataset.done = ""; return node; })),
    RMR.h("div.tags", {}, RMR.SECTIONS.map(([section, title]) => {
      const mine = group("tag").filter((action) => action.section === section);
      return mine.length ? RMR.h("div.tag-group", { role: "group", "aria-label": title }, RMR.h("span.hint", {}, title), RMR.h("div", {}, mine.map((action) => button(action, "tagging")))) : null;
    })),
  ],
  editing: () => [],
};

RMR.SECTIONS = [["type", "Type of task"], ["rubric", "Rubric"], ["solution", "Solution"], ["eval", "Evaluation"], ["answer", "Verdict"]];

// "You: A, judge: B, they differ".
RMR.versus = function (state) {
  const { h } = RMR;
  const { verdict, state_title: title } = state.item.reveal;
  const mine = state.value === "A" || state.value === "B" ? RMR.badge(state.value) : h("strong", {}, RMR.valueWords(state.value));
  const isSame = verdict === state.value;
  return h("p.versus", {}, h("span", {}, "You ", mine), h("span", {}, "Judge ", verdict ? RMR.badge(verdict) : h("strong", {}, title || "no verdict")),
    h(`span.chip${isSame ? ".is-exact" : ".is-near"}`, {}, isSame ? "same" : "differs"),
    state.item.blind_value && state.item.blind_value !== state.value ? h("span.muted", {}, `blind: ${RMR.valueWords(state.item.blind_value)}`) : null);
};

RMR.checkNote = function (check) {
  const { h } = RMR;
  if (check.ready) return h("p.note.note-good", { "data-check": "ready" }, "Repair stored. The trace is ready for training.");
  return h("div.note.note-warning", { "data-check": "faults" }, "Repair stored. Not ready for training yet:", h("ul", {}, check.faults.slice(0, 6).map((fault) => h("li", {}, fault))));
};

RMR.noteBox = function (state, page) {
  const { h } = RMR;
  const close = () => page.onNote(box.value.trim());
  const box = h("textarea", { rows: "3", maxlength: "4000", "aria-label": "Note", placeholder: "Goes with your next answer", value: state.note, onkeydown: (event) => {
    if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) { event.preventDefault(); event.stopPropagation(); close(); }
  } });
  setTimeout(() => box.focus());
  return h("div.note-box", {}, box, h("button.small", { type: "button", onclick: close }, "Keep the note", RMR.key("Ctrl+Enter")));
};

RMR.annotateRest = function (state, actions, button) {
  const { h } = RMR;
  const mains = actions.filter((action) => action.group === "main");
  const buttons = mains.length ? h("div.mains", {}, mains.map((action) => button(action))) : null;
  const { seconds } = state.sitting, p = state.progress || {};
  if (state.phase === "loading") return h("p.hint.rest", { role: "status" }, "Looking for the next pair …");
  if (state.phase === "failed") return h("div.rest.card", {}, h("h2", {}, "The page could not be opened"), h("p", {}, state.notice), h("p.hint", {}, "Reload the page to try again."));
  if (state.phase === "empty")
    return h("div.rest.card", {}, h("h2", {}, p.total === 0 && state.queues.length > 1 ? "This queue holds no pair" : "No pairs yet"),
      h("p", {}, "Labelling takes three keys a pair: say which response is better, keep or change it when the judge's verdict appears, and say whether its reasoning is sound."),
      h("p.hint", {}, RMR.isLead() ? "Begin with the examples, or bring your own pairs in on the Data page." : "A lead brings pairs in: look again later."), buttons, RMR.isLead() ? h("a.choice", { href: "?tab=data" }, "Go to Data") : null);
  if (state.phase !== "end") return [];
  if (state.closed) return h("div.rest.card", {}, h("h2", {}, "Nothing more for now"), h("p.closed", {}, state.closed), buttons);
  return h("div.rest.card", {}, h("h2", {}, p.skipped ? "That was the last fresh pair" : "All done: every pair of this queue has your label"),
    h("dl.figures", {}, ...[["labelled in all", `${p.done} of ${p.total}`], ["in this sitting", seconds.length], ["median time", seconds.length ? RMR.seconds(RMR.median(seconds)) : "–"], ["skipped", p.skipped], ["flagged", p.flagged]]
      .map(([name, value]) => h("div", {}, h("dd", {}, String(value)), h("dt", {}, name)))),
    h("p.hint", {}, p.skipped ? "The skipped ones are still waiting." : "What now?"),
    buttons, RMR.annotateOnward());
};

// Where the labels lead, for those who have given them.
RMR.annotateOnward = function () {
  const { h } = RMR;
  return h("nav.mains", { "aria-label": "From here" },
    h("a.choice", { href: "?tab=agreement" }, "See where you and the judge differ"),
    RMR.isLead() ? [h("a.choice", { href: "?tab=data" }, "Export the labels, or bring in more pairs")] : []);
};
