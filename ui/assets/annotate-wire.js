// How the Annotate page talks to the server: one request at a time, each answered or loudly failed.
"use strict";

// `ask` resolves with the answer that carries the request's mark. What must not be lost stays at
// the head of the line when it fails, until `retry` sends it again with the same key.
RMR.wire = function (trigger, changed) {
  const line = [];
  let current = null, failed = null;

  const send = () => {
    if (current || failed || !line.length) return;
    current = line.shift();
    current.mark = RMR.uuid();
    current.timer = setTimeout(() => settle({ error: "The server does not answer." }), current.patience);
    trigger(current.event, { ...current.payload, request: current.mark });
    changed();
  };
  const settle = (answer) => {
    const done = current;
    current = null;
    clearTimeout(done.timer);
    if (answer.error && done.kept) failed = { request: done, error: answer.error };
    else done.resolve(answer);
    send();
    changed();
  };
  const ask = (event, payload, { kept = false, patience = 6000 } = {}) =>
    new Promise((resolve) => {
      line.push({ event, payload: { annotator: RMR.who(), ...payload }, kept, patience, resolve });
      send();
    });
  return {
    ask,
    heard: (answer) => {
      if (current && answer.request === current.mark) settle(answer);
      else if (failed && answer.request === failed.request.mark && !answer.error) {
        const late = failed.request;
        failed = null;
        late.resolve(answer);
        send();
        changed();
      }
    },
    retry: () => {
      line.unshift(failed.request);
      failed = null;
      send();
    },
    discard: () => {
      failed = null;
      line.length = 0;
      changed();
    },
    failure: () => failed && failed.error,
    isStoring: () => Boolean((current && current.kept) || line.some((request) => request.kept)),
  };
};

// Seconds for which `element` was in view since `start`.
RMR.stopwatch = function (element) {
  let total = 0, since = null, isSeen = true;
  const tick = () => {
    const now = performance.now();
    if (since !== null) total += now - since;
    since = document.hidden || !isSeen ? null : now;
  };
  document.addEventListener("visibilitychange", tick);
  new IntersectionObserver((entries) => {
    isSeen = entries[entries.length - 1].isIntersecting;
    tick();
  }).observe(element);
  return {
    start: () => { total = 0; since = null; tick(); },
    seconds: () => { tick(); return Math.round(total / 100) / 10; },
  };
};
