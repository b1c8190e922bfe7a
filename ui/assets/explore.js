// The Explore page: filters with counts, a dense list, and a judgement beside it.
"use strict";

// What the address says about the list; all else in it belongs to others.
RMR.LIST_NAMES = [
  "text", "type", "state", "verdict", "source", "subset", "judge_version", "correct", "quotes", "swap",
  "labelled", "agreement", "multi_turn", "confidence_min", "confidence_max", "run_id",
  "stage", "stream", "annotator", "other", "queue_id", "label", "agrees", "people", "pull", "newest",
  "benchmark", "part", "rule", "credit", "sort", "list_page",
];

RMR.listQuery = function () {
  const all = new URLSearchParams(location.search), own = new URLSearchParams();
  for (const name of RMR.LIST_NAMES) if (all.get(name)) own.set(name, all.get(name));
  return own.toString();
};

// Change the address and keep the old one in the browser's history, for its Back button.
RMR.visit = function (changes) {
  const before = location.href;
  RMR.address(changes);
  const after = location.href;
  if (after === before) return;
  history.replaceState({}, "", before);
  history.pushState({}, "", after);
};

// Go to a tab. Tabs that a phone folds away have no button: the address opens them.
RMR.goTab = function (id) {
  RMR.address({ tab: id });
  const button = document.getElementById(`tab-${id}-button`);
  if (!button) location.reload();
  else if (button.getAttribute("aria-selected") !== "true") button.click();
};

RMR.openJudgement = function (key) {
  RMR.visit({ judgement: key, tab: "judgement" });
  RMR.goTab("judgement");
  RMR.tell("address");
};

RMR.tell = (name, detail) => document.dispatchEvent(new CustomEvent(`rmr1-${name}`, { detail }));
RMR.hear = (name, take) => document.addEventListener(`rmr1-${name}`, (event) => take(event.detail));

addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  RMR.goTab(query.get("tab") || (query.get("judgement") ? "judgement" : "judge"));
  RMR.tell("address");
});

RMR.OUTCOMES = {
  correct: { sign: "✓", word: "correct" },
  wrong: { sign: "✗", word: "wrong" },
  none: { sign: "–", word: "no verdict" },
  unknown: { sign: "?", word: "better side unknown" },
};

RMR.outcome = function (name) {
  const { sign, word } = RMR.OUTCOMES[name];
  return RMR.h(`span.outcome.is-${name}`, {}, RMR.h("span", { "aria-hidden": "true" }, sign), ` ${word}`);
};

RMR.explore = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, asked = null, at = -1, typing = null, selecting = 0;
  const shown = () => RMR.address({ tab: "explore" });

  const ask = () => {
    asked = RMR.listQuery();
    list.setAttribute("aria-busy", "true");
    trigger("ask", { query: asked });
    RMR.tell("filter", asked);
  };
  const change = (changes) => {
    RMR.visit({ list_page: null, ...changes });
    ask();
  };
  const isWide = () => matchMedia("(min-width: 1001px)").matches;
  const side = (name) => document.getElementById("explore-page")?.setAttribute("data-side", name);

  const searchNow = () => {
    clearTimeout(typing);
    typing = null;
    change({ text: search.value.trim() });
  };
  const search = h("input", {
    type: "search", class: "search", maxlength: "300", "aria-label": "Search the texts", autocomplete: "off", spellcheck: "false",
    placeholder: "Search all texts  ( / )", oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(searchNow, 300);
    },
  });
  const facets = h("aside.facets", { "aria-label": "Filters" });
  const filtersButton = h("button.quiet.filters-button", { type: "button", "aria-expanded": "false", onclick: () => {
    const open = root.classList.toggle("with-filters");
    filtersButton.setAttribute("aria-expanded", String(open));
  } }, "Filters");
  const order = h("select", { "aria-label": "Order", onchange: () => change({ sort: order.value === "newest" ? null : order.value }) });
  const chips = h("div.chips"), head = h("div.list-head"), pager = h("nav.pager", { "aria-label": "Pages" }), making = h("div.making");
  const list = h("div.rows", { role: "listbox", tabindex: "0", "aria-label": "Judgements" });
  root.className = "explore-panel";
  root.append(
    facets,
    h("section.explore-list", { "aria-label": "Judgements" },
      h("div.search-line", {}, search, order, filtersButton),
      chips, head, making, list, pager));

  const select = (index, by) => {
    const rows = view.rows || [];
    if (!rows.length) return;
    at = Math.max(0, Math.min(index, rows.length - 1));
    markSelected();
    document.getElementById(`row-${at}`)?.scrollIntoView({ block: "nearest" });
    const { key } = rows[at];
    if (by === "pointer" && !isWide()) return RMR.openJudgement(key);
    RMR.address({ judgement: key, tab: "explore" });
    clearTimeout(selecting);
    selecting = setTimeout(() => { side("case"); RMR.tell("select", key); }, by === "pointer" ? 0 : 120);
  };
  const markSelected = () => {
    list.querySelectorAll("[role=option]").forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) list.setAttribute("aria-activedescendant", `row-${at}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const unselect = () => {
    at = -1;
    markSelected();
    RMR.address({ judgement: null });
    side("charts");
    RMR.tell("select", null);
  };
  const turn = (by) => {
    const next = (view.page || 1) + by;
    if (next < 1 || next > (view.pages || 1)) return false;
    at = -1;
    change({ list_page: next > 1 ? next : null });
    list.scrollTop = 0;
    return true;
  };
  const inButton = (event) => event.target.closest && event.target.closest("button, a, summary, [role=button], [role=tab]");

  RMR.onKeys(root, (event) => {
    switch (event.key) {
      case "j": select(at + 1); return true;
      case "k": select(at < 0 ? 0 : at - 1); return true;
      case "ArrowDown": if (document.activeElement !== list) return false; select(at + 1); return true;
      case "ArrowUp": if (document.activeElement !== list) return false; select(at - 1); return true;
      case "n": return turn(1);
      case "p": return turn(-1);
      case "/": search.focus(); search.select(); return true;
      case "Escape": if (at < 0) return false; unselect(); return true;
      case "Enter": if (at < 0 || inButton(event)) return false; RMR.openJudgement(view.rows[at].key); return true;
      default: return false;
    }
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !search.value) search.blur();
    if (event.key === "Enter") { searchNow(); list.focus(); }
  });

  RMR.hear("narrow", (changes) => change(changes));
  RMR.hear("unselect", unselect);
  RMR.hear("address", () => { if (new URLSearchParams(location.search).get("tab") === "explore") restore(); });
  // Coming back to the tab shows what was judged or labelled meanwhile.
  new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    shown();
    restore();
  }).observe(search);

  const restore = () => {
    const key = new URLSearchParams(location.search).get("judgement");
    if (!typing) search.value = new URLSearchParams(location.search).get("text") || "";
    side(key && isWide() ? "case" : "charts");
    RMR.tell("select", isWide() ? key : null);
    ask();
  };

  return (next) => {
    if (!next.rows || next.query !== asked) return;
    view = next;
    list.removeAttribute("aria-busy");
    const key = new URLSearchParams(location.search).get("judgement");
    at = view.rows.findIndex((row) => row.key === key);
    RMR.repaint(facets, view.facets, () => RMR.facets(view.facets, change));
    RMR.repaint(chips, [view.chips, view.problem, view.hidden], () => RMR.chips(view, change));
    RMR.repaint(order, view.sorts, () => view.sorts.map(([name, words]) => h("option", { value: name }, words)));
    order.value = view.sort;
    RMR.repaint(head, [view.total, view.query, view.hidden], () => RMR.listHead(view, () => making.replaceChildren(...RMR.queueForm(view, trigger))));
    RMR.repaint(making, view.made, () => view.made ? RMR.queueMade(view.made) : []);
    RMR.repaint(list, view.rows, () => view.rows.length ? view.rows.map((row, index) => RMR.row(row, index, () => { list.focus({ preventScroll: true }); select(index, "pointer"); })) : RMR.noRows(view, change));
    RMR.repaint(pager, [view.page, view.pages], () => RMR.pager(view, turn));
    filtersButton.replaceChildren("Filters", view.chips.length ? h("span.chip", {}, String(view.chips.length)) : "");
    markSelected();
    if (at >= 0) document.getElementById(`row-${at}`).scrollIntoView({ block: "nearest" });
    root.dataset.painted = view.query || "all";
  };
};

RMR.facets = function (facets, change) {
  const { h } = RMR;
  const few = 7;
  const useful = facets.filter((facet) => facet.options.length > 1 || facet.options.some((option) => option.on));
  if (!useful.length) return [h("p.hint", {}, "Filters stand here as soon as there are judgements that differ.")];
  return useful.map((facet, place) => {
    const most = Math.max(1, ...facet.options.map((option) => option.count));
    const button = (option, index) => h("button.facet", {
      type: "button", "aria-pressed": String(option.on), disabled: option.value === "" && !option.on, hidden: index >= few && !option.on,
      title: option.title, onclick: () => change({ [facet.name]: option.on ? null : option.value }),
    },
      h("span.facet-bar", { "aria-hidden": "true", style: `width:${(100 * option.count) / most}%` }),
      h("span.facet-name", { dir: "auto" }, option.on ? "✓ " : "", option.title),
      h("span.facet-count", {}, option.count.toLocaleString("en")));
    const buttons = facet.options.map(button);
    const hidden = buttons.filter((node) => node.hidden).length;
    const more = hidden ? h("button.more", { type: "button", onclick: () => { buttons.forEach((node) => (node.hidden = false)); more.remove(); } }, `${hidden} more`) : null;
    return h("details.facet-group", { open: place < 7 || facet.options.some((option) => option.on) },
      h("summary", {}, facet.title), ...buttons, more);
  });
};

RMR.chips = function (view, change) {
  const { h } = RMR;
  const none = (names) => Object.fromEntries(names.map((name) => [name, null]));
  const all = view.chips.flatMap((chip) => chip.names);
  const forget = (names) => {
    if (names.includes("text")) document.querySelector("input.search").value = "";
    change(none(names));
  };
  return [
    view.problem ? h("p.note.note-warning", {}, view.problem) : null,
    ...view.chips.map((chip) => h("button.chip.removable", { type: "button", title: "Remove this filter", "aria-label": `Remove the filter ${chip.text}`, onclick: () => forget(chip.names) },
      h("span", { dir: "auto" }, chip.text), h("span", { "aria-hidden": "true" }, "×"))),
    view.chips.length > 1 ? h("button.more", { type: "button", onclick: () => forget(all) }, "Clear all") : null,
    view.hidden ? h("p.hint.list-hidden", {}, view.hidden) : null,
  ];
};

RMR.listHead = function (view, label) {
  const { h } = RMR;
  return [
    h("strong", { role: "status" }, `${view.total.toLocaleString("en")} judgement${view.total === 1 ? "" : "s"}`),
    h("span.spacer"),
    h("span.list-actions", {},
      h("button.more.to-charts", { type: "button", onclick: () => document.getElementById("explore-charts").scrollIntoView() }, "Charts"),
      h("button.more", { type: "button", title: "Copy a link to this list", onclick: (event) => RMR.copy(location.href, event.currentTarget) }, "Copy link"),
      view.total && !view.hidden ? h("button.more", { type: "button", title: "Make a queue of these for people to label", onclick: label }, "Label these") : null),
  ];
};

RMR.queueForm = function (view, trigger) {
  const { h } = RMR;
  const suggested = view.chips.map((chip) => chip.text).join(", ") || "All judgements";
  const name = h("input", { type: "text", maxlength: "120", value: suggested.slice(0, 120), "aria-label": "Name of the queue" });
  const make = () => name.value.trim() && trigger("queue", { query: view.query, name: name.value.trim() });
  name.addEventListener("keydown", (event) => { if (event.key === "Enter") make(); });
  const form = [h("span.hint", {}, "Name of the queue"), name,
    h("button.quiet.strong", { type: "button", onclick: make }, `Make a queue of ${view.total.toLocaleString("en")}`),
    h("button.quiet", { type: "button", title: "Overlap, order, gold and reservations", onclick: () => { RMR.visit({ tab: "queues", queue: "new" }); RMR.goTab("queues"); RMR.tell("address"); } }, "With terms …")];
  setTimeout(() => name.select());
  return form;
};

RMR.queueMade = function (made) {
  const { h } = RMR;
  const open = () => {
    // The Annotate page begins with the queue that its own notes name.
    const notes = JSON.parse(sessionStorage.getItem("rmr1.annotate") || "{}");
    sessionStorage.setItem("rmr1.annotate", JSON.stringify({ ...notes, who: RMR.who(), queue: made.id, place: null }));
    RMR.visit({ tab: "annotate" });
    location.reload();
  };
  return [h("span.receipt", { role: "status" }, `✓ Queue “${made.name}” made.`),
    h("button.quiet", { type: "button", onclick: open }, "Open it in Annotate")];
};

RMR.noRows = function (view, change) {
  const { h } = RMR;
  const filtered = view.chips.length > 0;
  return [h("div.empty", {},
    h("p", {}, filtered ? "No judgement fits these filters." : "Nothing has been judged yet."),
    h("p.muted", {}, filtered ? "Take one of them away, or clear all." : "Judge a pair on the Judge page, or bring a file in on the Data page."),
    filtered ? h("button.quiet", { type: "button", onclick: () => change(Object.fromEntries(view.chips.flatMap((chip) => chip.names).map((name) => [name, null]))) }, "Clear all filters")
      : h("button.quiet", { type: "button", onclick: () => RMR.goTab("judge") }, "Judge a pair"))];
};

RMR.row = function (row, index, choose) {
  const { h } = RMR;
  const facts = [
    row.state !== "complete" ? h("span.chip.is-near", {}, row.state) : null,
    row.type ? h(`span.chip.chip-${row.type.toLowerCase()}`, {}, row.type) : null,
    row.quotes.length ? h("span.quotes", {}, row.quotes.map(([number, match], place) => [place ? " · " : "", h(`span.is-${match}`, { title: RMR.MATCH[match].title }, `${number} ${RMR.MATCH[match].word}`)])) : null,
    row.confidence === null ? null : h("span", { title: "Confidence" }, RMR.percent(row.confidence)),
    row.rollouts > 1 ? h("span", {}, `${row.rollouts} rollouts`) : null,
    row.swap === null ? null : h(`span.${row.swap ? "is-exact" : "is-absent"}`, {}, row.swap ? "same in both orders" : "flips with the order"),
    row.multi_turn ? h("span", {}, "several turns") : null,
    row.labels ? h("span.labels", {}, `✎ ${row.labels} label${row.labels === 1 ? "" : "s"}`) : null,
  ];
  return h(`div.row.is-${row.outcome}`, { role: "option", id: `row-${index}`, "aria-selected": "false", "data-key": row.key, onclick: choose, ondblclick: () => RMR.openJudgement(row.key) },
    h("div.row-prompt", { dir: "auto" }, row.prompt),
    h("div.row-facts", {}, row.verdict ? RMR.badge(row.verdict) : null, RMR.outcome(row.outcome), ...facts,
      h("span.row-origin", { title: row.judge }, h("span", { dir: "auto" }, row.origin || "no source"), h("time", { title: row.time }, row.date))));
};

RMR.pager = function (view, turn) {
  const { h } = RMR;
  if (view.pages < 2) return [];
  return [
    h("button.quiet", { type: "button", disabled: view.page <= 1, onclick: () => turn(-1) }, "Previous ", RMR.key("p")),
    h("span.hint", {}, `${view.first.toLocaleString("en")}–${view.last.toLocaleString("en")}, page ${view.page.toLocaleString("en")} of ${view.pages.toLocaleString("en")}`),
    h("button.quiet", { type: "button", disabled: view.page >= view.pages, onclick: () => turn(1) }, "Next ", RMR.key("n")),
  ];
};

// The judgement beside the list.
RMR.preview = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const bar = h("div.preview-bar"), box = h("div"), problem = h("div");
  root.append(problem, box);
  const paint = RMR.case(box, { bar });
  let wanted = null;
  RMR.hear("select", (key) => {
    if (key === wanted) return;
    wanted = key;
    if (key) trigger("show", { key });
  });
  return (view) => {
    if (view.asked !== wanted) return;
    RMR.repaint(problem, view.problem, () => view.problem ? RMR.closedNote(view) : []);
    paint(view.problem ? {} : view);
    RMR.repaint(bar, [view.key, view.sentence, view.outcome], () => view.key ? [
      h("span.sentence", {}, RMR.outcome(view.outcome), view.sentence),
      h("button.quiet.strong", { type: "button", onclick: () => RMR.openJudgement(view.key) }, "Open ", RMR.key("Enter")),
      h("button.quiet", { type: "button", onclick: () => RMR.tell("unselect") }, "Charts ", RMR.key("Esc")),
    ] : []);
    element.closest(".explore-side")?.scrollTo({ top: 0 });
    root.dataset.painted = view.asked || "";
  };
};
