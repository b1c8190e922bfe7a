// The clock of Gradio's loading screen runs on for as long as a page is open, a frame each time:
// a page that nobody touches kept a processor busy. Four times a second is enough for a clock.
"use strict";
{
  const frame = window.requestAnimationFrame.bind(window);
  const isClock = (source) => source.length < 120 && /performance\.now\(\)-.*\/1e3/.test(source);
  window.requestAnimationFrame = (callback) =>
    isClock(String(callback)) ? setTimeout(() => frame(callback), 250) : frame(callback);
}
