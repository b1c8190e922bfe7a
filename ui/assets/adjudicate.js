// Disagreements, most split first: who said what without names, the lead's decision by keyboard.
"use strict";

RMR.adjudicate = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, value = null, reason = null, isBusy = false, isAsked = false, note = "", isNoting = "";
  const bar = h("div.adjudicate-bar"), list = h("nav.card.conflict-list", { "aria-label": "Disagreements" }), box = h("div.annotate-case"), side = h("aside.adjudicate-side.card", { "aria-label": "Decision" }), alert = h("div", { "aria-live": "polite" });
  const grid = h("div.adjudicate-grid", {}, list, box, side);
  root.append(bar, alert, grid);
  root.classList.add("adjudicate");
  const paintCase = RMR.case(box, {});

  const address = () => new URLSearchParams(location.search);
  const queue = () => address().get("adjudicate");
  const ask = () => {
    root.hidden = !queue();
    if (!queue()) return;
    isAsked = true;
    isBusy = true;
    trigger("show", { queue: queue(), pair: address().get("conflict") || "", annotator: RMR.who() });
  };
  RMR.hear("address", () => document.getElementById("queues-page")?.offsetParent !== null && ask());
  const open = (pair) => { RMR.visit({ conflict: pair }); ask(); };
  const send = (event, data) => {
    if (isBusy) return;
    isBusy = true;
    repaint();
    trigger(event, { pair_id: view.case.pair_id, key: RMR.uuid(), queue: queue(), annotator: RMR.who(), ...data });
  };
  const step = (by) => {
    const items = view.items || [];
    if (!items.length) return;
    const now = items.findIndex((item) => item.pair === (view.case && view.case.pair_id));
    open(items[(now + by + items.length) % items.length].pair);
  };
  const next = () => {
    const left = (view.items || []).find((item) => item.pair !== view.case.pair_id);
    RMR.visit({ conflict: left ? left.pair : null });
    ask();
  };
  const decide = () => value && reason && (reason !== "other" || note) ? send("decide", { value, reason, note }) : write(reason === "other" ? "decide" : "");
  const write = (what) => { isNoting = what; repaint(); if (what) side.querySelector("textarea")?.focus(); };

  const actions = () => {
    const { case: now } = view;
    const moves = [{ id: "following", keys: ["j"], run: () => step(1) }, { id: "preceding", keys: ["k"], run: () => step(-1) }];
    if (!now) return moves;
    if (now.decided) return [...moves, { id: "next", group: "main", keys: ["enter"], label: "Next disagreement", isPrimary: true, run: next }, { id: "withdraw", group: "tool", keys: ["z"], label: "Take it back", run: () => send("withdraw", {}) }];
    const values = RMR.VALUES.map((one) => ({ ...one, id: `value-${one.value}`, group: "value", pressed: value === one.value, run: () => { value = one.value; repaint(); } }));
    const reasons = (view.reasons || []).map(([name, words], index) => ({ id: `reason-${name}`, group: "reason", keys: [String(index + 1)], label: words, pressed: reason === name, run: () => { reason = name; if (name === "other" && !note) write("decide"); else repaint(); } }));
    return [...moves, ...values, ...reasons,
      { id: "decide", group: "main", keys: ["enter"], label: "Decide", isPrimary: true, isOff: !(value && reason), run: decide },
      { id: "note", group: "tool", keys: ["n"], label: note ? "Note ✓" : "Note", pressed: Boolean(note), run: () => write("decide") },
      { id: "back", group: "tool", keys: ["r"], label: "Send back", run: () => write("back") }];
  };
  const page = { onRun: (action) => { if (isBusy || action.isOff) return false; action.run(); return true; } };
  RMR.onKeys(root, (event) => {
    if (event.repeat || document.querySelector("dialog[open]")) return false;
    const isOnControl = event.target.closest && event.target.closest("button, a, summary, [role=button], [role=tab]");
    if (event.key === "Enter" && isOnControl) return false;
    const action = actions().find((each) => each.keys.includes(event.key.toLowerCase()));
    return action ? page.onRun(action) : false;
  });

  const keepNote = (text) => {
    const what = isNoting;
    isNoting = "";
    if (what === "back") return text ? send("back", { note: text }) : repaint();
    note = text;
    repaint();
  };
  const repaint = () => {
    const list_ = actions(), shown = list_.map(({ run, ...rest }) => rest), button = RMR.actionButton(page), now = view.case;
    RMR.repaint(bar, [view.queue, view.queues, view.open, view.returned, view.decided, view.receipt, view.counts], () => RMR.adjudicateBar(view, (chosen) => { RMR.visit({ adjudicate: chosen, conflict: null }); ask(); }));
    RMR.repaint(alert, view.refused, () => view.refused ? h("p.note.note-error", { role: "alert" }, view.refused) : []);
    RMR.repaint(list, [view.items, now && now.pair_id], () => RMR.conflictList(view, open));
    RMR.repaint(side, [now, shown, isNoting, isBusy], () => RMR.adjudicateSide(view, list_, button, isNoting, note, keepNote));
    paintCase(now ? { key: `pair-${now.pair_id}`, phase: "blind", pair: now.pair, rollouts: [], notes: [] } : {});
    side.hidden = !now;
  };
  root.hidden = !queue();
  RMR.whenSeen(document.getElementById("queues-list") || element, () => queue() && !isAsked && ask());
  return (next_) => {
    if (!Object.keys(next_).length) return;
    const before = view.case && view.case.pair_id;
    isBusy = false;
    view = next_;
    if (!view.refused && (!view.case || view.case.pair_id !== before || view.receipt)) { value = reason = null; note = isNoting = ""; }
    repaint();
    if (view.case) RMR.address({ conflict: view.case.pair_id });
    if (view.case && queue() && !RMR.isTyping({ target: document.activeElement })) side.querySelector("[data-heading]")?.focus({ preventScroll: true });
  };
};

RMR.adjudicateBar = function (view, choose) {
  const { h } = RMR;
  const select = h("select", { "aria-label": "Queue", onchange: (event) => choose(event.target.value) },
    h("option", { value: "all" }, "All queues"), (view.queues || []).map(([id, name]) => h("option", { value: id, selected: id === view.queue }, name)));
  const times = { decide: "decided", back: "sent back", send_back: "sent back", withdraw: "taken back" };
  return [
    h("label.queue", {}, h("span.hint", {}, "Labels of "), select),
    h("strong", { role: "status" }, `${(view.open || 0).toLocaleString("en")} to decide`), h("span.muted", {}, `${view.returned || 0} sent back · ${view.decided || 0} decided`),
    (view.counts || []).length ? h("span.muted.reason-counts", {}, view.counts.map(([words, n]) => `${words}: ${n}`).join(" · ")) : null,
    h("span.spacer"),
    view.receipt ? h("span.receipt", { "data-receipt": view.receipt.id }, `✓ ${times[view.receipt.action]} ${new Date(view.receipt.at).toLocaleTimeString("en-GB")} · #${view.receipt.id}`) : null,
  ];
};

RMR.conflictList = function (view, open) {
  const { h } = RMR;
  if (!(view.items || []).length) return h("p.hint", {}, "Nobody disagrees on a pair that is still to be decided.");
  return [h("h2", {}, "Most split first"), ...view.items.map((item) => h("button.queue-line", { type: "button", "data-pair": item.pair, "aria-current": String(item.pair === (view.case && view.case.pair_id)), onclick: () => open(item.pair) },
    h("span.conflict-prompt", { dir: "auto" }, item.prompt), h("span.queue-facts", {}, `${item.most} of ${item.labels} say the same`)))];
};

RMR.saying = function (one, name) {
  const { h } = RMR;
  const strength = RMR.STRENGTHS.find(([n]) => n === one.strength);
  return h("li", {}, h("strong", { dir: "auto" }, name), h("span", {}, RMR.badgeOr(one.value), strength ? ` ${strength[1]}` : ""),
    one.changed && one.blind ? h("span.muted", {}, "blind: ", RMR.badgeOr(one.blind), ", changed after the judge spoke") : null,
    one.tags.length ? h("span.muted", {}, one.tags.join(", ")) : null, one.note ? h("q", { dir: "auto" }, one.note) : null);
};

RMR.adjudicateSide = function (view, actions, button, isNoting, note, keep) {
  const { h } = RMR;
  const now = view.case;
  if (!now) return [];
  const group = (name) => actions.filter((action) => action.group === name);
  const people = h("ul.sayings", {}, now.people.map((one, index) => RMR.saying(one, now.decided ? `${one.name}: ${now.decided.names[index]}` : one.name)));
  const before = now.before.map((one) => h("p.note", {}, "Sent back before: ", h("span", { dir: "auto" }, one.note)));
  if (now.decided)
    return [h("h2", { tabindex: "-1", "data-heading": "", style: "outline: none !important" }, "Decided: ", RMR.badgeOr(now.decided.value)),
      h("p.hint", {}, `${now.decided.reason}. By ${now.decided.by}. The labels stay as they are.`), now.decided.note ? h("q", { dir: "auto" }, now.decided.note) : null, people,
      now.decided.judgement ? h("p.hint", {}, "The judge said ", now.decided.verdict ? RMR.badge(now.decided.verdict) : "nothing", ". ", h("a", { href: `?judgement=${now.decided.judgement}` }, "Open its judgement")) : null,
      h("div.mains", {}, group("main").map((action) => button(action))), h("div.tools.two", {}, group("tool").map((action) => button(action, "tool")))];
  return [h("h2", { tabindex: "-1", "data-heading": "", style: "outline: none !important" }, now.people.length > 1 ? "What people said" : "Who is right?"), people, ...before,
    h("h3", {}, "Your decision"), h("div.values.compact", {}, group("value").map((action) => button(action))),
    h("h3", {}, "Why they differ"), h("div.reasons", {}, group("reason").map((action) => button(action, "tagging"))),
    isNoting ? RMR.adjudicateNote(isNoting, note, keep) : null,
    h("div.mains", {}, group("main").map((action) => button(action))), h("div.tools.two", {}, group("tool").map((action) => button(action, "tool")))];
};

RMR.adjudicateNote = function (what, note, keep) {
  const { h } = RMR;
  const words = what === "back" ? ["What should they look at again?", "Send back"] : ["Note to the decision", "Keep the note"];
  const done = () => keep(box.value.trim());
  const box = h("textarea", { rows: "3", maxlength: "4000", "aria-label": words[0], placeholder: words[0], value: what === "back" ? "" : note, onkeydown: (event) => {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); keep(what === "back" ? "" : note); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopPropagation(); done(); }
  } });
  return h("div.note-box", {}, box, h("button.small", { type: "button", onclick: done }, words[1], RMR.key("Ctrl+Enter")));
};
