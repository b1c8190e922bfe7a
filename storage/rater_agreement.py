"""How far raters agree beyond chance: Cohen's kappa, Krippendorff's alpha, Gwet's AC1 and AC2.

Every figure comes with a bootstrap interval over groups of items (prompts), or a sentence.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from storage.estimate import FEWEST, Estimate, Floats, bootstrapped, grouped, too_few

Level = Literal["nominal", "ordinal"]


@dataclass(frozen=True, slots=True)
class Ratings:
    """What raters said of items: items as rows, values as columns, counts of raters inside.

    Attributes:
        groups: for each item what it belongs to (its prompt): resampled together.
        values: names of the columns; in their order where the scale is ordinal.
    """

    counts: Floats
    groups: Sequence[Hashable]
    values: Sequence[str]

    @property
    def shared(self) -> int:
        """Items that two raters or more rated."""
        return int((self.counts.sum(axis=1) >= 2).sum())

    def observed(self) -> "Ratings":
        """Without the values that nobody gave."""
        given = self.counts.sum(axis=0) > 0
        values = [value for value, is_given in zip(self.values, given, strict=True) if is_given]
        return Ratings(self.counts[:, given], self.groups, values)

    def compared(self) -> "Ratings":
        """Without the items that fewer than two raters rated."""
        kept = self.counts.sum(axis=1) >= 2
        groups = [group for group, is_kept in zip(self.groups, kept, strict=True) if is_kept]
        return Ratings(self.counts[kept], groups, self.values)


def cohen_kappa(
    pairs: Sequence[tuple[str, str]], groups: Sequence[Hashable], *, unit: str = "pairs"
) -> Estimate:
    """Cohen's kappa of two raters, unweighted.

    Undefined without items, and where one of the two always gives the same answer: chance then
    explains all agreement that there can be.

    Args:
        pairs: what the two said of each item.

    Source: J. Cohen, Educational and Psychological Measurement 20 (1960); by statsmodels.
    """
    if not pairs:
        return Estimate.undefined(0, unit, "No item that both answered.")
    for place in (0, 1):
        said = {pair[place] for pair in pairs}
        if len(said) == 1:
            why = f"One of the two always says {said.pop()}: nothing is left to explain but chance."
            return Estimate.undefined(len(pairs), unit, why)
    # Imported late: statsmodels takes seconds.
    from statsmodels.stats.inter_rater import cohens_kappa

    values = {value: i for i, value in enumerate(sorted({v for pair in pairs for v in pair}))}
    size = len(values)
    cells = np.zeros((len(pairs), size * size))
    for row, (one, other) in enumerate(pairs):
        cells[row, values[one] * size + values[other]] = 1
    table = cells.sum(axis=0).reshape(size, size)
    kappa = float(cohens_kappa(table, return_results=False))
    statistic = partial(_kappas, size=size)
    return bootstrapped(kappa, grouped(cells, groups), statistic, n=len(pairs), unit=unit)


def _kappas(sums: Floats, size: int) -> Floats:
    tables = sums.reshape(-1, size, size)
    tables = tables / tables.sum(axis=(1, 2), keepdims=True)
    seen = np.trace(tables, axis1=1, axis2=2)
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1)
    return np.asarray((seen - chance) / (1 - chance))


def percent_agreement(ratings: Ratings, *, unit: str = "pairs") -> Estimate:
    """Share of agreeing pairs of raters on an item, in the mean over items."""
    if not ratings.shared:
        return Estimate.undefined(0, unit, "No pair that two people labelled.")
    ratings = ratings.compared()
    sums = _gwet_sums(ratings, np.eye(len(ratings.values)))[:, :2]
    value = float(sums[:, 0].sum() / sums[:, 1].sum())
    added = grouped(sums, ratings.groups)
    return bootstrapped(value, added, lambda s: s[:, 0] / s[:, 1], n=ratings.shared, unit=unit)


def krippendorff_alpha(
    ratings: Ratings, level: Level = "nominal", *, unit: str = "pairs"
) -> Estimate:
    """Krippendorff's alpha: any number of raters, answers may be missing.

    Source: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); by the library
        krippendorff.
    """
    ratings = ratings.compared().observed()
    if problem := _problem(ratings):
        return Estimate.undefined(ratings.shared, unit, problem)
    import krippendorff

    alpha = float(
        krippendorff.alpha(
            value_counts=ratings.counts,
            value_domain=list(range(len(ratings.values))),
            level_of_measurement=level,
        )
    )
    raters = ratings.counts.sum(axis=1)
    size = len(ratings.values)
    both = np.einsum("ic,ik->ick", ratings.counts, ratings.counts)
    both -= np.einsum("ic,ck->ick", ratings.counts, np.eye(size))
    sums = (both / (raters - 1)[:, None, None]).reshape(len(both), -1)
    statistic = partial(_alphas, size=size, level=level)
    added = grouped(sums, ratings.groups)
    return bootstrapped(alpha, added, statistic, n=ratings.shared, unit=unit)


def _alphas(sums: Floats, size: int, level: Level) -> Floats:
    seen = sums.reshape(-1, size, size)
    totals = seen.sum(axis=1)
    everything = totals.sum(axis=1)[:, None, None]
    chance = totals[:, :, None] * totals[:, None, :] - np.einsum("rc,ck->rck", totals, np.eye(size))
    distance = _distances(totals, level)
    expected = (chance / (everything - 1) * distance).sum(axis=(1, 2))
    return np.asarray(1 - (seen * distance).sum(axis=(1, 2)) / expected)


def _distances(totals: Floats, level: Level) -> Floats:
    if level == "nominal":
        size = totals.shape[1]
        return np.broadcast_to(1 - np.eye(size), (len(totals), size, size))
    # The values between two, with half of each end: a function of the place in the cumulation.
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)


def gwet(ratings: Ratings, level: Level = "nominal", *, unit: str = "pairs") -> Estimate:
    """Gwet's AC1 (nominal), or AC2 with ordinal weights: steady where one answer dominates.

    Items that one person alone rated count for how common an answer is.

    Source: K. L. Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), chapters 4 and 5;
        AC1 first in British Journal of Mathematical and Statistical Psychology 61 (2008).
    """
    ratings = ratings.observed()
    if problem := _problem(ratings):
        return Estimate.undefined(ratings.shared, unit, problem)
    size = len(ratings.values)
    weights = np.eye(size) if level == "nominal" else ordinal_weights(size)
    sums = _gwet_sums(ratings, weights)
    statistic = partial(_gwets, total_weight=float(weights.sum()))
    value = float(statistic(sums.sum(axis=0, keepdims=True))[0])
    prompts = len(set(ratings.compared().groups))
    if prompts < FEWEST:
        return Estimate.bare(value, ratings.shared, unit, too_few(prompts))
    added = grouped(sums, ratings.groups)
    return bootstrapped(value, added, statistic, n=ratings.shared, unit=unit)


def ordinal_weights(size: int) -> Floats:
    """How much two values of an ordinal scale agree: 1 for the same, 0 for both its ends.

    Source: Gwet (2014), section 3.5: one less the ways to choose two of the values from one to
        the other, over those of the whole scale.
    """
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) + 1
    ways = apart * (apart - 1) / 2
    return np.asarray(1 - ways / ways.max())


def _gwet_sums(ratings: Ratings, weights: Floats) -> Floats:
    """For each item: agreement, whether shared, whether rated, and the share of each value."""
    counts = ratings.counts
    raters = counts.sum(axis=1)
    shared = raters >= 2
    agreeing = (counts * (counts @ weights - 1)).sum(axis=1)
    seen = np.divide(agreeing, raters * (raters - 1), out=np.zeros(len(counts)), where=shared)
    rated = raters > 0
    shares = np.divide(counts, raters[:, None], out=np.zeros_like(counts), where=rated[:, None])
    return np.column_stack([seen, shared, rated, shares])


def _gwets(sums: Floats, total_weight: float) -> Floats:
    seen = sums[:, 0] / sums[:, 1]
    shares = sums[:, 3:] / sums[:, 2:3]
    size = shares.shape[1]
    chance = total_weight / (size * (size - 1)) * (shares * (1 - shares)).sum(axis=1)
    return np.asarray((seen - chance) / (1 - chance))


def _problem(ratings: Ratings) -> str:
    if not ratings.shared:
        return "No pair that two people labelled."
    if len(ratings.values) == 1:
        return (
            f"Everybody says {ratings.values[0]}: where nobody varies there is no chance to beat."
        )
    return ""
