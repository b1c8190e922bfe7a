"""Which judgements stand behind a number of a benchmark run, as SQL."""

from collections.abc import Mapping
from typing import Final, Literal

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.outcome import Rule
from rmr1.benchmark.tally import Mark, Tally
from rmr1.errors import InputError
from storage.benchmark_tables import BenchmarkItemRow
from storage.tables import RunRow

Credit = Literal["right", "wrong", "no verdict"]

EFFECTS: Final = "Position and length"
SLICES: Final = "Slices"

_Item = BenchmarkItemRow
_RIGHT: Mapping[Rule, InstrumentedAttribute[bool | None]] = {
    "published": _Item.published,
    "upstream": _Item.upstream,
    "own": _Item.own,
}


def part_name(table: str, figure: str) -> str:
    """What `behind` knows a figure of a score by."""
    return f"{table}: {figure}"


def behind(
    session: Session,
    run_id: int,
    part: str | None = None,
    rule: Rule = "published",
    credit: Credit | None = None,
) -> Select[int]:
    """Ids of the judgements behind a number; of none where the run has no such.

    Args:
        part: a figure, by `part_name`; None for the whole run.
        credit: only those that are right, wrong, or without a verdict under the rule.
    """
    found = select(_Item.judgement_id).where(_Item.run_id == run_id)
    if part is not None:
        found = found.where(_within(session, run_id, part, rule))
    right = _RIGHT[rule]
    match credit:
        case "right":
            found = found.where(right.is_(True))
        case "wrong":
            found = found.where(right.is_(False))
        case "no verdict":
            found = found.where(right.is_(None))
    return found


def _within(session: Session, run_id: int, part: str, rule: Rule) -> ColumnElement[bool]:
    table, _, name = part.partition(": ")
    if table == EFFECTS:
        return _effect(name, rule)
    if table == SLICES:
        return _whole(run_id) & (_Item.slice == name)
    return _whole(run_id) & _Item.cell.in_(_cells(session, run_id, part))


def _effect(name: str, rule: Rule) -> ColumnElement[bool]:
    conditions: dict[str, ColumnElement[bool]] = {
        "All pairs alike": true(),
        "Right when the better stands first": _Item.first.is_(True),
        "Right when the better stands second": _Item.second.is_(True),
        "Names the first": _Item.spoke.contains(rule[0]),
        "Right when the better is longer": _Item.chosen_longer.is_(True),
        "Right when the better is shorter": _Item.chosen_longer.is_(False),
        "Names the longer": _Item.chosen_longer.is_not(None) & _RIGHT[rule].is_not(None),
    }
    return conditions.get(name, ~true())


def _whole(run_id: int) -> ColumnElement[bool]:
    """Pairs alone, and those of queries of which every pair was judged."""
    complete = (
        select(_Item.query)
        .where(_Item.run_id == run_id, _Item.query.is_not(None))
        .group_by(_Item.query)
        .having(func.count() >= func.max(func.coalesce(_Item.losers, 1)))
    )
    return or_(_Item.query.is_(None), _Item.query.in_(complete))


def _cells(session: Session, run_id: int, part: str) -> tuple[str, ...]:
    """The cells of a figure of the benchmark's tables."""
    run = session.get(RunRow, run_id)
    try:
        benchmark = by_name(str(run.params.get("benchmark"))) if run else None
    except InputError:
        benchmark = None
    if benchmark is None:
        return ()
    known = session.scalars(select(_Item.cell).where(_Item.run_id == run_id).distinct())
    marks = [Mark(cell, cell, cell, 1.0) for cell in known]
    for table in benchmark.tables(Tally(marks)):
        for figure in table:
            if part_name(table.title, figure.name) == part:
                return figure.cells
    return ()
