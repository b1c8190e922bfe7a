"""Labels and decisions, and what they hang on, as the lines of a journal and back.

Ids differ from database to database, so a line names pairs by hash, judgements and events by key,
people and queues by name. A line is written so that the lines before it suffice to read it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import InstrumentedAttribute, Session

from rmr1.errors import RMR1Error
from rmr1.pair import Pair
from storage import judgements, pairs
from storage.judgement_rows import version_from_row
from storage.people import annotator_id
from storage.tables import (
    CriterionRow,
    JudgementRow,
    JudgeVersionRow,
    LabelEventRow,
    PairRow,
    QueueRow,
    QuoteRow,
    RolloutRow,
    Row,
)
from storage.team_tables import LeadEventRow
from storage.visitor_tables import VisitorLabelRow

Line = dict[str, Any]
_UNUSABLE = (LookupError, TypeError, ValueError, ArithmeticError, RMR1Error, StatementError)
AnyRow = TypeVar("AnyRow", bound=Row)


class UnreadableLine(Exception):
    """A line that no label can be made of; `str()` of it says why."""


def lines_for(
    session: Session, event: LabelEventRow | LeadEventRow | VisitorLabelRow
) -> list[Line]:
    """The lines for an event: before its own, those of what no earlier event hangs on."""
    if isinstance(event, VisitorLabelRow):
        return [visitor_line(event)]
    lines = []
    if isinstance(event, LeadEventRow):
        # Lines that stand in the file already do no harm, and leads do not say much.
        if event.pair:
            lines.append(_pair_line(event.pair))
        if event.queue:
            lines.append(queue_line(event.queue))
        return [*lines, lead_line(event)]
    if _is_first(session, LabelEventRow.pair_id, event.pair_id, event.id):
        lines.append(_pair_line(event.pair))
    if event.judgement and _is_first(
        session, LabelEventRow.judgement_id, event.judgement_id, event.id
    ):
        lines.append(_judgement_line(event.judgement))
    if event.queue and _is_first(session, LabelEventRow.queue_id, event.queue_id, event.id):
        lines.append(queue_line(event.queue))
    return [*lines, label_line(event)]


def queue_line(queue: QueueRow) -> Line:
    """The line of a queue, with its terms as they are."""
    return {"kind": "queue", **_columns(queue)}


def lead_line(event: LeadEventRow) -> Line:
    """The line of what a lead said."""
    return {
        "kind": "lead",
        **_columns(event),
        "by": event.by.name,
        "about": event.about.name if event.about else None,
        "pair": event.pair.hash if event.pair else None,
        "queue": event.queue.name if event.queue else None,
    }


def visitor_line(said: VisitorLabelRow) -> Line:
    """The line of a visitor's answer; it hangs on nothing."""
    return {"kind": "visitor", "id": said.id, **_columns(said)}


def label_line(event: LabelEventRow) -> Line:
    """The line of the event itself."""
    return {
        "kind": "label",
        "id": event.id,
        **_columns(event),
        "annotator": event.annotator.name,
        "role": event.annotator.role,
        "pair": event.pair.hash,
        "judgement": event.judgement.key if event.judgement else None,
        "queue": event.queue.name if event.queue else None,
        "undoes": event.undone.key if event.undone else None,
    }


def put_back(session: Session, line: Line) -> bool:
    """Add what a line says to the tables.

    Returns:
        Whether an event was added; False for one that is there, and for other lines.

    Raises:
        UnreadableLine: it says nothing that can be added.
    """
    try:
        with session.begin_nested():  # a line that the tables refuse leaves nothing behind
            return _put(session, line)
    except OperationalError:  # locked, or the disk is full: not the line's fault
        raise
    except _UNUSABLE as error:
        raise UnreadableLine(f"{type(error).__name__}: {error}") from error


def _put(session: Session, line: Line) -> bool:
    match line.get("kind"):
        case "label":
            return _put_label(session, line)
        case "lead":
            return _put_lead(session, line)
        case "visitor":
            return _put_visitor(session, line)
        case "pair":
            pairs.add(session, Pair.model_validate(line["pair"]))
        case "judgement":
            _put_judgement(session, line)
        case "queue":
            _put_queue(session, line)
        case kind:
            raise UnreadableLine(f"unknown kind {kind!r}")
    return False


def _is_first(
    session: Session, column: InstrumentedAttribute[Any], value: int | None, event_id: int
) -> bool:
    earlier = select(LabelEventRow.id).where(column == value, LabelEventRow.id < event_id)
    return session.scalar(earlier.limit(1)) is None


def _pair_line(row: PairRow) -> Line:
    return {"kind": "pair", "pair": pairs.from_row(row).model_dump(mode="json")}


def _judgement_line(row: JudgementRow) -> Line:
    rollouts = [
        {
            **_columns(rollout),
            "criteria": [_columns(criterion) for criterion in rollout.criteria],
            "quotes": [_columns(quote) for quote in rollout.quotes],
        }
        for rollout in row.rollouts
    ]
    return {
        "kind": "judgement",
        **_columns(row),
        "pair": row.pair.hash,
        "version": _columns(row.version),
        "rollouts": rollouts,
    }


def _put_judgement(session: Session, line: Line) -> None:
    if _find(session, JudgementRow, JudgementRow.key, line["key"]):
        return
    version = JudgeVersionRow(**_values(JudgeVersionRow, line["version"]))
    row = JudgementRow(**_values(JudgementRow, line))
    row.pair_id = _need(session, PairRow, PairRow.hash, line["pair"]).id
    row.judge_version_id = judgements.add_version(
        session, version_from_row(version), version.profile_text
    )
    row.rollouts = [
        RolloutRow(
            **_values(RolloutRow, rollout),
            criteria=[CriterionRow(**_values(CriterionRow, c)) for c in rollout["criteria"]],
            quotes=[QuoteRow(**_values(QuoteRow, quote)) for quote in rollout["quotes"]],
        )
        for rollout in line["rollouts"]
    ]
    session.add(row)
    session.flush()


def _put_queue(session: Session, line: Line) -> None:
    terms = line.get("terms") or {}  # there were none in the first journals
    found = _find(session, QueueRow, QueueRow.name, line["name"])
    if found is None:
        session.add(QueueRow(**_values(QueueRow, {**line, "terms": terms})))
    elif (terms.get("changed_at") or "") > (found.terms.get("changed_at") or ""):
        found.terms = terms
    session.flush()


def _put_label(session: Session, line: Line) -> bool:
    if _find(session, LabelEventRow, LabelEventRow.key, line["key"]):
        return False
    row = LabelEventRow(**_values(LabelEventRow, line))
    if session.get(LabelEventRow, line["id"]) is None:
        row.id = line["id"]
    row.annotator_id = annotator_id(session, line["annotator"], line["role"])
    row.pair_id = _need(session, PairRow, PairRow.hash, line["pair"]).id
    if line["judgement"]:
        row.judgement_id = _need(session, JudgementRow, JudgementRow.key, line["judgement"]).id
    if line["queue"]:
        row.queue_id = _need(session, QueueRow, QueueRow.name, line["queue"]).id
    if line["undoes"]:
        row.undoes_id = _need(session, LabelEventRow, LabelEventRow.key, line["undoes"]).id
    session.add(row)
    session.flush()
    return True


def _put_lead(session: Session, line: Line) -> bool:
    if _find(session, LeadEventRow, LeadEventRow.key, line["key"]):
        return False
    row = LeadEventRow(**_values(LeadEventRow, line))
    row.by_id = annotator_id(session, line["by"], "lead")
    if line["about"]:
        row.about_id = annotator_id(session, line["about"])
    if line["pair"]:
        row.pair_id = _need(session, PairRow, PairRow.hash, line["pair"]).id
    if line["queue"]:
        row.queue_id = _need(session, QueueRow, QueueRow.name, line["queue"]).id
    session.add(row)
    session.flush()
    return True


def _put_visitor(session: Session, line: Line) -> bool:
    if _find(session, VisitorLabelRow, VisitorLabelRow.key, line["key"]):
        return False
    session.add(VisitorLabelRow(**_values(VisitorLabelRow, line)))
    session.flush()
    return True


def _columns(row: Row) -> Line:
    """A row's own columns, without ids; times in ISO form."""
    values = {column.key: getattr(row, column.key) for column in _own_columns(type(row))}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _values(table: type[Row], line: Mapping[str, Any]) -> Line:
    """The columns that a line holds of a table."""
    values = {column.key: line[column.key] for column in _own_columns(table)}
    if "created_at" in values:
        values["created_at"] = datetime.fromisoformat(values["created_at"])
    return values


def _own_columns(table: type[Row]) -> list[Any]:
    return [c for c in table.__table__.columns if not c.primary_key and not c.foreign_keys]


def _find(session: Session, table: type[AnyRow], column: Any, value: str) -> AnyRow | None:
    return session.scalar(select(table).where(column == value))


def _need(session: Session, table: type[AnyRow], column: Any, value: str) -> AnyRow:
    found = _find(session, table, column, value)
    if found is None:
        raise UnreadableLine(f"it names a {table.__tablename__} that is not there: {value}")
    return found
