"""Quotations looked up in the responses that they claim to quote."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from rmr1.pair import Side
from rmr1.words import ELLIPSIS, QUOTE_MARK, Alphabet, Word, split_words

NEAR = 0.8
"""Least likeness of a near quotation.

Measured on the 1,074 quotations of the released RM-R1 judgements: of 4,240 looked up in a response
to another prompt one reaches it (0.83; the next 0.75); what lies between 0.65 and 0.8 in the
response that it names is half the judge's own words.
"""

_MOST_WORDS = 2_000  # a longer quotation is a response copied whole: found exactly or not at all
_MOST_PIECES = 60
_LESS_THAN_EXACT = 0.999
_SHORTEST_FUZZY = 4  # words; shorter ones resemble something everywhere
_LONGEST_OMITTED = 120  # characters
_MEMORY = 1_000
_ENDING = frozenset(".,;:!?")
_FRAME = frozenset((QUOTE_MARK, ELLIPSIS))

_ELLIPSIS = re.compile(r"[(\[]?(?:\.{3,}|…)[)\]]?")
_SENTENCE = re.compile(r"\n+|(?<=[.!?])\s+")
_QUOTED_ITEM = re.compile(r"""\s*(?:[-*•]\s*|\d{1,2}[.)]\s*)?(?:"([^"]+)"|“([^”]+)”)\s*[,;.]?\s*""")
_AND = re.compile(r"(?:and|or|&)\b\s*")


class Match(StrEnum):
    """How a quotation stands in the response."""

    EXACT = "exact"
    NEAR = "near"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class GroundedQuote:
    """A quotation and the passage that it was found in.

    Attributes:
        side: the response it names, as the pair's own side (not the letter the judge saw).
        start: where the passage starts in that response, in code points; None when absent.
        end: where it ends (exclusive); None when absent.
        score: likeness in 0..1; 1 is exact.
        differences: for a near match, runs of words as ("same" | "quote" | "response", text):
            what both say, what only the quotation says and what only the response says.
        segment: which segment of the evaluation it stands in; None outside a rollout.
    """

    side: Side
    text: str
    match: Match
    start: int | None = None
    end: int | None = None
    score: float = 1.0
    differences: tuple[tuple[str, str], ...] = ()
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class _Passage:
    """Words `first` to `last` (exclusive) of the response, and their likeness to a quotation."""

    first: int
    last: int
    score: float = 1.0


def ground(quote_text: str, response: str, side: Side) -> GroundedQuote:
    """Look one quotation up in a response; see `Grounder`, which also remembers."""
    return Grounder(response, side).ground(quote_text)


class Grounder:
    """Looks quotations up in one response; one that it has seen before costs nothing.

    A quotation is exact when its words and marks stand in the response in a row. White space,
    the shape of quotation marks and dashes, Markdown, list markers, marks around the quotation,
    its full stop and the case of its first letter may differ; where it marks an omission with an
    ellipsis, its pieces must stand there in order. It is near when its likeness is at least
    `NEAR`, as a whole or in pieces by line or sentence: other case, changed words, silent
    omissions. Else it is absent.
    """

    def __init__(self, response: str, side: Side) -> None:
        self._response = response
        self._side = side
        self._alphabet = Alphabet()
        self._known: dict[str, GroundedQuote] = {}

    # Most quotations are found to the letter: the rest of what is needed is made when it is.

    @cached_property
    def _words(self) -> list[Word]:
        return split_words(self._response)

    @cached_property
    def _cased(self) -> str:
        return self._alphabet.spell([word.text for word in self._words])

    @cached_property
    def _folded(self) -> str:
        return self._alphabet.spell([word.text.casefold() for word in self._words])

    def ground_all(self, text: str) -> tuple[GroundedQuote, ...]:
        """Look up what one quotation tag holds: one quotation, or several listed in it.

        Returns:
            Nothing for an empty tag.
        """
        if not text.strip():
            return ()
        whole = self.ground(text)
        items = _listed(text) if whole.match is not Match.EXACT else []
        return tuple(map(self.ground, items)) if len(items) > 1 else (whole,)

    def ground(self, text: str) -> GroundedQuote:
        """Look one quotation up."""
        if text not in self._known:
            if len(self._known) >= _MEMORY:
                self._known.clear()
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> GroundedQuote:
        literal = text.strip()
        start = self._response.find(literal) if literal else -1
        if start >= 0:
            return GroundedQuote(self._side, text, Match.EXACT, start, start + len(literal))
        words = _unframed(split_words(text))
        found = self._find(words)
        if found or (found := self._in_order(text)):
            return self._grounded(text, found, Match.EXACT)
        likely = [self._in_pieces(text), self._as_a_whole(text, words)]
        near = max(filter(None, likely), key=lambda quote: quote.score, default=None)
        return near or GroundedQuote(self._side, text, Match.ABSENT, score=0.0)

    def _grounded(
        self,
        text: str,
        passage: _Passage,
        match: Match,
        differences: tuple[tuple[str, str], ...] = (),
    ) -> GroundedQuote:
        start, end = self._words[passage.first].start, self._words[passage.last - 1].end
        return GroundedQuote(self._side, text, match, start, end, passage.score, differences)

    def _find(self, words: Sequence[Word], after: int = 0) -> _Passage | None:
        """The words in a row, from the response's word `after` on."""
        if not words:
            return None
        texts = [word.text for word in words]
        first = texts[0]
        for start in dict.fromkeys((first, first[:1].swapcase() + first[1:])):
            spelt = self._alphabet.spell([start, *texts[1:]])
            at = self._cased.find(spelt, after)
            if at < 0 and len(words) > 1 and texts[-1] in _ENDING:
                spelt = spelt[:-1]
                at = self._cased.find(spelt, after)
            if at >= 0:
                return _Passage(at, at + len(spelt))
        return None

    def _in_order(self, text: str) -> _Passage | None:
        """The pieces between ellipses, each in a row, one after the other."""
        pieces = _pieces(_ELLIPSIS, text)
        found: list[_Passage] = []
        for piece in pieces if len(pieces) > 1 else ():
            passage = self._find(piece, found[-1].last if found else 0)
            if passage is None:
                return None
            found.append(passage)
        return _Passage(found[0].first, found[-1].last) if found else None

    def _nearest(self, words: Sequence[Word]) -> _Passage | None:
        """The passage most like the words, if it is like enough."""
        if not _SHORTEST_FUZZY <= len(words) <= _MOST_WORDS and not self._find_folded(words):
            return None
        spelt = self._alphabet.spell([word.text.casefold() for word in words])
        first, last = 0, len(self._folded)
        if len(spelt) < last:
            best = fuzz.partial_ratio_alignment(spelt, self._folded, score_cutoff=40)
            if best is None:
                return None
            # The best window is as long as the quotation; what it skipped may make it longer.
            room = len(spelt) // 4 + 2
            first, last = max(0, best.dest_start - room), min(last, best.dest_end + room)
        kept = [o for o in Indel.opcodes(spelt, self._folded[first:last]) if o.tag == "equal"]
        if not kept:
            return None
        first, last = first + kept[0].dest_start, first + kept[-1].dest_end
        score = fuzz.ratio(_joined(words), _joined(self._words[first:last])) / 100
        return _Passage(first, last, min(score, _LESS_THAN_EXACT)) if score >= NEAR else None

    def _find_folded(self, words: Sequence[Word]) -> bool:
        return self._alphabet.spell([word.text.casefold() for word in words]) in self._folded

    def _as_a_whole(self, text: str, words: Sequence[Word]) -> GroundedQuote | None:
        passage = self._nearest(words) if words else None
        if passage is None:
            return None
        differences = self._differences(text, words, passage)
        return self._grounded(text, passage, Match.NEAR, differences)

    def _in_pieces(self, text: str) -> GroundedQuote | None:
        """The quotation piece by piece, where enough of it is there."""
        pieces = _pieces(_ELLIPSIS, text)
        if len(pieces) < 2:
            pieces = _pieces(_SENTENCE, text)
        if not 1 < len(pieces) <= _MOST_PIECES:
            return None
        found = list(self._locate(pieces))
        there = [passage for passage in found if passage]
        sizes = [len(_joined(piece)) for piece in pieces]
        likeness = [p.score * size if p else 0 for p, size in zip(found, sizes, strict=True)]
        score = min(sum(likeness) / sum(sizes), _LESS_THAN_EXACT)
        if not there or score < NEAR:
            return None
        runs: list[tuple[str, str]] = []
        read = 0
        for piece, passage in zip(pieces, found, strict=True):
            if passage is None:
                runs.append(("quote", _original(text, piece)))
                continue
            if runs and passage.first > read:
                runs.append(("response", self._omitted(read, passage.first)))
            runs += self._differences(text, piece, passage)
            read = passage.last
        span = _Passage(min(p.first for p in there), max(p.last for p in there), score)
        return self._grounded(text, span, Match.NEAR, tuple(runs))

    def _omitted(self, first: int, last: int) -> str:
        """The response's words between two pieces, the middle left out where they are many."""
        text = _original(self._response, self._words[first:last])
        half = _LONGEST_OMITTED // 2
        return text if len(text) <= _LONGEST_OMITTED else f"{text[:half]} {ELLIPSIS} {text[-half:]}"

    def _locate(self, pieces: Sequence[Sequence[Word]]) -> Iterator[_Passage | None]:
        after = 0
        for piece in pieces:
            passage = self._find(piece, after) or self._find(piece) or self._nearest(piece)
            yield passage
            after = passage.last if passage else after

    def _differences(
        self, text: str, words: Sequence[Word], passage: _Passage
    ) -> tuple[tuple[str, str], ...]:
        theirs = self._words[passage.first : passage.last]
        spelt = (self._alphabet.spell([word.text for word in side]) for side in (words, theirs))
        runs: list[tuple[str, str]] = []
        ours_read = theirs_read = 0
        for same in Indel.opcodes(*spelt).as_matching_blocks():
            if same.a > ours_read:
                runs.append(("quote", _original(text, words[ours_read : same.a])))
            if same.b > theirs_read:
                runs.append(("response", _original(self._response, theirs[theirs_read : same.b])))
            ours_read, theirs_read = same.a + same.size, same.b + same.size
            if same.size:
                runs.append(("same", _original(text, words[same.a : ours_read])))
        return tuple(runs)


def _original(text: str, words: Sequence[Word]) -> str:
    return text[words[0].start : words[-1].end]


def _joined(words: Sequence[Word]) -> str:
    return " ".join([word.text.casefold() for word in words])


def _unframed(words: list[Word]) -> list[Word]:
    """The words without quotation marks and ellipses around them."""
    first, last = 0, len(words)
    while first < last and words[first].text in _FRAME:
        first += 1
    while last > first and words[last - 1].text in _FRAME:
        last -= 1
    return words[first:last]


def _pieces(border: re.Pattern[str], text: str) -> list[list[Word]]:
    """The words between the borders, in their places in the whole text; empty pieces left out."""
    edges = [0, *(edge for match in border.finditer(text) for edge in match.span()), len(text)]
    pieces = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        words = _unframed(split_words(text[start:end]))
        pieces.append([Word(w.text, w.start + start, w.end + start) for w in words])
    return [piece for piece in pieces if piece]


def _listed(text: str) -> list[str]:
    """The quotations of a text that is nothing but a list of quoted texts; else nothing."""
    items: list[str] = []
    position = 0
    while position < len(text):
        conjunction = _AND.match(text, position)
        item = _QUOTED_ITEM.match(text, conjunction.end() if conjunction else position)
        if item is None:
            return []
        items.append(item[1] or item[2])
        position = item.end()
    return items
