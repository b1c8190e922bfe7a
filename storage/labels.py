"""Labels: events that are only ever added, and what they come to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from rmr1.errors import InputError
from storage import label_events
from storage.database import Database
from storage.entries import LabelEntry, Receipt
from storage.table_views import current_label
from storage.tables import (
    AnnotatorRow,
    AssignmentRow,
    JudgementRow,
    LabelEventRow,
    PairRow,
)


@dataclass(frozen=True, slots=True)
class CurrentLabel:
    """What one person's events on one pair come to; undone ones do not count.

    Attributes:
        event_id: the event that set `value`.
        judgement_key: the judgement that was shown; the repaired one, where there is a repair.
        blind_value: what was said before the verdict was in view; None if nothing was.
        stage: the stage at which `value` was said.
        reasoning: what was said last of the reasoning: `sound`, `wrong`, `repair` or None.
        inspection: the verdict was in view before any blind commit: not for headline figures.
        blind_commits: blind commits ever made, undone ones included; more than one means that
            the last was made by someone who may have seen the verdict.
        why: why the pair was served.
        sections: repaired sections, name and text, not older than the last `sound`.
    """

    event_id: int
    annotator: str
    pair_id: int
    pair_hash: str
    judgement_key: str | None
    value: str
    blind_value: str | None
    strength: int | None
    stage: str
    reasoning: str | None
    inspection: bool
    blind_commits: int
    why: str
    queue_id: int | None
    display_swapped: bool
    seconds: float | None
    created_at: datetime
    tags: tuple[str, ...]
    note: str | None
    sections: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """One event, as a history shows it."""

    id: int
    annotator: str
    pair_id: int
    judgement_key: str | None
    stage: str
    action: str
    value: str | None
    strength: int | None
    tags: tuple[str, ...] | None
    note: str | None
    sections: dict[str, str] | None
    why: str
    seconds: float | None
    created_at: datetime
    undoes: int | None
    undone: bool


def record(database: Database, entry: LabelEntry) -> Receipt:
    """Put what a person said on record: once this returns it is on disk.

    Raises:
        InputError: the entry does not fit what is on record.
        RecordNotFound: its pair, judgement or queue does not exist.
        StorageError: the database or the journal refused; nothing was acknowledged.
    """
    with database.write() as session:
        if database.journal:
            database.journal.catch_up(session)
        return _repeated(session, entry.key, entry.annotator) or _add(database, session, entry)


def undo_last(database: Database, annotator: str, key: str) -> Receipt:
    """Take back the last thing that a person said and has not taken back.

    Args:
        key: idempotency key of the undo.

    Raises:
        InputError: there is nothing to take back.
    """
    with database.write() as session:
        if database.journal:
            database.journal.catch_up(session)
        if receipt := _repeated(session, key, annotator):
            return receipt
        last = session.scalar(
            label_events.live(annotator).order_by(LabelEventRow.id.desc()).limit(1)
        )
        if last is None:
            raise InputError("There is nothing to undo.")
        entry = LabelEntry.model_validate(
            {
                "key": key,
                "annotator": annotator,
                "pair_id": last.pair_id,
                "judgement_key": last.judgement and last.judgement.key,
                "stage": last.stage,
                "action": "undo",
                "display_swapped": last.display_swapped,
                "why": last.why,
                "queue_id": last.queue_id,
                "undoes": last.id,
            }
        )
        return _add(database, session, entry)


def current(
    session: Session,
    *,
    annotator: str | None = None,
    pair_id: int | None = None,
    inspection: bool = True,
) -> list[CurrentLabel]:
    """The current labels, in the order in which their values were said.

    Args:
        annotator: only this person's.
        pair_id: only those on this pair.
        inspection: False leaves out labels made with the verdict in view from the start.
    """
    columns = current_label.c
    statement = (
        select(current_label, AnnotatorRow.name, PairRow.hash, JudgementRow.key)
        .join(AnnotatorRow, AnnotatorRow.id == columns.annotator_id)
        .join(PairRow, PairRow.id == columns.pair_id)
        .outerjoin(JudgementRow, JudgementRow.id == columns.judgement_id)
        .order_by(columns.event_id)
    )
    if annotator is not None:  # by id: the database looks into the view for no other person then
        person = session.scalar(select(AnnotatorRow.id).where(AnnotatorRow.name == annotator))
        statement = statement.where(columns.annotator_id == person)
    if pair_id is not None:
        statement = statement.where(columns.pair_id == pair_id)
    if not inspection:
        statement = statement.where(columns.inspection.is_(False))
    return [_current(row) for row in session.execute(statement)]


def history(session: Session, pair_id: int) -> list[LabelEvent]:
    """Everything that anyone said about a pair, oldest first."""
    undo = aliased(LabelEventRow)
    rows = session.execute(
        select(LabelEventRow, undo.id.is_not(None))
        .outerjoin(undo, undo.undoes_id == LabelEventRow.id)
        .where(LabelEventRow.pair_id == pair_id)
        .options(joinedload(LabelEventRow.annotator), joinedload(LabelEventRow.judgement))
        .order_by(LabelEventRow.id)
    )
    return [_event(row, undone) for row, undone in rows]


def _repeated(session: Session, key: str, annotator: str) -> Receipt | None:
    row = session.scalar(select(LabelEventRow).where(LabelEventRow.key == key))
    if row is None:
        return None
    if row.annotator.name != annotator:
        raise InputError("This idempotency key was used by somebody else: make a new one.")
    return Receipt(row.id, row.key, row.created_at, row.pair_id, duplicate=True)


def _add(database: Database, session: Session, entry: LabelEntry) -> Receipt:
    row = label_events.to_row(session, entry)
    session.add(row)
    session.flush()
    if row.action in ("commit", "skip"):
        _release(session, row)
    if database.journal:
        database.journal.append(session, row)
    return Receipt(row.id, row.key, row.created_at, row.pair_id, duplicate=False)


def _release(session: Session, event: LabelEventRow) -> None:
    """Keep a pair no longer for somebody who has labelled it or passed it over."""
    session.execute(
        update(AssignmentRow)
        .where(
            AssignmentRow.queue_id == event.queue_id,
            AssignmentRow.pair_id == event.pair_id,
            AssignmentRow.annotator_id == event.annotator_id,
        )
        .values(held_until=event.created_at)
    )


def _current(row: Row[*tuple[object, ...]]) -> CurrentLabel:
    values = row._mapping
    columns = {name: values[current_label.c[name]] for name in _SAME_NAME}
    return CurrentLabel(
        **columns,
        annotator=values[AnnotatorRow.name],
        pair_hash=values[PairRow.hash],
        judgement_key=values[JudgementRow.key],
        tags=tuple(values[current_label.c.tags] or ()),
    )


_SAME_NAME = [name for name in CurrentLabel.__slots__ if name in current_label.c and name != "tags"]


def _event(row: LabelEventRow, undone: bool) -> LabelEvent:
    return LabelEvent(
        id=row.id,
        annotator=row.annotator.name,
        pair_id=row.pair_id,
        judgement_key=row.judgement.key if row.judgement else None,
        stage=row.stage,
        action=row.action,
        value=row.value,
        strength=row.strength,
        tags=None if row.tags is None else tuple(row.tags),
        note=row.note,
        sections=row.sections,
        why=row.why,
        seconds=row.seconds,
        created_at=row.created_at,
        undoes=row.undoes_id,
        undone=undone,
    )
