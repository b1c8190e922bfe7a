"""How far a queue is, and each person with it: counts, pace, gold."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from storage import gold
from storage.columns import utc_now
from storage.courses import course
from storage.gold import Checked
from storage.queues import Queue
from storage.remaining import among, labelled, open_pairs, own_counts, own_pairs
from storage.tables import AnnotatorRow, LabelEventRow


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is with a queue, in pairs; skipped ones are not done.

    Attributes:
        total: what the person has labelled and what is left for them.
    """

    done: int
    total: int
    skipped: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Whole:
    """How far a queue is, in pairs.

    Attributes:
        full: pairs that have the labels they need; any label where none are counted.
        begun: pairs that have some.
        labels: labels of all people.
    """

    total: int
    full: int
    begun: int
    labels: int
    gold: int


@dataclass(frozen=True, slots=True)
class PersonProgress:
    """What a person did in a queue, without what they took back.

    Attributes:
        today: labels since midnight, UTC.
        hour: labels within the last hour.
        median_seconds: from shown to said; None where no time was taken.
        checked: how they did on gold pairs; None where they met none.
    """

    annotator: str
    labels: int
    today: int
    hour: int
    median_seconds: float | None
    last_at: datetime
    checked: Checked | None


def progress(session: Session, queue: Queue, annotator: str) -> Progress:
    """How far a person is with a queue."""
    marks = gold.of_queue(session, queue.id)
    order = course(session, queue.filter, queue.order, queue.seed)
    own = own_pairs(session, annotator)
    done, skipped, flagged = own_counts(order, own, marks)
    is_shared = queue.terms.overlap is not None
    left = open_pairs(session, order, own, queue, annotator, list(marks), held=is_shared)
    gold_left = sum(pair_id not in own or not own[pair_id].labelled for pair_id in marks)
    return Progress(done=done, total=done + len(left) + gold_left, skipped=skipped, flagged=flagged)


def whole(session: Session, queue: Queue) -> Whole:
    """How far a queue is."""
    marks = gold.of_queue(session, queue.id)
    order = course(session, queue.filter, "random", queue.seed)
    said = labelled(queue).where(LabelEventRow.pair_id.not_in(list(marks))).distinct()
    by_pair = said.subquery("said")
    counts = (
        select(by_pair.c.pair_id, func.count().label("n"))
        .group_by(by_pair.c.pair_id)
        .subquery("counts")
    )
    enough = select(counts.c.pair_id).where(counts.c.n >= (queue.terms.overlap or 1))
    return Whole(
        total=len(order) - int(among(order, marks).sum()),
        full=_count(session, enough),
        begun=_count(session, select(counts.c.pair_id)),
        labels=_count(session, labelled(queue).distinct()),
        gold=len(marks),
    )


def label_counts(session: Session) -> dict[int, int]:
    """Labels in each queue that has any, by the queue's id; what was taken back does not count."""
    undo = select(LabelEventRow.undoes_id).where(LabelEventRow.undoes_id.is_not(None))
    rows = session.execute(
        select(LabelEventRow.queue_id, func.count())
        .where(
            LabelEventRow.queue_id.is_not(None),
            LabelEventRow.stage == "blind",
            LabelEventRow.action == "commit",
            LabelEventRow.id.not_in(undo),
        )
        .group_by(LabelEventRow.queue_id)
    )
    return {queue_id: n for queue_id, n in rows if queue_id is not None}


def by_person(session: Session, queue: Queue) -> list[PersonProgress]:
    """What each person did in a queue, those with most labels first."""
    statement = labelled(queue).with_only_columns(
        AnnotatorRow.name, LabelEventRow.seconds, LabelEventRow.created_at
    )
    rows: dict[str, list[tuple[float | None, datetime]]] = defaultdict(list)
    joined = statement.join(AnnotatorRow, AnnotatorRow.id == LabelEventRow.annotator_id)
    for name, seconds, at in session.execute(joined):
        rows[name].append((seconds, at))
    checks = gold.check(session, queue)
    found = [_person(name, said, checks.get(name)) for name, said in rows.items()]
    return sorted(found, key=lambda one: (-one.labels, one.annotator))


def _person(
    name: str, said: Sequence[tuple[float | None, datetime]], checked: Checked | None
) -> PersonProgress:
    now = utc_now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    times = [seconds for seconds, _ in said if seconds is not None]
    moments = [at for _, at in said]
    return PersonProgress(
        annotator=name,
        labels=len(said),
        today=sum(at >= midnight for at in moments),
        hour=sum(at >= now - timedelta(hours=1) for at in moments),
        median_seconds=median(times) if times else None,
        last_at=max(moments),
        checked=checked,
    )


def _count(session: Session, statement: Select[*tuple[object, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(statement.subquery())) or 0
