import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from rmr1.pair import Side
from rmr1.weighing import Row, weigh

ROWS = st.lists(
    st.builds(Row, st.integers(0, 100).map(float), st.sampled_from(["A", "B", "=", None])),
    max_size=7,
)
PROPERTY = settings(max_examples=150, derandomize=True, deadline=None)


def test_weights_are_added_up_by_winner():
    sums = weigh([Row(50, "A"), Row(30, "="), Row(20, "B")])
    assert (sums.a, sums.even, sums.b, sums.unknown) == (0.5, 0.3, 0.2, 0)
    assert sums.verdict is Side.A
    assert sums.settled
    assert sums.flip.points == pytest.approx(0.15)
    assert (sums.flip.source, sums.flip.target, sums.flip.enough) == (0, 2, True)


@pytest.mark.parametrize("rows", [[], [Row(0, "A")], [Row(1, "A"), Row(1, "B")], [Row(3, "=")]])
def test_what_is_level_has_no_verdict_and_nothing_to_turn(rows):
    sums = weigh(rows)
    assert (sums.verdict, sums.settled, sums.flip) == (None, False, None)


def test_a_side_that_wins_no_row_cannot_be_weighed_into_the_lead():
    assert weigh([Row(1, "A"), Row(9, "="), Row(5, None)]).flip is None


def test_unknown_rows_leave_the_verdict_open():
    assert not weigh([Row(3, "A"), Row(2, "B"), Row(2, None)]).settled
    assert weigh([Row(5, "A"), Row(2, "B"), Row(2, None)]).settled


@PROPERTY
@given(ROWS)
def test_the_parts_make_a_whole(rows):
    assume(any(row.weight for row in rows))
    sums = weigh(rows)
    assert sums.a + sums.b + sums.even + sums.unknown == pytest.approx(1)


@PROPERTY
@given(ROWS, st.sampled_from([0.01, 0.5, 7.0]))
def test_only_the_ratio_of_weights_counts(rows, factor):
    first, second = weigh(rows), weigh([Row(row.weight * factor, row.winner) for row in rows])
    assert first.verdict is second.verdict
    assert first.a == pytest.approx(second.a)


@PROPERTY
@given(ROWS)
def test_moving_a_little_more_than_the_smallest_change_turns_the_verdict(rows):
    sums = weigh(rows)
    assume(sums.flip is not None and sums.flip.enough)
    total = sum(row.weight for row in rows)
    moved = [row.weight / total for row in rows]
    step = min(sums.flip.points + 1e-6, moved[sums.flip.source])
    moved[sums.flip.source] -= step
    moved[sums.flip.target] += step
    after = weigh([Row(w, row.winner) for w, row in zip(moved, rows, strict=True)])
    assert after.verdict is not sums.verdict


@PROPERTY
@given(ROWS)
def test_no_change_is_smaller_by_linear_programming(rows):
    """Least moved share, over all ways to move shares, after which the lead is gone."""
    sums = weigh(rows)
    assume(sums.flip is not None)
    total = sum(row.weight for row in rows)
    shares = np.array([row.weight / total for row in rows])
    signs = np.array(
        [{sums.verdict.value: 1, sums.verdict.other.value: -1}.get(r.winner, 0) for r in rows]
    )
    n = len(rows)
    # Variables: what each row gains, then what it gives; the sum of gains is what moves.
    solved = linprog(
        c=np.concatenate([np.ones(n), np.zeros(n)]),
        A_ub=[np.concatenate([signs, -signs])],
        b_ub=[-(signs @ shares)],
        A_eq=[np.concatenate([np.ones(n), -np.ones(n)])],
        b_eq=[0],
        bounds=[(0, None)] * n + [(0, share) for share in shares],
    )
    assert solved.fun == pytest.approx(sums.flip.points, abs=1e-7)
