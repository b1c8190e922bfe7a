"""Judgements counted by all their kinds at once; the last counts are remembered."""

from collections import OrderedDict
from sys import intern
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.orm import Session

from storage.benchmark_tables import BenchmarkItemRow
from storage.filters import JudgementFilter, dimensions, narrow
from storage.tables import JudgementRow, LabelEventRow, PairRow, RunRow


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
_REMEMBERED: WeakKeyDictionary[Engine | Connection, Remembered] = WeakKeyDictionary()


def cells(session: Session, wanted: JudgementFilter) -> list[Cell]:
    """Count the judgements of each kind.

    The fields of the filter that are dimensions do not narrow the cells: they are for the caller
    to look at. So the same cells serve many filters, and are kept until the data change.
    """
    narrowing = wanted.model_copy(update=dict.fromkeys(dimensions()))
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
    kinds = [kind.label(f"kind_{name}") for name, kind in dimensions().items()]
    row = JudgementRow
    statement = select(
        *kinds,
        func.count(),
        func.sum(row.quotes_total - row.quotes_near - row.quotes_absent),
        func.sum(row.quotes_near),
        func.sum(row.quotes_absent),
    ).select_from(row)
    statement = narrow(session, statement, wanted, kinds=False)
    statement = statement.group_by(*(kind.name for kind in kinds))
    return [
        Cell(tuple(map(intern, values)), number, exact, near, absent)
        for *values, number, exact, near, absent in session.execute(statement)
    ]


def _state(session: Session) -> State:
    """What differs whenever a count may differ.

    A better side that an import adds to a pair on record comes with a run; one that a page adds
    comes with a judgement; an import that is undone takes judgements away.
    """
    found = session.execute(
        select(
            select(func.count(JudgementRow.id)).scalar_subquery(),
            select(func.max(JudgementRow.id)).scalar_subquery(),
            select(func.max(LabelEventRow.id)).scalar_subquery(),
            select(func.max(PairRow.id)).scalar_subquery(),
            select(func.max(BenchmarkItemRow.id)).scalar_subquery(),
            select(func.max(RunRow.id)).scalar_subquery(),
            select(func.max(RunRow.undone_at)).scalar_subquery(),
        )
    )
    return tuple(found.one())
