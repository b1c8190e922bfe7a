// The Judgement page: everything about one judgement, under its own link.
"use strict";

RMR.judgement = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const nav = h("nav.judgement-nav", { "aria-label": "Judgement" }), notes = h("div"), box = h("div"), more = h("div.judgement-more"), bar = h("div.agree");
  const found = h("div.judgement-found"), weights = h("div.judgement-more"), contrasts = h("div.judgement-more");
  root.append(nav, notes, box, found, weights, contrasts, more);
  const probes = RMR.probes(contrasts, {
    run: () => trigger("probe", { judgement: view.key, annotator: RMR.who() }),
    read: (probe) => trigger("reread", { judgement: view.key, probe }),
  });
  const whatIf = RMR.whatIf(weights, (rows, round) => trigger("weigh", { judgement: view.key, rows, round }));
  const paint = RMR.case(box, { bar });
  let view = {}, wanted = null, checking = null;

  const open = (key, whole) => {
    wanted = key || "";
    if (wanted) trigger("open", { key: wanted, query: RMR.listQuery(), whole: Boolean(whole) });
    else show({ asked: "" });
  };
  const step = (key) => {
    if (!key) return false;
    RMR.visit({ judgement: key });
    open(key);
    return true;
  };
  const restore = () => {
    const query = new URLSearchParams(location.search);
    if (query.get("tab") && query.get("tab") !== "judgement") return;
    if ((query.get("judgement") || "") !== wanted) open(query.get("judgement"));
  };
  RMR.hear("address", restore);
  new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    RMR.address({ tab: "judgement" });
    restore();
  }).observe(root);
  RMR.onKeys(root, (event) =>
    event.key === "j" ? step(view.following) : event.key === "k" ? step(view.previous) : false);

  const show = (next) => {
    view = next;
    RMR.repaint(nav, [view.key, view.asked, view.previous, view.following], () => RMR.judgementNav(view, step));
    RMR.repaint(notes, [view.asked, view.problem, view.cut, view.sentence], () => RMR.judgementNotes(view, () => open(view.key, true)));
    paint(view.key ? view : {});
    RMR.repaint(bar, [view.key, view.receipt, view.verdict], () => view.key ? RMR.agreeBar(view, trigger) : []);
    RMR.repaint(found, [view.key, view.evidence], () => view.key && view.evidence ? RMR.findings(view.evidence) : []);
    whatIf.show(view.key, view.evidence && view.evidence.rollouts);
    probes.show(view.key, view.probes, view.verdict);
    if (view.evidence && view.evidence.pending && checking !== view.key) trigger("check", { judgement: checking = view.key });
    RMR.repaint(more, [view.key, view.about, view.history, view.history_hidden, view.cut, view.evidence && view.evidence.moved, view.injection], () => view.key ? RMR.judgementMore(view) : []);
    root.dataset.painted = view.asked || "none";
  };
  const takePart = (part) => {
    if (!view.key || part.part !== view.key) return;
    if (part.reread) probes.read(part.reread);
    else if (part.weighed) whatIf.weighed(part.weighed, part.round);
    else show({ ...view, ...part });
  };
  return (next) => {
    if (next.part !== undefined) takePart(next);
    else if (next.receipt && view.key && next.receipt.judgement === view.key) show({ ...view, receipt: next.receipt });
    else if (next.asked && next.asked === wanted) show(next);
  };
};

RMR.recordUrl = (key) => new URL(`judgements/${encodeURIComponent(key)}.json`, location.origin + location.pathname).toString();

RMR.judgementNav = function (view, step) {
  const { h } = RMR;
  const back = h("button.quiet", { type: "button", onclick: () => { RMR.visit({ tab: "explore" }); RMR.goTab("explore"); } }, "← All judgements");
  if (!view.key) return [back];
  const copyRecord = async (event) => {
    const button = event.currentTarget;
    const answer = await fetch(RMR.recordUrl(view.key));
    if (answer.ok) RMR.copy(await answer.text(), button);
    else button.textContent = "Could not be fetched";
  };
  return [
    back,
    h("button.quiet", { type: "button", disabled: !view.previous, onclick: () => step(view.previous) }, "Previous ", RMR.key("k")),
    h("button.quiet", { type: "button", disabled: !view.following, onclick: () => step(view.following) }, "Next ", RMR.key("j")),
    h("span.spacer"),
    h("button.quiet", { type: "button", onclick: (event) => RMR.copy(RMR.link(view.key), event.currentTarget) }, "Copy link"),
    h("a.quiet", { href: RMR.recordUrl(view.key), download: `judgement-${view.key}.json` }, "Download JSON"),
    h("button.quiet", { type: "button", onclick: copyRecord }, "Copy JSON"),
  ];
};

RMR.judgementNotes = function (view, showAll) {
  const { h } = RMR;
  if (view.problem) return [RMR.closedNote(view)];
  if (!view.key)
    return [h("div.empty", {}, h("p", {}, "No judgement is chosen."), h("p.muted", {}, "Choose one on the Explore page, or open a link to one."))];
  return [
    h("p.happened", {}, RMR.outcome(view.outcome), h("span.sentence", {}, view.sentence)),
    view.cut ? h("p.note.note-info", {}, "Long texts are cut here. ", h("button.more", { type: "button", onclick: showAll }, "Show all")) : null,
  ];
};

// Why there is no judgement here; where its pair waits for a label, the way to where it is given.
RMR.closedNote = function (view) {
  const { h } = RMR;
  return h("p.note.note-warning", {}, view.problem, view.waits ? [" ", h("a", { href: "?tab=annotate" }, "Go on labelling")] : null);
};

RMR.judgementMore = function (view) {
  const { h } = RMR;
  const first = view.rollouts.find((rollout) => rollout.order === "AB"), second = view.rollouts.find((rollout) => rollout.order === "BA");
  return [
    first && second ? h("details.fold.part", { open: true }, h("summary", {}, "Both orders, section by section"), RMR.bothOrders(first, second, view.evidence && view.evidence.moved)) : null,
    view.rollouts.length > 1 ? h("details.fold.part", {}, h("summary", {}, "Raw text of every rollout"), view.rollouts.map((rollout) => [h("h4", {}, RMR.rolloutTitle(rollout)), h("pre.raw", { tabindex: "0" }, rollout.text || "(empty)")])) : null,
    ...view.prompts.map((prompt) => h("details.fold.part", {}, h("summary", {}, `What the judge was asked (${prompt.title})`), h("pre.raw", { tabindex: "0" }, prompt.text))),
    view.prompts.length ? null : h("p.hint", {}, "The prompt is not on record: this judgement came without its prompt profile."),
    view.injection ? h("details.fold.part.injection", {}, h("summary", {}, "Can a response command this judge?"), RMR.injection(view.injection)) : null,
    h("details.fold.part.about", {}, h("summary", {}, "About this judgement"), h("div.about-grid", {}, view.about.map(RMR.aboutGroup))),
    RMR.labelsFold(view),
  ];
};

RMR.labelsFold = function (view) {
  const { h } = RMR;
  const { history, history_hidden: hidden } = view;
  const title = history.length ? (hidden ? "Show what you said of this pair" : "Show labels that people gave this pair") : hidden ? "Labels: hidden from you for now" : "Labels: none yet";
  return h("details.fold.part", { "data-labels": "", open: Boolean(hidden) }, h("summary", {}, title), hidden ? h("p.hint", {}, hidden) : null, history.length ? RMR.history(history) : null);
};

RMR.rolloutTitle = (rollout) => `${rollout.order === "AB" ? "A first" : "B first"} · vote ${rollout.vote + 1}`;

RMR.aboutGroup = function (group) {
  const { h } = RMR;
  if (group.table)
    return h("section.wide", {}, h("h4", {}, group.title), h("div.table-scroll", {}, h("table", {},
      h("thead", {}, h("tr", {}, group.head.map((name) => h("th", {}, name)))),
      h("tbody", {}, group.table.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell))))))));
  return h("section", {}, h("h4", {}, group.title), h("dl.facts", {}, group.rows.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)])));
};

RMR.history = function (events) {
  const { h } = RMR;
  const words = { both_bad: "both bad", cannot_tell: "cannot tell" };
  return h("div.history", {}, h("div.table-scroll", {}, h("table", {},
    h("thead", {}, h("tr", {}, ["when", "who", "stage", "what", "value", "remarks", "passport"].map((name) => h("th", {}, name)))),
    h("tbody", {}, events.map((event) => h("tr", {},
      h("td", {}, event.when), h("td", { dir: "auto" }, event.who), h("td", {}, event.stage),
      h("td", {}, event.action, event.undone ? " (taken back)" : ""), h("td", {}, words[event.value] || event.value || ""),
      h("td", { dir: "auto" }, [event.tags.join(", "), event.note].filter(Boolean).join(" · ")),
      h("td", {}, RMR.passportButton(event.id))))))), RMR.passportPlace());
};
