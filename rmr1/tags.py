"""A judge's text cut, while it is written, into tags, verdict letters and the text between."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rmr1.pair import Side

EVIDENCE = ("quote_A", "quote_B", "summary_A", "summary_B")
SECTIONS = ("type", "rubric", "justify", "solution", "eval", "answer")

_CANONICAL = {
    "rubrics": "rubric",
    **{name.lower(): name for name in ("think", *SECTIONS, *EVIDENCE)},
}
# The space inside a tag is bounded so that what must be held back at the end of a chunk is too.
_TOKEN = re.compile(
    r"(?ai:<\s{0,4}(?P<closing>/?)\s{0,4}(?P<name>" + "|".join(_CANONICAL) + r")\s{0,4}>)"
    r"|\[\[(?P<letter>[AB])\]\]"
)
_HALF_TAG = re.compile(r"<\s{0,4}/?\s{0,4}(?P<name>[a-z_]{0,9})\s{0,4}", re.ASCII | re.IGNORECASE)
_HALF_TOKEN = re.compile(r"(?:<[^<>\[]{0,23}|\[\[?[AB]?\]?)\Z")
_LONGEST_HALF = 24


@dataclass(frozen=True, slots=True)
class Token:
    """A tag, a verdict letter, or a piece of text.

    Attributes:
        text: as it was written.
        start: where it starts in the whole text, in code points.
        tag: the tag's name in its one spelling ("eval", "quote_A"); "" where it is no tag.
        closing: whether the tag is a closing one.
        letter: the side of a `[[A]]` or `[[B]]`.
    """

    text: str
    start: int
    tag: str = ""
    closing: bool = False
    letter: Side | None = None

    @property
    def exactly_written(self) -> bool:
        """Whether the tag has the protocol's spelling: no spaces, no alias, no other case."""
        return self.text == f"<{'/' if self.closing else ''}{self.tag}>"


class Tokeniser:
    """Cuts a text that arrives in chunks; the tokens do not depend on how it was chunked.

    A tag between two backticks is spoken about, not used: it counts as text.
    """

    def __init__(self) -> None:
        self._held = ""
        self._position = 0
        self._previous = ""

    def feed(self, chunk: str) -> Iterator[Token]:
        """The tokens that are certain now; a half-received tag at the end is held back."""
        return self._cut(self._held + chunk, last=False)

    def finish(self) -> Iterator[Token]:
        """What was held back, now that nothing follows."""
        return self._cut(self._held, last=True)

    def _cut(self, text: str, *, last: bool) -> Iterator[Token]:
        self._held = ""
        done = 0
        for match in _TOKEN.finditer(text):
            before = text[match.start() - 1] if match.start() else self._previous
            if before == "`" and match["name"]:
                if match.end() == len(text) and not last:
                    yield from self._text(text[done : match.start()])
                    self._held = text[match.start() :]
                    return
                if text[match.end() : match.end() + 1] == "`":
                    continue
            yield from self._text(text[done : match.start()])
            yield self._token(match)
            done = match.end()
        rest = text[done:]
        keep = len(rest) if last else len(rest) - _half_token_length(rest)
        yield from self._text(rest[:keep])
        self._held = rest[keep:]

    def _text(self, text: str) -> Iterator[Token]:
        if text:
            yield Token(text, self._advance(text))

    def _token(self, match: re.Match[str]) -> Token:
        text = match[0]
        if match["letter"]:
            return Token(text, self._advance(text), letter=Side(match["letter"]))
        tag = _CANONICAL[match["name"].lower()]
        return Token(text, self._advance(text), tag=tag, closing=bool(match["closing"]))

    def _advance(self, text: str) -> int:
        start = self._position
        self._position += len(text)
        self._previous = text[-1]
        return start


def _half_token_length(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a tag or a letter."""
    half = _HALF_TOKEN.search(text, max(0, len(text) - _LONGEST_HALF))
    if half is None:
        return 0
    if half[0].startswith("["):
        return len(half[0])
    tag = _HALF_TAG.fullmatch(half[0])
    begun = tag is not None and any(n.startswith(tag["name"].lower()) for n in _CANONICAL)
    return len(half[0]) if begun else 0
