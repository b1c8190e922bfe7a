from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import InputError
from rmr1.judge import Judge
from rmr1.judgement import JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.replay import Pool
from rmr1.rollout import read_rollout
from rmr1.scaling import Resampled, saving_of, scale, scale_pool
from rmr1.scaling_text import scaling_text
from rmr1.stopping import is_decided
from tests.replies import CHAT

CALM = settings(max_examples=25, derandomize=True, deadline=None)
VERSION = JudgeVersion(backend="scripted", model="tiny", profile="cor")


def judged(number, ab, ba="", *, tokens=100, seconds=2.0, chosen="A", budget=1024, prompt=None):
    """A judgement whose votes name these sides of the pair in both orders; - names nobody."""
    pair = Pair.of(prompt or f"p{number}", f"a{number}", "b", chosen=chosen, id=f"{number}")
    rollouts = []
    for order, names in ((Order.AB, ab), (Order.BA, ba)):
        for vote, name in enumerate(names):
            letter = name if name == "-" else order.to_pair(Side(name))
            text = "" if name == "-" else CHAT.replace("[[A]]", f"[[{letter}]]")
            rollouts.append(
                read_rollout(
                    pair, order, text, vote=vote, completion_tokens=tokens, seconds=seconds
                )
            )
    plan = Plan(orders="both" if ba else "AB", votes=len(ab), temperature=1.0, max_tokens=budget)
    return conclude(pair, VERSION, plan, rollouts)


def pool_of(says, *, tokens=None, orders="AB", budget=1024):
    """A pool out of rows of +1, 0 and -1."""
    table = np.array(says, dtype=np.int64)
    table = table[:, None, :] if table.ndim == 2 else table
    counts = np.full(table.shape, 100.0) if tokens is None else np.array(tokens, dtype=float)
    return Pool(
        plan=Plan(orders=orders, votes=table.shape[2], temperature=1.0, max_tokens=budget),
        prompts=tuple(f"p{number}" for number in range(len(table))),
        says=table,
        tokens=counts.reshape(table.shape),
        seconds=counts.reshape(table.shape) / 50,
    )


def plan(pool, **changes):
    return pool.plan.model_copy(update=changes)


def test_all_votes_replayed_are_the_judgements_themselves():
    given_ = [judged(1, "AAAB", "AABB"), judged(2, "BBBA", "AB-B"), judged(3, "AABB", "ABAB")]
    pool = Pool.of(given_)
    found = pool.replay(pool.plan)
    assert list(found.right) == [bool(one.correct) for one in given_] == [True, False, False]
    assert list(found.mute) == [one.verdict is None for one in given_] == [False, False, True]
    assert list(found.tokens) == [800, 800, 800]
    assert list(found.seconds) == [16, 16, 16]


def test_fewer_votes_are_the_mean_over_all_ways_to_draw_them():
    pool = pool_of([[1, 1, -1, 0]])
    one = pool.replay(plan(pool, votes=1), times=800)
    assert one.right[0] == pytest.approx(1 / 2, abs=0.06)
    assert one.mute[0] == pytest.approx(1 / 4, abs=0.06)
    three = pool.replay(plan(pool, votes=3), times=800)
    assert three.right[0] == pytest.approx(1 / 2, abs=0.06)  # unless a 1 is the one left out
    assert three.tokens[0] == 300


def test_one_order_of_a_pool_of_both_leaves_the_other_out():
    pool = pool_of([[[1, 1], [-1, -1]]], orders="both")
    for orders, right, tokens in (("AB", 1, 200), ("BA", 0, 200), ("both", 0, 400)):
        found = pool.replay(plan(pool, orders=orders))
        assert (found.right[0], found.tokens[0], found.rollouts[0]) == (right, tokens, tokens / 100)
    assert pool.replay(plan(pool, orders="both")).mute[0] == 1


@pytest.mark.parametrize(
    ("budget", "right", "mute", "tokens", "seconds"),
    [(1024, 1, 0, 1000, 20), (300, 0, 1, 700, 14), (299, 0, 0, 698, 13.96), (99, 0, 1, 297, 5.94)],
)
def test_a_rollout_over_the_budget_is_cut_and_has_no_verdict(budget, right, mute, tokens, seconds):
    pool = pool_of([[1, 1, -1]], tokens=[[300, 600, 100]])
    found = pool.replay(plan(pool, max_tokens=budget))
    measured = (found.right[0], found.mute[0], found.tokens[0], found.seconds[0])
    assert measured == pytest.approx((right, mute, tokens, seconds))


@pytest.mark.parametrize(
    "changes",
    [{"votes": 5}, {"orders": "both"}, {"orders": "BA"}, {"max_tokens": 2000}],
)
def test_what_was_not_drawn_is_not_made_up(changes):
    pool = pool_of([[1, 1, -1, 0]])
    with pytest.raises(ValueError, match=r"drew|allowed"):
        pool.replay(plan(pool, **changes))


@pytest.mark.parametrize("said", ["AAAAA", "ABAAA", "A-BAA", "BABAB", "-----"])
def test_an_early_stop_replayed_is_what_the_judge_does(said):
    letters = {name: CHAT.replace("[[A]]", f"[[{name}]]") for name in "AB"} | {"-": ""}
    backend = ScriptedBackend(lambda request: letters[said[request.sampling.seed]])
    judge = Judge(backend, load_profile("cor"))
    pair = Pair.of("p", "Canberra.", "It is Sydney", chosen="A")
    early = judge.judge(pair, Plan(votes=5, stop_at=0.9))
    says = [{"A": 1, "B": -1, "-": 0}[name] for name in said]
    assert played_out(says, 0.9) == (early.correct, len(early.rollouts))


@CALM
@given(
    st.lists(st.sampled_from([1, -1, 0]), min_size=5, max_size=5),
    st.sampled_from([0.6, 0.8, 0.9, 0.95, 1.0]),
)
def test_a_replay_is_the_mean_over_all_successions_of_the_votes(says, stop_at):
    right, rounds = np.mean([played_out(one, stop_at) for one in permutations(says)], axis=0)
    pool = pool_of([says])
    replayed = pool.replay(plan(pool, stop_at=stop_at), times=600)
    assert replayed.right[0] == pytest.approx(right, abs=0.1)
    assert replayed.rollouts[0] == pytest.approx(rounds, abs=0.2)


def played_out(says, stop_at):
    """Whether votes in this succession end right, and how many are drawn."""
    for drawn in range(1, len(says) + 1):
        head = list(says[:drawn])
        if is_decided(((head.count(1), head.count(-1), len(says) - drawn),), stop_at):
            break
    return sum(head) > 0, drawn


@CALM
@given(
    st.lists(
        st.lists(st.sampled_from([1, 1, -1, 0]), min_size=6, max_size=6), min_size=1, max_size=6
    ),
    st.sampled_from([0.8, 0.95, 1.0]),
)
def test_an_early_stop_never_costs_more_and_at_certainty_changes_nothing(says, stop_at):
    pool = pool_of(says)
    every = pool.replay(pool.plan)
    early = pool.replay(plan(pool, stop_at=stop_at))
    assert (early.tokens <= every.tokens + 1e-9).all()
    if stop_at == 1.0:
        assert early.right == pytest.approx(every.right)
        assert early.mute == pytest.approx(every.mute)


def test_the_same_seed_makes_the_same_curves_and_another_one_others():
    random = np.random.default_rng(3)
    pool = pool_of(random.choice([1, 1, -1, 0], size=(30, 8)))
    assert scale_pool(pool, replays=4) == scale_pool(pool, replays=4)
    assert scale_pool(pool, replays=4) != scale_pool(pool, replays=4, seed=1)


def test_the_curves_hold_votes_orders_budgets_and_early_stops():
    given_ = [judged(n, "AAAB" if n % 3 else "BBBA", "AABA") for n in range(12)]
    found = scale(given_, replays=4)
    assert [(one.kind, one.orders, one.votes) for one in found.curves] == [
        ("votes", "AB", None),
        ("budget", "AB", 1),
        ("budget", "AB", 4),
        ("adaptive", "AB", 4),
        ("votes", "both", None),
        ("budget", "both", 1),
        ("budget", "both", 4),
        ("adaptive", "both", 4),
    ]
    votes, budget, *_ = found.curves
    assert [point.plan.votes for point in votes.points] == [1, 2, 4]
    assert [point.plan.max_tokens for point in budget.points] == [128, 256, 512, 1024]
    assert len(found.savings) == 10
    assert (found.pairs, found.prompts, found.skipped) == (12, 12, 0)
    assert [one.source for one in found.calibrations] == ["votes"]
    assert votes.points[-1].accuracy.value == pytest.approx(8 / 12)
    assert votes.points[-1].seconds.value == 8.0


def test_the_interval_knows_that_pairs_of_one_prompt_are_alike():
    apart = [judged(n, "AA" if n % 2 else "BB") for n in range(40)]
    alike = [judged(n, "AA" if n % 8 < 4 else "BB", prompt=f"q{n // 4}") for n in range(40)]

    def width(judgements):
        accuracy = scale(judgements).curves[0].points[-1].accuracy
        assert accuracy.value == 0.5
        return accuracy.high - accuracy.low

    assert width(apart) == pytest.approx(2 * 1.96 * 0.5 / 40**0.5, rel=0.15)
    assert width(alike) == pytest.approx(2 * width(apart), rel=0.2)


def test_a_single_prompt_has_no_interval():
    found = scale([judged(n, "AB", prompt="the same") for n in range(5)])
    accuracy = found.curves[0].points[0].accuracy
    assert (accuracy.low, accuracy.high) == (None, None)


def test_a_difference_is_taken_pair_by_pair():
    pool = pool_of([[1, 1, 1, 1], [-1, -1, -1, -1]] * 20)
    one, four = plan(pool, votes=1), pool.plan
    means = Resampled(pool.prompts, {some.hash: pool.replay(some) for some in (one, four)})
    assert means.mean(four, "right").high > 0.6
    assert means.difference(one, four).low == means.difference(one, four).high == 0
    assert means.ratio(one, four).value == 0.25


def test_pairs_without_a_known_better_side_are_counted_and_left_out():
    given_ = [judged(1, "AA"), judged(2, "AA", chosen=None), judged(3, "BA")]
    assert scale(given_).skipped == 1


def with_plan(judgement, **changes):
    return replace(judgement, plan=judgement.plan.model_copy(update=changes))


@pytest.mark.parametrize(
    ("judgements", "said"),
    [
        ([judged(1, "AA", chosen=None)], "nothing to measure"),
        ([with_plan(judged(1, "AA"), stop_at=0.9)], "stopped voting early"),
        ([with_plan(judged(1, "AA"), votes=4)], "2 rollouts in the order AB"),
        ([judged(1, "AA", tokens=None)], "how many tokens"),
    ],
)
def test_judgements_that_cannot_be_replayed_are_refused(judgements, said):
    with pytest.raises(InputError, match=said):
        scale(judgements)


def test_without_measured_seconds_there_are_no_seconds():
    found = scale([judged(n, "AAB", seconds=None) for n in range(3)])
    assert all(point.seconds is None for curve in found.curves for point in curve.points)


def test_the_text_holds_every_point_saving_and_calibration():
    found = scale([judged(n, "AAAB" if n % 3 else "BBBA", "AABA") for n in range(12)], replays=4)
    text = scaling_text(found)
    points = sum(len(curve.points) for curve in found.curves)
    bins = sum(bool(part.right.n) for one in found.calibrations for part in one.bins)
    rows = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    tables = len(found.curves) + 1 + len(found.calibrations)
    assert len(rows) == points + len(found.savings) + bins + tables
    assert "| both, 4 votes, 1,024 tokens, stops at 0.95 |" in text
    assert "66.7 %" in text


def test_what_is_gained_by_fewer_draws_alone_is_told_apart():
    pool = pool_of([[1, 1, -1, -1]] * 30)  # all votes: a draw on every pair
    early = plan(pool, stop_at=0.9)
    replayed = {some.hash: pool.replay(some, times=200) for some in (early, pool.plan)}
    saving = saving_of(early, Resampled(pool.prompts, replayed))
    assert saving.difference.value == pytest.approx(1 / 6, abs=0.03)  # both right ones came first
    assert saving.half_difference.value == pytest.approx(0, abs=0.03)
