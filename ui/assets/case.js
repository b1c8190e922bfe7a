// One judgement beside its pair: the heart of the Judge, Judgement and Annotate pages.
"use strict";

// A case: `paint(view)` fills it; quotations light up in both directions. `hooks`: `link` offers
// the link to a stored judgement, `bar` is a node to stand below the headline, `edit` is called
// when the person wants the pair's form back.
RMR.case = function (root, hooks) {
  const { h } = RMR;
  const place = { head: h("div.case-head"), notes: h("div.case-notes"), pair: h("div.case-pair"), chain: h("div.case-chain"), foot: h("div.case-foot") };
  const bar = hooks && hooks.bar;
  root.append(h("div.case", {}, place.head, bar, place.notes, h("div.case-grid", {}, place.pair, place.chain), place.foot));
  const status = h("div.offscreen", { role: "status", "aria-live": "polite" });
  root.append(status);
  let view = {}, chosenRollout = null, said = "";

  const shownIndex = () => Math.min(chosenRollout ?? view.shown ?? 0, Math.max(0, (view.rollouts || []).length - 1));

  const light = (index, goTo) => {
    root.querySelectorAll(".lit").forEach((node) => node.classList.remove("lit"));
    const chip = root.querySelector(`[data-quote="${index}"]`);
    const marks = [...root.querySelectorAll("mark[data-quotes]")].filter((mark) => mark.dataset.quotes.split(" ").includes(String(index)));
    [chip, ...marks].filter(Boolean).forEach((node) => node.classList.add("lit"));
    const target = goTo === "pair" ? marks[0] : chip;
    if (target) RMR.reveal(target);
    if (goTo === "chain" && chip) chip.focus({ preventScroll: true });
  };

  const stepQuotes = (by) => {
    const chips = [...root.querySelectorAll("[data-quote]")];
    if (!chips.length) return false;
    const now = chips.findIndex((chip) => chip.classList.contains("lit"));
    const next = chips[(now + by + chips.length) % chips.length];
    next.focus({ preventScroll: true });
    RMR.reveal(next);
    light(next.dataset.quote, "pair");
    return true;
  };
  RMR.onKeys(root, (event) => event.key === "]" ? stepQuotes(1) : event.key === "[" ? stepQuotes(-1) : false);

  const paint = (next) => {
    if (next.key !== view.key || next.run !== view.run) chosenRollout = null;
    view = next;
    root.classList.toggle("is-empty", !view.pair);
    const rollout = (view.rollouts || [])[shownIndex()];
    RMR.repaint(place.head, [view.phase, view.verdict, view.state, view.reason, view.confidence, view.swap, view.meta, view.rollouts && view.rollouts.map(RMR.tabKey), shownIndex()],
      () => RMR.caseHead(view, shownIndex(), (index) => { chosenRollout = index; paint(view); }, hooks));
    RMR.repaint(place.notes, [view.notes, rollout && rollout.notes], () => RMR.caseNotes(view, rollout));
    const spans = rollout ? rollout.spans : { A: [], B: [] };
    RMR.repaint(place.pair, [view.pair, spans], () => view.pair ? RMR.casePair(view.pair, spans, light) : []);
    RMR.repaint(place.chain, [rollout, view.phase], () => rollout ? RMR.chain(rollout, view.phase === "running" && !rollout.done, light) : []);
    RMR.repaint(place.foot, [view.phase !== "running" && rollout && rollout.text, view.prompt_text], () => RMR.caseFoot(view, rollout));
    if (view.status && view.status !== said) status.textContent = said = view.status;
  };
  return paint;
};

RMR.tabKey = (rollout) => [rollout.order, rollout.vote, rollout.verdict, rollout.state, rollout.done];

// Bring a node into view inside its own scrolling box, and on a phone on the page too.
RMR.reveal = function (node) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const box = node.closest(".scroll");
  if (box && box.scrollHeight > box.clientHeight) {
    const offset = node.getBoundingClientRect().top - box.getBoundingClientRect().top;
    box.scrollTo({ top: box.scrollTop + offset - box.clientHeight / 3, behavior: calm });
  }
  const at = node.getBoundingClientRect();
  if (at.top < 0 || at.bottom > innerHeight) node.scrollIntoView({ block: "center", behavior: calm });
};

RMR.casePair = function (pair, spans, light) {
  const { h } = RMR;
  return [
    h("article.card.prompt", {}, h("header", {}, h("h2", {}, pair.turns.length > 1 ? "Conversation" : "Prompt"),
      pair.origin ? h("span.count", {}, pair.origin) : null),
      h("div.scroll", { tabindex: "0", role: "region", "aria-label": "Prompt" }, RMR.conversation(pair.turns))),
    h("div.responses", {},
      RMR.response({ ...pair.a, spans: spans.A }, light),
      RMR.response({ ...pair.b, spans: spans.B }, light)),
  ];
};

RMR.caseHead = function (view, shown, choose, hooks) {
  const { h } = RMR;
  if (!view.pair) return [];
  const running = view.phase === "running";
  const line = view.verdict
    ? [RMR.badge(view.verdict), h("strong", {}, `Response ${view.verdict} is better`)]
    : running ? [h("span.pulse", { "aria-hidden": "true" }), h("strong", {}, view.status || "Reading the pair")]
      : [h("span.state", { "aria-hidden": "true" }, "!"), h("strong", {}, `No verdict: ${view.state_title || view.state}`)];
  return [
    h(`div.headline${view.verdict ? `.edge-${view.verdict.toLowerCase()}` : running ? "" : ".edge-none"}`, { tabindex: "-1", "data-headline": "" },
      h("div.headline-main", {}, ...line),
      RMR.confidence(view),
      view.swap === null || view.swap === undefined ? null
        : h(`span.chip${view.swap ? ".is-exact" : ".is-absent"}`, { title: "Whether both orders name the same response" }, view.swap ? "same in both orders" : "flips with the order"),
      view.verdict && view.state !== "complete" ? h("span.chip.is-near", { title: view.reason || "" }, view.state) : null,
      h("span.spacer"),
      view.meta ? h("span.meta", {}, view.meta) : null,
      hooks && hooks.edit && !running ? h("button.quiet", { type: "button", onclick: hooks.edit }, "Edit the pair") : null,
      view.key && hooks && hooks.link ? h("a.quiet", { href: RMR.link(view.key) }, "Open") : null,
      view.key && hooks && hooks.link ? h("button.quiet", { type: "button", onclick: (event) => RMR.copy(RMR.link(view.key), event.currentTarget) }, "Copy link") : null),
    view.reason && !running ? h("p.reason", {}, view.reason) : null,
    (view.rollouts || []).length > 1 ? h("div.rollouts", { role: "tablist", "aria-label": "Rollouts" }, view.rollouts.map((rollout, index) =>
      h("button", { type: "button", role: "tab", "aria-selected": index === shown ? "true" : "false", onclick: () => choose(index) },
        h("span", {}, rollout.order === "AB" ? "A first" : "B first", rollout.vote ? ` · vote ${rollout.vote + 1}` : ""),
        rollout.verdict ? RMR.badge(rollout.verdict) : h("span.muted", {}, rollout.done ? rollout.state : "…")))) : null,
  ];
};

RMR.confidence = function (view) {
  const { h } = RMR;
  if (view.confidence === null || view.confidence === undefined) return null;
  const [unit, source] = {
    logprobs: ["probability", "probability of the letter at the verdict"],
    margin: ["by margin", "what the margin between the two scores amounts to"],
  }[view.confidence_source] || ["of votes", "share of votes"];
  return h("span.confidence", { title: `Confidence: ${source}` },
    h("span.meter", { role: "img", "aria-label": `confidence ${RMR.percent(view.confidence)}` }, h("span", { style: `width:${100 * view.confidence}%` })),
    `${RMR.percent(view.confidence)}`, h("span.muted", {}, ` ${unit}`));
};

RMR.caseNotes = function (view, rollout) {
  const { h } = RMR;
  return [...(view.notes || []), ...((rollout && rollout.notes) || [])].map((note) => h(`p.note.note-${note.kind}`, {}, note.text));
};

RMR.caseFoot = function (view, rollout) {
  const { h } = RMR;
  if (!rollout || view.phase === "running" || !rollout.text) return [];
  return [
    h("details.fold", {}, h("summary", {}, "Raw text, as the judge wrote it"), h("pre.raw", { dir: "auto", tabindex: "0" }, rollout.text)),
    view.prompt_text ? h("details.fold", {}, h("summary", {}, "The judge's prompt"), h("pre.raw", { tabindex: "0" }, view.prompt_text)) : null,
  ];
};
