"""Contrast probes on record, each beside the judgement that it probes."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.contrast import Change
from rmr1.errors import RecordNotFound
from rmr1.judgement import Judgement
from rmr1.pair import Side
from rmr1.record import judgement_from_record, judgement_record
from rmr1.rollout import State
from storage.probe_tables import ProbeRow
from storage.tables import JudgementRow


@dataclass(frozen=True, slots=True)
class StoredProbe:
    """What one line says of a probe.

    Attributes:
        by: who asked for it.
    """

    key: str
    change: Change
    verdict: Side | None
    state: State
    confidence: float | None
    by: str
    created_at: datetime


def add(
    session: Session, judgement_key: str, change: Change, judgement: Judgement, *, by: str
) -> str:
    """Put a probe on record; its key.

    Args:
        judgement_key: the judgement that is probed.
        judgement: what the judge said of the changed pair.

    Raises:
        RecordNotFound: there is no such judgement to probe.
    """
    row = ProbeRow(
        key=secrets.token_hex(16),
        judgement_id=_judgement_id(session, judgement_key),
        change=change,
        verdict=judgement.verdict,
        state=judgement.state,
        confidence=judgement.confidence,
        by=by,
        record=judgement_record(judgement),
    )
    session.add(row)
    session.flush()
    return row.key


def of(session: Session, judgement_key: str) -> list[StoredProbe]:
    """The newest probe of each change of a judgement, in the order of the changes."""
    statement = (
        select(
            ProbeRow.key,
            ProbeRow.change,
            ProbeRow.verdict,
            ProbeRow.state,
            ProbeRow.confidence,
            ProbeRow.by,
            ProbeRow.created_at,
        )
        .join(JudgementRow, JudgementRow.id == ProbeRow.judgement_id)
        .where(JudgementRow.key == judgement_key)
        .order_by(ProbeRow.id)
    )
    newest = {
        row.change: StoredProbe(
            key=row.key,
            change=Change(row.change),
            verdict=Side(row.verdict) if row.verdict else None,
            state=State(row.state),
            confidence=row.confidence,
            by=row.by,
            created_at=row.created_at,
        )
        for row in session.execute(statement)
    }
    return [newest[change] for change in Change if change in newest]


def get(session: Session, key: str) -> Judgement:
    """What the judge said in a probe.

    Raises:
        RecordNotFound: there is no such probe.
    """
    record = session.scalar(select(ProbeRow.record).where(ProbeRow.key == key))
    if record is None:
        raise RecordNotFound(f"There is no probe {key!r}.")
    return judgement_from_record(record)


def _judgement_id(session: Session, key: str) -> int:
    found = session.scalar(select(JudgementRow.id).where(JudgementRow.key == key))
    if found is None:
        raise RecordNotFound(f"There is no judgement {key!r}.")
    return found
