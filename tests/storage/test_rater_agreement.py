"""Each statistic against a worked example of its source, and what is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.share import Share
from storage.estimate import Estimate, bootstrapped
from storage.paired import compare_outcomes
from storage.rater_agreement import (
    Ratings,
    _alphas,
    _gwet_sums,
    _gwets,
    cohen_kappa,
    gwet,
    krippendorff_alpha,
    ordinal_weights,
    percent_agreement,
)

COHEN_1960 = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
"""J. Cohen, Educational and Psychological Measurement 20 (1960), table 1 in counts of 200."""

FOUR_RATERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
"""K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), part C: four observers,
twelve units, missing data; also the example of K. L. Gwet, Handbook (2014)."""


def four_raters():
    rows = [line.split() for line in FOUR_RATERS.split("\n") if line]
    counts = np.array(
        [[[*unit].count(str(v)) for v in range(1, 6)] for unit in zip(*rows, strict=True)]
    )
    return Ratings(counts.astype(float), range(12), list("12345"))


def answers(table):
    return [
        (str(i), str(j)) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)
    ]


def test_cohens_kappa_is_that_of_cohens_example():
    pairs = answers(COHEN_1960)
    found = cohen_kappa(pairs, range(len(pairs)))
    assert found.value == pytest.approx(0.492, abs=5e-4)
    assert found.n == 200
    # His standard error, sqrt(p_o q_o / N) / q_e = 0.0549, gives 0.384 to 0.600.
    assert found.low == pytest.approx(0.384, abs=0.02)
    assert found.high == pytest.approx(0.600, abs=0.02)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_krippendorffs_alpha_is_that_of_krippendorffs_example(level, alpha):
    found = krippendorff_alpha(four_raters(), level)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert found.n == 11


def test_gwets_ac1_and_percent_agreement_are_those_of_gwets_example():
    found = gwet(four_raters())
    assert found.value == pytest.approx(0.77544, abs=5e-6)
    assert percent_agreement(four_raters()).value == pytest.approx(0.81818, abs=5e-6)


def test_ac1_of_two_raters_is_that_of_gwets_high_agreement_example():
    # K. L. Gwet, Br. J. Math. Stat. Psychol. 61 (2008), on 118 + 5 + 2 + 0 of 125 items: agreement
    # 0.944, chance 2 * 0.972 * 0.028, where kappa falls below 0.
    pairs = answers([[118, 5], [2, 0]])
    counts = np.array([[[*pair].count("0"), [*pair].count("1")] for pair in pairs], dtype=float)
    found = gwet(Ratings(counts, range(125), ["+", "-"]))
    assert found.value == pytest.approx((0.944 - 0.054432) / (1 - 0.054432))
    kappa = cohen_kappa(pairs, range(125)).value
    assert kappa is not None
    assert kappa < 0


def test_ordinal_weights_are_those_of_gwets_table():
    # Gwet (2014), section 3.5, four categories: 1 - C(d + 1, 2) / C(4, 2).
    assert ordinal_weights(4)[0] == pytest.approx([1, 5 / 6, 0.5, 0])


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_newcombes_table(count, n, low, high):
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    share = Share.of(count, n)
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)


def test_mcnemar_is_that_of_agrestis_approval_ratings():
    # A. Agresti, Categorical Data Analysis: 794 approve twice, 150 no more, 86 newly, 570 never:
    # 0.59 approve at first and 0.55 later; the chi-square with one degree of freedom is 17.36.
    outcomes = (
        [(True, True)] * 794 + [(True, False)] * 150 + [(False, True)] * 86 + [(False, False)] * 570
    )
    found = compare_outcomes(outcomes)
    assert found.old.share == pytest.approx(0.59)
    assert found.new.share == pytest.approx(0.55)
    assert found.p_value == pytest.approx(3.7e-5, rel=0.02)
    sums = np.array([[float(new) - float(old), 1.0] for old, new in outcomes])
    drawn = bootstrapped(-0.04, sums, lambda s: s[:, 0] / s[:, 1], n=1600, unit="people")
    # His 95 % interval of the difference: -0.059 to -0.021.
    assert (drawn.low, drawn.high) == pytest.approx((-0.059, -0.021), abs=0.003)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([], "No item"),
        ([("A", "A")] * 20, "always says A"),
        ([("A", "A"), ("A", "B")] * 20, "always says A"),
    ],
)
def test_an_undefined_kappa_is_a_sentence(pairs, words):
    found = cohen_kappa(pairs, range(len(pairs)))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert words in found.why


@pytest.mark.parametrize("measure", [krippendorff_alpha, gwet])
@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.zeros((0, 2)), "No pair that two people"),
        (np.eye(2), "No pair that two people"),
        (np.array([[2.0, 0.0]] * 12), "Everybody says A"),
    ],
)
def test_undefined_agreement_is_a_sentence(measure, counts, words):
    found = measure(Ratings(counts, range(len(counts)), ["A", "B"]))
    assert found.value is None
    assert words in found.why


def test_few_prompts_have_a_figure_but_no_interval():
    pairs = answers([[3, 1], [1, 3]])
    found = cohen_kappa(pairs, range(8))
    assert found.value == pytest.approx(0.5)
    assert found.low is None
    assert "too few" in found.why


def test_the_same_figure_in_every_resample_is_no_interval():
    found = cohen_kappa([("A", "A"), ("B", "B")] * 20, range(40))
    assert (found.value, found.low) == (1.0, None)
    assert "Every resample" in found.why


def test_pairs_of_a_prompt_are_resampled_together():
    pairs = answers([[30, 10], [10, 30]])
    alone = cohen_kappa(pairs, range(80))
    together = cohen_kappa(pairs, [n // 4 for n in range(80)])
    width = [e.high - e.low for e in (alone, together)]
    assert width[1] > 1.5 * width[0]


def test_the_same_data_give_the_same_interval():
    pairs = answers(COHEN_1960)
    assert cohen_kappa(pairs, range(200)) == cohen_kappa(pairs, range(200))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(lambda row: sum(row) >= 2),
        min_size=2,
        max_size=12,
    ),
    st.sampled_from(["nominal", "ordinal"]),
)
def test_what_is_resampled_is_the_librarys_figure(rows, level):
    ratings = Ratings(np.array(rows, dtype=float), range(len(rows)), list("abc")).observed()
    found = krippendorff_alpha(ratings, level)
    if found.value is None:
        return
    raters = ratings.counts.sum(axis=1)[:, None, None]
    size = len(ratings.values)
    both = np.einsum("ic,ik->ick", ratings.counts, ratings.counts)
    both -= np.einsum("ic,ck->ick", ratings.counts, np.eye(size))
    sums = (both / (raters - 1)).sum(axis=0).reshape(1, -1)
    assert _alphas(sums, size, level)[0] == pytest.approx(found.value)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=4, max_size=40))
def test_ac2_with_weights_of_identity_is_ac1(pairs):
    counts = np.array([[pair.count(0), pair.count(1)] for pair in pairs], dtype=float)
    ratings = Ratings(counts, range(len(pairs)), ["a", "b"])
    one, two = gwet(ratings), gwet(ratings, "ordinal")  # two values have no degrees between
    assert (one.value is None) == (two.value is None)
    if one.value is not None:
        assert one.value == pytest.approx(two.value)
        sums = _gwet_sums(ratings, np.eye(2)).sum(axis=0, keepdims=True)
        assert _gwets(sums, 2.0)[0] == pytest.approx(one.value)


def test_an_estimate_without_a_figure_has_no_interval():
    found = Estimate.undefined(0, "pairs", "Nothing.")
    assert (found.value, found.low, found.high, found.why) == (None, None, None, "Nothing.")
