"""Marks counted in cells, and figures made of the cells with intervals that know the prompts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
import numpy.typing as npt

from rmr1.benchmark.figure import Figure, Interval
from rmr1.share import Share

RESAMPLES = 2_000
_AT_ONCE = 100
"""Resamples held in memory at once."""

Weights = Mapping[str, float]
"""What share of a figure each cell has; they add up to 1."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one judgement, or one query as a whole, is worth.

    Attributes:
        cell: what it is averaged in first.
        stratum: prompts are resampled within it, so that its size stays.
        unit: the prompt.
        credit: 1 right, 0 wrong, 0.5 where a rule gives that.
        failed: it has no verdict.
    """

    cell: str
    stratum: str
    unit: str
    credit: float
    failed: bool = False


class Tally:
    """Marks by cell."""

    def __init__(self, marks: Iterable[Mark], *, seed: int = 0) -> None:
        """Count.

        Args:
            seed: of the resampling.
        """
        self.marks = list(marks)
        self._seed = seed
        self._cells: dict[str, list[Mark]] = defaultdict(list)
        for mark in self.marks:
            self._cells[mark.cell].append(mark)
        self._index = {cell: number for number, cell in enumerate(self._cells)}

    @property
    def cells(self) -> Sequence[str]:
        """The cells with marks, as they first came."""
        return list(self._cells)

    def n(self, cell: str) -> int:
        """Marks in a cell."""
        return len(self._cells.get(cell, ()))

    def only(self, cell: str) -> Weights:
        """The weights of one cell's own mean; none where it has no marks."""
        return {cell: 1.0} if cell in self._cells else {}

    def cell(self, cell: str, name: str | None = None) -> Figure:
        """The mean of one cell."""
        return self.figure(name or cell, self.only(cell))

    def pooled(self, name: str, cells: Iterable[str] | None = None) -> Figure:
        """The mean over all marks of the cells, whichever cell they are in.

        Args:
            cells: by default all.
        """
        found = [cell for cell in (self.cells if cells is None else cells) if self.n(cell)]
        total = sum(map(self.n, found))
        return self.figure(name, {cell: self.n(cell) / total for cell in found})

    def figure(self, name: str, weights: Weights, missing: Sequence[str] = ()) -> Figure:
        """A weighted mean of cells' means."""
        used = {cell: weight for cell, weight in weights.items() if weight}
        marks = [mark for cell in used for mark in self._cells[cell]]
        value = self._value(used, marks)
        low, high, interval = self._interval(used, marks, value)
        return Figure(
            name=name,
            value=value,
            n=len(marks),
            failures=sum(mark.failed for mark in marks),
            low=low,
            high=high,
            interval=interval,
            missing=tuple(missing),
            cells=tuple(used),
        )

    def _value(self, weights: Weights, marks: Sequence[Mark]) -> float | None:
        if not weights:
            return None
        if self._is_pooled(weights, len(marks)):  # exact to the last digit
            return sum(mark.credit for mark in marks) / len(marks)
        return sum(weight * self._mean(cell) for cell, weight in weights.items())

    def _mean(self, cell: str) -> float:
        marks = self._cells[cell]
        return sum(mark.credit for mark in marks) / len(marks)

    def _interval(
        self, weights: Weights, marks: Sequence[Mark], value: float | None
    ) -> tuple[float | None, float | None, Interval]:
        if value is None:
            return None, None, "none"
        plain = all(mark.credit in {0.0, 1.0} for mark in marks)
        if plain and len({(mark.stratum, mark.unit) for mark in marks}) == len(marks):
            if self._is_pooled(weights, len(marks)):
                share = Share.of(round(sum(mark.credit for mark in marks)), len(marks))
                return share.low, share.high, "wilson"
            return *self._mover(weights, value), "mover"
        resampled = self._resampled
        alone = {stratum for stratum, units in self._units.items() if len(units) < 2}
        if any(mark.stratum in alone for mark in marks):
            return None, None, "none"
        numbers = [self._index[cell] for cell in weights]
        drawn = resampled[:, numbers] @ np.array(list(weights.values()))
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        return min(float(low), value), max(float(high), value), "bootstrap"

    def _is_pooled(self, weights: Weights, total: int) -> bool:
        return all(abs(weight - self.n(cell) / total) < 1e-12 for cell, weight in weights.items())

    def _mover(self, weights: Weights, value: float) -> tuple[float, float]:
        """The interval of a weighted mean out of those of its independent shares.

        Source: G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008), equations 2 and 3.
        """
        below = above = 0.0
        for cell, weight in weights.items():
            share = Share.of(round(self._mean(cell) * self.n(cell)), self.n(cell))
            assert share.share is not None
            assert share.low is not None
            assert share.high is not None
            below += (weight * (share.share - share.low)) ** 2
            above += (weight * (share.high - share.share)) ** 2
        return max(0.0, value - sqrt(below)), min(1.0, value + sqrt(above))

    @cached_property
    def _units(self) -> dict[str, dict[str, list[Mark]]]:
        units: dict[str, dict[str, list[Mark]]] = defaultdict(lambda: defaultdict(list))
        for mark in self.marks:
            units[mark.stratum][mark.unit].append(mark)
        return units

    @cached_property
    def _resampled(self) -> npt.NDArray[np.float64]:
        """The cells' means when prompts are drawn anew, a row a resample.

        Of a stratum's m prompts m - 1 are drawn, so that small strata do not look too certain.

        Source: J. N. K. Rao and C. F. J. Wu, JASA 83 (1988), the rescaled bootstrap.
        """
        random = np.random.default_rng(self._seed)
        width = len(self._index)
        sums = np.zeros((RESAMPLES, 2 * width))
        for units in self._units.values():
            table = np.zeros((len(units), 2 * width))
            for row, marks in enumerate(units.values()):
                for mark in marks:
                    table[row, self._index[mark.cell]] += mark.credit
                    table[row, width + self._index[mark.cell]] += 1
            drawn = max(1, len(units) - 1)
            for start in range(0, RESAMPLES, _AT_ONCE):
                picks = random.integers(0, len(units), (_AT_ONCE, drawn))
                counts = np.stack([np.bincount(row, minlength=len(units)) for row in picks])
                sums[start : start + _AT_ONCE] += counts @ table * (len(units) / drawn)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: npt.NDArray[np.float64] = sums[:, :width] / sums[:, width:]
        return means


def blend(parts: Iterable[tuple[str, float, Weights]]) -> tuple[dict[str, float], list[str]]:
    """Cells' weights in a weighted mean of means, over the parts that are there.

    Args:
        parts: name, weight and cells of each; one without cells is left out.

    Returns:
        The cells' weights, and the names that were left out.
    """
    given = list(parts)
    total = sum(weight for _, weight, cells in given if cells)
    blended: dict[str, float] = defaultdict(float)
    for _, weight, cells in given:
        for cell, share in cells.items():
            blended[cell] += weight / total * share
    return dict(blended), [name for name, _, cells in given if not cells]
