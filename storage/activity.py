"""What a person has done: counts and pace, for the top bar and the end of a session."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage import label_events
from storage.table_views import current_label
from storage.tables import AnnotatorRow, LabelEventRow


@dataclass(frozen=True, slots=True)
class Activity:
    """What one person did from a moment on, without what they took back.

    Attributes:
        labels: different pairs that got a value.
        kept, changed: verdicts after which the person kept or changed their value.
        actions: how often each action was done.
        median_seconds: from shown to said, over blind commits that were timed; None without any.
    """

    labels: int
    kept: int
    changed: int
    skipped: int
    flagged: int
    actions: dict[str, int]
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who labels, with the number of their current labels."""

    name: str
    role: str
    labels: int


def since(session: Session, annotator: str, start: datetime | None = None) -> Activity:
    """What a person did from `start` on (the beginning of their day or session), or ever."""
    statement = label_events.live(annotator)
    if start is not None:
        statement = statement.where(LabelEventRow.created_at >= start)
    events = session.scalars(statement).all()
    actions = Counter(event.action for event in events)
    return Activity(
        labels=len({event.pair_id for event in events if event.value}),
        kept=actions["keep"],
        changed=sum(event.action == "change" and event.stage == "verdict" for event in events),
        skipped=actions["skip"],
        flagged=actions["flag"],
        actions=dict(actions),
        median_seconds=_median_seconds(events),
    )


def people(session: Session) -> list[Person]:
    """Everybody who labels, those with most labels first."""
    labels = func.count(current_label.c.event_id)
    rows = session.execute(
        select(AnnotatorRow.name, AnnotatorRow.role, labels)
        .outerjoin(current_label, current_label.c.annotator_id == AnnotatorRow.id)
        .group_by(AnnotatorRow.id)
        .order_by(labels.desc(), AnnotatorRow.name)
    )
    return [Person(name, role, number) for name, role, number in rows]


def _median_seconds(events: Sequence[LabelEventRow]) -> float | None:
    times = [
        event.seconds
        for event in events
        if event.action == "commit" and event.stage == "blind" and event.seconds is not None
    ]
    return median(times) if times else None
