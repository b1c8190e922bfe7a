"""A rollout's text, read into its sections: incremental, tolerant of tags, never raising."""

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rmr1.pair import Side
from rmr1.rubric import MOST_READ, Criterion, read_criteria
from rmr1.tags import EVIDENCE, Token, Tokeniser


class TaskType(StrEnum):
    """What the judge takes the task for."""

    CHAT = "Chat"
    REASONING = "Reasoning"


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


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a judge's text so far.

    Every text field is stripped of the space around it, keeps the space within, and is None
    until its section has begun.

    Attributes:
        text: the whole text as it came.
        thinking: what stands before a lone or closing `</think>`.
        type: None until it is said, or where it says neither word.
        rubric: the rubric's text without the justification in it.
        criteria: the rubric's criteria, a half-written last one included.
        evaluation: the `<eval>` section in order.
        prose: text outside all sections; for a model without tags, the whole evaluation.
        verdict: by the project's own rule, under the letters that the judge saw; None if there
            is none, or more than one.
        letters: every letter that an answer names, in order, so that a contradiction shows.
        open: names of the sections that have begun and not ended, outermost first.
        slips: what is odd about the tags, in words ("<eval> was never closed").
    """

    text: str
    thinking: str | None = None
    type: TaskType | None = None
    rubric: str | None = None
    criteria: tuple[Criterion, ...] = ()
    justify: str | None = None
    solution: str | None = None
    evaluation: tuple[Segment, ...] | None = None
    answer: str | None = None
    prose: str = ""
    verdict: Side | None = None
    letters: tuple[Side, ...] = ()
    open: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()


_ORDER = {"type": 0, "rubric": 1, "justify": 1, "solution": 1, "eval": 2, "answer": 3}
_ONLY_A_LETTER = re.compile(r"\[{0,2}\s*([ABab])\s*\]{0,2}\.?")
_THINK_TAG = re.compile(r"<\s{0,4}/?\s{0,4}think\s{0,4}>", re.IGNORECASE | re.ASCII)
_TYPE_WITHIN = 200  # characters of a type section; more is something else
_TYPE = re.compile(r"\b(?:chat|reasoning)\b", re.IGNORECASE)


def parse_trace(text: str) -> Trace:
    """Read a whole text; see `TraceParser` for the rules."""
    parser = TraceParser()
    parser.feed(text)
    return parser.finish()


class TraceParser:
    """Reads a judge's text while it is written; any chunking ends in the same trace.

    Tags. A section's opening tag ends whatever section is still open; a closing tag ends all
    that was opened within it; one that closes nothing is dropped. `<think>` and `<type>` within
    another section are text. A `</think>` without its opening tag makes everything before it
    thinking. Inside a quotation every tag but those of quotations and summaries is part of the
    quotation; only when the quotation is never closed is it taken to end where the evaluation
    ends.

    Verdict. A letter counts as `[[A]]` or `[[B]]` in an `<answer>` or outside all sections, and
    as a lone letter that is all an `<answer>` says. It must come after the last `</think>` and
    after the (first) `<eval>`, or, where there is none, after the last section. There is a
    verdict if all letters that count agree.
    """

    def __init__(self) -> None:
        self._tokeniser = Tokeniser()
        self._chunks: list[str] = []
        self._read = 0
        self._thoughts: list[tuple[int, int]] = []
        self._thinking: tuple[list[tuple[int, int]], str] = ([], "")
        self._rubric: tuple[str, tuple[Criterion, ...]] = ("", ())
        self._last: Trace | None = None
        self._begin()

    def _begin(self) -> None:
        self._stack: list[str] = []
        self._part: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self._segments: list[Segment] = []
        self._letters: list[Side] = []
        self._slips: Counter[str] = Counter()
        self._held: list[Token] = []
        self._kept = 0
        self._answered = 0

    def feed(self, chunk: str) -> None:
        """Take the next piece of the text, of any length."""
        self._chunks.append(chunk)
        for token in self._tokeniser.feed(chunk):
            self._take(token)

    def snapshot(self) -> Trace:
        """What is known so far; a half-received tag at the end is not shown yet."""
        return self._last or self._trace(tuple(self._stack))

    def finish(self) -> Trace:
        """The trace of the whole text; nothing may be fed after it."""
        if self._last is None:
            for token in self._tokeniser.finish():
                self._take(token)
            if self._held:
                self._end_quotation_early()
            left_open = tuple(self._stack)
            while self._stack:
                self._drop()
            self._last = self._trace(left_open)
        return self._last

    # Reading tokens

    @property
    def _top(self) -> str:
        return self._stack[-1] if self._stack else ""

    def _take(self, token: Token) -> None:
        self._read = token.end
        if self._top.startswith("quote") and self._quoted(token):
            return
        if not token.tag:
            self._take_text(token)
        elif self._top == "think" and (token.tag, token.closing) != ("think", True):
            self._part.append(token.text)
        else:
            if not token.exactly_written:
                self._slips["a tag is not written as the protocol writes it"] += 1
            if token.closing:
                self._close(token)
            else:
                self._open(token)

    def _take_text(self, token: Token) -> None:
        if token.letter and self._top in ("", "answer"):
            self._letters.append(token.letter)
        self._part.append(token.text)

    def _quoted(self, token: Token) -> bool:
        """Whether the token belongs to the quotation that is open, and is taken."""
        if token.tag in EVIDENCE:
            if self._held and not token.closing:
                self._end_quotation_early()
            elif self._held:
                self._slips[f"tags within <{self._top}> are part of the quotation"] += 1
                self._held.clear()
            return False
        ends = token.tag in ("eval", "think") if token.closing else token.tag in ("eval", "answer")
        if ends and not self._held:
            self._kept = sum(map(len, self._part))
        if ends or self._held:
            self._held.append(token)
        self._part.append(token.text)
        return True

    def _end_quotation_early(self) -> None:
        """Take back the tags held as part of a quotation that turns out never to be closed."""
        self._part = ["".join(self._part)[: self._kept]]
        held, self._held = self._held, []
        self._drop()
        for token in held:
            self._take(token)

    def _open(self, token: Token) -> None:
        name = token.tag
        if name in EVIDENCE:
            self._open_evidence(name)
        elif name in ("think", "type") and self._stack:
            self._part.append(token.text)
        elif name in self._stack:
            self._slips[f"<{name}> is opened within itself"] += 1
        else:
            if not (name == "justify" and self._top == "rubric"):
                while self._stack:
                    self._drop()
            self._open_section(name, token)

    def _open_section(self, name: str, token: Token) -> None:
        if name in self._texts:
            self._slips[f"<{name}> is there more than once"] += 1
        elif later := [n for n in self._texts if _ORDER.get(n, -1) > _ORDER.get(name, 9)]:
            self._slips[f"<{name}> comes after <{later[0]}>"] += 1
        if name not in ("answer", "think") and "eval" not in self._texts:
            self._forget_answers(f"an answer before <{name}> does not count")
        self._push(name)
        if name == "think":
            self._thoughts.append((token.end, -1))
        else:
            self._texts.setdefault(name, [])
        self._answered = len(self._letters)

    def _open_evidence(self, name: str) -> None:
        if self._top in EVIDENCE:
            if self._top.startswith("quote"):
                self._drop()
            if self._top.startswith("summary") and name.startswith("summary"):
                self._drop()
        if self._top in ("", "eval") or self._top.startswith("summary"):
            if not self._stack and "eval" not in self._texts and not self._letters:
                self._slips["<eval> was never opened"] += 1
                self._texts.setdefault("eval", [])
                self._push("eval")
            self._push(name)
        else:
            self._slips[f"<{name}> stands outside <eval>"] += 1

    def _close(self, token: Token) -> None:
        name = token.tag
        if name == "think":
            self._close_think(token)
        elif name in self._stack:
            while self._top != name:
                self._drop()
            self._pop()
        elif name in EVIDENCE and self._top in EVIDENCE:
            self._slips[f"<{self._top}> is closed by </{name}>"] += 1
            self._pop()
        else:
            self._slips[f"</{name}> closes nothing"] += 1

    def _close_think(self, token: Token) -> None:
        if self._top == "think":
            self._thoughts[-1] = (self._thoughts[-1][0], token.start)
            self._pop()
            self._forget_answers("an answer before </think> does not count")
        else:
            self._begin()
            self._thoughts = [(0, token.start)]

    def _forget_answers(self, slip: str) -> None:
        if self._letters:
            self._slips[slip] += 1
            self._letters.clear()
        self._texts.pop("answer", None)

    # The sections that are open

    def _push(self, name: str) -> None:
        self._flush()
        self._stack.append(name)

    def _pop(self) -> None:
        if self._top == "answer" and len(self._letters) == self._answered:
            lone = _ONLY_A_LETTER.fullmatch("".join(self._part).strip())
            if lone:
                self._slips["the answer is not written as [[A]] or [[B]]"] += 1
                self._letters.append(Side(lone[1].upper()))
        self._flush()
        self._stack.pop()

    def _drop(self) -> None:
        self._slips[f"<{self._top}> was never closed"] += 1
        self._pop()

    def _flush(self) -> None:
        """Put the text gathered since the last tag where it belongs."""
        text = self._gathered()
        self._part = []
        if not text or self._top == "think":
            return
        segment = self._segment(text)
        if segment:
            self._segments.append(segment)
        else:
            self._texts.setdefault(self._top, []).append(text)

    def _gathered(self) -> str:
        self._part = ["".join(self._part)]
        return self._part[0].strip()

    def _segment(self, text: str) -> Segment | None:
        if self._top == "eval":
            return Segment("text", text)
        if self._top.startswith("quote"):
            return Segment("quote", text, Side(self._top[-1]))
        if self._top.startswith("summary"):
            return Segment("summary", text, Side(self._top[-1]))
        return None

    # What is known

    def _trace(self, left_open: tuple[str, ...]) -> Trace:
        whole = "".join(self._chunks)
        self._chunks = [whole]
        text = self._gathered()
        segment = self._segment(text) if text else None
        segments = (*self._segments, segment) if segment else tuple(self._segments)
        kind = self._section("type", text)
        said = {word.lower() for word in _TYPE.findall((kind or "")[:_TYPE_WITHIN])}
        rubric = self._section("rubric", text)
        return Trace(
            text=whole,
            thinking=self._thought(whole),
            type=TaskType(said.pop().capitalize()) if len(said) == 1 else None,
            rubric=rubric,
            criteria=self._criteria(rubric),
            justify=self._section("justify", text),
            solution=self._section("solution", text),
            evaluation=segments if "eval" in self._texts or segments else None,
            answer=self._section("answer", text),
            prose=self._section("", text) or "",
            verdict=self._letters[0] if len(set(self._letters)) == 1 else None,
            letters=tuple(self._letters),
            open=left_open,
            slips=tuple(f"{s} ({n} times)" if n > 1 else s for s, n in self._slips.items()),
        )

    def _section(self, name: str, gathered: str) -> str | None:
        parts = self._texts.get(name)
        if gathered and self._top == name:
            parts = [*(parts or ()), gathered]
        return None if parts is None else "\n\n".join(parts)

    def _criteria(self, rubric: str | None) -> tuple[Criterion, ...]:
        read = (rubric or "")[:MOST_READ]
        if read != self._rubric[0]:
            self._rubric = (read, read_criteria(read))
        return self._rubric[1]

    def _thought(self, whole: str) -> str | None:
        if not self._thoughts:
            return None
        closed = [thought for thought in self._thoughts if thought[1] >= 0]
        if closed != self._thinking[0]:
            texts = (_THINK_TAG.sub("", whole[start:end]).strip() for start, end in closed)
            self._thinking = (closed, "\n\n".join(filter(None, texts)))
        start, end = self._thoughts[-1]
        if end >= 0:
            return self._thinking[1]
        parts = (self._thinking[1], whole[start : self._read].strip())
        return "\n\n".join(filter(None, parts))
