"""A figure with its 95 % interval, or the sentence why it has none; the bootstrap behind it."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""From sums, one row for each resample, to the figure of each; NaN where it is undefined."""

FEWEST = 10
"""Groups below which resampling says little: its intervals come out too short."""

_RESAMPLES = 1000
_MOST_DRAWS = 1_000_000
_MOST_UNDEFINED = 0.05
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that was reckoned from `n` things.

    Attributes:
        value: None where the figure is undefined; `why` says why.
        low, high: its 95 % interval; None where there is none, and `why` says why.
        n: what it was reckoned over; `unit` names these things.
        why: a sentence where value or interval are missing, else empty.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    why: str = ""

    @classmethod
    def undefined(cls, n: int, unit: str, why: str) -> Self:
        """No figure, and the sentence why."""
        return cls(None, None, None, n, unit, why)

    @classmethod
    def bare(cls, value: float, n: int, unit: str, why: str) -> Self:
        """A figure without an interval, and the sentence why."""
        return cls(value, None, None, n, unit, why)

    def of(self, unit: str) -> "Estimate":
        """The same of things that are called otherwise."""
        return replace(self, unit=unit)


def too_few(groups: int) -> str:
    """The sentence on so few prompts that resampling them says little."""
    prompts = "prompt" if groups == 1 else "prompts"
    return f"Only {groups} {prompts} to resample: too few for an interval."


def grouped(sums: Floats, groups: Sequence[Hashable]) -> Floats:
    """The rows of a table added up by group, such as the pairs of one prompt."""
    numbers: dict[Hashable, int] = {}
    places = [numbers.setdefault(group, len(numbers)) for group in groups]
    added = np.zeros((len(numbers), sums.shape[1]))
    np.add.at(added, places, sums)
    return added


def bootstrapped(
    value: float, sums: Floats, statistic: Statistic, *, n: int, unit: str, seed: int = 0
) -> Estimate:
    """A figure with the percentile interval of a bootstrap that resamples whole groups.

    The figure must be a function of sums over groups. Groups with the same sums are drawn
    together, so that a thousand resamples of thousands of groups take milliseconds.

    Args:
        value: the figure itself.
        sums: what each group adds, one row each.
        statistic: the figure of added sums.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    groups = len(sums)
    if groups < FEWEST:
        return Estimate.bare(value, n, unit, too_few(groups))
    patterns, counts = np.unique(sums, axis=0, return_counts=True)
    resamples = int(min(_RESAMPLES, max(200, _MOST_DRAWS // len(patterns))))
    drawn = np.random.default_rng(seed).multinomial(groups, counts / groups, size=resamples)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(drawn @ patterns)
    known = values[np.isfinite(values)]
    if len(known) < (1 - _MOST_UNDEFINED) * resamples:
        return Estimate.bare(
            value, n, unit, "In many resamples the figure is undefined, so it has no interval."
        )
    low, high = np.percentile(known, [2.5, 97.5])
    if high - low < _NO_SPREAD:
        why = "Every resample comes to the same figure, so it has no interval."
        return Estimate.bare(value, n, unit, why)
    return Estimate(value, min(float(low), value), max(float(high), value), n, unit)
