// Repairing a trace section by section, with what changed shown while one types.
"use strict";

RMR.EDITED = [
  ["rubric", "Rubric", "words"], ["justify", "Why this rubric", "words"], ["solution", "Solution", "letters"], ["eval", "Evaluation", "words"],
];

RMR.sectionEditor = function (state, page) {
  const { h } = RMR;
  const { texts, calls } = state.item.reveal;
  const known = state.sections || {};
  const shownSide = (letter) => (letter === "A" || letter === "B" ? (calls.A === letter ? "A" : "B") : "");
  const now = { ...texts, ...known };
  const begun = { type: now.type, answer: shownSide(now.answer) };
  const original = { type: texts.type, answer: shownSide(texts.answer) };
  const parts = [];

  const choice = (name, title, options) => {
    let value = begun[name];
    const buttons = options.map(([each, ...content]) => h("button.small", { type: "button", "aria-pressed": String(value === each), onclick: () => { value = each; refresh(); } }, ...content));
    const mark = h("span.chip.is-near", { hidden: true }, "edited");
    const refresh = () => {
      buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(options[index][0] === value)));
      mark.hidden = value === original[name];
      if (name === "type") showFitting(value);
    };
    parts.push({ name, changed: () => value !== original[name], value: () => value });
    const node = h("div.section-edit.is-choice", {}, h("h4", {}, title), h("div", { role: "group", "aria-label": title }, buttons), mark);
    return [node, refresh];
  };
  const areas = RMR.EDITED.map(([name, title, unit]) => {
    const area = RMR.sectionArea(name, title, unit, texts[name], now[name]);
    parts.push(area);
    return area;
  });
  const showFitting = (type) => areas.forEach((area) => {
    const fits = area.name === "eval" || (area.name === "solution") === (type === "Reasoning");
    area.node.hidden = !fits && !texts[area.name];
  });
  const [typeNode, refreshType] = choice("type", "Type of task", [["Chat", "Chat"], ["Reasoning", "Reasoning"]]);
  const [answerNode, refreshAnswer] = choice("answer", "Verdict", [["A", RMR.badge("A"), " is better"], ["B", RMR.badge("B"), " is better"]]);
  const problem = h("p.warning", { role: "alert", hidden: true });
  const save = () => {
    const changed = parts.filter((part) => part.changed());
    problem.hidden = changed.length > 0;
    problem.textContent = "Nothing is changed yet: edit a section, or press Esc to leave.";
    if (changed.length) page.onSave(Object.fromEntries(changed.map((part) => [part.name, part.value()])));
  };
  const node = h("section.card.editor", { "aria-label": "Repair the trace", onkeydown: (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); save(); }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); page.onLeave(); }
  } },
    h("header", {}, h("h2", {}, "Repair the trace"), h("span.hint", {}, "What you leave alone stays as the judge wrote it.")),
    calls.A === "B" ? h("p.note", {}, "In the judge's text your response A is called B, and B is called A: write in its letters. The verdict below is in yours.") : null,
    typeNode, areas.map((area) => area.node), answerNode, problem,
    h("div.mains", {}, h("button.choice.primary-choice", { type: "button", "data-save": "", onclick: save }, "Store the repair", RMR.key("Ctrl+Enter")),
      h("button.choice", { type: "button", onclick: page.onLeave }, "Leave without storing", RMR.key("Esc"))));
  refreshType();
  refreshAnswer();
  showFitting(begun.type);
  const first = areas.find((area) => !area.node.hidden);
  setTimeout(() => first && first.focus());
  return node;
};

RMR.sectionArea = function (name, title, unit, original, text) {
  const { h } = RMR;
  const mark = h("span.chip.is-near", {}, "edited");
  const reset = h("button.small", { type: "button", onclick: () => { box.value = original; refresh(); box.focus(); } }, "Reset");
  const diff = h("div.diff", { role: "region", "aria-label": `What changed in: ${title}` });
  const count = h("span.count");
  const box = h("textarea", { "aria-label": title, "data-section": name, spellcheck: name === "solution" ? "false" : "true", value: text, maxlength: "200000", oninput: () => refresh() });
  const refresh = () => {
    const isEdited = box.value !== original;
    mark.hidden = reset.hidden = diff.hidden = !isEdited;
    count.textContent = `${box.value.length.toLocaleString("en")} characters`;
    diff.replaceChildren(...(isEdited ? RMR.differing(RMR.diff(original, box.value, unit)) : []));
    box.style.height = "auto";
    if (box.isConnected) box.style.height = `${Math.min(box.scrollHeight + 4, innerHeight * 0.5)}px`;
  };
  refresh();
  setTimeout(refresh);
  const node = h("div.section-edit", {}, h("header", {}, h("h4", {}, title), mark, h("span.spacer"), count, reset), box, diff);
  return { name, node, focus: () => { box.focus(); box.setSelectionRange(0, 0); }, changed: () => box.value !== original, value: () => box.value };
};

// Runs of [kind, text] that lead from `before` to `after`; kind is same, del or ins.
RMR.diff = function (before, after, unit) {
  const cut = (text) => (unit === "letters" ? Array.from(text) : text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || []);
  const left = cut(before), right = cut(after);
  let start = 0, end = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end++;
  const runs = [];
  const put = (kind, text) => {
    const last = runs[runs.length - 1];
    if (!text) return;
    if (last && last[0] === kind) last[1] += text;
    else runs.push([kind, text]);
  };
  put("same", left.slice(0, start).join(""));
  RMR.diffMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end), put);
  put("same", left.slice(left.length - end).join(""));
  return runs;
};

RMR.diffMiddle = function (left, right, put) {
  const width = right.length + 1;
  if (left.length * right.length > 1_500_000) { // too long to align while typing
    put("del", left.join(""));
    return put("ins", right.join(""));
  }
  const longest = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      longest[i * width + j] = left[i] === right[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
  let i = 0, j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) put("same", left[i++] && right[j++]);
    else if (i < left.length && (j === right.length || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) put("del", left[i++]);
    else put("ins", right[j++]);
  }
};

// Differences with some text around them; long stretches that are the same are left out.
RMR.differing = function (runs) {
  const { h } = RMR;
  const around = 60;
  return runs.map(([kind, text], index) => {
    if (kind === "ins") return h("ins", {}, text);
    if (kind === "del") return h("del", {}, text);
    if (text.length <= 2 * around + 20) return h("span", {}, text);
    const head = index ? text.slice(0, around) : "", tail = index + 1 < runs.length ? text.slice(-around) : "";
    return h("span", {}, head, h("span.muted", {}, " … "), tail);
  });
};
