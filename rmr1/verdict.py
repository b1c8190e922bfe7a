"""Three rules for reading a verdict out of a judge's text, under their names."""

from collections.abc import Callable

from rmr1.pair import Side
from rmr1.trace import parse_trace

_WINDOW = 80


def training_verdict(text: str) -> Side | None:
    """The rule of the published reward: the full answer tag in the last 80 characters.

    Returns:
        The one side whose `<answer>[[X]]</answer>` stands there; None for neither or both.

    Source: RM-R1 at d4c2542, rm_r1/verl/utils/reward_score/lm_as_judge.py.
    """
    window = text[-_WINDOW:]
    return _only([side for side in Side if f"<answer>[[{side}]]</answer>" in window])


def evaluation_verdict(text: str) -> Side | None:
    """The rule of the published benchmark scripts: a bare `[[X]]` anywhere, thinking included.

    Returns:
        The one side that is named; None for neither or both, which the scripts count as wrong.

    Source: RM-R1 at d4c2542, eval/reward-bench/rewardbench/generative.py, process_judgement.
    """
    return _only([side for side in Side if f"[[{side}]]" in text])


def own_verdict(text: str) -> Side | None:
    """The project's rule: the answer after the evaluation, see `rmr1.trace.TraceParser`."""
    return parse_trace(text).verdict


VERDICT_RULES: dict[str, Callable[[str], Side | None]] = {
    "training": training_verdict,
    "evaluation": evaluation_verdict,
    "ours": own_verdict,
}


def _only(named: list[Side]) -> Side | None:
    return named[0] if len(named) == 1 else None
