// The People page: who has an account, as what, and the links that let them in.
"use strict";

RMR.people = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const told = h("div.people-told", { "aria-live": "polite" }), invite = h("div"), list = h("div"), gone = h("div"), done = h("div");
  root.append(invite, told, list, gone, done);
  let view = {};
  const send = (event, data) => trigger(event, { ...data, mark: RMR.uuid() });
  RMR.whenSeen(root, () => { RMR.address({ tab: "people" }); trigger("ask", {}); });

  return (next) => {
    if (!next.rows && !next.problem) return;
    view = next;
    RMR.repaint(told, [view.problem, view.told], () => RMR.peopleTold(view));
    RMR.bringInto(told, view.told && view.told.mark);
    RMR.repaint(invite, view.roles, () => view.roles ? RMR.inviteForm(view, send) : []);
    if (view.told && view.told.path && invite.querySelector("form")) invite.querySelector("form").reset();
    RMR.repaint(list, [view.rows, view.roles], () => view.rows ? RMR.peopleTable(view, send) : []);
    RMR.repaint(gone, view.gone, () => view.gone && view.gone.length ? RMR.peopleGone(view.gone) : []);
    RMR.repaint(done, view.done, () => view.done && view.done.length ? RMR.peopleDone(view.done) : []);
    root.dataset.painted = view.told ? view.told.mark : "all";
  };
};

// What came of the last change; a link is shown this once.
RMR.peopleTold = function (view) {
  const { h } = RMR;
  if (view.problem) return [h("p.note.note-warning", {}, view.problem)];
  if (!view.told) return [];
  const { refused, said, path } = view.told;
  if (refused) return [h("p.note.note-error", { role: "alert" }, refused)];
  if (!path) return [h("p.receipt", {}, `✓ ${said}`)];
  const link = h("input", { type: "text", readonly: "", value: new URL(path, location.origin).toString(), "aria-label": "Link to hand over", onfocus: (event) => event.target.select() });
  return [h("section.card.stage.people-link", { "aria-label": "Link to hand over" },
    h("p.receipt", {}, `✓ ${said}`),
    h("div.people-copy", {}, link, h("button.quiet.strong", { type: "button", onclick: (event) => RMR.copy(link.value, event.currentTarget) }, "Copy link")),
    h("p.hint", {}, `Hand this link over yourself: whoever has it chooses the password. It counts once and for ${view.days} days, and is shown only now; a new link ends it.`))];
};

RMR.inviteForm = function (view, send) {
  const { h } = RMR;
  const name = h("input", { type: "text", maxlength: "80", required: "", autocomplete: "off", autocapitalize: "none", spellcheck: "false", "data-name": "" });
  const role = h("select", { "data-role": "" }, view.roles.map(([title, words]) => h("option", { value: title }, `${title}: ${words}`)));
  const submit = (event) => {
    event.preventDefault();
    send("invite", { name: name.value.trim(), role: role.value });
  };
  return h("section.card.stage", { "aria-label": "Invite somebody" }, h("header", {}, h("h2", {}, "Invite somebody")),
    h("form.fields.people-invite", { onsubmit: submit }, RMR.field("Name", name), RMR.field("Role", role), h("button.quiet.strong", { type: "submit" }, "Make a link")));
};

RMR.PEOPLE_COLUMNS = ["Name", "Role", "Signed in", "Labels", "Reserved now", "Actions"];

RMR.PEOPLE_NUMBERS = new Set(["Labels", "Reserved now"]);

RMR.peopleTable = function (view, send) {
  const { h } = RMR;
  const head = h("div.person.person-head", { role: "row" }, RMR.PEOPLE_COLUMNS.map((title) => h(RMR.PEOPLE_NUMBERS.has(title) ? "span.is-number" : "span", { role: "columnheader" }, title)));
  return h("section.card.stage", { "aria-label": "Accounts" }, h("header", {}, h("h2", {}, `Accounts (${view.rows.length.toLocaleString("en")})`)),
    h("div.people-table", { role: "table", "aria-label": "Accounts" }, head, view.rows.map((one) => RMR.personRow(one, view.roles, send))));
};

RMR.personRow = function (one, roles, send) {
  const { h } = RMR;
  const set = h("button.quiet.small", { type: "button", hidden: true, onclick: () => send("role", { name: one.name, role: role.value }) }, "Set");
  const role = h("select", { "aria-label": `Role of ${one.name}`, onchange: () => { set.hidden = role.value === one.role; } }, roles.map(([title]) => h("option", { value: title }, title)));
  role.value = one.role;
  const cell = (title, ...inside) => h(RMR.PEOPLE_NUMBERS.has(title) ? "div.person-cell.is-number" : "div.person-cell", { role: "cell", "data-title": title }, ...inside);
  return h("div.person", { role: "row", "data-person": one.name },
    h("div.person-name", { role: "rowheader", dir: "auto" }, h("strong", {}, one.name), one.me ? h("span.chip.is-plain", {}, "you") : null),
    cell("Role", h("span.person-role", {}, role, set)),
    cell("Signed in", RMR.signedIn(one)),
    cell("Labels", one.labels ? h("a", { href: `?${new URLSearchParams({ tab: "explore", annotator: one.name })}` }, one.labels.toLocaleString("en")) : "0"),
    cell("Reserved now", one.reserved.toLocaleString("en")),
    h("div.person-actions", { role: "cell" },
      h("button.quiet.small", { type: "button", "data-do": "renew", onclick: () => one.open ? send("renew", { name: one.name }) : send("invite", { name: one.name, role: one.role }) }, one.open ? "Reset password" : "New link"),
      h("button.quiet.small.danger", { type: "button", "data-do": "remove", onclick: () => RMR.confirmRemoval(one, () => send("remove", { name: one.name })) }, "Remove")));
};

// When somebody was last here, or how far their invitation is.
RMR.signedIn = function (one) {
  const { h } = RMR;
  const moment = (iso) => h("time", { datetime: iso, title: `${iso.slice(0, 16).replace("T", " ")} UTC` }, iso.slice(0, 10));
  const late = one.link_until && new Date(one.link_until) < new Date();
  const link = one.link_until ? [late ? "link ran out " : "link until ", moment(one.link_until)] : null;
  if (!one.open) return [h("span.chip.is-near", {}, "invited"), " ", h("span.muted", {}, link)];
  const here = one.signed_in_at ? [moment(one.signed_in_at), one.browsers > 1 ? h("span.muted", {}, ` · ${one.browsers} browsers`) : null] : [h("span.muted", {}, "not now")];
  return [...here, link ? h("span.muted.person-link", {}, " · ", link) : null];
};

RMR.confirmRemoval = function (one, go) {
  const { h } = RMR;
  const labels = one.labels === 1 ? "The 1 label" : `The ${one.labels.toLocaleString("en")} labels`;
  const stays = one.labels ? `${labels} given as ${one.name} stay, under that name, in every figure and export.` : `${one.name} has given no labels.`;
  const keep = h("button.quiet", { type: "button", onclick: () => ask.close() }, "Keep");
  const ask = h("dialog.people-confirm", { "aria-labelledby": "people-confirm-title" },
    h("h2", { id: "people-confirm-title" }, "Remove ", h("bdi", {}, one.name), "?"),
    h("p", {}, "The account is closed, and signed out everywhere at once. ", stays),
    h("p.muted", {}, "An account of the same name, made later, goes on with them."),
    h("div.people-choice", {}, keep, h("button.quiet.strong.danger", { type: "button", "data-confirm": "", onclick: () => { ask.close(); go(); } }, "Remove")));
  const before = document.activeElement;
  ask.addEventListener("close", () => {
    ask.remove();
    if (before && before.isConnected) before.focus({ preventScroll: true });
  });
  document.querySelector(".gradio-container").append(ask);
  ask.showModal();
  keep.focus();
};

RMR.peopleGone = function (gone) {
  const { h } = RMR;
  return h("p.hint", {}, "Labels stand without an account under ",
    gone.map(([name, labels], place) => [place ? ", " : "", h("a", { href: `?${new URLSearchParams({ tab: "explore", annotator: name })}`, dir: "auto" }, name), ` (${labels.toLocaleString("en")})`]), ".");
};

// What was done to accounts and by whom, newest first.
RMR.peopleDone = function (done) {
  const { h } = RMR;
  const line = (one) => h("li.people-event", {},
    h("time.muted", { datetime: one.at }, one.at.replace("T", " ").slice(0, 16)), " ",
    h("bdi", {}, one.account), ": ", one.done,
    one.by === one.account ? null : h("span.muted", {}, " · by ", h("bdi", {}, one.by)));
  return h("details.card.stage.people-done", {}, h("summary", {}, `What was done (last ${done.length.toLocaleString("en")}, times in UTC)`), h("ol", { reversed: "" }, done.map(line)));
};
