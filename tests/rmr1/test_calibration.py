import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.calibration import calibrate, calibrate_all, confidence_of
from rmr1.judgement import JudgeVersion, conclude
from rmr1.pair import Order, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from tests.replies import CHAT, PAIR

VERDICTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)
CALM = settings(max_examples=80, derandomize=True, deadline=None)


def judged(letters, chosen="A", probabilities=()):
    """A judgement with these votes, all in the order AB; - names nobody."""
    pair = PAIR.model_copy(update={"chosen": chosen and Side(chosen)})
    known = [*probabilities, *[None] * len(letters)]
    rollouts = [
        read_rollout(
            pair,
            Order.AB,
            "" if letter == "-" else CHAT.replace("[[A]]", f"[[{letter}]]"),
            vote=vote,
            probability_a=known[vote],
        )
        for vote, letter in enumerate(letters)
    ]
    plan = Plan(votes=len(letters))
    return conclude(pair, JudgeVersion(backend="scripted", model="tiny"), plan, rollouts)


def test_the_error_by_bins_is_that_of_a_published_example():
    """Source: the example of BinaryCalibrationError in torchmetrics' documentation, norm l1."""
    found = calibrate(
        list(zip([0.25, 0.25, 0.55, 0.75, 0.75], [False, False, True, True, True], strict=True)),
        bins=2,
    )
    assert found.ece == pytest.approx(0.2900, abs=5e-5)


def test_the_brier_score_is_that_of_a_published_example():
    """Source: the example of brier_score_loss in scikit-learn's documentation (0.037...)."""
    found = calibrate(
        list(zip([0.1, 0.9, 0.8, 0.3], [False, True, True, False], strict=True)),
    )
    assert found.brier == pytest.approx(0.0375)


@pytest.mark.parametrize(
    ("confidence", "low"),
    [(0.0, 0.0), (0.3, 0.3), (0.1 + 0.2, 0.3), (0.7, 0.7), (0.6999, 0.6), (0.95, 0.9), (1.0, 0.9)],
)
def test_a_confidence_lies_in_the_bin_that_begins_at_or_below_it(confidence, low):
    (held,) = [part for part in calibrate([(confidence, True)]).bins if part.right.n]
    assert held.low == pytest.approx(low)


@CALM
@given(VERDICTS, st.integers(1, 20))
def test_scores_are_bounded_and_bins_hold_every_verdict_once(verdicts, bins):
    found = calibrate(verdicts, bins=bins)
    assert sum(part.right.n for part in found.bins) == found.n == len(verdicts)
    assert sum(part.right.count for part in found.bins) == found.right.count
    assert 0 <= found.ece <= 1
    assert 0 <= found.brier <= 1
    # Of one bin the error is the distance of the means, and more bins never lessen it.
    assert found.ece >= abs(found.confidence - found.right.share) - 1e-9


@CALM
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_whoever_names_the_share_that_is_right_is_calibrated(rights):
    share = sum(rights) / len(rights)
    found = calibrate([(share, right) for right in rights])
    assert found.ece == pytest.approx(0, abs=1e-12)
    assert found.brier == pytest.approx(found.base_brier)


@pytest.mark.parametrize(
    ("letters", "chosen", "share"),
    [
        ("AAAB", "A", 0.75),
        ("AAAB", "B", 0.75),
        ("AB", "A", None),
        ("A", "A", None),
        ("BB-", "A", 2 / 3),
    ],
)
def test_the_share_of_votes_is_that_for_the_verdict(letters, chosen, share):
    found = confidence_of(judged(letters, chosen), "votes")
    assert found == (share if share is None else pytest.approx(share))


def test_each_kind_of_confidence_is_held_to_the_truth_on_its_own():
    given_ = [
        judged("AAAB", "A", [0.9, 0.8, 0.7, 0.4]),
        judged("BBB", "A", [0.2, 0.2, 0.2]),
        judged("AB", "A", [0.6, 0.4]),  # no verdict
        judged("AAA", None, [0.9, 0.9, 0.9]),  # the better side is unknown
        judged("AAA", "A"),  # no log-probabilities
    ]
    votes, logprobs = calibrate_all(given_)
    assert (votes.source, votes.n, votes.without, votes.right.count) == ("votes", 3, 1, 2)
    assert (logprobs.source, logprobs.n, logprobs.without) == ("logprobs", 2, 2)
    assert votes.brier == pytest.approx((0.25**2 + 1 + 0) / 3)
    assert logprobs.brier == pytest.approx((0.3**2 + 0.8**2) / 2)


def test_judgements_without_confidences_have_no_calibration():
    assert calibrate_all([judged("A"), judged("--")]) == ()
