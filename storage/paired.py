"""Two judges on the same pairs: shares with their intervals, and McNemar's exact test."""

from collections.abc import Iterable
from dataclasses import dataclass

NEEDED_TO_TELL = 6
"""Differing outcomes below which the exact test never reaches 5 %: 2 * 0.5 ** 5 is more."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the 95 % interval of Wilson; no figure where `n` is 0."""

    count: int
    n: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Paired:
    """How often each of two judges was right on the same pairs.

    Attributes:
        only_old, only_new: pairs on which one was right and the other was not.
        difference: accuracy of the new judge less that of the old one; None without pairs.
        p_value: of McNemar's exact test, two-sided; None without pairs.
    """

    n: int
    old: Share
    new: Share
    only_old: int
    only_new: int
    difference: float | None
    p_value: float | None


def share(count: int, n: int) -> Share:
    """`count` of `n`, with its interval.

    Source: E. B. Wilson, JASA 22 (1927); computed by statsmodels.
    """
    if not n:
        return Share(0, 0, None, None, None)
    # Imported late, here and below: statsmodels takes seconds, and few commands compare.
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, n, method="wilson")
    exact = count / n  # rounding may leave an end of the interval on the wrong side of it
    return Share(count, n, exact, min(float(low), exact), max(float(high), exact))


def compare_outcomes(outcomes: Iterable[tuple[bool, bool]]) -> Paired:
    """Compare two judges by whether the old and the new one were right on each pair.

    Source: Q. McNemar, Psychometrika 12 (1947), in its exact form; computed by statsmodels.
    """
    counts = {(old, new): 0 for old in (True, False) for new in (True, False)}
    for outcome in outcomes:
        counts[outcome] += 1
    n = sum(counts.values())
    only_old, only_new = counts[True, False], counts[False, True]
    both = counts[True, True]
    return Paired(
        n=n,
        old=share(both + only_old, n),
        new=share(both + only_new, n),
        only_old=only_old,
        only_new=only_new,
        difference=(only_new - only_old) / n if n else None,
        p_value=_mcnemar(both, only_old, only_new, counts[False, False]) if n else None,
    )


def _mcnemar(both: int, only_old: int, only_new: int, neither: int) -> float:
    from statsmodels.stats.contingency_tables import mcnemar

    if not only_old + only_new:
        return 1.0
    return float(mcnemar([[both, only_old], [only_new, neither]], exact=True).pvalue)
