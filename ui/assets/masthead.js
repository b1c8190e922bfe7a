// The head of the page: what this is, who is here and as what, light or dark.
"use strict";

RMR.me = { name: "", role: "admin", mode: "local", names: true, hidden: [] };

RMR.who = () => RMR.me.names ? localStorage.getItem("rmr1.name") || "local" : RMR.me.name;

// What somebody is not shown; what they may not do is refused where it is done. Gradio takes no
// notice of `visible` for a tab that was never opened, and its menu of further tabs has no ids.
RMR.hideTabs = function (tabs) {
  const style = document.createElement("style");
  style.textContent = tabs.map((tab) => `#tab-${tab}-button { display: none !important; }`).join("\n");
  document.head.append(style);
  const titles = new Set(tabs.map((tab) => tab[0].toUpperCase() + tab.slice(1)));
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".overflow-menu")) return;
    setTimeout(() => {
      for (const each of document.querySelectorAll(".overflow-dropdown button")) {
        if (titles.has(each.textContent.trim())) each.style.setProperty("display", "none", "important");
      }
    });
  }, true);
};

RMR.learnWho = function () {
  return fetch("/whoami", { headers: { accept: "application/json" } })
    .then((answer) => answer.ok ? answer.json() : RMR.me)
    .catch(() => RMR.me)
    .then((me) => {
      const before = RMR.who();
      RMR.me = me;
      RMR.hideTabs(me.hidden);
      if (RMR.who() !== before) document.dispatchEvent(new CustomEvent("rmr1-name", { detail: RMR.who() }));
      return me;
    });
};

RMR.nameField = function () {
  const { h } = RMR;
  const name = h("input", { type: "text", maxlength: "80", value: RMR.who(), "aria-label": "Your name as annotator", class: "who" });
  name.addEventListener("change", () => {
    const chosen = name.value.trim() || "local";
    localStorage.setItem("rmr1.name", chosen);
    document.dispatchEvent(new CustomEvent("rmr1-name", { detail: chosen }));
  });
  return h("label.hint", {}, "Labelling as ", name);
};

RMR.signOut = () => fetch("/sign-out", { method: "POST", redirect: "manual" }).finally(() => location.assign("/"));

RMR.whoIsHere = function (me) {
  const { h } = RMR;
  if (me.names) return RMR.nameField();
  const hasAccounts = me.mode === "accounts";
  if (me.name === "visitor") return h("span.here", {}, h("span.hint", {}, "Looking around as a visitor"),
    hasAccounts && h("a.sign-in", { href: "/sign-in" + location.search }, "Sign in"));
  return h("span.here", {}, h("span.hint", {}, "Signed in as "), h("strong", {}, me.name), h("span.role", {}, me.role),
    hasAccounts && h("button.quiet", { type: "button", onclick: RMR.signOut }, "Sign out"));
};

RMR.masthead = function ({ element }) {
  const { h } = RMR;
  const root = element.querySelector("[data-root]");
  const here = h("span.here-slot", {});
  const dark = h("button.quiet", { type: "button", onclick: () => {
    const now = document.body.classList.toggle("dark");
    localStorage.setItem("rmr1.dark", now ? "1" : "0");
  } }, "Light / dark");
  root.append(h("header.masthead", {},
    h("a.skip", { href: "#tabs" }, "Skip to the page"),
    h("h1", {}, "RM-R1 studio"),
    h("p", {}, "A reward model that reasons: see its rubric, check its quotations, correct its verdict."),
    h("span.spacer"), RMR.offsiteLine(), here,
    h("button.quiet", { type: "button", "aria-keyshortcuts": "?", onclick: () => RMR.keySheet() }, RMR.words("help.button"), " ", RMR.key("?")), dark));
  RMR.learnWho().then((me) => here.append(RMR.whoIsHere(me)));
  // The address remembers the tab, so that a page can be linked and reloaded.
  document.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"][id^="tab-"]');
    if (tab) RMR.address({ tab: tab.id.slice("tab-".length, -"-button".length) });
  });
  const stored = localStorage.getItem("rmr1.dark");
  if (stored !== null && !new URLSearchParams(location.search).has("__theme")) document.body.classList.toggle("dark", stored === "1");
  return () => {};
};
