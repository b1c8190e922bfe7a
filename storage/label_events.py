"""An entry made an event, checked against what is on record."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from rmr1.errors import InputError, RecordNotFound
from storage.entries import LabelEntry
from storage.people import annotator_id
from storage.tables import AnnotatorRow, JudgementRow, LabelEventRow, PairRow, QueueRow


def to_row(session: Session, entry: LabelEntry) -> LabelEventRow:
    """The event that an entry makes.

    Raises:
        RecordNotFound: the pair, judgement or queue does not exist.
        InputError: there is nothing to keep, or this event cannot be undone.
    """
    pair_id = _pair_id(session, entry)
    if entry.queue_id is not None and session.get(QueueRow, entry.queue_id) is None:
        raise RecordNotFound(f"There is no queue {entry.queue_id}.")
    row = LabelEventRow(
        key=entry.key,
        annotator_id=annotator_id(session, entry.annotator, entry.role),
        pair_id=pair_id,
        judgement_id=_judgement_id(session, entry, pair_id),
        queue_id=entry.queue_id,
        stage=entry.stage,
        action=entry.action,
        value=entry.value,
        strength=entry.strength,
        display_swapped=entry.display_swapped,
        seconds=entry.seconds,
        undoes_id=entry.undoes,
        why=entry.why,
        note=entry.note,
        tags=None if entry.tags is None else list(entry.tags),
        sections=entry.sections,
    )
    if entry.action == "undo":
        _check_undo(session, entry, pair_id)
    if entry.action == "keep":
        row.value = _kept(session, entry, pair_id)
    return row


def _pair_id(session: Session, entry: LabelEntry) -> int:
    wanted = PairRow.id == entry.pair_id if entry.pair_id else PairRow.hash == entry.pair_hash
    found = session.scalar(select(PairRow.id).where(wanted))
    if found is None:
        raise RecordNotFound(f"There is no pair {entry.pair_id or entry.pair_hash!r}.")
    return found


def _judgement_id(session: Session, entry: LabelEntry, pair_id: int) -> int | None:
    if entry.judgement_key is None:
        return None
    found = session.scalar(
        select(JudgementRow.id).where(
            JudgementRow.key == entry.judgement_key, JudgementRow.pair_id == pair_id
        )
    )
    if found is None:
        raise RecordNotFound(f"This pair has no judgement {entry.judgement_key!r}.")
    return found


def live(annotator: str) -> Select[LabelEventRow]:
    """The events of a person that are no undo and are not undone."""
    undo = aliased(LabelEventRow)
    return (
        select(LabelEventRow)
        .join(LabelEventRow.annotator)
        .outerjoin(undo, undo.undoes_id == LabelEventRow.id)
        .where(AnnotatorRow.name == annotator, LabelEventRow.action != "undo", undo.id.is_(None))
    )


def _check_undo(session: Session, entry: LabelEntry, pair_id: int) -> None:
    mine = live(entry.annotator).where(LabelEventRow.pair_id == pair_id)
    last = session.scalar(mine.order_by(LabelEventRow.id.desc()).limit(1))
    if last is None or last.id != entry.undoes:
        raise InputError(
            f"Event {entry.undoes} cannot be undone: only the last thing that the same person "
            "said about the same pair can be."
        )


def _kept(session: Session, entry: LabelEntry, pair_id: int) -> str:
    mine = live(entry.annotator).where(
        LabelEventRow.pair_id == pair_id, LabelEventRow.value.is_not(None)
    )
    last = session.scalar(mine.order_by(LabelEventRow.id.desc()).limit(1))
    if last is None or last.value is None:
        raise InputError("There is no value to keep: commit one first.")
    if entry.value not in (None, last.value):
        raise InputError(f"The value on record is {last.value}, not {entry.value}: use `change`.")
    return last.value
