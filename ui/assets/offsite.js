// Where labels are kept: stored here at once, off-site some time later, and said as it is.
"use strict";

RMR.offsite = { title: "", at: null, through: {}, waiting: 0, problem: "" };

// Words behind a receipt, kept up to date; empty where nothing is kept off-site.
RMR.whereStored = function (kind, id) {
  const node = RMR.h("span.where", { "data-where": kind, "data-id": id });
  RMR.tellWhere(node);
  return node;
};
RMR.tellWhere = function (node) {
  const { words, offsite } = RMR;
  if (!offsite.title) return;
  const isThere = Number(node.dataset.id) <= (offsite.through[node.dataset.where] || 0);
  const said = isThere ? words("offsite.at", { time: RMR.clock(offsite.at) }) : words("offsite.here");
  if (node.textContent !== ` · ${said}`) node.textContent = ` · ${said}`;
};
RMR.clock = (at) => (at ? new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }) : "");

// The line in the masthead; it asks again as long as the page is seen.
RMR.offsiteLine = function () {
  const { h, words } = RMR;
  const line = h("span.offsite", { role: "status" });
  const paint = () => {
    const { title, at, waiting, problem } = RMR.offsite;
    if (!title) return;
    const said = problem ? words("offsite.trouble") : waiting ? words("offsite.waiting", { n: waiting }) : at ? words("offsite.all", { time: RMR.clock(at) }) : words("offsite.never");
    line.classList.toggle("is-trouble", Boolean(problem));
    line.title = problem || title;
    if (line.textContent !== said) line.textContent = said;
    document.querySelectorAll(".where").forEach(RMR.tellWhere);
  };
  const ask = async () => {
    if (!line.isConnected) return;
    if (!document.hidden) {
      const answer = await fetch("/offsite", { headers: { accept: "application/json" } }).catch(() => null);
      if (answer && answer.ok) RMR.offsite = await answer.json();
      if (answer && answer.ok && !RMR.offsite.title) return;
      paint();
    }
    setTimeout(ask, 5000);
  };
  setTimeout(ask, 400);
  return line;
};
