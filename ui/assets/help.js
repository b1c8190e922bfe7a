// Help: what the page is for and its keys, on a sheet that `?` opens.
"use strict";

// For each tab what it is for, and its keys: [title, [[keys, what they do], ...]].
RMR.HELP = {
  judge: ["Write or load a pair and watch the judge write its reasons and its verdict. Quotations that stand in a response light up there; invented ones say so.", [
    ["Judging", [[["Ctrl+Enter"], "judge the pair"], [["[", "]"], "step through quotations"]]]]],
  gallery: ["Judgements made beforehand: open one, or judge some pairs blind and see whether you beat the judge.", [
    ["One judgement", [[["J"], "the next one"], [["K"], "the one before"], [["[", "]"], "step through quotations"], [["Esc"], "back to the list"]]],
    ["The game", [[["A", "B"], "that response is better"], [["="], "tie (or T)"], [["Enter"], "next pair"], [["Esc"], "leave"]]]]],
  rank: ["Two to eight responses to one prompt, ranked by matches between them.", []],
  annotate: ["Label pairs: blind first, then with the judge's verdict in view, then with its reasoning. Every answer is stored at once and can be taken back.", [
    ["1 · Blind", [[["A", "B"], "that response is better"], [["="], "tie (or T)"], [["0"], "both bad"], [["U"], "cannot tell"], [["1", "2", "3"], "how much better, before the answer"]]],
    ["2 · Verdict", [[["Enter"], "keep your answer"], [["A", "B", "=", "0", "U"], "change it"], [["J"], "judge now, where no judge has looked"]]],
    ["3 · Reasoning", [[["Y"], "sound, next pair"], [["W"], "something is wrong"], [["C", "…", "5"], "name a fault, as the buttons say"], [["Enter"], "done, next pair"], [["E"], "repair sections"], [["Ctrl+Enter"], "store the repair"], [["[", "]"], "step through quotations"]]],
    ["Always", [[["S"], "skip"], [["F"], "flag"], [["N"], "note for the next answer"], [["Z"], "undo, back into the pair before"]]]]],
  people: ["Who may sign in, and as what. A link lets somebody choose a password: it counts once and for a week.", []],
  queues: ["Which pairs people are given, in which order and to how many; and what is decided where they differ. Buttons name their keys.", []],
  explore: ["Every judgement on record: filter, search, chart, open.", [
    ["The list", [[["J"], "the next one"], [["K"], "the one before"], [["Enter"], "open it"], [["N", "P"], "next and previous page"], [["/"], "search"], [["Esc"], "close the preview"]]]]],
  judgement: ["Everything about one judgement: evidence, both orders, what the judge was asked, what people said.", [
    ["Judgement", [[["J"], "the next in the list"], [["K"], "the one before"], [["[", "]"], "step through quotations"]]]]],
  compare: ["Two judge versions on the same pairs: who is right more often, and where they differ.", [
    ["Pairs that flip", [[["J"], "the next one"], [["K"], "the one before"]]]]],
  agreement: ["How people agree with the judge and with each other, with intervals; every figure leads to its pairs.", []],
  train: ["Labels made data, data made an adapter: start a run, watch it, promote what it left.", []],
  benchmarks: ["Judges on benchmarks, beside what was published; every number leads to its items.", [
    ["Runs", [[["J"], "the next one"], [["K"], "the one before"]]]]],
  data: ["Bring pairs and logs in, judge them in the background, freeze and export labels.", []],
};

RMR.currentTab = function () {
  const tab = document.querySelector('[role="tab"][aria-selected="true"][id^="tab-"]');
  return tab ? tab.id.slice("tab-".length, -"-button".length) : new URLSearchParams(location.search).get("tab") || "judge";
};

RMR.keySheet = function () {
  const { h, words } = RMR;
  if (document.querySelector("dialog[open]")) return;
  const before = document.activeElement;
  const [about, keys] = RMR.HELP[RMR.currentTab()] || ["", []];
  const rows = ([title, list]) => h("section", {}, h("h2", {}, title), h("dl", {}, list.map(([names, what]) => h("div", {}, h("dt", {}, names.map(RMR.key)), h("dd", {}, what)))));
  const close = h("button.choice", { type: "button", onclick: () => sheet.close() }, words("help.close"), RMR.key("Esc"));
  const sheet = h("dialog.key-sheet", { "aria-label": "Keys" },
    about ? h("p.key-about", {}, about) : null,
    h("div.key-columns", {}, ...keys.map(rows), rows([words("help.everywhere"), [[["?"], words("help.sheet")]]])),
    close);
  sheet.addEventListener("close", () => {
    sheet.remove();
    if (before && before.isConnected) before.focus({ preventScroll: true });
  });
  sheet.addEventListener("keydown", (event) => { if (event.key === "?") { event.preventDefault(); sheet.close(); } });
  document.querySelector(".gradio-container").append(sheet);
  sheet.showModal();
  close.focus();
};

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || event.repeat || RMR.isTyping(event) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  RMR.keySheet();
});
