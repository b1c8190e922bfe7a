"""Whether a judge is as often right as it is sure: its confidences against the truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from rmr1.judgement import ConfidenceSource, Judgement
from rmr1.share import Share

BINS = 10
_SOURCES: tuple[ConfidenceSource, ...] = ("votes", "logprobs", "margin")


@dataclass(frozen=True, slots=True)
class Bin:
    """Verdicts of about the same confidence.

    Attributes:
        low, high: its confidences, from `low` to below `high`; the last bin holds 1 too.
        confidence: their mean; None in an empty bin.
        right: verdicts that name the better side, of its verdicts.
    """

    low: float
    high: float
    confidence: float | None
    right: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well one kind of confidence tells how often a verdict is right.

    Attributes:
        source: share of a judgement's votes for its verdict, probability of the verdict's letter,
            or margin of two scores.
        n: verdicts with such a confidence on pairs whose better side is known.
        without: judgements on such pairs that have no verdict, or no such confidence.
        confidence: its mean.
        right: verdicts that name the better side.
        ece: the expected calibration error: how far confidence and share of right verdicts lie
            apart in a bin, in the mean over verdicts; 0 is best. It depends on the bins, and is
            above 0 by chance alone where few verdicts are in a bin.
        brier: the mean squared distance of the confidence from 1 for right and 0 for wrong; 0 is
            best.
        base_brier: the Brier score of whoever always names the share of right verdicts: a
            confidence that scores more tells nothing.
    """

    source: ConfidenceSource
    n: int
    without: int
    confidence: float
    right: Share
    ece: float
    brier: float
    base_brier: float
    bins: tuple[Bin, ...]


def calibrate_all(judgements: Iterable[Judgement]) -> tuple[Calibration, ...]:
    """A calibration for each kind of confidence that the judgements have.

    The share of votes needs two rollouts or more; after an early stop it is higher than it would
    be after all votes, because voting stops when it is high.
    """
    known = [one for one in judgements if one.pair.chosen]
    found = []
    for source in _SOURCES:
        pairs = [
            (confidence, bool(one.correct))
            for one in known
            if (confidence := confidence_of(one, source)) is not None
        ]
        if pairs:
            found.append(calibrate(pairs, source, without=len(known) - len(pairs)))
    return tuple(found)


def calibrate(
    verdicts: Sequence[tuple[float, bool]],
    source: ConfidenceSource = "votes",
    *,
    bins: int = BINS,
    without: int = 0,
) -> Calibration:
    """Hold confidences to the truth.

    Args:
        verdicts: at least one; its confidence in 0..1, and whether it is right.
        bins: of equal width over 0..1.

    Source: the error by bins, M. P. Naeini, G. F. Cooper and M. Hauskrecht, AAAI 2015, and C. Guo
        et al., ICML 2017, equation 3; the score, G. W. Brier, Monthly Weather Review 78 (1950).
    """
    n = len(verdicts)
    binned: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for confidence, right in verdicts:
        # The hair keeps 0.3 * 10 in the bin that begins at 0.3, whichever way it was rounded.
        binned[min(bins - 1, floor(confidence * bins + 1e-9))].append((confidence, right))
    shown = tuple(_bin(i / bins, (i + 1) / bins, part) for i, part in enumerate(binned))
    rate = sum(right for _, right in verdicts) / n
    return Calibration(
        source=source,
        n=n,
        without=without,
        confidence=sum(confidence for confidence, _ in verdicts) / n,
        right=Share.of(sum(right for _, right in verdicts), n),
        ece=sum(part.right.n / n * _gap(part) for part in shown),
        brier=sum((confidence - right) ** 2 for confidence, right in verdicts) / n,
        base_brier=rate * (1 - rate),
        bins=shown,
    )


def confidence_of(judgement: Judgement, source: ConfidenceSource) -> float | None:
    """One kind of confidence in a judgement's verdict; None without a verdict or that kind."""
    if judgement.verdict is None:
        return None
    if source != "votes":
        return judgement.confidence if judgement.confidence_source == source else None
    if len(judgement.rollouts) < 2 or judgement.confidence_source == "margin":
        return None
    named = [rollout.verdict for rollout in judgement.rollouts]
    return named.count(judgement.verdict) / len(named)


def _bin(low: float, high: float, verdicts: Sequence[tuple[float, bool]]) -> Bin:
    n = len(verdicts)
    mean = sum(confidence for confidence, _ in verdicts) / n if n else None
    return Bin(low, high, mean, Share.of(sum(right for _, right in verdicts), n))


def _gap(part: Bin) -> float:
    if part.confidence is None or part.right.share is None:
        return 0.0
    return abs(part.confidence - part.right.share)
