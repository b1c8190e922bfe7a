"""Queues: which pair a person labels next, and why that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from rmr1.rollout import State
from storage.columns import utc_now
from storage.filters import JudgementFilter, narrow
from storage.tables import (
    AnnotatorRow,
    AssignmentRow,
    JudgementRow,
    LabelEventRow,
    PairRow,
    QueueRow,
)

QueueOrder = Literal["random", "newest", "least confident"]
EVERYTHING = "Everything"
HOLD = timedelta(minutes=5)

_PRIME = 2**31 - 1
_MIX = 1_103_515_245


@dataclass(frozen=True, slots=True)
class Queue:
    """A named selection of pairs in an order.

    Attributes:
        filter: which judgements it is about; an empty one means every pair, judged or not.
        seed: of the random order.
    """

    id: int
    name: str
    filter: JudgementFilter
    order: str
    seed: int

    @property
    def why(self) -> str:
        """Why its pairs are served: `random` only where chance alone chose."""
        if self.order == "random" and self.filter.is_empty:
            return "random"
        parts = [f"filter:{self.filter.to_query()}"] if not self.filter.is_empty else []
        return " ".join([*parts, f"order:{self.order}"])


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A pair to label.

    Attributes:
        judgement_key: the newest judgement that the queue is about; None for an unjudged pair, and
            for one whose judge failed.
        why: why it is served; goes into the label.
        position: the how-manieth of the queue it is for this person, from 1.
        skipped: whether the person passed it over before.
        flagged: whether the person put a flag on it.
    """

    pair_id: int
    judgement_key: str | None
    why: str
    position: int
    skipped: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a person is with a queue, in pairs; skipped ones are not done."""

    done: int
    total: int
    skipped: int
    flagged: int


def create(
    session: Session,
    name: str,
    filter: JudgementFilter | None = None,
    order: QueueOrder = "random",
    seed: int = 0,
) -> Queue:
    """Make a queue.

    Raises:
        InputError: the name is empty or taken.
    """
    name = name.strip()
    if not name:
        raise InputError("A queue needs a name.")
    if name == EVERYTHING and filter is not None:
        raise InputError(f"{EVERYTHING!r} is the queue of all pairs: choose another name.")
    if session.scalar(select(QueueRow.id).where(QueueRow.name == name)) is not None:
        raise InputError(f"There is a queue {name!r} already: choose another name.")
    wanted = filter or JudgementFilter()
    row = QueueRow(name=name, filter=wanted.model_dump(exclude_none=True), order=order, seed=seed)
    session.add(row)
    session.flush()
    return _queue(row)


def everything(session: Session) -> Queue:
    """The queue of all pairs in random order, made where it is missing."""
    row = session.scalar(select(QueueRow).where(QueueRow.name == EVERYTHING))
    return _queue(row) if row else create(session, EVERYTHING)


def get(session: Session, queue_id: int) -> Queue:
    """The queue with this id.

    Raises:
        RecordNotFound: there is none.
    """
    row = session.get(QueueRow, queue_id)
    if row is None:
        raise RecordNotFound(f"There is no queue {queue_id}.")
    return _queue(row)


def all_queues(session: Session) -> list[Queue]:
    """All queues by name."""
    return [_queue(row) for row in session.scalars(select(QueueRow).order_by(QueueRow.name))]


def next_items(
    session: Session,
    queue: Queue,
    annotator: str,
    n: int = 1,
    exclude: Sequence[int] = (),
) -> list[QueueItem]:
    """The next pairs for a person: those not labelled by them, skipped ones last.

    Pairs that are held for somebody else are left out.

    Args:
        exclude: ids of pairs that the person has before them already.
    """
    course, mine = _course(session, queue), _mine(annotator)
    skipped = func.coalesce(mine.c.skipped, 0)
    chosen = session.execute(
        select(course.c.pair_id, skipped, func.coalesce(mine.c.flagged, 0))
        .select_from(course)
        .outerjoin(mine, mine.c.pair_id == course.c.pair_id)
        .where(
            func.coalesce(mine.c.labelled, 0) == 0,
            course.c.pair_id.not_in(_held_from(annotator, queue)),
            course.c.pair_id.not_in(exclude),
        )
        .order_by(skipped, course.c.place, course.c.pair_id)
        .limit(n)
    ).all()
    keys = _newest_judgements(session, queue, [pair_id for pair_id, *_ in chosen])
    done = _own_counts(session, course, mine)[0]
    return [
        QueueItem(pair_id, keys.get(pair_id), queue.why, position, bool(skip), bool(flag))
        for position, (pair_id, skip, flag) in enumerate(chosen, start=done + 1)
    ]


def progress(session: Session, queue: Queue, annotator: str) -> Progress:
    """How far a person is with a queue."""
    course = _course(session, queue)
    total = session.scalar(select(func.count()).select_from(course)) or 0
    done, skipped, flagged = _own_counts(session, course, _mine(annotator))
    return Progress(done=done, total=total, skipped=skipped, flagged=flagged)


def hold(
    session: Session, queue: Queue, pair_id: int, annotator_id: int, time: timedelta = HOLD
) -> bool:
    """Keep a pair for one person for a while, so that nobody else is served it meanwhile.

    Returns:
        False where somebody else holds it.
    """
    now = utc_now()
    rows = session.scalars(
        select(AssignmentRow).where(
            AssignmentRow.queue_id == queue.id, AssignmentRow.pair_id == pair_id
        )
    ).all()
    if any(row.annotator_id != annotator_id and row.held_until > now for row in rows):
        return False
    mine = next((row for row in rows if row.annotator_id == annotator_id), None)
    if mine is None:
        mine = AssignmentRow(queue_id=queue.id, pair_id=pair_id, annotator_id=annotator_id)
        session.add(mine)
    mine.held_until = now + time
    session.flush()
    return True


def _queue(row: QueueRow) -> Queue:
    return Queue(row.id, row.name, JudgementFilter.model_validate(row.filter), row.order, row.seed)


def _course(session: Session, queue: Queue) -> Subquery:
    """`pair_id` and `place` (what the order goes by) of all pairs of a queue."""
    uncertain = func.min(func.coalesce(JudgementRow.confidence, 2.0))
    if queue.filter.is_empty and queue.order != "least confident":
        return select(PairRow.id.label("pair_id"), _place(queue).label("place")).subquery("course")
    if queue.filter.is_empty:
        statement = (
            select(PairRow.id.label("pair_id"), uncertain.label("place"))
            .outerjoin(JudgementRow, JudgementRow.pair_id == PairRow.id)
            .group_by(PairRow.id)
        )
        return statement.subquery("course")
    meant = select(JudgementRow.pair_id, uncertain.label("place")).select_from(JudgementRow)
    meant = narrow(session, meant, queue.filter, counted=()).group_by(JudgementRow.pair_id)
    if queue.order == "least confident":
        return meant.subquery("course")
    pairs = meant.subquery("meant")
    return (
        select(pairs.c.pair_id, _place(queue).label("place"))
        .join(PairRow, PairRow.id == pairs.c.pair_id)
        .subquery("course")
    )


def _place(queue: Queue) -> ColumnElement[int]:
    if queue.order == "newest":
        return -PairRow.id
    # A pair's lot is uniform; an affine map over a prime field makes another uniform order of it
    # for each seed, in arithmetic that every database has.
    factor = (queue.seed * 2 + 1) * _MIX % (_PRIME - 1) + 1
    return (PairRow.lot * factor + queue.seed) % _PRIME


def _newest_judgements(session: Session, queue: Queue, pair_ids: Sequence[int]) -> dict[int, str]:
    """Key of each pair's newest judgement that the queue is about; a failed one shows nothing."""
    newest = select(func.max(JudgementRow.id)).select_from(JudgementRow)
    newest = newest.where(
        JudgementRow.pair_id.in_(pair_ids), JudgementRow.state != State.FAILED
    ).group_by(JudgementRow.pair_id)
    newest = narrow(session, newest, queue.filter, counted=())
    rows = session.execute(
        select(JudgementRow.pair_id, JudgementRow.key).where(JudgementRow.id.in_(newest))
    )
    return {pair_id: key for pair_id, key in rows}


def _own_counts(session: Session, course: Subquery, mine: Subquery) -> tuple[int, int, int]:
    """Pairs of the queue that the person labelled, skipped, flagged."""
    sums = [func.coalesce(func.sum(mine.c[n]), 0) for n in ("labelled", "skipped", "flagged")]
    done, skipped, flagged = session.execute(
        select(*sums).where(mine.c.pair_id.in_(select(course.c.pair_id)))
    ).one()
    return done, skipped, flagged


def _held_from(annotator: str, queue: Queue) -> Select[int]:
    """Pairs that are held for others."""
    return (
        select(AssignmentRow.pair_id)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AssignmentRow.queue_id == queue.id,
            AssignmentRow.held_until > utc_now(),
            AnnotatorRow.name != annotator,
        )
    )


def _mine(annotator: str) -> Subquery:
    """For each pair that a person said something about: labelled, skipped, flagged, as 0 or 1."""
    undo = select(LabelEventRow.undoes_id).where(LabelEventRow.undoes_id.is_not(None))
    event = LabelEventRow

    def last(*actions: str) -> ColumnElement[int]:
        return func.coalesce(func.max(case((event.action.in_(actions), event.id))), 0)

    labelled = func.max(case((event.value.is_not(None), 1), else_=0))
    skipped = case((and_(last("skip") > 0, labelled == 0), 1), else_=0)
    return (
        select(
            event.pair_id,
            labelled.label("labelled"),
            skipped.label("skipped"),
            case((last("flag") > last("unflag"), 1), else_=0).label("flagged"),
        )
        .join(AnnotatorRow, AnnotatorRow.id == event.annotator_id)
        .where(AnnotatorRow.name == annotator, event.id.not_in(undo))
        .group_by(event.pair_id)
        .subquery("mine")
    )
