// The Train page after a run: adapters, which of them judges, and who decided it.
"use strict";

RMR.trainAdapters = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const box = h("div");
  root.append(RMR.stage(4, "Adapter", box));
  const promote = (adapter) => confirm(`Let ${adapter.version} judge from now on? Judgements that there are keep their judge.`) && trigger("promote", { adapter: adapter.id, by: RMR.who() });
  const rollBack = () => confirm("Roll back to what judged before?") && trigger("rollback", { by: RMR.who() });
  RMR.whenSeen(root, () => trigger("open", {}));
  return (view) => RMR.repaint(box, view, () => {
    if (!view.adapters) return [];
    return [
      RMR.trouble(view.problem),
      view.said ? h("p.note", { role: "status" }, view.said) : null,
      h("p.judges-now", {}, "The judge of the embedded model now: ", h("strong", {}, view.promoted),
        view.can_roll_back ? h("button.quiet", { type: "button", "data-rollback": "", onclick: rollBack }, "Roll back") : null),
      view.unregistered.map((one) => RMR.registerForm(one, trigger)),
      view.adapters.length ? RMR.adapterTable(view.adapters, promote)
        : h("p.hint", {}, "A run leaves an adapter: a few million weights beside the frozen base. Registered, it can be compared with the judge of now, and promoted."),
      view.history.length ? h("details.fold", {}, h("summary", {}, "Who decided what"), h("ul.funnel", {}, view.history.map((one) =>
        h("li", {}, h("time.muted", {}, one.at), " ", h("strong", { dir: "auto" }, one.by), ` ${one.what} `, h("strong", {}, one.adapter))))) : null,
    ];
  });
};

RMR.registerForm = function (run, trigger) {
  const { h } = RMR;
  const name = h("input", { type: "text", maxlength: "64", value: run.name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z]+/, "").slice(0, 64), autocomplete: "off", spellcheck: "false" });
  return h("div.fields.register", {}, RMR.field(`Run ${run.run} left an adapter; its name`, name),
    h("button.quiet.strong", { type: "button", "data-register": run.run, onclick: () => trigger("register", { run: run.run, name: name.value }) }, "Register"));
};

RMR.adapterTable = function (adapters, promote) {
  const { h } = RMR;
  const link = (run) => h("a", { href: `?tab=train&run=${run}`, onclick: (event) => { event.preventDefault(); RMR.openRun(run); } }, `run ${run}`);
  return h("div.table-scroll.adapters", { tabindex: "0", role: "region", "aria-label": "Adapters" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Adapter", "From", "Figures"].map((name) => h("th", {}, name)), h("th", {}, h("span.offscreen", {}, "Actions")))),
    h("tbody", {}, adapters.map((adapter) => h("tr", {},
      h("td", {}, h("strong", { dir: "auto" }, adapter.version), " ", adapter.promoted ? h("span.chip.chip-chosen", {}, "judges") : null,
        h("div.muted", { dir: "auto" }, [adapter.base, adapter.profile, ...adapter.forms].filter(Boolean).join(" · "))),
      h("td", {}, adapter.run ? link(adapter.run) : "—", h("div.muted", {}, adapter.at)),
      h("td", {}, adapter.figures.length ? RMR.adapterFigures(adapter.figures) : h("span.muted", {}, "not measured yet")),
      h("td.row-actions", {},
        h("button.quiet", { type: "button", onclick: () => RMR.openCompare({ new: adapter.version }) }, "Compare"),
        adapter.promoted ? null : h("button.quiet", { type: "button", "data-promote": adapter.id, onclick: () => promote(adapter) }, "Promote")))))));
};

RMR.adapterFigures = function (figures) {
  const { h } = RMR;
  const rows = (some) => h("dl.facts", {}, some.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  return [rows(figures.slice(0, 4)), figures.length > 4 ? h("details.fold", {}, h("summary", {}, `${figures.length - 4} more`), rows(figures.slice(4))) : null];
};
