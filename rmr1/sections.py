"""The sections of a judge's text while they fill: which are open, and what stands in each."""

from dataclasses import dataclass
from typing import Literal

from rmr1.pair import Side
from rmr1.tags import EVIDENCE

SegmentKind = Literal["text", "quote", "summary"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the evaluation: running text, a quotation, or a summary of one side.

    Attributes:
        side: whom a quotation or summary is about, under the letters that the judge saw;
            None for running text.
    """

    kind: SegmentKind
    text: str
    side: Side | None = None


class Sections:
    """A stack of open sections and the text of all; "" is the text outside them."""

    def __init__(self) -> None:
        self.stack: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self._segments: list[Segment] = []
        self._part: list[str] = []

    def __contains__(self, name: str) -> bool:
        """Whether the section has ever begun."""
        return name in self._texts

    @property
    def top(self) -> str:
        """The innermost open section."""
        return self.stack[-1] if self.stack else ""

    def begun(self) -> list[str]:
        """The sections that have begun, in the order in which they first did."""
        return list(self._texts)

    def push(self, name: str) -> None:
        """Open a section."""
        self._flush()
        self.stack.append(name)
        if name not in EVIDENCE:
            self._texts.setdefault(name, [])

    def pop(self) -> None:
        """Close the innermost section."""
        self._flush()
        self.stack.pop()

    def forget(self, name: str) -> None:
        """Let a closed section not have been."""
        self._texts.pop(name, None)

    def add(self, text: str) -> None:
        """Add text to the innermost section."""
        self._part.append(text)

    def part(self) -> str:
        """The text of the innermost section since the last tag."""
        self._part = ["".join(self._part)]
        return self._part[0]

    def cut(self, length: int) -> None:
        """Keep only so many characters of `part`."""
        self._part = [self.part()[:length]]

    def text(self, name: str) -> str | None:
        """A section's text, its pieces a blank line apart; None if it has not begun."""
        pieces = self._texts.get(name)
        part = self.part().strip() if self.top == name else ""
        if part:
            pieces = [*(pieces or ()), part]
        return None if pieces is None else "\n\n".join(pieces)

    def evaluation(self) -> tuple[Segment, ...] | None:
        """The evaluation and whatever is quoted outside it; None if neither has begun.

        Of empty pieces only a quotation or summary that is still open is there.
        """
        part = self.part().strip()
        last = _segment(self.top, part) if part or self.top in EVIDENCE else None
        segments = (*self._segments, last) if last else tuple(self._segments)
        return segments if segments or "eval" in self._texts else None

    def _flush(self) -> None:
        """Put the text since the last tag where it belongs."""
        part = self.part().strip()
        self._part = []
        if not part:
            return
        segment = _segment(self.top, part)
        if segment:
            self._segments.append(segment)
        else:
            self._texts.setdefault(self.top, []).append(part)


def _segment(name: str, text: str) -> Segment | None:
    """The text as a piece of the evaluation, where `name` is a part of it."""
    if name == "eval":
        return Segment("text", text)
    if name.startswith("quote"):
        return Segment("quote", text, Side(name[-1]))
    if name.startswith("summary"):
        return Segment("summary", text, Side(name[-1]))
    return None
