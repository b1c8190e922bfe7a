"""Pairs that a lead sent back, until those who labelled them have said something again."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from storage.tables import AnnotatorRow, LabelEventRow
from storage.team_tables import LeadEventRow


@dataclass(frozen=True, slots=True)
class Returned:
    """A pair that came back to a person.

    Attributes:
        note: what the lead said about it.
        queue_id: the queue in which the person had labelled it; None for none.
    """

    pair_id: int
    note: str
    queue_id: int | None


def waiting(session: Session, annotator: str, pair_id: int | None = None) -> list[Returned]:
    """What came back to a person and waits for them, oldest first."""
    statement = _waiting().where(AnnotatorRow.name == annotator).order_by(LeadEventRow.id)
    if pair_id is not None:
        statement = statement.where(LeadEventRow.pair_id == pair_id)
    rows = session.execute(statement).all()
    return [Returned(found, note or "", queue) for found, note, queue in rows if found is not None]


def is_waiting() -> Select[int | None]:
    """Ids of pairs that somebody has not labelled again since they were sent back."""
    return _waiting().with_only_columns(LeadEventRow.pair_id)


def _waiting() -> Select[int | None, str | None, int | None]:
    """Pair, note and queue, a row for each person who is waited for."""
    undo = select(LabelEventRow.undoes_id).where(LabelEventRow.undoes_id.is_not(None))
    newest = (
        select(func.max(LeadEventRow.id))
        .where(LeadEventRow.action.in_(("decide", "withdraw", "send_back")))
        .group_by(LeadEventRow.pair_id)
    )
    said = (
        select(
            LabelEventRow.pair_id,
            LabelEventRow.annotator_id,
            func.max(LabelEventRow.created_at).label("at"),
            func.max(LabelEventRow.queue_id).label("queue_id"),
        )
        .where(
            LabelEventRow.value.is_not(None),
            LabelEventRow.id.not_in(undo),
            LabelEventRow.pair_id.in_(
                select(LeadEventRow.pair_id).where(LeadEventRow.action == "send_back")
            ),
        )
        .group_by(LabelEventRow.pair_id, LabelEventRow.annotator_id)
        .subquery("said")
    )
    return (
        select(LeadEventRow.pair_id, LeadEventRow.note, said.c.queue_id)
        .join(said, said.c.pair_id == LeadEventRow.pair_id)
        .join(AnnotatorRow, AnnotatorRow.id == said.c.annotator_id)
        .where(
            LeadEventRow.id.in_(newest),
            LeadEventRow.action == "send_back",
            said.c.at < LeadEventRow.created_at,
        )
    )
