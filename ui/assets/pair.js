// The prompt and the two responses, with the judge's quotations marked where they stand.
"use strict";

RMR.MATCH = {
  exact: { word: "exact", title: "Stands word for word in the response" },
  near: { word: "near", title: "Stands in the response with other words" },
  absent: { word: "not found", title: "Does not stand in the response: an invented quotation" },
};

RMR.conversation = function (turns) {
  const { h } = RMR;
  const single = turns.length === 1;
  return turns.map((turn) =>
    h(`div.turn.turn-${turn.role}`, {},
      single ? null : h("span.speaker", {}, { user: "User", assistant: "Assistant", system: "System" }[turn.role]),
      h("div.text", { dir: "auto" }, turn.content)));
};

// Text with marks. `spans` are [start, end, match, quote] in code points, as Python counts; they
// may overlap, so the text is cut at every edge and each piece carries all quotes that cover it.
RMR.marked = function (text, spans, onQuote) {
  const { h } = RMR;
  if (!spans || !spans.length) return [text];
  const points = Array.from(text);
  const edges = new Set([0, points.length]);
  for (const [start, end] of spans) {
    edges.add(Math.max(0, Math.min(start, points.length)));
    edges.add(Math.max(0, Math.min(end, points.length)));
  }
  const cuts = [...edges].sort((left, right) => left - right);
  const pieces = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const piece = points.slice(cuts[i], cuts[i + 1]).join("");
    const over = spans.filter(([start, end]) => start <= cuts[i] && end >= cuts[i + 1]);
    if (!over.length) {
      pieces.push(piece);
      continue;
    }
    const match = over.some((span) => span[2] === "exact") ? "exact" : "near";
    const quotes = over.map((span) => span[3]);
    pieces.push(h(`mark.match-${match}`, {
      "data-quotes": quotes.join(" "), tabindex: "0", role: "button",
      title: `Quoted by the judge (${RMR.MATCH[match].word})`,
      onclick: () => onQuote(quotes[0], "chain"),
      onkeydown: (event) => { if (event.key === "Enter") onQuote(quotes[0], "chain"); },
    }, piece));
  }
  return pieces;
};

// One response as a card: {side, title, text, spans, chosen, quotes: [exact, near, absent]}.
RMR.response = function (shown, onQuote) {
  const { h } = RMR;
  return h(`article.card.response.edge-${shown.side.toLowerCase()}`, { "data-side": shown.side },
    h("header", {},
      RMR.badge(shown.side),
      h("h2", {}, shown.title || `Response ${shown.side}`),
      shown.chosen ? h("span.chip.chip-chosen", { title: "The better side, as the data set says" }, "✓ chosen") : null,
      h("span.spacer"),
      h("span.count", {}, `${shown.text.length.toLocaleString("en")} characters`)),
    h("div.text.scroll", { dir: "auto", tabindex: "0", role: "region", "aria-label": `Text of response ${shown.side}` },
      shown.text ? RMR.marked(shown.text, shown.spans, onQuote) : h("span.muted", {}, "(empty)")));
};
