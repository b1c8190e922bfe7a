"""Short traces composed from what a preference set says itself: its labels, reasons and answers.

No model writes them. A rule chooses the type and the rubric by the kind of task, takes quotations
from the responses whatever the label, and lets the label (and the reason that a person or a judge
gave, where there is one) speak in the evaluation. A small judge learns the protocol from little of
this; the wording is plain on purpose.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from rmr1.pair import Order, Pair, Side
from rmr1.trace import TaskType
from storage.compile import check_target, compile_trace
from training.easy import Fault
from training.phrases import BLAME, CRITERIA, FAULTS, JUSTIFY, PRAISE, SECOND, Kind, describe

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"-?\$?\d[\d,]*(?:\.\d+)?")
_FINAL = re.compile(r"(?:final answer|the answer is|answer|^A)\s*:?\s*(.+)$", re.I | re.M)
_SPEAKER = re.compile(
    r"\b(?:Assistant|Response|Chatbot|Model)\s+([12AB])\b(?:'s (?:answer|response))?"
)
_ASPECTS = (
    ("Accuracy", "accura|correct|factual|error"),
    ("Detail", "detail|depth|thorough|comprehensive|in-depth"),
    ("Relevance", "relevan|on topic|off-topic|address"),
    ("Clarity", "clear|clarity|structur|organi[sz]|easy to"),
    ("Brevity", "concise|brief|to the point|repetit"),
    ("Creativity", "creativ|engaging|vivid|humou?r|original"),
    ("Care", "ethic|harm|safe|sensitiv|empath|disclaim"),
    ("Examples", "example|practical|actionable|specific"),
)
_LONGEST_QUOTE = 9
_BEFORE = 5
LONGEST_SENTENCE = 32


@dataclass(frozen=True, slots=True)
class Known:
    """A pair with a preference, and what its source says about it.

    Attributes:
        pair: with its better side known.
        kind: of task, which decides the type and the rubric.
        reason: why the better one is better, in the words of a person or a judge, or "".
        sides: in `reason`, what "1" stands for; "2" is the other side.
        reference: a solution or answer that does not come from the pair, or "".
        fault: what was done to the worse one, if it was spoilt on purpose.
    """

    pair: Pair
    kind: Kind
    reason: str = ""
    sides: Side = Side.A
    reference: str = ""
    fault: Fault | None = None


def known_from_record(record: Mapping[str, Any], pair: Pair) -> Known | None:
    """Read what a preference set says about a pair; None if no trace can be composed from it.

    Args:
        record: a row with `source`, `subset`, and often `rationale` and `meta`.
        pair: the row's pair, its better side known.
    """
    kind = _kind(str(record.get("source", "")), str(record.get("subset", "")), record)
    if kind is None or pair.chosen is None:
        return None
    meta = record.get("meta") or {}
    chosen_is = meta.get("chosen_is")
    reason = str(record.get("rationale") or "")
    if kind == "review" and (chosen_is not in {1, 2} or not reason):
        return None
    return Known(
        pair,
        kind,
        reason=reason,
        sides=pair.chosen if chosen_is == 1 else pair.chosen.other,
        reference=str(meta.get("reference") or ""),
    )


def _kind(source: str, subset: str, record: Mapping[str, Any]) -> Kind | None:
    if "rlhf" in source:
        return "safety" if subset.startswith("harmless") else "help"
    if "reviews" in source:
        category = str((record.get("meta") or {}).get("category"))
        return None if category in {"coding", "math", "fermi"} else "review"
    for part, kind in (
        ("TruthfulQA", "truth"), ("SummEdits", "summary"), ("CRUX", "output"),
        ("GSM8K", "maths"), ("MR-Ben", "steps"), ("DebugBench", "code"),
    ):  # fmt: skip
        if part in source:
            return kind  # type: ignore[return-value]
    return None


def compose(known: Known, order: Order, seed: int = 0, *, steps: int = 3) -> str | None:
    """A trace on the pair as shown in `order`; None where it would not stand `check_target`.

    The same arguments give the same trace.

    Args:
        steps: of a solution, at most.
    """
    lot = random.Random(f"{seed}:{order.value}:{known.pair.content_hash}")
    writer = _Writer(known, order, lot, steps)
    text = writer.reasoning() if known.kind in _REASONING else writer.chat()
    if text is None or check_target(known.pair, order, text):
        return None
    return text


_REASONING: frozenset[Kind] = frozenset(("maths", "steps", "code", "output"))


@dataclass(frozen=True, slots=True)
class _Writer:
    known: Known
    order: Order
    lot: random.Random
    steps: int

    @property
    def shown(self) -> tuple[str, str]:
        return self.known.pair.shown(self.order)

    @property
    def better(self) -> Side:
        """The letter of the better response as shown."""
        assert self.known.pair.chosen
        return self.order.to_pair(self.known.pair.chosen)

    @property
    def texts(self) -> tuple[str, str]:
        """The better response and the worse one."""
        a, b = self.shown
        return (a, b) if self.better is Side.A else (b, a)

    # --- Chat ---

    def chat(self) -> str | None:
        names = self._aspects() if self.known.kind == "review" else None
        criteria = self._criteria(names)
        why = self.lot.choice(JUSTIFY[self.known.kind]).format(first=criteria[0][0])
        quotes = self._differing() if self.known.kind == "summary" else self._openings()
        if quotes is None:
            return None
        said = self._reason() if self.known.kind == "review" else self._contrast()
        if said is None:
            return None
        second = self.lot.choice(SECOND).format(better=self.better, worse=self.better.other)
        lines = [f"1. {criteria[0][0]}: {_quoted(quotes)} {said}"]
        if self.known.kind != "review" and len(criteria) > 1:
            lines.append(f"2. {criteria[1][0]}: {second}")
        rubric = "\n".join(
            f"{number}. {name} ({weight}%): {text}"
            for number, (name, weight, text) in enumerate(criteria, start=1)
        )
        return compile_trace(
            TaskType.CHAT, "\n".join(lines), self.better, rubric=rubric, justify=why
        )

    def _criteria(self, names: Sequence[str] | None) -> list[tuple[str, int, str]]:
        topic = self._topic()
        known = CRITERIA[self.known.kind]
        chosen = list(names) if names else [*known][:2]
        weights = self.lot.choice(
            ((60, 40), (70, 30), (65, 35)) if len(chosen) == 2 else ((50, 30, 20), (60, 25, 15))
        )
        return [
            (name, weight, self.lot.choice(known[name]).format(topic=topic))
            for name, weight in zip(chosen, weights, strict=True)
        ]

    def _aspects(self) -> list[str]:
        """The aspects that the reason speaks of, in its order; two or three."""
        places = {
            name: found.start()
            for name, words in _ASPECTS
            if (found := re.search(words, self.known.reason, re.I))
        }
        named = sorted(places, key=places.__getitem__)[:3]
        spare = [name for name in ("Accuracy", "Detail", "Clarity") if name not in named]
        return [*named, *spare][: max(2, len(named))]

    def _topic(self) -> str:
        """The prompt's own words, a few of them, in quotation marks."""
        turns = [turn for turn in self.known.pair.conversation if turn.role == "user"]
        text = turns[-1].content if turns else ""
        first = next((part for part in SENTENCE.split(text) if len(part.split()) > 1), text)
        words = first.split()[:6]
        return "“" + " ".join(words).strip(" .,:;?!<>[]") + "”"

    def _openings(self) -> tuple[str, str] | None:
        a, b = (_opening(text) for text in self.shown)
        return (a, b) if a and b else None

    def _contrast(self) -> str:
        better, worse = self.texts
        kind = self.known.kind
        praise = self.lot.choice(PRAISE[kind][describe(better, worse)])
        blame = self.lot.choice(
            FAULTS[self.known.fault] if self.known.fault else BLAME[kind][describe(worse, better)]
        )
        return f"{self.better} {praise}; {self.better.other} {blame}."

    def _reason(self) -> str | None:
        """Up to two sentences of the given reason that compare, the letters as shown."""
        first = self.order.to_pair(self.known.sides)
        letters = {"1": first, "2": first.other}

        def rename(match: re.Match[str]) -> str:
            return str(letters.get(match[1], match[1]))

        sentences = [
            part for part in SENTENCE.split(self.known.reason)
            if _SPEAKER.search(part)
            and "score" not in part
            and len(part.split()) <= LONGEST_SENTENCE
        ]  # fmt: skip
        wanted = [
            part for part in sentences
            if {str(letters.get(m[1], m[1])) for m in _SPEAKER.finditer(part)} == {self.better}
        ]  # fmt: skip
        kept = (wanted or sentences)[:1]
        if not kept:
            return None
        told = " ".join(_SPEAKER.sub(rename, part).strip("- ") for part in kept)
        return f"{self.better} is better. {told}"

    # --- Reasoning ---

    def reasoning(self) -> str | None:
        match self.known.kind:
            case "code":
                parts = self._code()
            case "steps":
                parts = self._steps()
            case _:
                parts = self._answers()
        if parts is None:
            return None
        solution, evaluation = parts
        return compile_trace(TaskType.REASONING, evaluation, self.better, solution=solution)

    def _answers(self) -> tuple[str, str] | None:
        finals = [_final(text) for text in self.shown]
        if not all(finals) or finals[0] == finals[1]:
            return None
        right = finals[0] if self.better is Side.A else finals[1]
        worked = working(self.known.reference or self.texts[0], self.steps)
        a, b = (f"<summary_{side}>It arrives at {final}.</summary_{side}>"
                for side, final in zip(Side, finals, strict=True))  # fmt: skip
        fault = f" {self.known.reason.strip()}" if 0 < len(self.known.reason.split()) <= 30 else ""
        said = f"{a} {b} The solution gives {right}, so {self.better} is right.{fault}"
        return f"{worked}\nThe answer is {right}.", said

    def _steps(self) -> tuple[str, str] | None:
        reason = self.known.reason.strip()
        quotes = self._openings()
        if not quotes or not 3 <= len(reason.split()) <= 45:
            return None
        worse = self.better.other
        said = f"{_quoted(quotes)} {self.better} holds. {worse} errs: {reason}"
        return working(self.texts[0], self.steps), said

    def _code(self) -> tuple[str, str] | None:
        lines = self._differing(split="\n")
        if lines is None:
            return None
        right = lines[0] if self.better is Side.A else lines[1]
        reason = self.known.reason.strip()
        why = f" {reason}" if 0 < len(reason.split()) <= 35 else ""
        solution = f"The two programs differ in a few places. Right is: {right}"
        return (
            solution,
            f"{_quoted(lines)} {self.better} is right, {self.better.other} has a bug.{why}",
        )

    def _differing(self, split: str = "") -> tuple[str, str] | None:
        """The first piece of each response that the other does not have."""
        a, b = (
            [piece.strip() for piece in (text.split(split) if split else SENTENCE.split(text))]
            for text in self.shown
        )
        for tag, a0, _, b0, _ in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag == "replace":
                found = _around(a[a0], b[b0])
                if all(len(piece) > 2 for piece in found) and found[0] != found[1]:
                    return found
        return None


def _quoted(quotes: tuple[str, str]) -> str:
    return " ".join(
        f"<quote_{side}>{quote}</quote_{side}>" for side, quote in zip(Side, quotes, strict=True)
    )


def _opening(text: str) -> str:
    parts = [part for part in SENTENCE.split(text.strip()) if len(part.split()) > 1]
    return clip(parts[0]) if parts else clip(text.strip())


def clip(text: str, start: int = 0) -> str:
    """A few words from the given one on, as they stand in the text."""
    words = list(re.finditer(r"\S+", text))[start : start + _LONGEST_QUOTE]
    return text[words[0].start() : words[-1].end()] if words else ""


def _around(a: str, b: str) -> tuple[str, str]:
    """The words of two like sentences from a little before the place where they part."""
    first = next(
        (place for place, (x, y) in enumerate(zip(a.split(), b.split(), strict=False)) if x != y), 0
    )
    return clip(a, max(0, first - _BEFORE)), clip(b, max(0, first - _BEFORE))


def _final(text: str) -> str:
    """The final answer that a solution states: after its last "answer", or its last number."""
    stated = _FINAL.findall(text)
    tail = stated[-1].strip(" .*$\\") if stated else ""
    if tail and len(tail) <= 40:
        return tail
    numbers = _NUMBER.findall(text)
    return numbers[-1].strip("$") if numbers else ""


def working(text: str, most: int = 3) -> str:
    """The steps of a solution that compute, so many at most, or its last words."""
    parts = [part.strip(" -*") for part in SENTENCE.split(text) if len(part.split()) > 2]
    parts = [part for part in parts if not re.match(r"(?:final )?answer|A:", part, re.I)]
    steps = [part for part in parts if "=" in part and len(part.split()) <= LONGEST_SENTENCE]
    kept = steps[-most:] or [_cut(part) for part in parts[-min(2, most) :]]
    return "\n".join(kept) or "It follows from the prompt."


def _cut(text: str) -> str:
    words = text.split()
    return " ".join(words[:LONGEST_SENTENCE])
