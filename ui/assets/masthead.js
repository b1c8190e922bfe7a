// The head of the page: what this is, who labels, light or dark, help.
"use strict";

RMR.who = () => localStorage.getItem("rmr1.name") || "local";

RMR.masthead = function ({ element }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const name = h("input", { type: "text", maxlength: "80", value: RMR.who(), "aria-label": "Your name as annotator", class: "who" });
  name.addEventListener("change", () => {
    const chosen = name.value.trim() || "local";
    localStorage.setItem("rmr1.name", chosen);
    document.dispatchEvent(new CustomEvent("rmr1-name", { detail: chosen }));
  });
  const dark = h("button.quiet", { type: "button", onclick: () => {
    const now = document.body.classList.toggle("dark");
    localStorage.setItem("rmr1.dark", now ? "1" : "0");
  } }, "Light / dark");
  root.append(h("header.masthead", {},
    h("a.skip", { href: "#tabs" }, "Skip to the page"),
    h("h1", {}, "RM-R1 studio"),
    h("p", {}, "A reward model that reasons: see its rubric, check its quotations, correct its verdict."),
    h("span.spacer"),
    h("label.hint", {}, "Labelling as ", name), dark));
  // The address remembers the tab, so that a page can be linked and reloaded.
  document.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"][id^="tab-"]');
    if (tab) RMR.address({ tab: tab.id.slice("tab-".length, -"-button".length) });
  });
  const stored = localStorage.getItem("rmr1.dark");
  if (stored !== null && !new URLSearchParams(location.search).has("__theme")) document.body.classList.toggle("dark", stored === "1");
  return () => {};
};
