import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import BackendUnavailable, InputError
from rmr1.group import Group, group_from_record
from rmr1.judgement import State
from rmr1.pair import Message
from rmr1.tournament import (
    judgement_limit,
    rank,
    rank_many,
    ranking_record,
)
from tests.scripted_judges import prefers


def group(count):
    return Group.of("Which is it?", *(f"r{number}" for number in range(count)))


def ranks(ranking):
    return {one.index: one.rank for one in ranking.standings}


@pytest.mark.parametrize("method", ["round-robin", "knockout"])
@pytest.mark.parametrize("count", range(1, 9))
def test_a_judge_that_is_always_right_puts_the_best_first(method, count):
    backend, judged = prefers(max)
    found = rank(group(count), judged, method)
    assert found.standings[0].index == count - 1
    assert found.standings[0].rank == 1
    wanted = count - 1 if method == "knockout" else count * (count - 1) // 2
    assert len(backend.asked) == len(found.matches) == wanted
    if method == "round-robin":
        assert [one.index for one in found.standings] == list(reversed(range(count)))
        assert found.ties == ()


def test_equal_win_rates_tie_and_the_next_rank_skips_as_many():
    beats = {(0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3)}
    _, judged = prefers(lambda i, j: i if (i, j) in beats else j)
    found = rank(group(4), judged)
    assert ranks(found) == {0: 1, 1: 1, 2: 1, 3: 4}
    assert found.ties == ((0, 1, 2),)
    assert [one.win_rate for one in found.standings] == [2 / 3, 2 / 3, 2 / 3, 0.0]


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(BackendUnavailable("gone"), State.FAILED), (None, State.PARTIAL)],
)
def test_a_match_without_a_verdict_counts_for_nobody_and_is_named(trouble, state):
    _, judged = prefers(lambda i, j: trouble if {i, j} == {0, 2} else max(i, j))
    found = rank(group(3), judged)
    assert [(one.index, one.win_rate, one.undecided) for one in found.standings] == [
        (2, 1.0, 1),
        (1, 0.5, 0),
        (0, 0.0, 1),
    ]
    (lost,) = ranking_record(found)["undecided"]
    assert {lost["first"], lost["second"]} == {0, 2}
    assert lost["state"] == state
    assert lost["reason"]


def test_a_response_that_nothing_is_known_of_comes_last_without_a_rate():
    _, judged = prefers(lambda i, j: None if 0 in (i, j) else max(i, j))
    last = rank(group(3), judged).standings[-1]
    assert (last.index, last.rank, last.win_rate, last.undecided) == (0, 3, None, 2)


def test_without_any_verdict_all_tie_and_a_knockout_ends():
    for method in ("round-robin", "knockout"):
        backend, judged = prefers(lambda i, j: None)
        found = rank(group(5), judged, method)
        assert set(ranks(found).values()) == {1}
        assert len(backend.asked) == (10 if method == "round-robin" else 2)


def test_an_undecided_match_of_a_knockout_leaves_both_in_and_is_not_judged_twice():
    backend, judged = prefers(lambda i, j: None if {i, j} == {0, 1} else max(i, j))
    found = rank(group(4), judged, "knockout")
    assert found.standings[0].index == 3
    assert len(backend.asked) == len({frozenset((m.first, m.second)) for m in found.matches})


def test_the_same_text_is_one_player_and_shares_its_place():
    backend, judged = prefers(max)
    found = rank(Group.of("Which?", "r1", "r2", "r1"), judged)
    assert len(backend.asked) == 1
    assert ranks(found) == {1: 1, 0: 2, 2: 2}
    assert {one.index: one.same_as for one in found.standings} == {0: None, 1: None, 2: 0}


def test_every_response_stands_first_as_often_as_second():
    _, judged = prefers(max)
    for count in range(2, 10):
        firsts = [match.first for match in rank(group(count), judged).matches]
        assert all(abs(2 * firsts.count(one) - (count - 1)) <= 1 for one in range(count))


def test_many_groups_come_back_in_their_order_whatever_is_done_first():
    _, judged = prefers(max)
    groups = [group(1 + number % 5) for number in range(70)]
    found = list(rank_many(iter(groups), judged, "knockout"))
    assert [one.group for one in found] == groups
    assert all(one.standings[0].index == len(one.group.responses) - 1 for one in found)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    count=st.integers(1, 9),
    seed=st.integers(0, 2**16),
    silent=st.floats(0, 1),
    method=st.sampled_from(["round-robin", "knockout"]),
)
def test_whatever_the_judge_says_all_are_ranked_within_the_stated_bound(
    count, seed, silent, method
):
    dice = random.Random(seed)
    backend, judged = prefers(lambda i, j: None if dice.random() < silent else dice.choice((i, j)))
    found = rank(group(count), judged, method)
    assert sorted(one.index for one in found.standings) == list(range(count))
    assert len(backend.asked) <= judgement_limit(count, method)
    places = [one.rank for one in found.standings]
    assert places == sorted(places)
    assert places[0] == 1
    wins = sum(one.wins for one in found.standings)
    assert wins == sum(one.losses for one in found.standings)
    assert wins == len(found.matches) - len(found.undecided)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({}, "responses"),
        ({"prompt": "p", "responses": "r"}, "responses: expected a list of texts"),
        ({"prompt": "p", "responses": []}, "responses"),
        ({"prompt": "p", "responses": [1]}, "responses.0"),
        ({"prompt": 7, "responses": ["r"]}, "prompt: expected a text or a list"),
        ({"prompt": " ", "responses": ["r"]}, "the prompt is empty"),
        ({"prompt": [{"role": "tool", "content": "x"}], "responses": ["r"]}, "role"),
        ({"prompt": "p", "responses": ["r"], "reference": 3}, "reference"),
    ],
)
def test_a_row_that_is_no_group_is_refused_by_name(record, said):
    with pytest.raises(InputError, match=re.escape(said)):
        group_from_record(record)


def test_a_group_reads_turns_and_keeps_its_id():
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    found = group_from_record({"id": 3, "prompt": turns, "responses": ["a", "b"], "more": 1})
    assert found.id == "3"
    assert found.conversation[0] == Message(role="system", content="Be brief.")
