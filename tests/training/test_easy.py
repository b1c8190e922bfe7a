"""Pairs whose worse response was spoilt on purpose."""

import pytest

from rmr1.pair import Pair, Side
from training.easy import easy_pair

GOOD = "Water the fern twice a week, keep it out of the sun, and turn the pot now and then."
OTHERS = ["Paris is the capital of France.", "Use a list comprehension."]


def pair(number: int, chosen: Side | None = Side.B) -> Pair:
    good = f"{GOOD} Plant {number}."
    return Pair.of(f"How do I keep fern {number} alive?", "No idea.", good, chosen=chosen)


def test_the_better_response_stays_where_it_is_and_the_other_gets_a_fault():
    found = [easy for number in range(60) if (easy := easy_pair(pair(number), OTHERS, 3))]
    assert {fault for _, fault in found} == {"other", "cut", "loop"}
    for spoilt, fault in found:
        assert spoilt.chosen is Side.B
        assert spoilt.response_b.startswith(GOOD)
        assert spoilt.id
        assert spoilt.id.endswith(fault)
        match fault:
            case "other":
                assert spoilt.response_a in OTHERS
            case "cut":
                assert spoilt.response_b.startswith(spoilt.response_a)
            case "loop":
                first = " ".join(spoilt.response_a.split()[:6])
                assert spoilt.response_a.count(first) > 1


def test_the_same_pair_is_spoilt_the_same_way():
    assert easy_pair(pair(1), OTHERS, 3) == easy_pair(pair(1), OTHERS, 3)


@pytest.mark.parametrize(
    ("given", "others"),
    [
        (pair(1, chosen=None), OTHERS),
        (Pair.of("Why?", "Because.", "No.", chosen=Side.A), ["Because."]),
    ],
)
def test_where_nothing_can_be_spoilt_there_is_no_pair(given, others):
    assert easy_pair(given, others, 3) is None
