"""Judgements on record: added, found again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from rmr1.errors import RecordNotFound
from rmr1.judgement import Judgement, JudgeVersion
from storage import judgement_rows, pairs
from storage.tables import JudgementRow, JudgeVersionRow, PairRow, RolloutRow

Origin = Literal["live", "import", "batch"]


@dataclass(frozen=True, slots=True)
class StoredJudgement:
    """A judgement with its place in the database.

    Attributes:
        key: what links carry.
        origin: `live`, `import` or `batch`.
        run_id: the import or batch it came with, if any.
    """

    key: str
    judgement: Judgement
    pair_id: int
    created_at: datetime
    origin: str
    run_id: int | None


def add(
    session: Session,
    judgement: Judgement,
    *,
    profile_text: str = "",
    origin: Origin = "live",
    run_id: int | None = None,
) -> str:
    """Put a judgement on record, and its pair and judge version where they are not.

    Args:
        profile_text: content of the prompt profile, kept with the judge version.

    Returns:
        The new judgement's key.

    Raises:
        InputError: a text of the pair holds characters that are no valid Unicode.
    """
    pair_id = pairs.add(session, judgement.pair, run_id=run_id)
    version_id = add_version(session, judgement.version, profile_text)
    row = judgement_rows.to_row(judgement, pair_id, version_id)
    chosen = session.get_one(PairRow, pair_id).chosen
    row.correct = None if chosen is None else judgement.verdict == chosen
    row.origin = origin
    row.run_id = run_id
    session.add(row)
    session.flush()
    return row.key


def add_version(session: Session, version: JudgeVersion, profile_text: str = "") -> int:
    """The id of a judge version, put on record where it is not."""
    row = session.scalar(select(JudgeVersionRow).where(JudgeVersionRow.hash == version.hash))
    if row is None:
        row = judgement_rows.version_to_row(version, profile_text)
        session.add(row)
        session.flush()
    row.profile_text = row.profile_text or profile_text
    return row.id


def find_same(session: Session, pair_hash: str, version_hash: str, plan_hash: str) -> str | None:
    """Key of the newest judgement of this pair by this judge under this plan, or None."""
    return session.scalar(
        select(JudgementRow.key)
        .join(JudgementRow.pair)
        .join(JudgementRow.version)
        .where(
            PairRow.hash == pair_hash,
            JudgeVersionRow.hash == version_hash,
            JudgementRow.plan_hash == plan_hash,
        )
        .order_by(JudgementRow.id.desc())
        .limit(1)
    )


def get(session: Session, key: str) -> StoredJudgement:
    """The judgement with this key.

    Raises:
        RecordNotFound: there is none.
    """
    rollouts = selectinload(JudgementRow.rollouts)
    row = session.scalar(
        select(JudgementRow)
        .where(JudgementRow.key == key)
        .options(
            joinedload(JudgementRow.pair),
            joinedload(JudgementRow.version),
            rollouts.selectinload(RolloutRow.quotes),
        )
    )
    if row is None:
        raise RecordNotFound(f"There is no judgement {key!r}.")
    return StoredJudgement(
        key=row.key,
        judgement=judgement_rows.from_row(row),
        pair_id=row.pair_id,
        created_at=row.created_at,
        origin=row.origin,
        run_id=row.run_id,
    )
