// The Data page: what a file would bring in, which imports there were, what an export would hold.
"use strict";

RMR.figures = (pairs) =>
  RMR.h("dl.figures", {}, pairs.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) =>
    RMR.h("div", {}, RMR.h("dd", {}, typeof value === "number" ? value.toLocaleString("en") : String(value)), RMR.h("dt", {}, name))));

// A file looked at: {name, note, shape, figures, fields, columns, rows, errors, report, error}.
RMR.importer = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  return (view) => RMR.repaint(root, view, () => {
    if (view.error) return [h("p.note.note-error", { role: "alert" }, view.error), view.columns ? RMR.mapping(view, trigger) : null];
    if (view.report) return RMR.importReport(view.report, trigger);
    if (view.said) return h("p.note", { role: "status" }, view.said);
    if (!view.name) return h("p.hint", {}, "Pairs, preference data, judgements or RM-R1's released logs, also gzipped. Nothing is stored until you have seen what would come in.");
    return [
      h("h2.title", {}, view.name, h("span.chip", {}, view.shape)),
      view.note ? h("p.hint", {}, view.note) : null,
      RMR.figures(view.figures),
      view.columns ? RMR.mapping(view, trigger) : null,
      RMR.rowErrors(view.errors, view.error_count),
      RMR.previewTable(view.rows),
      h("div.actions", {},
        h("button.quiet.strong", { type: "button", "data-take": "", onclick: () => trigger("take", { keep_good: true, mapping: view.is_mapped ? view.mapping : null }) },
          view.error_count ? `Import the ${view.figures[0][1].toLocaleString("en")} good pairs` : "Import"),
        view.error_count ? h("span.hint", {}, "Rows with errors stay out.") : null),
    ];
  });
};

RMR.importReport = (report, trigger) => [
  RMR.h("p.note", { role: "status" }, report.sentence),
  RMR.figures(report.figures),
  RMR.rowErrors(report.errors, report.error_count),
  RMR.h("div.actions", {}, RMR.h("button.quiet", { type: "button", onclick: () => trigger("undo", { run: report.run }) }, "Undo this import")),
];

RMR.mapping = function (view, trigger) {
  const { h } = RMR;
  const chosen = { ...view.mapping };
  const remap = (field, column) => {
    chosen[field] = column || null;
    RMR.mappedLast = field;
    trigger("remap", { mapping: chosen });
  };
  // What is painted after a choice keeps the choice open, and the keyboard where it was.
  const last = RMR.mappedLast;
  RMR.mappedLast = null;
  if (last) setTimeout(() => document.querySelector(`.mapping select[name="${last}"]`)?.focus());
  return h("details.fold", { open: Boolean(view.error || view.is_mapped) }, h("summary", {}, "Which column is which"),
    h("div.mapping", {}, view.fields.map(([field, description]) =>
      h("label", {}, h("span", {}, h("strong", {}, field), ` ${description}`),
        h("select", { name: field, onchange: (event) => remap(field, event.target.value) },
          h("option", { value: "" }, "—"),
          view.columns.map((column) => h("option", { value: column, selected: chosen[field] === column }, column)))))));
};

RMR.rowErrors = function (errors, count) {
  const { h } = RMR;
  if (!count) return null;
  return h("details.fold.errors", { open: true }, h("summary", {}, count === 1 ? "1 row cannot be used" : `${count.toLocaleString("en")} rows cannot be used`),
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Unusable rows" },
      h("table", {}, h("thead", {}, h("tr", {}, ["Line", "Column", "Reason"].map((name) => h("th", {}, name)))),
        h("tbody", {}, errors.map(([line, column, reason]) =>
          h("tr", {}, h("td.number", {}, String(line)), h("td", {}, column), h("td", {}, reason)))))));
};

RMR.previewTable = function (rows) {
  const { h } = RMR;
  if (!rows.length) return null;
  return h("details.fold", { open: true }, h("summary", {}, rows.length === 1 ? "The only pair" : `The first ${rows.length} pairs`),
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Preview" },
      h("table", {}, h("thead", {}, h("tr", {}, ["Prompt", "Response A", "Response B", "Better", "Subset"].map((name) => h("th", {}, name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, row.slice(0, 3).map((cell) => h("td", { dir: "auto" }, cell)),
          h("td", {}, row[3] ? RMR.badge(row[3]) : "—"), h("td", {}, row[4])))))));
};

// All imports there were, each with its undo.
RMR.imports = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  return (view) => RMR.repaint(root, view, () => {
    const runs = view.runs || [];
    if (view.error) return h("p.note.note-error", { role: "alert" }, view.error);
    if (!runs.length) return h("p.hint", {}, "No imports yet.");
    return [view.said ? h("p.note", { role: "status" }, view.said) : null, h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Imports" },
      h("table", {}, h("thead", {}, h("tr", {}, ["When", "Name", "Pairs", "Judgements", "Errors", ""].map((name) => h("th", {}, name)))),
        h("tbody", {}, runs.map((run) => h("tr", {},
          h("td", {}, run.at), h("td", {}, run.name),
          ...[run.pairs, run.judgements, run.errors].map((n) => h("td.number", {}, (n ?? 0).toLocaleString("en"))),
          h("td", {}, run.undone ? h("span.muted", {}, "undone") :
            h("button.quiet", { type: "button", onclick: () => confirm(`Undo the import “${run.name}”? Pairs that people have labelled stay.`) && trigger("undo", { run: run.id }) }, "Undo")))))))];
  });
};

// What a snapshot or an export holds: {sentence, figures, funnel: [[reason, count]], files, error}.
RMR.counts = function ({ element }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  return (view) => RMR.repaint(root, view, () => [
    view.error ? h("p.note.note-error", { role: "alert" }, view.error) : null,
    view.sentence ? h("p.note", { role: "status" }, view.sentence) : null,
    view.figures ? RMR.figures(view.figures) : null,
    view.funnel && view.funnel.length ? h("details.fold", { open: true }, h("summary", {}, "Left out, and why"),
      h("ul.funnel", {}, view.funnel.map(([reason, count]) => h("li", {}, h("strong", {}, count.toLocaleString("en")), ` ${reason}`)))) : null,
  ]);
};
