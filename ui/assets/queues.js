// The Queues page: what is labelled on which terms, how far it is, and who did what.
"use strict";

RMR.queues = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, isAsked = false;
  const nav = h("nav.queue-nav", { "aria-label": "Parts of the page" }), told = h("div", { "aria-live": "polite" });
  const list = h("section.card.queue-list", { "aria-label": "All queues" }), body = h("div.queue-body");
  const grid = h("div.queue-grid", {}, list, body);
  root.append(nav, told, grid);

  const address = () => new URLSearchParams(location.search);
  const query = () => `queue=${address().get("queue") || ""}`;
  const ask = () => {
    isAsked = true;
    trigger("ask", { query: query(), annotator: RMR.who() });
    repaint();
  };
  const go = (changes) => {
    RMR.visit({ queue: null, adjudicate: null, pair: null, ...changes });
    RMR.tell("address");
  };
  const send = (event, data) => trigger(event, { ...data, query: query(), annotator: RMR.who(), mark: RMR.uuid() });
  RMR.hear("address", () => isAsked && root.offsetParent !== null && ask());
  RMR.whenSeen(root, ask);

  const repaint = () => {
    const isConflicts = Boolean(address().get("adjudicate")), chosen = view.chosen;
    grid.hidden = isConflicts;
    RMR.repaint(nav, [isConflicts, view.is_lead, view.conflicts], () => RMR.queueNav(view, isConflicts, go));
    if (isConflicts || !view.queues) return;
    RMR.repaint(list, [view.queues, chosen && chosen.id, address().get("queue")], () => RMR.queueList(view, address().get("queue"), go));
    RMR.repaint(told, view.told, () => RMR.queueTold(view.told, chosen, send));
    RMR.bringInto(told, view.told && view.told.mark);
    const isNew = address().get("queue") === "new" && view.is_lead;
    RMR.repaint(body, [isNew && RMR.listQuery(), chosen, view.problem, view.is_lead], () =>
      isNew ? RMR.newQueue(view, send) : chosen ? RMR.queueDetail(view, send, go)
        : h("section.card.stage.queue-none", {}, h("p", {}, view.problem || "Choose a queue to see how far it is."), view.is_lead ? h("p.hint", {}, "Or make one: every queue has a filter, an order, and the number of labels that a pair needs.") : null));
  };
  return (next) => {
    view = next;
    if (next.told && next.told.made && address().get("queue") === "new") RMR.address({ queue: next.told.made, ...Object.fromEntries(RMR.LIST_NAMES.map((name) => [name, null])) });
    repaint();
  };
};

// Bring what an answer says into view, once for each answer.
RMR.bringInto = function (node, mark) {
  if (!mark || node.dataset.mark === mark) return;
  node.dataset.mark = mark;
  node.scrollIntoView({ block: "nearest" });
};

RMR.queueNav = function (view, isConflicts, go) {
  const { h } = RMR;
  if (!view.is_lead) return [];
  const part = (words, isNow, changes) => h("button.quiet", { type: "button", "aria-current": isNow ? "page" : null, onclick: () => go(changes) }, words);
  return [part("Queues", !isConflicts, {}), part(`Disagreements${view.conflicts ? ` (${view.conflicts.toLocaleString("en")})` : ""}`, isConflicts, { adjudicate: "all" })];
};

RMR.STATE_SIGNS = { open: "●", paused: "❚❚", archived: "▣" };

RMR.queueList = function (view, now, go) {
  const { h } = RMR;
  return [
    h("header", {}, h("h2", {}, "Queues"), h("span.spacer"),
      view.is_lead ? h("button.quiet.strong", { type: "button", "data-new": "", onclick: () => go({ queue: "new" }) }, "New queue") : null),
    ...view.queues.map((queue) => h("button.queue-line", { type: "button", "data-queue": queue.id, "aria-current": String(String(queue.id) === now), onclick: () => go({ queue: queue.id }) },
      h("span.queue-name", { dir: "auto" }, queue.name),
      h("span.queue-facts", {},
        h(`span.chip${queue.state === "open" ? ".is-exact" : ".is-plain"}`, {}, `${RMR.STATE_SIGNS[queue.state]} ${queue.state}`),
        queue.random || queue.order ? h("span", {}, queue.random ? "random stream" : queue.order) : null,
        h("span", {}, queue.overlap ? `${queue.overlap} label${queue.overlap > 1 ? "s" : ""} a pair` : "everybody labels all"),
        h("span", {}, `${queue.labels.toLocaleString("en")} given`)))),
  ];
};

RMR.queueTold = function (told, chosen, send) {
  const { h } = RMR;
  if (!told) return [];
  if (told.refused) return h("p.note.note-error", { role: "alert" }, told.refused);
  const number = (n) => `${n.toLocaleString("en")} pair${n === 1 ? "" : "s"}`;
  if (told.qualify !== undefined)
    return h("p.note", { "data-foretold": "" }, told.qualify ? `${number(told.qualify)} qualif${told.qualify === 1 ? "ies" : "y"}; ${told.would === told.qualify ? "all would" : `${told.would.toLocaleString("en")} of them, drawn by chance, would`} become gold.` : "No pair qualifies: choose another filter.");
  const words = told.made ? "Queue made." : told.marked ? `${number(told.marked)} ${told.marked > 1 ? "are" : "is"} gold now.` : told.unmarked ? `${number(told.unmarked)} no longer gold.` : told.admitted ? "Let in." : "Terms are in force.";
  return h("p.receipt", {}, `✓ ${words}`, told.batch && chosen ? [" ", h("button.quiet.small", { type: "button", "data-regret": "", onclick: () => send("regret", { queue_id: chosen.id, batch: told.batch }) }, "Undo")] : null);
};

// The fields of a queue's terms: {node, read}.
RMR.termFields = function (terms) {
  const { h } = RMR;
  const number = (value, attributes) => h("input", { type: "number", inputmode: "decimal", value: value === null ? "" : String(value), ...attributes });
  const overlap = number(terms.overlap, { min: 1, max: 100, placeholder: "everybody" });
  const hold = number(terms.hold_minutes, { min: 1, max: 1440 });
  const gold = number(Math.round(terms.gold_share * 100), { min: 0, max: 50 });
  const screening = number(terms.screening, { min: 0, max: 100 });
  const pass = number(Math.round(terms.pass_mark * 100), { min: 0, max: 100 });
  return {
    nodes: [
      RMR.field("Labels per pair", overlap, "empty: one of everybody"), RMR.field("Reserved for (minutes)", hold),
      RMR.field("Gold share (%)", gold, "mixed in silently"), RMR.field("Screening pairs", screening, "gold, for new people"), RMR.field("Pass mark (%)", pass),
    ],
    read: () => ({
      overlap: overlap.value === "" ? "" : Number(overlap.value), hold_minutes: Number(hold.value), gold_share: Number(gold.value) / 100,
      screening: Number(screening.value), pass_mark: Number(pass.value) / 100,
    }),
  };
};

RMR.newQueue = function (view, send) {
  const { h } = RMR;
  const given = RMR.listQuery();
  const name = h("input", { type: "text", maxlength: "120", required: "", "data-name": "" });
  const link = h("input", { type: "text", value: given, placeholder: "every pair", "data-link": "" });
  const seed = h("input", { type: "number", value: "0", min: "0" });
  const order = h("select", { "data-order": "" }, view.orders.map(([value, words]) => h("option", { value }, `${value}: ${words}`)));
  const terms = RMR.termFields({ overlap: 1, hold_minutes: 5, gold_share: 0, screening: 0, pass_mark: 0.7 });
  const make = (event) => {
    event.preventDefault();
    send("make", { name: name.value, link: link.value, order: order.value, seed: seed.value, ...terms.read() });
  };
  return h("section.card.stage", { "aria-label": "New queue" }, h("header", {}, h("h2", {}, "New queue")),
    h("form", { onsubmit: make },
      h("div.fields.queue-wide", {}, RMR.field("Name", name), RMR.field("Pairs: a link to the Explore page, or its filters", link, "empty: every pair, judged or not"), RMR.field("Order", order)),
      h("div.fields", {}, ...terms.nodes, RMR.field("Seed of chance", seed)),
      h("p.hint", {}, "Only a queue of every pair in random order counts for headline figures; each label keeps why its pair was served."),
      h("button.quiet.strong", { type: "submit" }, "Make the queue")));
};

RMR.queueDetail = function (view, send, go) {
  const { h } = RMR;
  const queue = view.chosen, { whole } = queue;
  const label = () => {
    const notes = JSON.parse(sessionStorage.getItem("rmr1.annotate") || "{}");
    sessionStorage.setItem("rmr1.annotate", JSON.stringify({ ...notes, who: RMR.who(), queue: queue.id, place: null }));
    RMR.visit({ tab: "annotate" });
    location.reload();
  };
  const set = (state) => send("settle", { queue_id: queue.id, state });
  const states = { open: [["Pause", "paused"], ["Archive", "archived"]], paused: [["Open again", "open"], ["Archive", "archived"]], archived: [["Open again", "open"]] }[queue.state];
  const aim = queue.overlap ? whole.total * queue.overlap : null;
  const figure = (value, words) => h("div", {}, h("dd", {}, value), h("dt", {}, words));
  return [
    h("section.card.stage", { "aria-label": `Queue ${queue.name}` },
      h("header", {}, h("h2", { dir: "auto" }, queue.name), h(`span.chip${queue.state === "open" ? ".is-exact" : ".is-plain"}`, {}, `${RMR.STATE_SIGNS[queue.state]} ${queue.state}`), h("span.spacer"),
        queue.state === "open" ? h("button.quiet.strong", { type: "button", onclick: label }, "Label") : null,
        view.is_lead ? states.map(([words, state]) => h("button.quiet", { type: "button", "data-state": state, onclick: () => set(state) }, words)) : null),
      queue.hidden ? h("p.hint", {}, queue.hidden) : h("p.hint", {}, queue.random ? "Chance alone chooses: labels count for headline figures." : `First come those where ${queue.order_words}; labels train and show, they do not grade.`, " ",
        queue.filter.length ? ["Only ", queue.filter.map(([name, value], index) => [index ? ", " : "", h("strong", { dir: "auto" }, `${name}: ${value}`)]), ". "] : "Every pair, judged or not. ",
        h("a", { href: `?${queue.explore}` }, "See them in Explore")),
      h("span.meter.queue-meter", { role: "img", "aria-label": `${whole.full} of ${whole.total} pairs have the labels they need` }, h("span", { style: `width:${whole.total ? (100 * whole.full) / whole.total : 0}%` })),
      h("dl.figures", {}, figure(`${whole.full.toLocaleString("en")} / ${whole.total.toLocaleString("en")}`, queue.overlap ? "pairs with all labels they need" : "pairs with a label"),
        queue.overlap ? figure((whole.begun - whole.full).toLocaleString("en"), "begun") : null, figure(whole.labels.toLocaleString("en") + (aim ? ` / ${aim.toLocaleString("en")}` : ""), "labels"),
        view.is_lead ? figure(h("button.linklike", { type: "button", onclick: () => go({ adjudicate: queue.id }) }, queue.conflicts.toLocaleString("en")), "disagreements to decide") : null),
      queue.waiting ? h("p.note.note-warning", {}, queue.waiting) : null,
      queue.mirror ? h("p.note", {}, queue.mirror) : null),
    RMR.queuePeople(view, send),
    view.is_lead ? RMR.queueTerms(queue, send) : null,
    view.is_lead ? RMR.queueGold(queue, send) : null,
  ];
};

RMR.queuePeople = function (view, send) {
  const { h } = RMR;
  const { people, id } = view.chosen;
  const number = (text) => h("td.number", {}, text);
  if (!people.length) return h("section.card.stage", {}, h("h2", {}, view.is_lead ? "People" : "You"), h("p.hint", {}, view.is_lead ? "Nobody has labelled in this queue yet." : "You have labelled nothing in this queue yet."));
  return h("section.card.stage", {}, h("h2", {}, view.is_lead ? "People" : "You"), h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "People" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Name", "Labels", "Today", "Last hour", "Median time", "Last label", ...(view.is_lead ? ["Right on gold (95 %)", "Screening"] : [])].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, people.map((one) => h("tr", { "data-person": one.name },
      h("th", { scope: "row", dir: "auto" }, view.is_lead ? h("a", { href: `?${new URLSearchParams({ tab: "explore", annotator: one.name })}` }, one.name) : one.name),
      number(one.labels.toLocaleString("en")), number(String(one.today)), number(String(one.hour)), number(one.seconds === null ? "–" : RMR.seconds(one.seconds)), h("td", {}, h("time", {}, one.last.replace("T", " ").slice(0, 16))),
      view.is_lead ? h("td", {}, one.gold || "–") : null,
      view.is_lead ? h("td", {}, RMR.screening(one, id, send)) : null))))));
};

RMR.screening = function (one, id, send) {
  const { h } = RMR;
  const { screening } = one;
  if (!screening || !screening.state) return "–";
  return [`${screening.state} (${screening.done} of ${screening.needed})`,
    screening.state === "not passed" ? [" ", h("button.quiet.small", { type: "button", onclick: () => send("admit", { queue_id: id, name: one.name }) }, "Let in")] : null];
};

RMR.queueTerms = function (queue, send) {
  const { h } = RMR;
  const terms = RMR.termFields(queue.terms);
  return h("details.card.stage", {}, h("summary", {}, h("h2", {}, "Terms")),
    h("form", { onsubmit: (event) => { event.preventDefault(); send("settle", { queue_id: queue.id, ...terms.read() }); } },
      h("div.fields", {}, ...terms.nodes), h("button.quiet.strong", { type: "submit" }, "Put in force")));
};

RMR.queueGold = function (queue, send) {
  const { h } = RMR;
  const { total, rows } = queue.gold;
  const n = h("input", { type: "number", min: "1", max: "1000", value: "10", placeholder: "all" });
  const seed = h("input", { type: "number", min: "0", placeholder: "the queue's" });
  const link = h("input", { type: "text", placeholder: "the queue's own", "data-gold-link": "" });
  const known = h("select", {}, h("option", { value: "chosen" }, "whose source knew the better side"), h("option", { value: "decided" }, "that a lead decided"));
  const form = () => ({ queue_id: queue.id, n: n.value, known: known.value, link: link.value, seed: seed.value });
  return h("details.card.stage", { "data-gold": "" }, h("summary", {}, h("h2", {}, `Gold pairs (${total})`)),
    h("p.hint", {}, "Pairs whose answer is known, mixed in among the others without a sign. Nobody but leads is told which they are."),
    h("form", { onsubmit: (event) => { event.preventDefault(); send("gold", form()); } },
      h("div.fields.queue-wide", {}, RMR.field("Pairs: a link to the Explore page, or its filters", link, "such as source=rewardbench; a filter means judged pairs"), RMR.field("Only those", known)),
      h("div.fields.queue-draw", {}, RMR.field("How many (empty: all)", n), RMR.field("Seed of chance", seed),
        h("button.quiet", { type: "button", "data-foretell": "", onclick: () => send("foretell", form()) }, "Count first"), h("button.quiet.strong", { type: "submit" }, "Mark as gold"))),
    rows.length ? h("ul.gold-list", {}, rows.map((row) => h("li", {}, RMR.badgeOr(row.value), h("span.gold-prompt", { dir: "auto" }, row.prompt),
      h("button.quiet.small", { type: "button", "aria-label": "Gold no longer", onclick: () => send("ungold", { queue_id: queue.id, pair_id: row.pair }) }, "Remove")))) : null);
};

RMR.badgeOr = (value) => (value === "A" || value === "B" ? RMR.badge(value) : RMR.h("strong.plain-value", {}, RMR.valueWords(value)));
