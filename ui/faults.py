"""What can be wrong with a judgement: the list that annotators pick from."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be wrong.

    Attributes:
        name: what is stored as a label's tag.
        section: the section of the trace that it is about.
        key: the key that picks it once the reasoning is in view.
        title: a few words for the button.
        meaning: one sentence.
    """

    name: str
    section: str
    key: str
    title: str
    meaning: str


FAULTS = (
    Fault("wrong_type", "type", "c", "Wrong class", "The task is of the other type."),
    Fault(
        "rubric_misses",
        "rubric",
        "r",
        "Misses what matters",
        "The rubric leaves out what this prompt is about.",
    ),
    Fault(
        "weights_wrong", "rubric", "h", "Wrong weights", "The criteria weigh too much or little."
    ),
    Fault(
        "rubric_after_fact",
        "rubric",
        "p",
        "Made to fit",
        "The criteria were chosen to suit the winner, after the fact.",
    ),
    Fault(
        "solution_wrong", "solution", "l", "Wrong solution", "The judge's own solution is wrong."
    ),
    Fault(
        "solution_unused",
        "solution",
        "d",
        "Solution unused",
        "The judge's solution is right, but the evaluation does not follow it.",
    ),
    Fault("invented_quote", "eval", "i", "Invented quote", "A quotation stands in no response."),
    Fault("quote_out_of_context", "eval", "q", "Out of context", "A quotation is turned around."),
    Fault("unfair_summary", "eval", "m", "Unfair summary", "A summary misrepresents a response."),
    Fault("factual_error", "eval", "x", "Factual error", "It says something untrue of A or B."),
    Fault(
        "ignored_instruction",
        "eval",
        "g",
        "Missed instruction",
        "An instruction or constraint of the prompt was overlooked.",
    ),
    Fault(
        "length_or_style",
        "eval",
        "v",
        "Length or style",
        "Length or polish was rewarded instead of substance.",
    ),
    Fault("position_effect", "eval", "o", "Position", "The order of the responses decided."),
    Fault(
        "sycophancy",
        "eval",
        "k",
        "Swayed by confidence",
        "A confident tone was taken for being right.",
    ),
    Fault(
        "contradicts_verdict",
        "answer",
        "1",
        "Contradicts itself",
        "The reasoning speaks for the side that the verdict rejects.",
    ),
    Fault(
        "right_for_wrong_reason",
        "answer",
        "2",
        "Right, wrong reason",
        "The verdict is right, its reason is not.",
    ),
    Fault("unparseable", "answer", "3", "Unreadable", "The text cannot be followed or read."),
    Fault("really_a_tie", "answer", "4", "Really a tie", "Neither response is better."),
    Fault("unsafe_preference", "answer", "5", "Unsafe choice", "It prefers a harmful response."),
)
NAMES = frozenset(fault.name for fault in FAULTS)


def faults_view() -> list[dict[str, str]]:
    """The list as the page shows it."""
    return [asdict(fault) for fault in FAULTS]
