// A label's passport: what it depended on and what used it. And how a judge stood commands.
"use strict";

RMR.passportUrl = (event) => new URL(`labels/${event}.json`, location.origin + location.pathname).toString();
RMR.passportPlace = () => RMR.h("div.passport", { role: "region", "aria-label": "Label passport", "aria-live": "polite" });

RMR.passportButton = function (event) {
  return RMR.h("button.quiet", { type: "button", "aria-label": `Passport of label ${event}`, onclick: async (click) => {
    const place = click.currentTarget.closest(".history").querySelector(".passport");
    place.replaceChildren(RMR.h("p.hint", {}, "Looking it up …"));
    const answer = await fetch(RMR.passportUrl(event)).catch(() => null);
    if (answer && answer.ok) place.replaceChildren(...RMR.passport(await answer.json()));
    else place.replaceChildren(RMR.h("p.note.note-warning", {}, answer && answer.status === 403 ? "Passports are for leads: sign in as one." : "The passport could not be fetched."));
  } }, `#${event}`);
};

RMR.passport = function (one) {
  const { h } = RMR;
  const judge = one.judgement;
  const version = judge && judge.judge_version;
  const used = one.used_by;
  const time = (text) => text ? text.slice(0, 16).replace("T", " ") + " UTC" : "";
  const group = (title, rows) => RMR.aboutGroup({ title, rows: rows.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [name, String(value)]) });
  const list = (found, words) => found.length ? found.map(words).join("; ") : "none";
  return [
    h("header.passport-head", {}, h("h4", {}, `Passport of label #${one.label.id}`), h("a.quiet", { href: RMR.passportUrl(one.label.id), download: `label-${one.label.id}.json` }, "Download JSON")),
    h("div.about-grid", {},
      group("The label", [["value", one.label.value], ["stage", one.label.stage], ["what", one.label.action + (one.label.undone ? " (taken back)" : "")], ["who", one.label.annotator], ["when", time(one.label.made_at)],
        ["seconds", one.label.seconds === null ? "not measured" : one.label.seconds.toFixed(1)], ["strength", one.label.strength], ["queue", one.served.queue || "none"], ["why it was served", one.served.why || "not served by a queue"]]),
      group("What was seen", [["the person read first", `response ${one.order.person_read_first}`], ["the judge read", one.order.judge_read.map((order) => order === "AB" ? "A first" : "B first").join(" and ") || "no judgement was shown"],
        ["pair hash", one.pair.hash], ["source", [one.pair.source, one.pair.subset].filter(Boolean).join(" · ")], ["labels of other people", one.others]]),
      judge ? group("The judge", [["verdict", judge.verdict || "none"], ["model", version.model], ["adapter", version.adapter], ["version hash", version.hash], ["prompt profile", version.profile], ["profile hash", version.profile_hash], ["plan hash", judge.plan_hash],
        ["temperature", judge.plan.temperature], ["votes per order", judge.plan.votes], ["judged", time(judge.made_at)]]) : group("The judge", [["judgement", "none was shown"]]),
      group("Revisions and adjudication", [["this person's events on the pair", list(one.revisions, (event) => `#${event.id} ${event.stage} ${event.action}${event.value ? ` ${event.value}` : ""}${event.undone ? " (taken back)" : ""}`)],
        ["what leads said", list(one.adjudication, (said) => `${said.action}${said.value ? ` ${said.value}` : ""}${said.reason ? ` (${said.reason})` : ""}`)]]),
      group("What used it", [["snapshots", list(used.snapshots, (each) => `${each.name} (${each.hash.slice(0, 12)}, as ${each.value}${each.split ? `, ${each.split}` : ""})`)], ["exports", list(used.exports, (each) => each)],
        ["training runs", list(used.trainings, (run) => `#${run.run} ${run.name} (${run.state})`)], ["adapters", list(used.adapters, (each) => each)], ["promotions", list(used.promotions, (each) => `${each.action} ${time(each.made_at)}`)]])),
  ];
};

RMR.injection = function (found) {
  const { h } = RMR;
  const row = (one, tag) => h("tr", {}, h("th", { scope: "row" }, tag ? h("strong", {}, one.title) : one.title),
    h("td.number", {}, one.n ? `${one.moved} of ${one.n}` : "–"), h("td", {}, one.words), h("td.number", {}, String(one.silenced)));
  return [
    h("p.hint", {}, "Responses of our own writing that try to command the judge, each with a clean twin: how often the verdict goes to the commanding response though its clean twin loses. Share with the 95 % interval of Wilson."),
    h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": "Injection probes" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, "Command"), h("th.number", {}, "Moved"), h("th", {}, "Success"), h("th.number", {}, "Verdict lost"))),
      h("tbody", {}, found.rows.map((one) => row(one, false)), row(found.whole, true)))),
  ];
};
