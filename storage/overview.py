"""Judgements counted for charts: a few rows, never the judgements themselves."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, literal, select
from sqlalchemy.orm import Session

from storage.cube import cells
from storage.filters import JudgementFilter, dimensions, narrow
from storage.tables import CriterionRow, JudgementRow, RolloutRow

BINS = 20
"""Bins of the confidence histogram over 0..1."""

NEWEST = 5000
"""Judgements whose criteria are counted: enough to know the common ones, and quick."""

_SPLIT = ("source", "subset", "judge_version", "state", "correct")


@dataclass(frozen=True, slots=True)
class Tally:
    """Judgements of one kind, counted, with their quotations.

    Attributes:
        correct: `yes`, `no`, `no verdict` or `unknown`, as in the filter.
    """

    source: str
    subset: str
    judge_version: str
    state: str
    correct: str
    judgements: int
    quotes_exact: int
    quotes_near: int
    quotes_absent: int


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Judgements whose confidence is at least `low` and below `high` (1 is in the last bin)."""

    low: float
    high: float
    correct: str
    judgements: int


@dataclass(frozen=True, slots=True)
class CriterionUse:
    """A criterion's name in lower case, in how many rubrics it stands, and its mean share of 1."""

    name: str
    rubrics: int
    mean_share: float | None


def tallies(session: Session, wanted: JudgementFilter) -> list[Tally]:
    """Count the judgements that are meant by source, subset, judge, state and outcome."""
    names = tuple(dimensions())
    chosen = [(i, value) for i, n in enumerate(names) if (value := getattr(wanted, n)) is not None]
    places = [names.index(name) for name in _SPLIT]
    sums: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for kinds, *numbers in cells(session, wanted):
        if all(kinds[i] == value for i, value in chosen):
            total = sums[tuple(kinds[place] for place in places)]
            for i, number in enumerate(numbers):
                total[i] += number
    return [
        Tally(source, subset, version, state, correct, *numbers)
        for (source, subset, version, state, correct), numbers in sums.items()
    ]


def confidences(session: Session, wanted: JudgementFilter) -> list[ConfidenceBin]:
    """Count the judgements that are meant and have a confidence, by confidence and outcome."""
    place = _bin(JudgementRow.confidence.expression).label("place")
    correct = dimensions()["correct"].label("kind_correct")
    statement = (
        select(place, correct, func.count())
        .select_from(JudgementRow)
        .where(JudgementRow.confidence.is_not(None))
    )
    statement = narrow(session, statement, wanted, counted=("correct",))
    statement = statement.group_by("place", "kind_correct")
    return [
        ConfidenceBin(number / BINS, (number + 1) / BINS, kind, judgements)
        for number, kind, judgements in session.execute(statement.order_by("place"))
    ]


def criteria(session: Session, wanted: JudgementFilter, limit: int = 12) -> list[CriterionUse]:
    """The commonest criteria of the newest `NEWEST` judgements that are meant.

    A judgement counts with its first rollout's rubric.
    """
    ids = narrow(session, select(JudgementRow.id).select_from(JudgementRow), wanted, counted=())
    newest = ids.order_by(JudgementRow.id.desc()).limit(NEWEST).subquery("newest")
    # Not labelled `name`: PostgreSQL would group by the column of that name.
    name = func.lower(CriterionRow.name).label("lower_name")
    first = and_(RolloutRow.judgement_id == newest.c.id, RolloutRow.position == 0)
    statement = (
        select(name, func.count(), func.avg(CriterionRow.share))
        .select_from(newest)
        .join(RolloutRow, first)
        .join(CriterionRow, CriterionRow.rollout_id == RolloutRow.id)
        .group_by("lower_name")
        .order_by(func.count().desc(), "lower_name")
        .limit(limit)
    )
    return [CriterionUse(*found) for found in session.execute(statement)]


def _bin(value: ColumnElement[float | None]) -> ColumnElement[int]:
    # Databases differ in how they turn fractions into whole numbers, and in no comparison.
    return case(
        *((value < (number + 1) / BINS, literal(number)) for number in range(BINS - 1)),
        else_=literal(BINS - 1),
    )
