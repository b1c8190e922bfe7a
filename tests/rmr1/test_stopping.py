import threading
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendUnavailable
from rmr1.judge import Judge
from rmr1.judgement import swap
from rmr1.pair import Order, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import judgement_from_record, judgement_record
from rmr1.stopping import chance_to_lead, is_decided, next_draws, rounds_to_decide
from tests.replies import CHAT, PAIR

CALM = settings(max_examples=60, derandomize=True, deadline=None)
MUTE = CHAT.split("<answer>")[0]
REPLIES = {"A": CHAT, "B": CHAT.replace("[[A]]", "[[B]]"), "-": MUTE}


def judge_saying(script: dict[Order, str], **options: object) -> Judge:
    """A judge whose votes in each order name these sides of the pair, - for none."""

    def reply(request):
        order = (
            Order.AB if "Canberra" in request.messages[-1].content.split("It is")[0] else Order.BA
        )
        side = script[order][request.sampling.seed]
        letter = side if side == "-" else str(order.to_pair(Side(side)))
        return REPLIES[letter]

    return Judge(ScriptedBackend(reply, **options), load_profile("cor"))


@pytest.mark.parametrize(
    ("plan", "known"),
    [
        (Plan(), "6b48874210a0deed034175a4583f044e5dad0899e1fb3df85698ed5557e4b097"),
        (
            Plan(orders="both", votes=8, temperature=1.0, max_tokens=640, seed=3, grammar=True),
            "2850f070d3512110d2f11821fa41367f4024777a0fd49d0de724fa33ce521182",
        ),
    ],
)
def test_plans_that_draw_all_votes_keep_the_hashes_that_are_stored(plan, known):
    assert plan.hash == known
    assert "stop_at" not in plan.model_dump()
    assert plan.model_copy(update={"stop_at": 0.95}).hash != known


def test_a_plan_that_stops_early_survives_its_dump():
    plan = Plan(votes=8, stop_at=0.95)
    assert Plan.model_validate(plan.model_dump()) == plan
    assert Plan.model_validate_json(plan.model_dump_json()).hash == plan.hash


@pytest.mark.parametrize("chance", [0.5, 0.0, -1.0, 1.01])
def test_a_chance_that_decides_nothing_is_refused(chance):
    with pytest.raises(ValidationError, match="stop_at"):
        Plan(stop_at=chance)


@pytest.mark.parametrize(
    ("tallies", "chance"),
    [
        ([(1, 0, 0)], 1.0),
        ([(1, 1, 0)], 0.0),
        ([(0, 0, 1)], 1 / 2),
        ([(1, 0, 1)], 2 / 3),  # the rule of succession; one all is no lead
        ([(2, 0, 2)], 9 / 10),  # only two against, 1/4 * 2/5, take it away
        ([(3, 0, 5)], 121 / 126),
        ([(4, 0, 3)], 1.0),
        ([(1, 0, 1), (1, 0, 1)], 8 / 9),
        ([(1, 0, 1), (0, 1, 1)], 2 / 9),
    ],
)
def test_the_chance_to_lead_is_exact(tallies, chance):
    assert chance_to_lead(tuple(tallies)) == pytest.approx(chance, abs=1e-15)


@CALM
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=2))
def test_the_chance_is_that_of_an_urn_drawn_to_the_end(tallies):
    def drawn_to_the_end(rest, lead):
        if not rest:
            return float(lead > 0)
        (one, other, left), *others = rest
        if not left:
            return drawn_to_the_end(others, lead + one - other)
        share = (one + 1) / (one + other + 2)
        return share * drawn_to_the_end([(one + 1, other, left - 1), *others], lead) + (
            1 - share
        ) * drawn_to_the_end([(one, other + 1, left - 1), *others], lead)

    assert chance_to_lead(tuple(tallies)) == pytest.approx(drawn_to_the_end(tallies, 0))


@CALM
@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.floats(0.51, 1))
def test_at_certainty_only_what_cannot_change_is_decided(one, other, left, stop_at):
    certain = is_decided(((one, other, left),), 1.0)
    assert certain == (abs(one - other) > left or left == 0)
    assert not certain or left == 0 or is_decided(((one, other, left),), stop_at)


@CALM
@given(
    st.lists(st.sampled_from("AB-"), min_size=10, max_size=10),
    st.integers(1, 5),
    st.sampled_from(["AB", "both"]),
    st.sampled_from([0.6, 0.8, 0.9, 0.95, 0.99, 1.0]),
)
def test_drawing_several_at_once_draws_what_one_round_after_another_would(
    names, votes, orders, stop_at
):
    plan = Plan(orders=orders, votes=votes, stop_at=stop_at)
    per_round = plan.size // votes
    said = dict(zip(plan.draws(), names, strict=False))

    def tallies(rounds):
        found = []
        for order in list(Order)[:per_round]:
            of = [
                said[draw]
                for draw in list(plan.draws())[: rounds * per_round]
                if draw.order is order
            ]
            found.append((of.count("A"), of.count("B"), votes - rounds))
        return tuple(found)

    one_by_one = next(n for n in range(votes + 1) if n == votes or is_decided(tallies(n), stop_at))
    rounds = 0
    while step := rounds_to_decide(tallies(rounds), stop_at):
        rounds += step
    assert rounds == one_by_one


@pytest.mark.parametrize(
    ("plan", "said", "drawn"),
    [
        (Plan(votes=8, stop_at=0.95), "AAAAAAAA", 3),
        (Plan(votes=8, stop_at=0.95), "BBBAAAAA", 3),
        (Plan(votes=8, stop_at=1.0), "AAAAAAAA", 5),
        (Plan(votes=8, stop_at=0.95), "AABAAABB", 5),
        (Plan(votes=8, stop_at=0.95), "ABABABAB", 8),
        (Plan(votes=8, stop_at=0.95), "ABAAABAA", 5),
        (Plan(votes=8, stop_at=0.95), "--------", 8),
        (Plan(votes=4, stop_at=0.95), "A---AAAA", 4),
        (Plan(votes=1, stop_at=0.95), "A", 1),
        (Plan(orders="both", votes=8, stop_at=0.95), "AAAAAAAA", 4),
        (Plan(votes=8), "AAAAAAAA", 8),
    ],
)
def test_votes_stop_when_the_verdict_is_decided(plan, said, drawn):
    judge = judge_saying({Order.AB: said, Order.BA: said})
    judgement = judge.judge(PAIR, plan.model_copy(update={"temperature": 1.0}))
    assert len(judgement.rollouts) == len(judge.backend.asked) == drawn
    assert [rollout.seed for rollout in judgement.rollouts] == [
        draw.seed for draw in list(plan.draws())[:drawn]
    ]


@pytest.mark.parametrize("said", ["".join(letters) for letters in product("AB-", repeat=3)])
def test_at_certainty_the_verdict_is_that_of_all_votes(said):
    judge = judge_saying({Order.AB: said, Order.BA: said})
    for orders in ("AB", "both"):
        every = judge.judge(PAIR, Plan(orders=orders, votes=3))
        early = judge.judge(PAIR, Plan(orders=orders, votes=3, stop_at=1.0))
        assert early.verdict == every.verdict
        assert len(early.rollouts) <= len(every.rollouts)


def test_a_judge_that_always_names_the_first_is_never_decided_in_both_orders():
    judge = judge_saying({Order.AB: "AAAA", Order.BA: "BBBB"})
    judgement = judge.judge(PAIR, Plan(orders="both", votes=4, stop_at=0.9))
    assert len(judgement.rollouts) == 8
    assert judgement.verdict is None


@pytest.mark.parametrize("parallel", [1, 2, 8])
def test_what_is_drawn_does_not_depend_on_how_much_the_backend_takes_at_once(parallel):
    judge = judge_saying({Order.AB: "ABAAAAAA", Order.BA: "AAAAAAAA"}, parallel=parallel)
    judgement = judge.judge(PAIR, Plan(orders="both", votes=8, stop_at=0.95))
    assert len(judgement.rollouts) == 6


def test_the_first_rounds_are_asked_for_at_once():
    together = threading.Barrier(3, timeout=5)

    def reply(request):
        together.wait()
        return CHAT

    judge = Judge(ScriptedBackend(reply, parallel=8), load_profile("cor"))
    assert len(judge.judge(PAIR, Plan(votes=8, stop_at=0.95)).rollouts) == 3


def test_a_backend_that_fails_is_no_vote():
    replies = [CHAT, BackendUnavailable("gone"), CHAT, CHAT]
    judge = Judge(ScriptedBackend(replies, parallel=1), load_profile("cor"))
    judgement = judge.judge(PAIR, Plan(votes=8, stop_at=0.95))
    assert judgement.verdict is Side.A
    assert len(judgement.rollouts) == 4


def test_updates_of_later_rounds_go_on_counting():
    judge = judge_saying({Order.AB: "ABABAAAA", Order.BA: ""})
    *updates, judgement = judge.stream(PAIR, Plan(votes=8, stop_at=0.95))
    assert {update.index for update in updates} == set(range(len(judgement.rollouts)))


def test_a_judgement_cut_short_is_written_read_and_swapped():
    judge = judge_saying({Order.AB: "AAAAAAAA", Order.BA: ""})
    judgement = judge.judge(PAIR, Plan(votes=8, stop_at=0.95))
    again = judgement_from_record(judgement_record(judgement))
    assert again.plan.hash == judgement.plan.hash
    assert len(again.rollouts) == 3
    assert swap(swap(judgement)).plan == judgement.plan


def test_nothing_is_left_to_draw_when_all_votes_are_in():
    judgement = judge_saying({Order.AB: "ABAB", Order.BA: ""}).judge(PAIR, Plan(votes=4))
    for stop_at in (None, 0.9, 1.0):
        assert next_draws(Plan(votes=4, stop_at=stop_at), judgement.rollouts) == ()
