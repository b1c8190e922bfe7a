import pytest

from rmr1.errors import BackendError, BackendUnavailable
from rmr1.group import Group
from rmr1.group_reward import group_rewards, reward_limit
from rmr1.plan import Plan
from tests.scripted_judges import prefers


def test_without_a_reference_rewards_are_win_rates_in_the_order_of_the_responses():
    backend, judged = prefers(max)
    (found,) = group_rewards([Group.of("Which?", "r2", "r0", "r3", "r1")], judged)
    assert found.rewards == (2 / 3, 0.0, 1.0, 1 / 3)
    assert len(found.judgements) == len(backend.asked) == reward_limit(found.group) == 6
    assert found.ranking
    assert found.ranking.standings[0].index == 2


def test_against_a_reference_each_response_meets_it_alone():
    backend, judged = prefers(max)
    group = Group.of("Which?", "r2", "r9", "r5", "r2", reference="r5")
    (found,) = group_rewards([group], judged)
    assert found.rewards == (0.0, 1.0, 0.5, 0.0)
    assert len(backend.asked) == 2 <= reward_limit(group) == 3


@pytest.mark.parametrize(
    ("better", "reward"),
    [(max, 1.0), (lambda i, j: i, 0.5), (lambda i, j: None if i == 1 else i, 1.0)],
)
def test_more_rollouts_against_a_reference_make_a_share(better, reward):
    """Right; the first of both orders; the first, and silent where the reference comes first."""
    _, judged = prefers(better, Plan(orders="both"))
    (found,) = group_rewards([Group.of("Which?", "r2", reference="r1")], judged)
    assert found.rewards == (reward,)


def test_groups_with_and_without_a_reference_keep_their_order():
    _, judged = prefers(max)
    groups = [
        Group.of("Which?", "r1", reference="r0"),
        Group.of("Which?", "r1", "r0"),
        Group.of("Which?", "r4", reference="r8"),
    ]
    found = group_rewards(groups, judged)
    assert [one.group for one in found] == groups
    assert [one.rewards for one in found] == [(1.0,), (1.0, 0.0), (0.0,)]


def test_a_response_without_a_verdict_has_no_reward_and_no_advantage_when_filled():
    _, judged = prefers(lambda i, j: None if 0 in (i, j) else max(i, j))
    (found,) = group_rewards([Group.of("Which?", "r0", "r1", "r2")], judged)
    assert found.rewards == (None, 0.0, 1.0)
    assert found.filled(missing=0.0) == [0.5, 0.0, 1.0]


def test_a_group_that_nothing_tells_apart_is_filled_with_one_number():
    backend, judged = prefers(max)
    (found,) = group_rewards([Group.of("Which?", "same", "same")], judged)
    assert found.rewards == (None, None)
    assert found.filled(missing=0.25) == [0.25, 0.25]
    assert not backend.asked


def test_a_backend_that_fails_on_some_pairs_is_done_without_and_on_all_is_an_error():
    gone = BackendUnavailable("nobody answers")
    _, judged = prefers(lambda i, j: gone if {i, j} == {0, 1} else max(i, j))
    group = Group.of("Which?", "r0", "r1", "r2")
    assert group_rewards([group], judged)[0].rewards == (0.0, 0.0, 1.0)
    _, judged = prefers(lambda i, j: gone)
    for one in (group, Group.of("Which?", "r1", reference="r0")):
        with pytest.raises(BackendError, match="failed on every pair: nobody answers"):
            group_rewards([one], judged)
