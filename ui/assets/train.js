// The Train page before a run: the data set, the recipe, and the start.
"use strict";

RMR.field = (label, control, hint) =>
  RMR.h("label.field", {}, RMR.h("span.field-name", {}, label), control, hint ? RMR.h("span.hint", {}, hint) : null);

RMR.trouble = (text) => text ? RMR.h("p.note.note-error", { role: "alert" }, text) : null;

// A card of the page's story: its number, its name, and what it came to.
RMR.stage = function (number, title, ...body) {
  const { h } = RMR;
  return h("section.card.stage", { "aria-label": title },
    h("header", {}, h("span.stage-number", { "aria-hidden": "true" }, String(number)), h("h2", {}, title)), ...body);
};

// Run `now` each time the node comes into view.
RMR.whenSeen = (node, now) => new IntersectionObserver((entries) => {
  if (entries.at(-1).isIntersecting) now();
}).observe(node);

RMR.options = (select, choices, chosen) => {
  RMR.repaint(select, choices, () => choices.map(([value, words]) => RMR.h("option", { value }, words)));
  if (chosen !== undefined && choices.some(([value]) => value === chosen)) select.value = chosen;
};

// Rows of each kind and split, and why pairs gave none.
RMR.kindsTable = function (kinds) {
  const { h } = RMR;
  const splits = ["train", "validation", "test"];
  return [
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Rows" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "Rows"), splits.map((split) => h("th.number", {}, split)))),
      h("tbody", {}, kinds.map((kind) => h("tr", {},
        h("th", { scope: "row" }, h("strong", {}, kind.kind), h("span.muted", {}, ` ${kind.purpose}`)),
        splits.map((split) => h("td.number", {}, kind.rows[split].toLocaleString("en")))))))),
    kinds.some((kind) => kind.funnel.length)
      ? h("details.fold", {}, h("summary", {}, "Left out, and why"), kinds.filter((kind) => kind.funnel.length).map((kind) => [
        h("h3.small", {}, kind.kind),
        h("ul.funnel", {}, kind.funnel.map(([reason, count]) => h("li", {}, h("strong", {}, count.toLocaleString("en")), ` ${reason}`)))]))
      : null,
  ];
};

RMR.trainData = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, wanted = "";

  const mode = (value, words) => h("label.tick", {}, h("input", { type: "radio", name: "train-from", value, onchange: () => refresh() }), words);
  const modes = h("fieldset.ticks", {}, h("legend.offscreen", {}, "Where the data comes from"), mode("dataset", "A data set that is there"), mode("snapshot", "A new one, from a snapshot of labels"));
  const from = () => modes.querySelector("input:checked")?.value;
  const snapshot = h("select", { onchange: () => count() }), profile = h("select", { onchange: () => count() });
  const apart = h("input", { type: "checkbox", onchange: () => count() });
  apart.checked = true;
  const freezeName = h("input", { type: "text", maxlength: "120", autocomplete: "off" }), known = h("input", { type: "checkbox" });
  const name = h("input", { type: "text", maxlength: "60", autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9][\\w.\\-]*" });
  const dataset = h("select", { onchange: () => chosen() });
  const counts = h("div.counts", { "aria-live": "polite" }), found = h("div.counts"), problem = h("div"), said = h("div");
  const make = h("button.quiet.strong", { type: "button", "data-make": "", onclick: () => { make.disabled = true; trigger("make", { ...form(), name: name.value }); } }, "Make the data set");
  const freeze = h("button.quiet", { type: "button", "data-freeze": "", onclick: () => trigger("freeze", { freeze: freezeName.value, known: known.checked }) }, "Freeze");
  const freezing = h("details.fold", {}, h("summary", {}, "Freeze the labels of now"),
    h("div.fields", {}, RMR.field("Name of the snapshot", freezeName),
      h("label.tick", {}, known, "with the better side that a source knew"), freeze),
    h("p.hint", {}, "The Data page has more to choose."));
  const anew = h("div.part-form", {},
    h("div.fields", {}, RMR.field("Snapshot", snapshot), RMR.field("Prompt profile of the judge to train", profile),
      h("label.tick", {}, apart, "distillation and RL get different pairs")),
    freezing, counts, h("div.fields", {}, RMR.field("Name of the data set", name), make));
  const there = h("div.part-form", {}, h("div.fields", {}, RMR.field("Data set", dataset)), found);
  root.append(RMR.stage(1, "Data", problem, said, modes, there, anew));

  const form = () => ({ snapshot: snapshot.value, profile: profile.value, apart: apart.checked });
  const count = () => {
    if (from() !== "snapshot" || !snapshot.value) return;
    wanted = JSON.stringify(form());
    counts.setAttribute("aria-busy", "true");
    trigger("count", { ...form(), asked: wanted });
  };
  const chosen = () => {
    const set = (view.datasets || []).find((one) => one.id === dataset.value);
    RMR.repaint(found, set, () => set ? [RMR.kindsTable(set.kinds), h("p.hint.path", {}, set.folder)]
      : h("p.hint", {}, "There is none yet. Make one from a snapshot of labels, or let the command line make one of public data; its folder then appears here."));
    RMR.trainSet = from() === "dataset" ? set : null;
    RMR.tell("train-set", RMR.trainSet);
  };
  const refresh = () => {
    anew.hidden = from() !== "snapshot";
    there.hidden = from() !== "dataset";
    chosen();
    count();
  };
  RMR.whenSeen(root, () => trigger("open", {}));

  return (next) => {
    make.disabled = false;
    if (next.asked && next.asked !== wanted) return;
    view = { ...view, ...next };
    RMR.repaint(problem, next.error, () => RMR.trouble(next.error));
    RMR.repaint(said, next.said, () => next.said ? h("p.note", { role: "status" }, next.said) : []);
    if (!view.datasets) return;
    RMR.options(snapshot, view.snapshots.map((one) => [one.name, one.title]), next.snapshot);
    RMR.options(profile, view.profiles.map((one) => [one, one]));
    RMR.options(dataset, view.datasets.map((one) => [one.id, one.name]), next.dataset);
    const start = next.dataset ? "dataset" : next.snapshot ? "snapshot" : from() || (view.datasets.length ? "dataset" : "snapshot");
    modes.querySelector(`[value=${start}]`).checked = true;
    if (next.counted) {
      counts.removeAttribute("aria-busy");
      RMR.repaint(counts, next.counted, () => RMR.countedData(next.counted));
    } else {
      if (!view.snapshots.length) {
        freezing.open = true;
        counts.replaceChildren(h("p.hint", {}, "No labels are frozen yet: a data set is made from a snapshot, so that it can be made again."));
      }
      refresh();
    }
    root.dataset.painted = from();
  };
};

RMR.countedData = (counted) => [
  RMR.kindsTable(counted.kinds),
  RMR.h("p.hint", {}, counted.refused.length ? `Prompts of ${counted.refused.join(", ")} are refused.`
    : "No benchmark's prompts are refused: put its files into “benchmarks” of the data folder."),
];

// Names of a recipe's numbers for people; others keep their own.
RMR.NUMBERS = {
  epochs: "Epochs", steps: "Steps", learning_rate: "Learning rate", "lora.rank": "Rank of the adapter", seed: "Seed",
  batch: "Batch", micro_batch: "at once", max_tokens: "Most tokens", save_every: "Checkpoint every", evaluate_every: "Steps between looks",
  "lora.alpha": "Alpha", "grpo.group": "Rollouts of a prompt", "grpo.max_completion": "Tokens of a rollout", "grpo.beta": "KL weight", "grpo.temperature": "Temperature",
};
RMR.EDITABLE = ["epochs", "steps", "learning_rate", "lora.rank", "seed", "evaluate_every"];

RMR.trainRecipe = function ({ element, trigger }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  let view = {}, recipe = null, asking = 0;
  const list = h("div.recipes", { role: "radiogroup", "aria-label": "Recipe" }), fields = h("div"), line = h("div"), problem = h("div");
  const adapter = h("select", { onchange: () => describe() });
  const base = h("input", { type: "text", maxlength: "300", placeholder: "that of the recipe", autocomplete: "off", spellcheck: "false", oninput: () => describe() });
  const from = h("div.fields", {}, RMR.field("Begin with", adapter), RMR.field("Base model: a folder, or a name on the Hub", base));
  const button = h("button.quiet.strong", { type: "button", "data-start": "", onclick: () => {
    button.disabled = true;
    button.textContent = "Starting …";
    trigger("start", form());
  } }, "Start the run");
  const why = h("span.hint");
  root.append(RMR.stage(2, "Recipe", problem, list, fields, from, line, h("div.actions", {}, button, why)));

  const form = () => ({
    recipe: recipe && recipe.name, dataset: RMR.trainSet && RMR.trainSet.id, adapter: adapter.value, base: base.value,
    numbers: Object.fromEntries([...fields.querySelectorAll("input[name]")].map((input) => [input.name, input.value])),
  });
  const rowsFor = (one) => !one.needs || !RMR.trainSet || RMR.trainSet.kinds.some((kind) => kind.kind === one.needs && kind.rows.train);
  const describe = () => {
    const ready = recipe && RMR.trainSet && rowsFor(recipe);
    button.disabled = !ready;
    why.textContent = !recipe ? "" : !RMR.trainSet ? "Choose or make a data set first." : ready ? "" : `This data set has no ${recipe.needs} rows to train on.`;
    clearTimeout(asking);
    if (ready) asking = setTimeout(() => trigger("line", form()), 300);
    else line.replaceChildren();
  };
  const choose = (name) => {
    recipe = view.recipes.find((one) => one.name === name) || null;
    RMR.repaint(fields, recipe, () => recipe ? RMR.recipeFields(recipe, describe) : []);
    describe();
  };
  const paintList = () => RMR.repaint(list, [view.recipes, RMR.trainSet], () => view.recipes.map((one) => {
    const input = h("input", { type: "radio", name: "train-recipe", value: one.name, onchange: () => choose(one.name) });
    input.checked = Boolean(recipe) && recipe.name === one.name;
    return h(`label.recipe${rowsFor(one) ? "" : ".is-unfit"}`, {}, input,
      h("span", {}, h("strong", {}, one.title), h("span.chip.is-plain", {}, RMR.RECIPE_KINDS[one.kind] || one.kind), h("span.recipe-what", {}, one.description)));
  }));
  RMR.hear("train-set", () => {
    if (!view.recipes) return;
    paintList();
    describe();
  });
  RMR.whenSeen(root, () => { if (!view.recipes) list.replaceChildren(h("p.hint", {}, "Asking for the recipes …")); trigger("open", {}); });

  return (next) => {
    view = { ...view, ...next };
    button.textContent = "Start the run";
    RMR.repaint(problem, next.error, () => RMR.trouble(next.error));
    if (!view.recipes) return next.error ? list.replaceChildren() : undefined;
    paintList();
    RMR.options(adapter, [["", "the base as it is"], ...(view.adapters || []).map((one) => [one.id, one.title])]);
    adapter.closest("label").hidden = !(view.adapters || []).length;
    if (!recipe) choose((view.recipes.find(rowsFor) || view.recipes[0] || {}).name);
    list.querySelectorAll("input").forEach((input) => { input.checked = Boolean(recipe) && input.value === recipe.name; });
    if (!next.line && !next.run) describe();
    button.disabled = !(recipe && RMR.trainSet && rowsFor(recipe));
    if (next.line !== undefined) RMR.repaint(line, next.line, () => next.line ? RMR.commandLine(next.line) : []);
    // A panel that is mounted again is given its last value again.
    if (next.run && next.run !== RMR.startedRun) RMR.openRun(RMR.startedRun = next.run);
    root.dataset.painted = recipe ? recipe.name : "none";
  };
};

RMR.RECIPE_KINDS = { sft: "distillation", grpo: "RL", reward: "scalar reward" };

RMR.recipeFields = function (recipe, changed) {
  const { h } = RMR;
  const words = (name) => RMR.NUMBERS[name] || name;
  const editable = recipe.numbers.filter(([name]) => RMR.EDITABLE.includes(name));
  const rest = recipe.numbers.filter(([name]) => !RMR.EDITABLE.includes(name));
  return [
    h("div.fields.numbers", {}, editable.map(([name, value]) => RMR.field(words(name),
      h("input", { type: "text", inputmode: "decimal", name, placeholder: value !== null ? String(value) : ({ steps: "by epochs", evaluate_every: "never" })[name] || "–", autocomplete: "off", oninput: changed })))),
    rest.length ? h("p.hint.rest", {}, rest.filter(([, value]) => value !== null).map(([name, value], place) => [place ? " · " : "", `${words(name)} `, h("strong", {}, typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 6 }) : String(value))])) : null,
  ];
};

RMR.commandLine = function (line) {
  const { h } = RMR;
  return h("details.fold", {}, h("summary", {}, "The same from a terminal"), RMR.command(line));
};

// A command to take along.
RMR.command = (line) => RMR.h("div.command", {}, RMR.h("pre.raw", { tabindex: "0", "aria-label": "Command line" }, line),
  RMR.h("button.quiet", { type: "button", onclick: (event) => RMR.copy(line, event.currentTarget) }, "Copy"));
