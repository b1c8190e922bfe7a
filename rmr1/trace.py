"""A rollout's text, read into its sections: incremental, tolerant of tags, never raising."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rmr1.pair import Side
from rmr1.rubric import Criterion


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
