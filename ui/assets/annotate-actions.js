// What can be done at each step of labelling, with its keys.
"use strict";

RMR.VALUES = [
  { value: "A", keys: ["a"], label: "Response A is better", short: "A better", side: "A" },
  { value: "B", keys: ["b"], label: "Response B is better", short: "B better", side: "B" },
  { value: "tie", keys: ["=", "t"], label: "Tie, equally good", short: "Tie" },
  { value: "both_bad", keys: ["0"], label: "Both are bad", short: "Both bad" },
  { value: "cannot_tell", keys: ["u"], label: "Cannot tell", short: "Can't tell" },
];
RMR.STRENGTHS = [[1, "slightly"], [2, "clearly"], [3, "by far"]];
RMR.valueWords = (value) => ({ A: "Response A", B: "Response B", tie: "tie", both_bad: "both bad", cannot_tell: "cannot tell" }[value] || "");

// A list of {id, group, keys, label, run}; a group is a place on the page.
RMR.annotateActions = function (state, page) {
  const help = { id: "help", group: "bar", keys: ["?"], label: "Keys", always: true, run: () => RMR.keySheet(state) };
  const undo = { id: "undo", group: "tool", keys: ["z"], label: "Undo", isOff: !state.receipts.length, run: () => state.receipts.length && page.undo() };
  if (state.phase !== "item") return [help, ...(state.phase === "end" ? [undo, ...RMR.endActions(state, page)] : state.phase === "empty" ? RMR.emptyActions(page) : [])];
  if (state.isEditing) return [help];
  return [help, ...(RMR.stepActions[state.step](state, page)), ...RMR.tools(state, page), undo];
};

RMR.tools = (state, page) => [
  { id: "note", group: "tool", keys: ["n"], label: "Note", pressed: Boolean(state.note), run: () => page.set({ isNoting: !state.isNoting }) },
  { id: "skip", group: "tool", keys: ["s"], label: "Skip", run: page.skip },
  { id: "flag", group: "tool", keys: ["f"], label: state.item.flagged ? "Flagged" : "Flag", pressed: state.item.flagged, run: page.flag },
];

// Strength first, then the answer: said before the commit it is as blind as the answer is.
RMR.strengths = (state, page) => RMR.STRENGTHS.map(([strength, label]) => ({
  id: `strength-${strength}`, group: "strength", keys: [String(strength)], label, pressed: state.strength === strength,
  run: () => page.set({ strength: state.strength === strength ? null : strength }),
}));

RMR.values = (state, group, run) => RMR.VALUES.map(({ value, ...words }) => ({
  ...words, id: `value-${value}`, group, pressed: state.value === value, run: () => run(value),
}));

RMR.stepActions = {
  blind: (state, page) => [...RMR.values(state, "value", page.commit), ...RMR.strengths(state, page)],
  bare: (state, page) => [
    { id: "next", group: "main", keys: ["enter"], label: "Next pair", isPrimary: true, run: () => page.finish(null) },
    { id: "judge", group: "main", keys: ["j"], label: "Judge it now", run: page.judgeNow },
  ],
  verdict: (state, page) => [
    { id: "keep", group: "main", keys: ["enter"], label: `Keep ${RMR.valueWords(state.value)}`, isPrimary: true, run: () => page.react(state.value) },
    ...RMR.values(state, "change", page.react), ...RMR.strengths(state, page),
  ],
  reasoning: (state, page) => {
    const tags = RMR.shownFaults(state).map((fault) => ({
      id: `tag-${fault.name}`, group: "tag", section: fault.section, keys: [fault.key], label: fault.title, title: fault.meaning,
      pressed: state.tags.includes(fault.name), run: () => page.toggleTag(fault.name),
    }));
    const edit = { id: "edit", group: "main", keys: ["e"], label: state.sections ? "Edit again" : "Edit a section", run: () => page.set({ isEditing: true }) };
    const wrong = () => page.finish("wrong", { tags: state.tags });
    const changes = RMR.values(state, "hidden", (value) => value !== state.value && page.react(value));
    if (state.isWrong)
      return [
        { id: "done", group: "main", keys: ["enter"], label: state.tags.length ? `Wrong: ${state.tags.length} ${state.tags.length > 1 ? "reasons" : "reason"}, next pair` : "Wrong, next pair", isPrimary: true, run: wrong },
        edit,
        { id: "back", group: "main", keys: ["escape"], label: "Not wrong after all", run: () => page.set({ isWrong: false, tags: [] }) },
        ...tags, ...changes,
      ];
    const first = state.check
      ? { id: "next", group: "main", keys: ["enter"], label: "Next pair", isPrimary: true, run: () => page.finish(null) }
      : { id: "sound", group: "main", keys: ["y"], label: "Reasoning is sound", isPrimary: true, run: () => page.finish("sound") };
    return [first, { id: "wrong", group: "main", keys: ["w"], label: "Something is wrong", run: () => page.set({ isWrong: true }) }, edit, ...tags, ...changes];
  },
};

// Faults of a section that this judgement does not have are left out.
RMR.shownFaults = (state) => {
  const texts = state.item.reveal.texts;
  return state.faults.filter(({ section }) => (section !== "rubric" && section !== "solution") || texts[section]);
};

// What only leads may do is offered to them alone; those who may not are refused by the server.
RMR.isLead = () => !RMR.me.hidden.includes("data");

RMR.endActions = (state, page) => [
  ...(state.passed.length || (state.progress && state.progress.skipped)
    ? [{ id: "again", group: "main", keys: ["enter"], label: "Go through the skipped ones", isPrimary: true, run: () => page.open("open", { queue_id: state.queue }) }] : []),
  ...(state.examples && RMR.isLead()
    ? [{ id: "examples", group: "main", keys: ["x"], label: `Load ${state.examples} example ${state.examples > 1 ? "pairs" : "pair"}`, run: () => page.open("examples") }] : []),
];

RMR.emptyActions = (page) => RMR.isLead()
  ? [{ id: "examples", group: "main", keys: ["enter"], label: "Load twelve examples", isPrimary: true, run: () => page.open("examples") }] : [];
