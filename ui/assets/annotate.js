// The Annotate page: one state, changed only by the actions below; keys and buttons run the same.
"use strict";

RMR.annotate = function ({ element, trigger }) {
  const root = element.querySelector("[data-root]");
  const page = RMR.annotatePage(root);
  const state = {
    phase: "loading", step: "blind", item: null, ahead: [], passed: [], receipts: [], queues: [], faults: [],
    queue: null, progress: null, hasMore: true, sitting: { seconds: [], before: 0 }, receipt: null, notice: "",
  };
  const wire = RMR.wire(trigger, () => repaint());
  const watch = RMR.stopwatch(root);
  let shownAt = 0;

  // ---- showing
  const repaint = () => page.paint(state, actions(), wire);
  const enter = (step, changes = {}) => {
    Object.assign(state, changes, { step });
    shownAt = performance.now();
    watch.start();
    repaint();
    page.focus();
  };
  const show = (item) => {
    const step = item.step === "blind" ? "blind" : !item.reveal ? "bare" : item.step === "done" ? "reasoning" : item.step;
    state.sitting.before = 0;
    remember(item);
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
    enter(step, {
      phase: "item", item, value: item.value || null, strength: item.strength || null, note: "", tags: [],
      isWrong: false, isEditing: false, isNoting: false, isBusy: false, check: null, sections: item.sections || null,
    });
  };
  const remember = (item) => {
    const place = item && { pair_id: item.pair_id, queue_id: item.queue_id, judgement_key: item.judgement_key };
    sessionStorage.setItem("rmr1.annotate", JSON.stringify({ who: RMR.who(), queue: state.queue, place, receipts: state.receipts.slice(-50) }));
  };

  // ---- which pair
  const open = async (event = "open", payload = {}) => {
    Object.assign(state, { phase: "loading", ahead: [], passed: [], hasMore: true });
    repaint();
    const answer = await wire.ask(event, payload);
    if (answer.error) {
      Object.assign(state, { phase: "failed", notice: answer.error });
      return repaint();
    }
    Object.assign(state, { queue: answer.queue, queues: answer.queues, faults: answer.faults, progress: answer.progress, closed: answer.closed, examples: answer.examples, ahead: answer.items, hasMore: answer.items.length > 0 });
    advance();
  };
  const begin = () => {
    const stored = JSON.parse(sessionStorage.getItem("rmr1.annotate") || "{}");
    const mine = stored.who === RMR.who() ? stored : {};
    const linked = Number(new URLSearchParams(location.search).get("pair"));
    RMR.address({ pair: null });
    state.receipts = mine.receipts || [];
    const first = linked ? { pair_id: linked } : mine.place;
    open("open", { queue_id: mine.queue || null, first: first || null });
  };
  const advance = async () => {
    if (!state.ahead.length) await fetchMore();
    const next = state.ahead.shift();
    if (!next) {
      remember(null);
      Object.assign(state, { phase: state.progress && state.progress.total ? "end" : "empty", item: null, isBusy: false });
      return repaint();
    }
    show(next);
  };
  const fetchMore = async () => {
    if (!state.hasMore) return;
    const known = [state.item, ...state.ahead].filter(Boolean).map((item) => item.pair_id);
    const answer = await wire.ask("more", { queue_id: state.queue, exclude: [...known, ...state.passed].slice(-500) });
    if (answer.error) return;
    Object.assign(state, { progress: answer.progress, closed: answer.closed, examples: answer.examples });
    state.hasMore = answer.items.length > 0;
    state.ahead.push(...answer.items.filter((item) => !known.includes(item.pair_id)));
    repaint();
  };
  const prefetch = () => { if (!state.ahead.length) fetchMore(); };

  // ---- saying something
  const say = async (action, more = {}) => {
    const { item } = state;
    const stage = state.step === "bare" ? "blind" : state.step;
    const payload = {
      pair_id: item.pair_id, queue_id: item.queue_id, judgement_key: item.judgement_key, key: RMR.uuid(),
      stage, action, seconds: watch.seconds(), note: state.note || null, ...more,
    };
    state.note = "";
    state.sitting.before += action === "flag" || action === "unflag" ? 0 : payload.seconds;
    const answer = await wire.ask("say", payload, { kept: true });
    if (answer.judgement_key) item.judgement_key = answer.judgement_key;
    state.receipt = answer.receipt;
    state.receipts.push({ id: answer.receipt.id, action, pair_id: item.pair_id, queue_id: item.queue_id, judgement_key: item.judgement_key });
    remember(state.item);
    repaint();
    return answer;
  };
  // The server's own count comes with the next pair; until then ours.
  const count = (what, by) => { state.progress = { ...state.progress, [what]: state.progress[what] + by }; };
  const withStrength = (value) => (value === "A" || value === "B" ? { value, strength: state.strength } : { value });
  const commit = async (value) => {
    const { item } = state;
    Object.assign(state, { value, isBusy: true });
    repaint();
    const answer = await say("commit", withStrength(value));
    if (state.item !== item) return;
    Object.assign(item, { blind_value: value, reveal: answer.reveal });
    count("done", 1);
    enter(answer.reveal ? "verdict" : "bare", { isBusy: false });
    prefetch();
  };
  const react = (value) => {
    const isKept = value === state.value;
    state.value = value;
    say(isKept ? "keep" : "change", withStrength(value));
    if (state.step === "verdict") enter("reasoning");
    else repaint();
  };
  const finish = async (action, more) => {
    state.isBusy = true;
    const stored = action ? say(action, more) : Promise.resolve();
    state.sitting.seconds.push(state.sitting.before);
    repaint();
    stored.then(prefetch);
    await RMR.pause(140); // the pressed button is seen before it goes
    advance();
  };
  const skip = async () => {
    state.isBusy = true;
    state.passed.push(state.item.pair_id);
    if (!state.item.skipped) count("skipped", 1);
    say("skip").then(prefetch);
    await RMR.pause(140);
    advance();
  };
  const flag = () => {
    state.item.flagged = !state.item.flagged;
    say(state.item.flagged ? "flag" : "unflag");
    count("flagged", state.item.flagged ? 1 : -1);
    repaint();
  };
  const toggleTag = (name) => {
    state.tags = state.tags.includes(name) ? state.tags.filter((tag) => tag !== name) : [...state.tags, name];
    state.isWrong = true;
    repaint();
    page.focus();
  };
  const saveRepair = async (sections) => {
    const { item } = state;
    state.isBusy = true;
    repaint();
    const answer = await say("repair", { sections, tags: state.tags.length ? state.tags : null });
    if (state.item !== item) return;
    enter("reasoning", { isBusy: false, isEditing: false, isWrong: false, check: answer.check, sections: answer.sections });
  };
  const undo = async () => {
    const last = state.receipts[state.receipts.length - 1];
    const { id, action, ...place } = last;
    state.isBusy = true;
    repaint();
    const answer = await wire.ask("undo", { ...place, undoes: id, key: RMR.uuid() });
    state.isBusy = false;
    if (answer.error) {
      Object.assign(state, { notice: `Not undone: ${answer.error}` });
      return repaint();
    }
    state.receipts.pop();
    state.receipt = answer.receipt;
    if (state.item && state.item.pair_id !== last.pair_id) state.ahead.unshift(state.item);
    state.passed = state.passed.filter((pair) => pair !== last.pair_id);
    if (["sound", "wrong", "repair"].includes(action)) state.sitting.seconds.pop();
    show(answer.item);
    Object.assign(state, { notice: `Taken back: ${RMR.ACTION_WORDS[action]}.`, hasMore: true });
    repaint();
    fetchMore();
  };
  const judgeNow = async () => {
    const { item } = state;
    state.isBusy = true;
    state.isJudging = true;
    repaint();
    const answer = await wire.ask("judge", { pair_id: item.pair_id, queue_id: item.queue_id }, { patience: 600000 });
    Object.assign(state, { isBusy: false, isJudging: false });
    if (state.item !== item) return;
    if (answer.error) state.notice = answer.error;
    else Object.assign(item, { reveal: answer.reveal, judgement_key: answer.judgement_key });
    enter(answer.error ? "bare" : "verdict");
  };

  // ---- what can be done now: the one list behind keys, buttons and the sheet of keys
  const actions = () => RMR.annotateActions(state, {
    commit, react, finish, skip, flag, undo, judgeNow, toggleTag, open,
    set: (changes) => { Object.assign(state, changes); repaint(); if (!state.isNoting && !state.isEditing) page.focus(); },
  });
  const isQuiet = () => state.isBusy || wire.failure() || performance.now() - shownAt < 250 || document.querySelector("dialog[open]");
  page.onQueue = (queue) => open("open", { queue_id: queue });
  page.onRetry = wire.retry;
  page.onDiscard = () => { wire.discard(); begin(); };
  page.onSave = (sections) => { if (!state.isBusy && !wire.failure()) saveRepair(sections); };
  page.onLeave = () => { Object.assign(state, { isEditing: false }); repaint(); page.focus(); };
  page.onNote = (note) => { Object.assign(state, { note, isNoting: false }); repaint(); page.focus(); };
  page.onRun = (action) => {
    if (!action.always && isQuiet()) return false;
    state.notice = "";
    page.flash(action.id);
    action.run();
    return true;
  };
  RMR.onKeys(root, (event) => {
    if (event.repeat || document.querySelector("dialog[open]")) return false;
    const isOnControl = event.target.closest && event.target.closest("button, a, summary, [role=button], [role=tab]");
    if (event.key === "Enter" && isOnControl) return false;
    const action = actions().find((each) => each.keys.includes(event.key.toLowerCase()));
    return action ? page.onRun(action) : false;
  });
  document.addEventListener("rmr1-name", () => element.isConnected && begin());
  begin();
  return (answer) => wire.heard(answer);
};

RMR.pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

RMR.ACTION_WORDS = {
  commit: "your blind answer", keep: "keeping your answer", change: "changing your answer", sound: "“sound”",
  wrong: "what was wrong", repair: "the repair", skip: "the skip", flag: "the flag", unflag: "taking the flag off",
};
