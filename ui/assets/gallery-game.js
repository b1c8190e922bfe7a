// Beat the judge: a pair blind, the visitor's answer, then the judge's and the known one.
"use strict";

RMR.CONSENT = "2026-11";

// What this visit calls itself; a new one with every browser window, and no name in it.
RMR.visitName = function () {
  const known = sessionStorage.getItem("rmr1.visit") || RMR.uuid();
  sessionStorage.setItem("rmr1.visit", known);
  return known;
};

RMR.game = function (root, wire) {
  const { h, words } = RMR;
  const head = h("div.game-head"), bar = h("div.game-bar"), box = h("div.game-case");
  root.append(head, bar, box);
  root.hidden = true;
  const paintCase = RMR.case(box, {});
  const watch = RMR.stopwatch(root);
  const state = { phase: "closed", run: null, dealt: null, result: null, score: null, trouble: "" };
  const self = { onLeave: () => {} };

  const paint = () => {
    root.dataset.phase = state.phase;
    RMR.repaint(head, [state.phase, state.score, state.dealt && state.dealt.left, state.trouble], () => RMR.gameHead(state, () => self.onLeave()));
    RMR.repaint(bar, [state.phase, state.result, state.dealt && state.dealt.item], () => RMR.gameBar(state, { begin, say, deal }));
    if (state.phase === "blind") paintCase({ key: `blind ${state.dealt.item}`, phase: "blind", pair: state.dealt.pair, rollouts: [], notes: [] });
    else paintCase(state.phase === "told" ? { ...state.result.case, key: null, run: state.dealt.item } : {});
    box.hidden = state.phase !== "blind" && state.phase !== "told";
    bar.querySelector("[data-first]")?.focus({ preventScroll: true });
  };
  const failed = (answer) => {
    state.trouble = answer.error || "";
    if (answer.error) { root.dataset.busy = ""; paint(); }
    return Boolean(answer.error);
  };
  const begin = () => { sessionStorage.setItem("rmr1.consent", RMR.CONSENT); deal(); };
  const deal = async () => {
    const answer = await wire.ask("deal", { run: state.run, visit: RMR.visitName(), watched: RMR.watched() }, { patience: 30000 });
    if (failed(answer)) return;
    Object.assign(state, { dealt: answer, score: answer.score, result: null, phase: answer.item ? "blind" : "over" });
    paint();
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
    watch.start();
  };
  const say = async (value) => {
    if (state.phase !== "blind" || root.dataset.busy) return;
    root.dataset.busy = "yes";
    const answer = await wire.ask("answer", {
      run: state.run, visit: RMR.visitName(), item: state.dealt.item, value, seconds: watch.seconds(),
      consent: sessionStorage.getItem("rmr1.consent") || "", key: RMR.uuid(),
    }, { patience: 30000 });
    root.dataset.busy = "";
    if (failed(answer)) return;
    Object.assign(state, { result: answer, score: answer.score, phase: "told" });
    paint();
  };
  self.open = (run) => {
    if (state.phase !== "closed" && state.run === run) return;
    Object.assign(state, { run, phase: "consent", dealt: null, result: null, trouble: "" });
    if (sessionStorage.getItem("rmr1.consent") === RMR.CONSENT) deal();
    else paint();
  };
  self.close = () => { state.phase = "closed"; };
  self.key = (event) => {
    if (event.key === "Escape") { self.onLeave(); return true; }
    const values = { a: "A", b: "B", "=": "tie", t: "tie" };
    if (state.phase === "blind" && values[event.key.toLowerCase()]) { say(values[event.key.toLowerCase()]); return true; }
    return false;
  };
  return self;
};

RMR.gameHead = function (state, leave) {
  const { h, words } = RMR;
  const { score } = state;
  return [h("div.headline", {},
    h("h2", {}, words("game.title")),
    score ? h("strong", { role: "status", "data-score": "" }, score.n ? words("game.score", { you: score.visitor, judge: score.judge, n: score.n }) : words("game.noscore")) : null,
    state.dealt && state.phase !== "over" ? h("span.muted", {}, words("game.left", { n: state.dealt.left - (state.phase === "told" ? 1 : 0) })) : null,
    h("span.spacer"),
    h("button.quiet", { type: "button", onclick: leave }, words("game.leave"), " ", RMR.key("Esc"))),
  h("p.hint", {}, words("game.caveat")),
  state.trouble ? h("p.note.note-error", { role: "alert" }, state.trouble) : null];
};

RMR.gameBar = function (state, act) {
  const { h, words } = RMR;
  if (state.phase === "consent") {
    const begin = h("button.choice.primary-choice", { type: "button", disabled: true, onclick: act.begin }, words("game.begin"));
    const tick = h("input", { type: "checkbox", "data-first": "", onchange: (event) => { begin.disabled = !event.target.checked; } });
    return [h("div.game-ask", {}, h("p", {}, words("game.invite")), h("label.tick", {}, tick, words("game.consent")), begin)];
  }
  if (state.phase === "over") return [h("p.note.note-info", { tabindex: "-1", "data-first": "" }, words("game.over"))];
  const badge = (side) => side === "A" || side === "B" ? RMR.badge(side) : h("strong", {}, side === "tie" ? words("game.tie") : words("game.none"));
  if (state.phase === "told") {
    const { value, verdict, chosen } = state.result;
    const mark = (side) => RMR.outcome(side === chosen ? "correct" : side ? "wrong" : "none");
    return [h("div.game-told", { role: "status" },
      h("span.game-said", {}, h("span.muted", {}, words("game.you")), badge(value), mark(value)),
      h("span.game-said", {}, h("span.muted", {}, words("game.judge")), badge(verdict), mark(verdict)),
      h("span.game-said", {}, h("span.muted", {}, words("game.known")), badge(chosen)),
      h("span.receipt", { "data-receipt": state.result.receipt.id, "data-kind": "visitor" }, `✓ ${words("game.stored")}`, RMR.whereStored("visitor", state.result.receipt.id)),
      h("span.spacer"),
      h("button.choice.primary-choice", { type: "button", "data-first": "", onclick: act.deal }, words("game.more"), RMR.key("Enter")))];
  }
  if (state.phase !== "blind") return [];
  const button = (value, word, key) => h("button.choice", { type: "button", "data-value": value, onclick: () => act.say(value) }, value === "tie" ? null : RMR.badge(value), words(word), RMR.key(key));
  return [h("div.game-ask", {}, h("h3", { tabindex: "-1", "data-first": "" }, words("game.question")), h("p.hint", {}, words("game.hidden")),
    h("div.game-choices", {}, button("A", "game.a", "A"), button("B", "game.b", "B"), button("tie", "game.tie", "=")))];
};
