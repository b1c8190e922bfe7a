"""What a benchmark says of itself: its rows, where a pair counts, its tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rmr1.benchmark.figure import Table
from rmr1.benchmark.tally import Tally
from rmr1.cells import Cells
from rmr1.pair import Pair


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pair counts in its benchmark.

    Attributes:
        cell: what it is averaged in first.
        slice: the smallest part that has a score of its own; samples keep the slices' shares.
        stratum: prompts are resampled within it.
        unit: the prompt; all pairs of a prompt are in a sample, or none.
        query: for best of N, the query that is right only if every pair of it is.
        losers: pairs of that query, where the data say so.
    """

    cell: str
    slice: str
    stratum: str
    unit: str
    query: str | None = None
    losers: int | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published benchmark.

    Attributes:
        name: on the command line.
        title: as people write it; the `source` of its pairs.
        size: pairs of the whole, as published.
        origin: where it is to be had.
        patterns: which files of a folder hold it; the first pattern that any file matches counts.
        pairs: makes a row's pairs, the better response first.

            Raises CellError where the row cannot be used.
        locate: where a pair counts.

            Raises InputError where the pair is none of this benchmark's.
        tables: the published numbers, the main table first, its last figure the headline.
    """

    name: str
    title: str
    size: int
    origin: str
    patterns: Sequence[str]
    pairs: Callable[[Cells, str], Sequence[Pair]]
    locate: Callable[[Pair], Place]
    tables: Callable[[Tally], Sequence[Table]]
