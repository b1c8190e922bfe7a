// Building blocks of every panel. Text from models, files and people reaches the page only as
// text nodes: nothing here, or in the files beside it, writes markup from a string.
"use strict";
globalThis.RMR = globalThis.RMR || {};

// An element: h("p.note", {title: "..."}, "text", child, null). Strings become text nodes.
RMR.h = function (selector, attributes, ...children) {
  const [tag, ...classes] = selector.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};

// Rebuild `node` only when what it shows has changed, so that focus and scrolling survive.
RMR.repaint = function (node, shown, build) {
  const key = JSON.stringify(shown);
  if (node.rmrShown === key) return;
  node.rmrShown = key;
  node.replaceChildren(...[build()].flat(3).filter(Boolean));
};

// The letter of a side, always with its colour, shape and word.
RMR.badge = function (side) {
  return RMR.h(`span.side.side-${side.toLowerCase()}`, { "aria-label": `Response ${side}` }, side);
};

RMR.percent = (share) => (share === null || share === undefined ? "" : `${Math.round(share * 100)} %`);

RMR.seconds = (value) =>
  value === null || value === undefined ? "" : value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;

RMR.key = (label) => RMR.h("kbd", {}, label);

RMR.copy = function (text, button) {
  const done = () => {
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = before), 1500);
  };
  if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done);
  else {
    const box = RMR.h("textarea", { class: "offscreen", value: text });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    done();
  }
};

// Whether a key press belongs to a field, a dialog or a shortcut of the browser.
RMR.isTyping = function (event) {
  const target = event.target;
  return (
    event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey ||
    (target && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)))
  );
};

// Listen to keys as long as `element` is on the page and seen; `handler` says whether it took one.
RMR.onKeys = function (element, handler) {
  const listen = (event) => {
    if (!element.isConnected) return document.removeEventListener("keydown", listen);
    if (element.offsetParent === null || RMR.isTyping(event)) return;
    if (handler(event)) event.preventDefault();
  };
  document.addEventListener("keydown", listen);
};

// Put parameters into the address without leaving the page; null takes one away.
RMR.address = function (changes) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  history.replaceState({}, "", url);
};

// The link to one judgement, from wherever the page is served.
RMR.link = function (key) {
  const url = new URL(location.origin + location.pathname);
  url.searchParams.set("judgement", key);
  return url.toString();
};

// What every panel's script calls: paint now and after each change from the server.
RMR.mount = function (painter, panel) {
  const paint = RMR[painter](panel);
  const safely = () => {
    try {
      paint(panel.props.value || {});
    } catch (error) {
      console.error(error);
    }
  };
  safely();
  panel.watch("value", safely);
};
