"""Judgements with many votes, kept together by judge and plan: what other plans are replayed on."""

from typing import NamedTuple

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session, joinedload, selectinload

from rmr1.judgement import Judgement
from rmr1.plan import Plan
from storage import judgement_rows
from storage.tables import JudgementRow, JudgeVersionRow, PairRow, RolloutRow

MOST = 1_000
"""Judgements of a pool that are worked on: the newest ones."""


_HAS_VOTES = JudgementRow.rollout_count > literal_column("1")
"""As the index of such judgements has it, which a value that comes later would not match."""


class PoolOnRecord(NamedTuple):
    """Judgements of pairs whose better side is known, with votes to choose among.

    Attributes:
        version: hash of the judge version.
        plan_hash: of the plan that drew them.
        newest: the id of the newest judgement: with it the pool has changed.
    """

    version: str
    plan_hash: str
    title: str
    plan: Plan
    pairs: int
    newest: int


def pools(session: Session) -> list[PoolOnRecord]:
    """The pools on record, largest first; runs that stopped early show only what they drew."""
    found = session.execute(
        select(
            JudgementRow.judge_version_id,
            JudgementRow.plan_hash,
            func.count(JudgementRow.pair_id.distinct()),
            func.max(JudgementRow.id),
        )
        .join(PairRow, PairRow.id == JudgementRow.pair_id)
        .where(_HAS_VOTES, PairRow.chosen.is_not(None))
        .group_by(JudgementRow.judge_version_id, JudgementRow.plan_hash)
        .order_by(func.count().desc())
    ).all()
    listed = []
    for version_id, plan_hash, pairs, newest in found:
        row = session.get_one(JudgementRow, newest)
        plan = Plan.model_validate(row.plan)
        if plan.votes > 1 and plan.stop_at is None:
            version = session.get_one(JudgeVersionRow, version_id)
            title = judgement_rows.version_from_row(version).title
            listed.append(PoolOnRecord(version.hash, plan_hash, title, plan, pairs, newest))
    return listed


def judgements_of(session: Session, pool: PoolOnRecord) -> list[Judgement]:
    """The judgements of a pool, the newest of each pair; a pair whose judge failed is left out."""
    newest = (
        select(func.max(JudgementRow.id))
        .join(JudgeVersionRow, JudgeVersionRow.id == JudgementRow.judge_version_id)
        .join(PairRow, PairRow.id == JudgementRow.pair_id)
        .where(
            JudgeVersionRow.hash == pool.version,
            JudgementRow.plan_hash == pool.plan_hash,
            JudgementRow.rollout_count == pool.plan.size,
            JudgementRow.state != "failed",
            PairRow.chosen.is_not(None),
        )
        .group_by(JudgementRow.pair_id)
        .order_by(func.max(JudgementRow.id).desc())
        .limit(MOST)
    )
    rows = session.scalars(
        select(JudgementRow)
        .where(JudgementRow.id.in_(newest))
        .options(
            joinedload(JudgementRow.pair),
            joinedload(JudgementRow.version),
            selectinload(JudgementRow.rollouts).selectinload(RolloutRow.quotes),
        )
    )
    return [judgement_rows.from_row(row) for row in rows]
