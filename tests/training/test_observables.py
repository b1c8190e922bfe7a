"""What is seen of responses at a glance, and the pairs whose label it supports."""

import random

import pytest

from rmr1.pair import Pair, Side
from training.observables import clear_pairs, observe

PROMPT = "How do I water ferns?"


@pytest.mark.parametrize(
    ("response", "place", "value"),
    [
        ("one two three", 0, 1.386),
        ("I'm sorry, I can't help with that.", 1, 1.0),
        ("Which fern?", 2, 1.0),
        ("a\nb\nc\nd", 3, 1.0),
        ("water the ferns", 4, 2 / 3),
        ("drip drip drip", 5, 0.25),
        ("It breaks off", 6, 0.0),
    ],
)
def test_an_observation_is_what_its_name_says(response, place, value):
    assert observe(response, PROMPT)[place] == pytest.approx(value, abs=1e-3)


def test_pairs_against_the_trend_are_not_clear():
    lot = random.Random(2)
    long, short = "Twice a week, in the morning, with rain water.", "Often."
    pairs = []
    for number in range(400):
        better, worse = (short, long) if lot.random() < 0.2 else (long, short)
        pairs.append(Pair.of(f"{PROMPT} {number}", better, worse, chosen=Side.A))
    clear = clear_pairs(pairs, 0.6)
    assert clear == {pair.content_hash for pair in pairs if pair.response_a == long}


def test_a_few_pairs_tell_nothing():
    pairs = [Pair.of(PROMPT, "A long answer to it.", "No.", chosen=Side.A)] * 20
    assert clear_pairs(pairs, 0.6) == set()
