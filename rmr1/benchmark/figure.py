"""One number of a score, with what stands behind it, and tables of them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Interval = Literal["wilson", "mover", "bootstrap", "none"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A share, or a weighted mean of shares, in 0..1.

    Attributes:
        value: None where nothing of it was judged.
        n: judgements behind it; queries where a query is right or wrong as a whole.
        failures: of `n`, those without a verdict under the rule of the score.
        low, high: the 95 % interval.
        interval: how it was found: of Wilson for a plain share; "mover" for a weighted mean of
            independent shares; bootstrap over prompts where one prompt stands behind several
            judgements; none where a part of it stands on a single prompt.
        missing: parts that belong into the mean and were not judged; the mean is of the others.
        cells: where the judgements behind it count first, as `Place.cell` names them.
    """

    name: str
    value: float | None
    n: int
    failures: int
    low: float | None
    high: float | None
    interval: Interval
    missing: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()

    @property
    def failure_rate(self) -> float | None:
        """Failures of all judgements behind the figure."""
        return self.failures / self.n if self.n else None

    def as_record(self) -> dict[str, Any]:
        """The figure as a JSON object."""
        record = {**asdict(self), "failure_rate": self.failure_rate}
        del record["cells"]
        return record


@dataclass(frozen=True, slots=True)
class Table:
    """Figures that belong together.

    Attributes:
        note: how they were put together, in a sentence; "" where it is the usual way.
    """

    title: str
    figures: tuple[Figure, ...]
    note: str = ""

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def as_record(self) -> dict[str, Any]:
        """The table as a JSON object, its figures by name."""
        return {
            "note": self.note,
            "figures": {figure.name: figure.as_record() for figure in self.figures},
        }
