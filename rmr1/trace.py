"""A rollout's text, read into its sections: incremental, tolerant of tags, never raising."""

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from rmr1.pair import Side
from rmr1.rubric import MOST_READ, Criterion, read_criteria
from rmr1.sections import Sections, Segment, SegmentKind
from rmr1.tags import EVIDENCE, Token, Tokeniser

__all__ = ["Segment", "SegmentKind", "TaskType", "Trace", "TraceParser", "parse_trace"]


class TaskType(StrEnum):
    """What the judge takes the task for."""

    CHAT = "Chat"
    REASONING = "Reasoning"


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


_ORDER = {
    "": -1,
    "think": -1,
    "type": 0,
    "rubric": 1,
    "justify": 1,
    "solution": 1,
    "eval": 2,
    "answer": 3,
}
_LONE_LETTER = re.compile(r"\[{0,2}\s*([ABab])\s*\]{0,2}\.?")
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
        self._thought_until: int | None = None
        self._thought: tuple[int | None, str] = (None, "")
        self._rubric: tuple[str, tuple[Criterion, ...]] = ("", ())
        self._last: Trace | None = None
        self._begin()

    def _begin(self) -> None:
        self._sections = Sections()
        self._letters: list[Side] = []
        self._letters_before_answer = 0
        self._slips: Counter[str] = Counter()
        self._held: list[Token] = []
        self._quoted_for_sure = 0

    def feed(self, chunk: str) -> None:
        """Take the next piece of the text, of any length."""
        self._chunks.append(chunk)
        for token in self._tokeniser.feed(chunk):
            self._take(token)

    def snapshot(self) -> Trace:
        """What is known so far; a half-received tag at the end is not shown yet."""
        return self._last or self._trace(tuple(self._sections.stack))

    def finish(self) -> Trace:
        """The trace of the whole text; nothing may be fed after it."""
        if self._last is None:
            for token in self._tokeniser.finish():
                self._take(token)
            if self._held:
                self._end_quotation_early()
            left_open = tuple(self._sections.stack)
            self._drop_all()
            self._last = self._trace(left_open)
        return self._last

    def _take(self, token: Token) -> None:
        top = self._sections.top
        if top.startswith("quote") and self._is_quoted(token):
            return
        if not token.tag:
            if token.letter and top in ("", "answer"):
                self._letters.append(token.letter)
            self._sections.add(token.text)
        elif top == "think" and (token.tag, token.closing) != ("think", True):
            self._sections.add(token.text)
        else:
            if not token.exactly_written:
                self._slips["a tag is not written as the protocol writes it"] += 1
            if token.closing:
                self._close(token)
            else:
                self._open(token)

    def _is_quoted(self, token: Token) -> bool:
        """Whether the token is a part of the quotation that is open; if so it is taken.

        From the first tag on that could end an evaluation, what is quoted is held too, in case
        the quotation is never closed.
        """
        if token.tag in EVIDENCE:
            if self._held and not token.closing:
                self._end_quotation_early()
            elif self._held:
                name = self._sections.top
                self._slips[f"tags within <{name}> are part of the quotation"] += 1
                self._held.clear()
            return False
        ends = token.tag in (("eval", "think") if token.closing else ("eval", "answer"))
        if ends and not self._held:
            self._quoted_for_sure = len(self._sections.part())
        if ends or self._held:
            self._held.append(token)
        self._sections.add(token.text)
        return True

    def _end_quotation_early(self) -> None:
        """Take the tags that were held as part of a quotation for tags after all."""
        self._sections.cut(self._quoted_for_sure)
        held, self._held = self._held, []
        self._drop()
        for token in held:
            self._take(token)

    def _open(self, token: Token) -> None:
        name, sections = token.tag, self._sections
        if name in EVIDENCE:
            self._open_evidence(name)
        elif name in ("think", "type") and sections.stack:
            sections.add(token.text)
        elif name in sections.stack:
            self._slips[f"<{name}> is opened within itself"] += 1
        else:
            if not (name == "justify" and sections.top == "rubric"):
                self._drop_all()
            self._open_section(name)

    def _open_section(self, name: str) -> None:
        sections = self._sections
        later = [other for other in sections.begun() if _ORDER[other] > _ORDER[name]]
        if name in sections:
            self._slips[f"<{name}> is there more than once"] += 1
        elif later:
            self._slips[f"<{name}> comes after <{later[0]}>"] += 1
        if name not in ("answer", "think") and "eval" not in sections:
            self._forget_answers(f"an answer before <{name}> does not count")
        sections.push(name)
        self._letters_before_answer = len(self._letters)

    def _open_evidence(self, name: str) -> None:
        sections = self._sections
        if sections.top.startswith("quote"):
            self._drop()
        if sections.top.startswith("summary") and name.startswith("summary"):
            self._drop()
        if not sections.stack and "eval" not in sections and not self._letters:
            self._slips["<eval> was never opened"] += 1
            sections.push("eval")
        if sections.top in ("", "eval", *EVIDENCE):
            sections.push(name)
        else:
            self._slips[f"<{name}> stands outside <eval>"] += 1

    def _close(self, token: Token) -> None:
        name, sections = token.tag, self._sections
        if name == "think":
            self._close_think(token)
        elif name in sections.stack:
            while sections.top != name:
                self._drop()
            self._pop()
        elif name in EVIDENCE and sections.top in EVIDENCE:
            self._slips[f"<{sections.top}> is closed by </{name}>"] += 1
            self._pop()
        else:
            self._slips[f"</{name}> closes nothing"] += 1

    def _close_think(self, token: Token) -> None:
        if self._sections.top == "think":
            self._pop()
            self._forget_answers("an answer before </think> does not count")
        else:
            self._begin()
            self._thought_until = token.start

    def _forget_answers(self, slip: str) -> None:
        if self._letters:
            self._slips[slip] += 1
            self._letters.clear()
        self._sections.forget("answer")

    def _pop(self) -> None:
        if self._sections.top == "answer" and len(self._letters) == self._letters_before_answer:
            lone = _LONE_LETTER.fullmatch(self._sections.part().strip())
            if lone:
                self._slips["the answer is not written as [[A]] or [[B]]"] += 1
                self._letters.append(Side(lone[1].upper()))
        self._sections.pop()

    def _drop(self) -> None:
        self._slips[f"<{self._sections.top}> was never closed"] += 1
        self._pop()

    def _drop_all(self) -> None:
        while self._sections.stack:
            self._drop()

    def _trace(self, left_open: tuple[str, ...]) -> Trace:
        whole = "".join(self._chunks)
        self._chunks = [whole]
        text = self._sections.text
        rubric = text("rubric")
        return Trace(
            text=whole,
            thinking=self._thinking(whole),
            type=_task_type(text("type") or ""),
            rubric=rubric,
            criteria=self._criteria(rubric or ""),
            justify=text("justify"),
            solution=text("solution"),
            evaluation=self._sections.evaluation(),
            answer=text("answer"),
            prose=text("") or "",
            verdict=self._letters[0] if len(set(self._letters)) == 1 else None,
            letters=tuple(self._letters),
            open=left_open,
            slips=tuple(f"{s} ({n} times)" if n > 1 else s for s, n in self._slips.items()),
        )

    def _criteria(self, rubric: str) -> tuple[Criterion, ...]:
        read = rubric[:MOST_READ]
        if read != self._rubric[0]:
            self._rubric = (read, read_criteria(read))
        return self._rubric[1]

    def _thinking(self, whole: str) -> str | None:
        """What stands before the last lone `</think>`, and in the `<think>` sections after it."""
        until, tagged = self._thought_until, self._sections.text("think")
        if until is None:
            return tagged
        if until != self._thought[0]:
            self._thought = (until, _THINK_TAG.sub("", whole[:until]).strip())
        return "\n\n".join(filter(None, (self._thought[1], tagged)))


def _task_type(text: str) -> TaskType | None:
    said = {word.lower() for word in _TYPE.findall(text[:_TYPE_WITHIN])}
    return TaskType(said.pop().capitalize()) if len(said) == 1 else None
