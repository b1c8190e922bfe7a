"""Judgements counted for charts: a few rows, never the judgements themselves."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.cube import cells
from storage.filters import JudgementFilter, dimensions
from storage.selection import selected
from storage.tables import CriterionRow, RolloutRow

BINS = 20
"""Bins of the confidence histogram over 0..1."""

NEWEST = 5000
"""Judgements whose criteria are counted: enough to know the common ones, and quick."""

_EDGES = [(number + 1) / BINS for number in range(BINS - 1)]
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
    found = selected(session, wanted)
    places = found.places
    outcomes = sorted({kind.correct for kind in found.all.kinds})
    numbers = np.array([outcomes.index(kind.correct) for kind in found.all.kinds], np.int64)
    sure = found.all.confidence[places]
    known = ~np.isnan(sure)
    bins = np.searchsorted(_EDGES, sure[known], side="right")
    counts = np.bincount(bins * max(1, len(outcomes)) + numbers[found.all.kind[places[known]]])
    return [
        ConfidenceBin(number / BINS, (number + 1) / BINS, outcomes[outcome], int(counts[place]))
        for place in np.flatnonzero(counts).tolist()
        for number, outcome in (divmod(place, len(outcomes)),)
    ]


def criteria(session: Session, wanted: JudgementFilter, limit: int = 12) -> list[CriterionUse]:
    """The commonest criteria of the newest `NEWEST` judgements that are meant.

    A judgement counts with its first rollout's rubric.
    """
    found = selected(session, wanted)
    ids = found.all.ids[found.places[-NEWEST:]].tolist()
    # Not labelled `name`: PostgreSQL would group by the column of that name.
    name = func.lower(CriterionRow.name).label("lower_name")
    statement = (
        select(name, func.count(), func.avg(CriterionRow.share))
        .select_from(RolloutRow)
        .join(CriterionRow, CriterionRow.rollout_id == RolloutRow.id)
        .where(RolloutRow.judgement_id.in_(ids), RolloutRow.position == 0)
        .group_by("lower_name")
        .order_by(func.count().desc(), "lower_name")
        .limit(limit)
    )
    return [CriterionUse(*found) for found in session.execute(statement)]
