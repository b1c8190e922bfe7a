import pytest

from rmr1.judgement import Judgement, JudgeVersion, conclude, swap
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import Rollout, State, read_rollout
from rmr1.trace import TaskType

A, B = Side.A, Side.B
PAIR = Pair.of("What is 2 + 2?", "five", "four", chosen=B)
VERSION = JudgeVersion(backend="scripted", model="tester")
TRACE = (
    "<type>Reasoning</type><solution>4</solution>"
    "<eval><quote_A>{quote}</quote_A></eval><answer>[[{letter}]]</answer>"
)


def rollout(
    verdict: Side | None, order: Order = Order.AB, probability_a: float | None = None
) -> Rollout:
    """A rollout whose verdict on the pair is `verdict`; without one, it was cut off."""
    if verdict is None:
        return read_rollout(PAIR, order, "<type>Chat", finish_reason="length")
    text = TRACE.format(letter=order.to_pair(verdict), quote=PAIR.shown(order)[0])
    return read_rollout(PAIR, order, text, finish_reason="stop", probability_a=probability_a)


def judged(*rollouts: Rollout) -> Judgement:
    return conclude(PAIR, VERSION, Plan(votes=max(1, len(rollouts))), rollouts)


def test_one_complete_rollout_is_the_judgement() -> None:
    judgement = judged(rollout(B))
    assert (judgement.verdict, judgement.state, judgement.reason) == (B, State.COMPLETE, "")
    assert (judgement.confidence, judgement.confidence_source) == (None, None)
    assert judgement.swap_consistent is None
    assert judgement.type is TaskType.REASONING
    assert judgement.correct is True


@pytest.mark.parametrize(
    ("votes", "verdict", "state"),
    [
        ([A, A, B], A, State.COMPLETE),
        ([B, None], B, State.COMPLETE),
        ([A, B], None, State.CONTRADICTORY),
        ([None, None], None, State.TRUNCATED),
    ],
)
def test_a_majority_wins_and_a_missing_verdict_never_votes(
    votes: list[Side | None], verdict: Side | None, state: State
) -> None:
    judgement = judged(*map(rollout, votes))
    assert (judgement.verdict, judgement.state) == (verdict, state)
    assert judgement.correct is (verdict is B)


def test_a_missing_verdict_lowers_the_confidence_of_votes() -> None:
    judgement = judged(rollout(B), rollout(B), rollout(None), rollout(B))
    assert (judgement.confidence, judgement.confidence_source) == (0.75, "votes")


def test_log_probabilities_are_the_confidence_where_every_vote_has_them() -> None:
    both = judged(rollout(B, probability_a=0.2), rollout(B, probability_a=0.4))
    assert both.confidence == pytest.approx(0.7)
    assert both.confidence_source == "logprobs"
    assert judged(rollout(B, probability_a=0.2), rollout(B)).confidence_source == "votes"


@pytest.mark.parametrize(
    ("first", "second", "consistent"),
    [(A, A, True), (A, B, False), (A, None, None), (None, None, None)],
)
def test_both_orders_tell_whether_the_judge_is_consistent(
    first: Side | None, second: Side | None, consistent: bool | None
) -> None:
    judgement = judged(rollout(first, Order.AB), rollout(second, Order.BA))
    assert judgement.swap_consistent is consistent


def test_a_pair_without_a_known_better_side_is_neither_right_nor_wrong() -> None:
    pair = PAIR.model_copy(update={"chosen": None})
    assert conclude(pair, VERSION, Plan(), [rollout(B)]).correct is None


def test_swapping_puts_every_letter_right_and_is_its_own_inverse() -> None:
    judgement = judged(rollout(B, probability_a=0.25))
    swapped = swap(judgement)
    assert (swapped.verdict, swapped.pair.chosen, swapped.correct) == (A, A, True)
    (turned,) = swapped.rollouts
    assert (turned.order, turned.verdict, turned.probability_a) == (Order.BA, A, 0.75)
    assert [q.side for q in turned.quotes] == [B]
    assert turned.order.to_pair(turned.trace.verdict or A) is turned.verdict
    assert swap(swapped) == judgement


def test_a_version_is_known_by_all_it_is_made_of() -> None:
    assert VERSION.hash == JudgeVersion(backend="scripted", model="tester").hash
    assert VERSION.hash != JudgeVersion(backend="scripted", model="tester", adapter="cor").hash
    assert JudgeVersion("x", "m", adapter="a", profile="cor").title == "m + a · cor"
