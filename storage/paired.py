"""Two judges on the same pairs: shares with their intervals, and McNemar's exact test."""

from collections.abc import Iterable
from dataclasses import dataclass

from rmr1.share import Share

NEEDED_TO_TELL = 6
"""Differing outcomes below which the exact test never reaches 5 %: 2 * 0.5 ** 5 is more."""


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
        old=Share.of(both + only_old, n),
        new=Share.of(both + only_new, n),
        only_old=only_old,
        only_new=only_new,
        difference=(only_new - only_old) / n if n else None,
        p_value=_mcnemar(both, only_old, only_new, counts[False, False]) if n else None,
    )


def _mcnemar(both: int, only_old: int, only_new: int, neither: int) -> float:
    # Imported late: statsmodels takes seconds, and few commands compare.
    from statsmodels.stats.contingency_tables import mcnemar

    if not only_old + only_new:
        return 1.0
    return float(mcnemar([[both, only_old], [only_new, neither]], exact=True).pvalue)
