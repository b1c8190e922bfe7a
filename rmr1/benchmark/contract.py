"""What a benchmark says of itself: its rows, where a pair counts, its tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rmr1.benchmark.figure import Table
from rmr1.benchmark.outcome import Outcome, Rule
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Mark, Tally
from rmr1.cells import Cells
from rmr1.pair import Pair

Query = Sequence[Outcome]
"""What is right or wrong as a whole: a pair alone, or all pairs of a query of best of N."""


def no_marks(_queries: Iterable[Query], _rule: Rule) -> Iterable[Mark]:
    """What most benchmarks count beyond each query's own mark."""
    return ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A published benchmark.

    Attributes:
        name: on the command line.
        title: as people write it; the `source` of its pairs.
        size: pairs of the whole, as published; None where that is not said.
        origin: where it is to be had.
        patterns: which files of a folder hold it; the first pattern that any file matches counts.
        pairs: makes a row's pairs, the better response first.

            Raises CellError where the row cannot be used.
        locate: where a pair counts.

            Raises InputError where the pair is none of this benchmark's.
        tables: the published numbers, the main table first, its last figure the headline.
        together: marks of what several queries are worth together, under a rule.
    """

    name: str
    title: str
    size: int | None
    origin: str
    patterns: Sequence[str]
    pairs: Callable[[Cells, str], Sequence[Pair]]
    locate: Callable[[Pair], Place]
    tables: Callable[[Tally], Sequence[Table]]
    together: Callable[[Iterable[Query], Rule], Iterable[Mark]] = no_marks
