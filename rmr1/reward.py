"""What a judge's text is worth in RL: the published reward, and terms that a recipe may add.

Every term is a function of text alone. Responses are given as the judge saw them: the one under
the letter A first.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from rmr1.errors import InputError
from rmr1.grounding import Match
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Layout
from rmr1.rollout import State, read_rollout
from rmr1.rubric import weights_add_up
from rmr1.trace import TaskType, parse_trace
from rmr1.verdict import training_verdict

WINNERS: Final = {"model_a": Side.A, "model_b": Side.B}
"""How training sets name the better response, by the letter that the judge saw."""


def published_reward(text: str, winner: str) -> float:
    """The reward that RM-R1 is trained with: 1.0 for the right verdict, else -1.0.

    Right is: the last 80 characters hold the winner's full tag `<answer>[[X]]</answer>`, and not
    the other's. Wrong, missing, malformed, both, and pushed out of the window are one.

    Raises:
        InputError: `winner` is neither `model_a` nor `model_b`.

    Source: RM-R1 at d4c2542, rm_r1/verl/utils/reward_score/lm_as_judge.py.
    """
    return 1.0 if _is_right(text, winner) else -1.0


def answer_reward(text: str, winner: str) -> float:
    """The same rule as 1.0 or 0.0, as in the ablation that begins RL without distillation.

    Raises:
        InputError: `winner` is neither `model_a` nor `model_b`.

    Source: RM-R1 (arXiv 2505.02387), appendix G.1, equation 11.
    """
    return 1.0 if _is_right(text, winner) else 0.0


def _is_right(text: str, winner: str) -> bool:
    if winner not in WINNERS:
        raise InputError(f"The winner must be model_a or model_b, not {winner!r}.")
    return training_verdict(text) is WINNERS[winner]


def format_reward(text: str, layout: Layout = "cor") -> float:
    """1.0 for a complete text whose tags are clean, else 0.0.

    Clean is: every tag closed once, in order, written as the protocol writes it.

    Args:
        layout: "cor" wants the sections of the protocol; "reasoning" only an answer.
    """
    rollout = read_rollout(_NOTHING, Order.AB, text, layout=layout)
    return 1.0 if rollout.state is State.COMPLETE and not rollout.trace.slips else 0.0


def grounding_penalty(text: str, response_a: str, response_b: str) -> float:
    """Minus the share of quotations that stand in neither letter nor likeness where they claim to.

    Returns:
        In -1..0; 0 where nothing is quoted.
    """
    pair = _NOTHING.model_copy(update={"response_a": response_a, "response_b": response_b})
    quotes = read_rollout(pair, Order.AB, text).quotes
    if not quotes:
        return 0.0
    return -sum(quote.match is Match.ABSENT for quote in quotes) / len(quotes)


def weights_penalty(text: str) -> float:
    """-1.0 for a rubric whose criteria have no weights or weights that do not add up, else 0.0.

    A text without a rubric costs nothing, as a Reasoning trace has none; points may have any
    total.
    """
    trace = parse_trace(text)
    if trace.type is TaskType.REASONING or trace.rubric is None:
        return 0.0
    weighted = any(criterion.weight is not None for criterion in trace.criteria)
    return 0.0 if weighted and weights_add_up(trace.criteria) is not False else -1.0


def length_penalty(length: int, soft: int, hard: int) -> float:
    """0 up to the soft budget, then falling evenly to -1 at the hard one.

    Args:
        length: of the text, in the unit of both budgets.

    Raises:
        InputError: the budgets are not in order.
    """
    if not 0 <= soft < hard:
        raise InputError(f"The soft budget {soft} must be less than the hard one {hard}.")
    return -min(1.0, max(0.0, (length - soft) / (hard - soft)))


class Drawn(NamedTuple):
    """A rollout of a batch.

    Attributes:
        pair: any key that both orders of a pair share.
        order: in which order this one read the responses.
    """

    pair: str
    order: Order
    text: str


def swap_rewards(batch: Sequence[Drawn]) -> list[float | None]:
    """How far each rollout agrees with those that read the same pair in the other order.

    Returns:
        For each rollout the share, 0..1, of the other order's rollouts that name the same
        response; 0 for one without a verdict; None where the other order was not drawn.
    """
    named: dict[tuple[str, Order], list[Side | None]] = defaultdict(list)
    own: list[Side | None] = []
    for one in batch:
        letter = training_verdict(one.text)
        side = one.order.to_pair(letter) if letter else None
        own.append(side)
        named[one.pair, one.order].append(side)
    rewards: list[float | None] = []
    for one, side in zip(batch, own, strict=True):
        others = named.get((one.pair, Order.BA if one.order is Order.AB else Order.AB))
        if not others:
            rewards.append(None)
        else:
            rewards.append(others.count(side) / len(others) if side else 0.0)
    return rewards


_NOTHING: Final = Pair.of("-", "", "")
