"""Batches: pairs on record that a judge has not judged yet, and what it says of them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import judgements, runs
from storage.columns import utc_now
from storage.database import Database
from storage.pairs import from_row
from storage.runs import Run
from storage.tables import JudgementRow, JudgeVersionRow, LabelEventRow, PairRow

Which = Literal["all", "labelled", "known"]
"""All pairs; those that a person labelled; those whose better side the source knew."""

SILENCE = timedelta(seconds=60)
"""A batch that has not been heard of for so long ended with its process."""

_CHUNK = 50


class Left(NamedTuple):
    """How many pairs are meant, and how many of them are not judged yet."""

    pairs: int
    unjudged: int


def left(session: Session, judge: Judge, plan: Plan, which: Which) -> Left:
    """How much there is to do for this judge under this plan."""
    meant = select(func.count()).select_from(PairRow).where(*_meant(which))
    undone = meant.where(_unjudged(judge, plan))
    return Left(session.scalar(meant) or 0, session.scalar(undone) or 0)


def unjudged(
    session: Session, judge: Judge, plan: Plan, which: Which, limit: int | None = None
) -> list[int]:
    """Ids of the pairs to judge, in a random order that is always the same.

    A judgement whose backend failed does not count as one.
    """
    statement = (
        select(PairRow.id)
        .where(*_meant(which), _unjudged(judge, plan))
        .order_by(PairRow.lot, PairRow.id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def texts(database: Database, pair_ids: Sequence[int]) -> Iterator[Pair]:
    """The pairs with these ids, a few in memory at a time; one that is gone is left out."""
    for start in range(0, len(pair_ids), _CHUNK):
        with database.read() as session:
            rows = session.scalars(
                select(PairRow).where(PairRow.id.in_(pair_ids[start : start + _CHUNK]))
            )
            found = [from_row(row) for row in rows]
        yield from found


def keep(session: Session, run_id: int, judge: Judge, judgement: Judgement) -> None:
    """Put a judgement of a batch on record."""
    profile = judge.profile.model_dump_json()
    judgements.add(session, judgement, profile_text=profile, origin="batch", run_id=run_id)


def is_silent(run: Run) -> bool:
    """Whether a batch that is said to run has not been heard of for too long."""
    heard = run.counts.get("heard_at")
    since = utc_now().timestamp() - (heard if isinstance(heard, float) else 0.0)
    return run.state == "running" and since > SILENCE.total_seconds()


def report(session: Session, run_id: int, done: int, failed: int) -> None:
    """Note how far a batch is: judgements with and without a working backend."""
    heard = utc_now().timestamp()
    runs.report(session, run_id, {"done": done, "failed": failed, "heard_at": heard})


def _meant(which: Which) -> list[ColumnElement[bool]]:
    if which == "labelled":
        return [
            exists().where(LabelEventRow.pair_id == PairRow.id, LabelEventRow.value.is_not(None))
        ]
    return [PairRow.chosen.is_not(None)] if which == "known" else []


def _unjudged(judge: Judge, plan: Plan) -> ColumnElement[bool]:
    same = (
        select(JudgementRow.id)
        .join(JudgeVersionRow, JudgeVersionRow.id == JudgementRow.judge_version_id)
        .where(
            JudgementRow.pair_id == PairRow.id,
            JudgeVersionRow.hash == judge.version.hash,
            JudgementRow.plan_hash == plan.hash,
            JudgementRow.state != State.FAILED,
        )
    )
    return ~same.exists()
