from dataclasses import replace

import pytest

from rmr1.benchmark.judged import Judged
from rmr1.benchmark.outcome import Rule, outcome_of
from rmr1.benchmark.protocol import differences
from rmr1.benchmark.reward_bench import REWARD_BENCH
from rmr1.benchmark.score import Score, score
from rmr1.judgement import JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import State, read_rollout
from tests.replies import CHAT

VERSION = JudgeVersion(backend="scripted", model="m", profile="cor")


def pair(number: int, chosen: Side = Side.A, longer: bool = False) -> Pair:
    better, worse = ("good and long", "bad") if longer else ("good", "bad and long")
    made = Pair.of(f"{number}?", better, worse, id=str(number), chosen=Side.A, subset="donotanswer")
    return made if chosen is Side.A else made.swapped()


def scored(
    *said: tuple[Pair, tuple[str, ...]],
    rule: Rule = "published",
    plan: Plan | None = None,
    error: str | None = None,
) -> Score:
    plan = plan or Plan()
    judged = Judged(REWARD_BENCH, VERSION, plan)
    for one, texts in said:
        rollouts = [
            read_rollout(one, order, text, error=error, completion_tokens=10, seconds=2.0)
            for order, text in zip(Order, texts, strict=False)
        ]
        judgement = conclude(one, VERSION, plan, rollouts)
        judged.add(outcome_of(judgement, REWARD_BENCH.locate(one)))
    return score(judged, rule)


BARE = "So it is [[A]]"
BOTH = "not [[B]] but [[A]]"


@pytest.mark.parametrize(
    ("text", "published", "upstream", "own", "failures"),
    [
        (CHAT, 1, 1, 1, (0, 0, 0)),
        (BARE, 1, 1, None, (0, 0, None)),
        (BOTH, 0, 1, None, (1, 0, None)),
        ("no letter", 0, 0.5, 0, (1, 1, 1)),
        ("[[B]]", 0, 0, None, (0, 0, None)),
    ],
)
def test_each_rule_reads_and_credits_in_its_way(
    text: str,
    published: float,
    upstream: float,
    own: float | None,
    failures: tuple[int, int, int | None],
) -> None:
    found = scored((pair(1), (text,))).by_rule
    assert found["published"].value == published
    assert found["upstream"].value == upstream
    assert (found["published"].failures, found["upstream"].failures) == failures[:2]
    if own is not None:
        assert (found["own"].value, found["own"].failures) == (own, failures[2])


def test_a_backend_that_failed_is_wrong_under_every_rule() -> None:
    found = scored((pair(1), ("",)), error="gone")
    assert {figure.value for figure in found.by_rule.values()} == {0.0}
    assert (found.broken, found.failures.count) == (1, 1)
    assert any("run it again" in said for said in differences(found))


def test_position_is_told_by_where_the_better_one_stood() -> None:
    always_first = [(pair(n, side), (BARE,)) for n, side in enumerate([*Side] * 3)]
    effects = scored(*always_first).effects
    assert effects["Right when the better stands first"].value == 1
    assert effects["Right when the better stands second"].value == 0
    assert effects["Names the first"].value == 1
    assert effects["Names the first"].n == 6


def test_both_orders_are_two_readings_of_position() -> None:
    plan = Plan(orders="both")
    found = scored((pair(1), (BARE, BARE)), (pair(2), (BARE, "[[B]]")), plan=plan)
    assert found.effects["Names the first"].n == 4
    assert found.effects["Names the first"].value == 0.75
    assert found.tables[1]["Micro"].value == 0.5  # a draw, and both for the same
    assert found.tables[1]["Micro"].failures == 1
    assert any("2 rollouts for a pair" in said for said in differences(found))


def test_length_is_told_by_which_response_is_longer() -> None:
    found = scored((pair(1, longer=True), (BARE,)), (pair(2), ("[[B]]",)))
    assert found.effects["Names the longer"].value == 1
    assert found.effects["Right when the better is longer"].value == 1
    assert found.effects["Right when the better is shorter"].value == 0


def test_cost_and_states_are_counted() -> None:
    found = scored((pair(1), (CHAT,)), (pair(2), ("no letter",)))
    assert (found.cost.completion_tokens, found.cost.median_seconds) == (20, 2.0)
    assert dict(found.states) == {"complete": 1, "unparseable": 1}


def test_the_last_judgement_of_an_item_counts_unless_its_backend_failed() -> None:
    judged = Judged(REWARD_BENCH, VERSION, Plan())
    one = pair(1)
    for text, error in [("[[B]]", None), (BARE, None), ("", "gone")]:
        rollout = read_rollout(one, Order.AB, text, error=error)
        judgement = conclude(one, VERSION, Plan(), [rollout])
        judged.add(outcome_of(judgement, REWARD_BENCH.locate(one)))
    found = score(judged)
    assert (found.judged, found.again, found.tables[1]["Micro"].value) == (1, 2, 1)


def test_a_judge_that_writes_nothing_is_scored_by_what_it_names() -> None:
    one = pair(1)
    empty = read_rollout(one, Order.AB, "")
    named = replace(empty, verdict=Side.A, state=State.PARTIAL)
    judged = Judged(REWARD_BENCH, VERSION, Plan())
    judgement = conclude(one, VERSION, Plan(), [named])
    judged.add(outcome_of(judgement, REWARD_BENCH.locate(one)))
    assert {figure.value for figure in score(judged).by_rule.values()} == {1.0}


@pytest.mark.parametrize(("profile", "held"), [("cor", True), ("brief", False), ("mine", True)])
def test_a_grammar_is_named_only_where_the_profile_may_have_one(profile: str, held: bool) -> None:
    found = scored((pair(1), (CHAT,)), plan=Plan(grammar=True))
    found = replace(found, version=replace(VERSION, profile=profile))
    assert any("held to a grammar" in said for said in differences(found)) is held
