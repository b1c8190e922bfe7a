// The Gallery page: cards of judgements made beforehand, one of them whole, and the game.
"use strict";

RMR.GALLERY_FILTERS = [["kind", "type"], ["part", "subset"], ["by", "judge"], ["ended", "outcome"]];

RMR.gallery = function ({ element, trigger }) {
  const { h, words } = RMR;
  const root = element.querySelector("[data-root]");
  const list = h("div.gallery-list"), whole = h("div.gallery-whole"), play = h("div.gallery-play"), trouble = h("div", { role: "status" });
  root.append(trouble, list, whole, play);
  const wire = RMR.wire(trigger, () => {});
  const game = RMR.game(play, wire);
  const nav = h("nav.judgement-nav", { "aria-label": words("gallery.title") }), said = h("div");
  const box = h("div");
  whole.append(nav, said, box);
  const paintCase = RMR.case(box, { link: true });
  let view = null, opened = null;

  const address = () => new URLSearchParams(location.search);
  const run = () => address().get("gallery") || "";
  const isHere = () => (address().get("tab") || (address().get("gallery") ? "gallery" : "")) === "gallery";
  const chosen = () => (view ? view.cards.filter((card) => RMR.GALLERY_FILTERS.every(([name, field]) => !address().get(name) || card[field] === address().get(name))) : []);
  const visit = (changes) => { RMR.visit({ tab: "gallery", ...changes }); restore(); };

  const restore = async () => {
    if (!isHere()) return;
    if (!view || view.run !== run()) {
      const answer = await wire.ask("ask", { run: run() }, { patience: 30000 });
      RMR.repaint(trouble, answer.error || answer.problem, () => answer.error || answer.problem ? [h("p.note.note-warning", {}, answer.error || answer.problem)] : []);
      if (answer.error) return;
      view = answer;
    }
    const card = address().get("card"), isPlaying = address().get("play") === "1";
    list.hidden = Boolean(card) || isPlaying;
    whole.hidden = !card || isPlaying;
    play.hidden = !isPlaying;
    root.dataset.painted = isPlaying ? "play" : card ? `card ${card}` : "list";
    if (isPlaying) return game.open(run());
    game.close();
    RMR.repaint(list, [view.run, view.title, location.search], () => RMR.galleryList(view, chosen(), address(), visit));
    if (card) open(card);
  };
  const open = async (card) => {
    if (opened?.card === card && opened.run === view.run) return;
    const answer = await wire.ask("show", { run: view.run, card }, { patience: 30000 });
    RMR.repaint(trouble, answer.error, () => answer.error ? [h("p.note.note-warning", {}, answer.error)] : []);
    if (answer.error || address().get("card") !== card) return;
    opened = { ...answer, run: view.run };
    RMR.sawCard(answer.pair_hash);
    RMR.repaint(nav, [card, location.search], () => RMR.galleryNav(card, step, visit));
    RMR.repaint(said, [answer.sentence, answer.outcome], () => [h("p.happened", {}, RMR.outcome(answer.outcome), h("span.sentence", {}, answer.sentence))]);
    paintCase(answer);
    root.dataset.shown = card;
    nav.querySelector("button")?.focus({ preventScroll: true });
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
  };
  const step = (by) => {
    const cards = chosen(), at = cards.findIndex((card) => card.id === address().get("card"));
    const next = cards[at + by];
    if (at < 0 || !next) return false;
    visit({ card: next.id });
    return true;
  };
  RMR.onKeys(root, (event) => {
    if (document.querySelector("dialog[open]")) return false;
    if (!play.hidden) return game.key(event);
    if (whole.hidden) return false;
    if (event.key === "Escape") { visit({ card: null }); return true; }
    return event.key === "j" ? step(1) : event.key === "k" ? step(-1) : false;
  });
  game.onLeave = () => visit({ play: null });
  RMR.hear("address", restore);
  new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    RMR.address({ tab: "gallery" });
    restore();
  }).observe(root);
  return (answer) => wire.heard(answer);
};

// Pairs whose verdict was in view in this visit: the game does not ask about them.
RMR.watched = () => JSON.parse(sessionStorage.getItem("rmr1.watched") || "[]");
RMR.sawCard = (hash) => sessionStorage.setItem("rmr1.watched", JSON.stringify([...new Set([...RMR.watched(), hash])].slice(-500)));

RMR.galleryList = function (view, cards, address, visit) {
  const { h, words } = RMR;
  const filters = RMR.GALLERY_FILTERS.map(([name, field]) => {
    const values = [...new Set(view.cards.map((card) => card[field]).filter(Boolean))];
    if (values.length < 2) return null;
    const select = h("select", { onchange: (event) => visit({ [name]: event.target.value || null }) });
    RMR.options(select, [["", words("gallery.any")], ...values.map((value) => [value, field === "outcome" ? RMR.OUTCOMES[value].word : value])], address.get(name) || "");
    return RMR.field(words(`gallery.${name === "ended" ? "outcome" : name}`), select);
  });
  const clear = () => visit(Object.fromEntries(RMR.GALLERY_FILTERS.map(([name]) => [name, null])));
  const isFiltered = RMR.GALLERY_FILTERS.some(([name]) => address.get(name));
  return [
    h("section.card.gallery-head", {},
      h("div.gallery-intro", {},
        h("h2", {}, view.title ? `${words("gallery.title")}: ${view.title}` : words("gallery.title")),
        h("p.muted", {}, words(view.run ? "gallery.run" : "gallery.about")),
        RMR.galleryFigures(view.figures, visit)),
      view.cards.some((card) => card.chosen) ? h("aside.gallery-game", {},
        h("h3", {}, words("game.title")), h("p.muted", {}, words("game.invite")),
        h("button.choice.primary-choice", { type: "button", "data-play": "", onclick: () => visit({ play: "1", card: null }) }, words("game.start"))) : null),
    h("div.gallery-filters", {}, ...filters,
      h("span.muted", { role: "status" }, words("gallery.shown", { n: cards.length, of: view.cards.length })),
      isFiltered ? h("button.quiet", { type: "button", onclick: clear }, words("gallery.clear")) : null,
      view.run ? h("button.quiet", { type: "button", onclick: () => { RMR.visit({ tab: "explore", run_id: view.run }); RMR.goTab("explore"); RMR.tell("address"); } }, words("gallery.explore")) : null,
      view.run ? h("button.quiet", { type: "button", onclick: () => visit({ gallery: null }) }, words("gallery.shipped")) : null),
    view.total > view.cards.length ? h("p.hint", {}, words("gallery.cut", { n: view.cards.length, total: view.total })) : null,
    cards.length ? h("div.gallery-cards", {}, cards.map((card) => RMR.galleryCard(card, () => visit({ card: card.id })))) : h("p.muted", {}, words("gallery.nothing")),
  ];
};

RMR.galleryFigures = function (figures, visit) {
  const { h, words } = RMR;
  if (!figures.length) return null;
  const share = (one) => one.n ? one.words : words("gallery.figures.none");
  return h("div.table-scroll", {}, h("table.gallery-figures", {},
    h("thead", {}, h("tr", {}, ["judge", "right", "same"].map((name) => h("th", { scope: "col" }, words(`gallery.figures.${name}`))))),
    h("tbody", {}, figures.map((one) => h("tr", {},
      h("th", { scope: "row" }, h("button.more", { type: "button", onclick: () => visit({ by: one.judge }) }, one.judge)),
      h("td", {}, share(one.right)), h("td", {}, share(one.same)))))));
};

RMR.galleryCard = function (card, open) {
  const { h } = RMR;
  const { exact, near, absent } = card.quotes;
  return h(`button.gallery-card${card.verdict ? `.edge-${card.verdict.toLowerCase()}` : ".edge-none"}`, { type: "button", "data-card": card.id, onclick: open },
    h("span.gallery-card-top", {}, card.title ? h("strong", { dir: "auto" }, card.title) : null, h("span.spacer"), RMR.outcome(card.outcome)),
    h("span.gallery-prompt", { dir: "auto" }, card.prompt),
    h("span.gallery-facts", {},
      card.verdict ? RMR.badge(card.verdict) : null,
      card.type ? h(`span.chip.chip-${card.type.toLowerCase()}`, {}, card.type) : null,
      card.subset ? h("span.chip.is-plain", {}, card.subset) : null,
      card.swap === null ? null : h(`span.chip${card.swap ? ".is-exact" : ".is-absent"}`, {}, card.swap ? "same in both orders" : "flips"),
      absent ? h("span.chip.is-absent", {}, `${absent} invented`) : exact + near ? h("span.chip.is-plain", {}, `${exact + near} quoted`) : null),
    h("span.gallery-judge", {}, card.judge));
};

RMR.galleryNav = function (card, step, visit) {
  const { h, words } = RMR;
  return [
    h("button.quiet", { type: "button", onclick: () => visit({ card: null }) }, words("gallery.back"), " ", RMR.key("Esc")),
    h("button.quiet", { type: "button", onclick: () => step(-1) }, `${words("gallery.previous")} `, RMR.key("k")),
    h("button.quiet", { type: "button", onclick: () => step(1) }, `${words("gallery.next")} `, RMR.key("j")),
    h("span.spacer"),
    h("button.quiet", { type: "button", onclick: (event) => RMR.copy(location.href, event.currentTarget) }, words("gallery.copy")),
  ];
};
