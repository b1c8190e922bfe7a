"""Judgements counted by all their kinds at once; the last counts are remembered."""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.orm import Session

from storage.benchmark_tables import BenchmarkItemRow
from storage.census import Census, census
from storage.filters import JudgementFilter, dimensions
from storage.selection import SIDES, Selection, labels, selected, sides_of, whole_kind


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


State = tuple[object, ...]
Remembered = OrderedDict[JudgementFilter, tuple[State, list[Cell]]]

_MOST = 8
_LOCK = Lock()
_NO_KINDS = dict.fromkeys(dimensions())
_REMEMBERED: WeakKeyDictionary[Engine | Connection, Remembered] = WeakKeyDictionary()


def cells(session: Session, wanted: JudgementFilter) -> list[Cell]:
    """Count the judgements of each kind.

    The fields of the filter that are dimensions do not narrow the cells: they are for the caller
    to look at. So the same cells serve many filters, and are kept until the data change.
    """
    narrowing = wanted.model_copy(update=_NO_KINDS)
    state = _state(session)
    with _LOCK:
        remembered = _REMEMBERED.setdefault(session.get_bind(), OrderedDict())
        known = remembered.get(narrowing)
    if known and known[0] == state:
        return known[1]
    counted = _count(session, narrowing)
    with _LOCK:
        remembered[narrowing] = (state, counted)
        remembered.move_to_end(narrowing)
        if len(remembered) > _MOST:
            remembered.popitem(last=False)
    return counted


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


def _state(session: Session) -> State:
    """What differs whenever a count may differ."""
    items = session.scalar(select(func.max(BenchmarkItemRow.id)))
    return census(session).mark, labels(session).newest, items
