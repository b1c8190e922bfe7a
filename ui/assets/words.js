// The words of pages in one table, by language; what another language lacks is said in English.
"use strict";

RMR.WORDS = { en: {} };

// RMR.words("gallery.shown", {n: 3}): the sentence of that name with {n} filled in.
RMR.words = function (name, values) {
  const language = (document.documentElement.lang || "en").slice(0, 2);
  const sentence = (RMR.WORDS[language] || {})[name] || RMR.WORDS.en[name] || name;
  return sentence.replace(/\{(\w+)\}/g, (whole, key) => (values && key in values ? String(values[key]) : whole));
};

Object.assign(RMR.WORDS.en, {
  "gallery.title": "Judgements to look at",
  "gallery.about": "Judged beforehand, in both orders, and kept as they came out, mistakes included: they open at once, with no model running.",
  "gallery.run": "What one run brought, to look at; nothing is judged anew.",
  "gallery.figures.judge": "Judge",
  "gallery.figures.right": "names the better response",
  "gallery.figures.same": "the same response in both orders",
  "gallery.figures.none": "no pair here tells",
  "gallery.kind": "Type of task",
  "gallery.part": "Subset",
  "gallery.by": "Judge",
  "gallery.outcome": "Outcome",
  "gallery.any": "any",
  "gallery.shown": "{n} of {of} judgements",
  "gallery.cut": "The newest {n} of {total} are shown; the Explore page has them all.",
  "gallery.nothing": "No judgement is like this.",
  "gallery.clear": "Show all",
  "gallery.back": "← Gallery",
  "gallery.previous": "Previous",
  "gallery.next": "Next",
  "gallery.copy": "Copy link",
  "gallery.explore": "Open in Explore",
  "gallery.shipped": "The shipped gallery",
  "gallery.loading": "Opening the gallery …",
  "game.title": "Beat the judge",
  "game.invite": "Read two responses, say which is better, then see what the judge said and what is known.",
  "game.start": "Play",
  "game.leave": "Leave the game",
  "game.consent": "I agree that my answers (A, B or tie, and how long I took) are kept, without my name, to compare people with the judge.",
  "game.begin": "Begin",
  "game.question": "Which response is better?",
  "game.hidden": "The judge's verdict is hidden until you answer.",
  "game.a": "A is better",
  "game.b": "B is better",
  "game.tie": "Tie",
  "game.you": "You said",
  "game.judge": "The judge said",
  "game.known": "The better one is",
  "game.none": "nothing",
  "game.score": "You {you}, the judge {judge}, of {n}",
  "game.noscore": "No answer yet",
  "game.caveat": "A game of few pairs, so the score has no interval. Answers of visitors are kept apart: no figure, snapshot or export counts them.",
  "game.more": "Next pair",
  "game.over": "That was all: every pair here is answered, or was looked at before.",
  "game.left": "{n} pairs left",
  "first.already": "An example already judged",
  "first.gallery": "More in the gallery",
  "game.stored": "stored",
  "offsite.here": "stored here",
  "offsite.at": "stored off-site at {time}",
  "offsite.all": "Labels are stored off-site, last at {time}",
  "offsite.waiting": "{n} stored here, not off-site yet",
  "offsite.never": "Nothing is off-site yet",
  "offsite.trouble": "Off-site copy does not answer: labels are stored here only",
  "help.close": "Close",
  "help.everywhere": "On every page",
  "help.sheet": "this sheet",
  "help.button": "Help",
});
