"""Runs: imports, batches, benchmarks and trainings, from start to end, and imports taken back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage.benchmark_tables import BenchmarkItemRow
from storage.columns import JsonObject, utc_now
from storage.pairs import note_change
from storage.tables import (
    ArtifactRow,
    JudgementRow,
    LabelEventRow,
    PairRow,
    Row,
    RunRow,
    SnapshotLabelRow,
)
from storage.team_tables import LeadEventRow

RunKind = Literal["import", "batch", "benchmark", "training"]
Ending = Literal["finished", "failed", "stopped", "lost"]


@dataclass(frozen=True, slots=True)
class Run:
    """Something that ran, or runs.

    Attributes:
        state: `running`, `finished`, `failed`, `stopped`, `lost` (its process died) or `undone`.
        message: what went wrong, or what there is to say at the end.
        params: what it was started with.
        counts: what it has come to so far.
    """

    id: int
    kind: str
    name: str
    state: str
    message: str
    params: JsonObject
    counts: JsonObject
    created_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or folder that a run left.

    Attributes:
        hash: SHA-256 (hex), or "" where none was taken.
    """

    id: int
    kind: str
    name: str
    path: str
    hash: str
    size_bytes: int | None
    meta: JsonObject
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking an import back removed, and what it left because something else uses it."""

    judgements_removed: int
    pairs_removed: int
    pairs_kept: int


def start(session: Session, kind: RunKind, name: str, params: JsonObject | None = None) -> int:
    """Put a run on record as running; its id."""
    row = RunRow(kind=kind, name=name, state="running", params=params or {})
    session.add(row)
    session.flush()
    return row.id


def report(session: Session, run_id: int, counts: JsonObject) -> None:
    """Note what a run has come to so far; counts of other names stay.

    Raises:
        RecordNotFound: there is no such run.
    """
    row = _row(session, run_id)
    row.counts = row.counts | counts


def finish(
    session: Session,
    run_id: int,
    counts: JsonObject | None = None,
    state: Ending = "finished",
    message: str = "",
) -> None:
    """Note that a run has ended.

    Raises:
        RecordNotFound: there is no such run.
    """
    row = _row(session, run_id)
    row.counts = row.counts | (counts or {})
    row.state = state
    row.message = message
    row.finished_at = utc_now()


def reopen(session: Session, run_id: int) -> None:
    """Note that a run that had ended goes on.

    Raises:
        RecordNotFound: there is no such run.
    """
    row = _row(session, run_id)
    row.state = "running"
    row.message = ""
    row.finished_at = None


def get(session: Session, run_id: int) -> Run:
    """The run with this id.

    Raises:
        RecordNotFound: there is none.
    """
    return from_row(_row(session, run_id))


def recent(session: Session, kind: RunKind | None = None, limit: int = 50) -> list[Run]:
    """The newest runs, newest first."""
    statement = select(RunRow).order_by(RunRow.id.desc()).limit(limit)
    if kind:
        statement = statement.where(RunRow.kind == kind)
    return [from_row(row) for row in session.scalars(statement)]


def add_artifact(
    session: Session,
    run_id: int,
    *,
    kind: str,
    name: str,
    path: str,
    hash: str = "",
    size_bytes: int | None = None,
    meta: JsonObject | None = None,
) -> int:
    """Put a file or folder that a run left on record; its id."""
    row = ArtifactRow(
        run_id=run_id,
        kind=kind,
        name=name,
        path=path,
        hash=hash,
        size_bytes=size_bytes,
        meta=meta or {},
    )
    session.add(row)
    session.flush()
    return row.id


def artifacts(session: Session, run_id: int) -> list[Artifact]:
    """What a run left, oldest first."""
    rows = session.scalars(
        select(ArtifactRow).where(ArtifactRow.run_id == run_id).order_by(ArtifactRow.id)
    )
    return [
        Artifact(
            id=row.id,
            kind=row.kind,
            name=row.name,
            path=row.path,
            hash=row.hash,
            size_bytes=row.size_bytes,
            meta=row.meta,
            created_at=row.created_at,
        )
        for row in rows
    ]


def undo_import(session: Session, run_id: int) -> Undone:
    """Take an import back: its judgements, and its pairs that nothing else refers to.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it is no import, is taken back already, people have labelled its pairs, or a
            benchmark run counts its judgements.
    """
    row = _row(session, run_id)
    if row.kind != "import":
        raise InputError(f"Run {run_id} is a {row.kind}: only an import can be taken back.")
    if row.undone_at:
        raise InputError(f"Import {run_id} has been taken back already.")
    _refuse_used(session, run_id)
    judgements = _delete(session, JudgementRow, JudgementRow.run_id == run_id)
    of_run = PairRow.run_id == run_id
    unjudged = ~exists().where(JudgementRow.pair_id == PairRow.id)
    unfrozen = ~exists().where(SnapshotLabelRow.pair_id == PairRow.id)
    pairs = _delete(session, PairRow, of_run, unjudged, unfrozen)
    kept = session.scalar(select(func.count(PairRow.id)).where(of_run)) or 0
    note_change(session)
    row.state = "undone"
    row.undone_at = utc_now()
    return Undone(judgements, pairs, kept)


def _refuse_used(session: Session, run_id: int) -> None:
    of_pairs = select(PairRow.id).where(PairRow.run_id == run_id)
    of_judgements = select(JudgementRow.id).where(JudgementRow.run_id == run_id)
    hangs_on: ColumnElement[bool] = or_(
        LabelEventRow.pair_id.in_(of_pairs), LabelEventRow.judgement_id.in_(of_judgements)
    )
    events, pairs = session.execute(
        select(func.count(), func.count(LabelEventRow.pair_id.distinct())).where(hangs_on)
    ).one()
    if events:
        raise InputError(
            f"Import {run_id} cannot be taken back: {events} label events on {pairs} of its pairs "
            "hang on it."
        )
    if session.scalar(select(exists().where(LeadEventRow.pair_id.in_(of_pairs)))):
        raise InputError(
            f"Import {run_id} cannot be taken back: leads decided on its pairs, or made them gold."
        )
    used = session.scalars(
        select(BenchmarkItemRow.run_id).where(BenchmarkItemRow.judgement_id.in_(of_judgements))
    ).first()
    if used is not None:
        raise InputError(
            f"Import {run_id} cannot be taken back: its judgements count in benchmark run {used}."
        )


def _delete(session: Session, table: type[Row], *where: ColumnElement[bool]) -> int:
    gone = session.scalars(delete(table).where(*where).returning(table.__table__.c.id)).all()
    return len(gone)


def _row(session: Session, run_id: int) -> RunRow:
    row = session.get(RunRow, run_id)
    if row is None:
        raise RecordNotFound(f"There is no run {run_id}.")
    return row


def from_row(row: RunRow) -> Run:
    """The run that a row holds; for the modules of `storage`."""
    return Run(
        id=row.id,
        kind=row.kind,
        name=row.name,
        state=row.state,
        message=row.message,
        params=row.params,
        counts=row.counts,
        created_at=row.created_at,
        finished_at=row.finished_at,
        undone_at=row.undone_at,
    )
