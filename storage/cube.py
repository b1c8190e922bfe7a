"""Judgements counted by all their kinds at once; the last counts are remembered."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from storage.census import Census
from storage.filters import JudgementFilter, dimensions
from storage.kept import Kept
from storage.selection import SIDES, Selection, selected, sides_of, state_of, whole_kind


class Cell(NamedTuple):
    """Judgements that are of the same kind in every dimension, with their quotations.

    Attributes:
        kinds: a value for each of `filters.dimensions()`, in its order.
    """

    kinds: tuple[str, ...]
    judgements: int
    quotes_exact: int
    quotes_near: int
    quotes_absent: int


_NO_KINDS = dict.fromkeys(dimensions())
_KEPT: Kept[list[Cell]] = Kept(8)


def cells(session: Session, wanted: JudgementFilter) -> list[Cell]:
    """Count the judgements of each kind.

    The fields of the filter that are dimensions do not narrow the cells: they are for the caller
    to look at. So the same cells serve many filters, and are kept until the data change.
    """
    narrowing = wanted.model_copy(update=_NO_KINDS)
    state = state_of(session, narrowing, labels=True)
    return _KEPT.get(session, narrowing, state, lambda: _count(session, narrowing))


def _count(session: Session, wanted: JudgementFilter) -> list[Cell]:
    found = selected(session, wanted, kinds=False)
    everything = found.all
    key = everything.kind * np.int32(SIDES) + sides_of(everything, found.labels)
    size = len(everything.kinds) * SIDES
    numbers = _sums(found, key, size, None)
    near, absent = (_sums(found, key, size, one) for one in (everything.near, everything.absent))
    exact = _sums(found, key, size, everything.total) - near - absent
    return [
        Cell(_kind(everything, place), *(int(n[place]) for n in (numbers, exact, near, absent)))
        for place in np.flatnonzero(numbers).tolist()
    ]


def _kind(everything: Census, place: int) -> tuple[str, ...]:
    kind, sides = divmod(place, SIDES)
    return whole_kind(everything.kinds[kind], sides)


def _sums(
    found: Selection, key: NDArray[np.int32], size: int, weights: NDArray[np.int32] | None
) -> NDArray[np.float64 | np.int64]:
    if found.mask is not None:
        key = key[found.mask]
        weights = None if weights is None else weights[found.mask]
    return np.bincount(key, weights, size)
