"""Adjudication: pairs on which people disagree, most split first, and what a lead decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage import labels, lead_events, returning
from storage.division import divided
from storage.kept import Kept
from storage.labels import CurrentLabel
from storage.lead_events import of_pair
from storage.tables import AnnotatorRow, LabelEventRow
from storage.team_tables import LeadEventRow


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pair on which people disagree.

    Attributes:
        labels: how many people labelled it.
        most: how many of them say the same.
    """

    pair_id: int
    labels: int
    most: int


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What waits for a lead.

    Attributes:
        items: the first of them, the most split first.
        open: how many there are in all.
        returned: divided pairs that were sent back and not all labelled again.
        decided: pairs that a lead has decided.
    """

    items: Sequence[Conflict]
    open: int
    returned: int
    decided: int


_SPLIT: Kept[Sequence[Conflict]] = Kept(8)
"""By queue; labels are only ever added, so the last event tells whether anything is new."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a lead decided about a pair; the labels stay as they are.

    Attributes:
        value: under the pair's own sides.
        reason: one of `lead_events.REASONS`.
    """

    pair_id: int
    value: str
    reason: str
    note: str
    by: str
    at: datetime


def conflicts(session: Session, queue_id: int | None = None, limit: int = 100) -> Conflicts:
    """Pairs on which people disagree and no lead has decided.

    Args:
        queue_id: only those of which a label was given in this queue.
        limit: of the items; the counts are whole.
    """
    newest = session.scalar(select(func.max(LabelEventRow.id)))
    split = _SPLIT.get(session, queue_id, newest, lambda: _split(session, queue_id))
    done = set(session.scalars(select(lead_events.decided().c.pair_id)))
    undecided = [one for one in split if one.pair_id not in done]
    waiting = set(session.scalars(returning.is_waiting()))
    left = [one for one in undecided if one.pair_id not in waiting]
    left.sort(key=lambda one: (one.most / one.labels, -one.labels, one.pair_id))
    return Conflicts(
        items=left[:limit],
        open=len(left),
        returned=len(undecided) - len(left),
        decided=len(done if queue_id is None else done & {one.pair_id for one in split}),
    )


def _split(session: Session, queue_id: int | None) -> Sequence[Conflict]:
    return [Conflict(*row) for row in session.execute(divided(queue_id))]


def sayings(session: Session, pair_id: int, pair_hash: str) -> list[CurrentLabel]:
    """What each person says of a pair, in an order that chance settled for good.

    Labels of visitors, and those made with the verdict in view from the start, are left out.
    """
    visitors = set(session.scalars(select(AnnotatorRow.name).where(AnnotatorRow.role == "visitor")))
    found = [
        label
        for label in labels.current(session, pair_id=pair_id, inspection=False)
        if label.annotator not in visitors
    ]
    return sorted(found, key=lambda one: sha256(f"{pair_hash}\n{one.annotator}".encode()).digest())


def decision(session: Session, pair_id: int) -> Decided | None:
    """What a lead decided about a pair; None where none did, or took it back."""
    said = [event for event in of_pair(session, pair_id) if event.action != "send_back"]
    if not said or said[-1].action != "decide":
        return None
    last = said[-1]
    return Decided(
        pair_id=pair_id,
        value=last.value or "",
        reason=last.reason or "",
        note=last.note or "",
        by=last.by.name,
        at=last.created_at,
    )


def reasons(session: Session) -> dict[str, int]:
    """How often each reason was given, over decisions that stand."""
    last = (
        select(func.max(LeadEventRow.id))
        .where(LeadEventRow.action.in_(("decide", "withdraw")))
        .group_by(LeadEventRow.pair_id)
    )
    rows = session.execute(
        select(LeadEventRow.reason, func.count())
        .where(LeadEventRow.id.in_(last), LeadEventRow.action == "decide")
        .group_by(LeadEventRow.reason)
    )
    counts = {reason: n for reason, n in rows if reason}
    return dict(sorted(counts.items(), key=lambda one: -one[1]))
