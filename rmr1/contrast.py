"""Contrast probes: a pair changed in one way that should not matter, to see what carries a verdict.

Three changes leave what is said as it is, or leave a part of it out; the fourth changes only what
the judge reads first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rmr1.pair import Pair, Side
from rmr1.plan import Plan

_MUCH_LONGER = 1.15
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)*_]*(?=\s|$)|(?<=\S)(?=\n)")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n+")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_LINE_START = re.compile(
    r"[ \t]{0,12}(?:(?:```|~~~).*|#{1,6}[ \t]+|>[ \t]?|(?:[-*+•]|\d{1,3}[.)])[ \t]+)"
)
_INLINE = (
    (re.compile(r"!?\[([^\]\n]{1,200})\]\([^)\n]{1,400}\)"), r"\1"),
    (re.compile(r"(\*\*|__)(?=\S)([^\n]{1,300}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,300}?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]{1,300})`"), r"\1"),
)
_RULES = (frozenset("-"), frozenset("*"), frozenset("_"))
_TABLE_RULE = frozenset("|:- \t")


class Change(StrEnum):
    """What a probe changes."""

    TRIM = "trim"
    REFORMAT = "reformat"
    REORDER = "reorder"
    SWAP = "swap"

    @property
    def words(self) -> str:
        """What was done, for people."""
        return _WORDS[self]


_WORDS = {
    Change.TRIM: "the longer response cut to the other's length, at the end of a sentence",
    Change.REFORMAT: "headings, lists and emphasis taken out of both responses",
    Change.REORDER: "the paragraphs of both responses, or their sentences, in reverse",
    Change.SWAP: "the same texts, read in the other order",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A pair to judge again.

    Attributes:
        pair: with no better side: what is known of the original need not hold for it.
    """

    change: Change
    pair: Pair
    plan: Plan


def contrasts(pair: Pair, plan: Plan) -> tuple[Probe, ...]:
    """The probes that change anything about this pair, as judged under this plan."""
    return tuple(_probes(pair, plan))


def _probes(pair: Pair, plan: Plan) -> Iterator[Probe]:
    trimmed = _trimmed(pair)
    if trimmed:
        yield Probe(Change.TRIM, trimmed, plan)
    for change, rewrite in ((Change.REFORMAT, plain_text), (Change.REORDER, reversed_order)):
        changed = _with(pair, rewrite(pair.response_a), rewrite(pair.response_b))
        if (changed.response_a, changed.response_b) != (pair.response_a, pair.response_b):
            yield Probe(change, changed, plan)
    if plan.orders != "both":
        other = "BA" if plan.orders == "AB" else "AB"
        swapped = plan.model_copy(update={"orders": other})
        yield Probe(Change.SWAP, _with(pair, pair.response_a, pair.response_b), swapped)


def _with(pair: Pair, a: str, b: str) -> Pair:
    return pair.model_copy(update={"response_a": a, "response_b": b, "chosen": None})


def _trimmed(pair: Pair) -> Pair | None:
    lengths = {side: len(pair.response(side)) for side in Side}
    longer = Side.A if lengths[Side.A] > lengths[Side.B] else Side.B
    if lengths[longer] <= _MUCH_LONGER * lengths[longer.other]:
        return None
    cut = trimmed(pair.response(longer), lengths[longer.other])
    if cut is None:
        return None
    both = {longer: cut, longer.other: pair.response(longer.other)}
    return _with(pair, both[Side.A], both[Side.B])


def trimmed(text: str, length: int) -> str | None:
    """The text's whole sentences, as many as end at the one that comes nearest to `length`.

    Returns:
        None where the text has no sentence but the last to end with.
    """
    whole = text.rstrip()
    ends = [match.end() for match in _SENTENCE_END.finditer(whole)]
    ends = [end for end in ends if whole[:end].strip() and end < len(whole)]
    if not ends:
        return None
    return whole[: min(ends, key=lambda end: abs(end - length))].rstrip()


def plain_text(text: str) -> str:
    """The text without Markdown's marks; its words and lines stay."""
    lines = []
    for line in text.split("\n"):
        if _is_rule(line):
            continue
        start = _LINE_START.match(line)
        rest = line[start.end() :] if start else line
        if rest or not start:  # a line that is nothing but a mark goes, an empty one stays
            lines.append(rest)
    plain = "\n".join(lines)
    for pattern, instead in _INLINE:
        plain = pattern.sub(instead, plain)
    return plain


def _is_rule(line: str) -> bool:
    """Whether a line only divides: a thematic break, or the ruler of a table."""
    marks = line.replace(" ", "").replace("\t", "")
    if len(marks) > 2 and frozenset(marks) in _RULES:
        return True
    return "--" in marks and frozenset(line) <= _TABLE_RULE


def reversed_order(text: str) -> str:
    """The paragraphs in reverse, or the sentences where there is one paragraph.

    Code would mean something else: a text with a fenced block stays as it is.
    """
    if _FENCE.search(text):
        return text
    paragraphs = [part for part in _PARAGRAPHS.split(text.strip()) if part.strip()]
    if len(paragraphs) > 1:
        return "\n\n".join(reversed(paragraphs))
    sentences = _SENTENCES.split(text.strip())
    return " ".join(reversed(sentences)) if len(sentences) > 1 else text
