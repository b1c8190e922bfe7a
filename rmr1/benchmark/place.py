"""Where a pair counts in its benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pair counts in its benchmark.

    Attributes:
        cell: what it is averaged in first.
        slice: the smallest part that has a score of its own; samples keep the slices' shares.
        stratum: prompts are resampled within it.
        unit: the prompt, or prompts that are scored together; all pairs of a unit are in a sample,
            or none.
        query: for best of N, the query that is right only if every pair of it is.
        losers: pairs of that query, where the data say so.
    """

    cell: str
    slice: str
    stratum: str
    unit: str
    query: str | None = None
    losers: int | None = None
