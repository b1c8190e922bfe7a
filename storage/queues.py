"""Queues: which pair a person labels next, and why that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage.filters import JudgementFilter, narrow
from storage.tables import (
    AnnotatorRow,
    AssignmentRow,
    JudgementRow,
    LabelEventRow,
    PairRow,
    QueueRow,
    utc_now,
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
        judgement_key: the newest judgement that the queue is about; None for an unjudged pair.
        why: why it is served; goes into the label.
        position: its place in the queue's own order, from 1, the same for everyone.
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
    places = _places(session, queue)
    mine = _mine(annotator)
    held = (
        select(AssignmentRow.pair_id)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AssignmentRow.queue_id == queue.id,
            AssignmentRow.held_until > utc_now(),
            AnnotatorRow.name != annotator,
        )
    )
    skipped = func.coalesce(mine.c.skipped, 0)
    rows = session.execute(
        select(
            places.c.pair_id,
            JudgementRow.key,
            places.c.position,
            skipped,
            func.coalesce(mine.c.flagged, 0),
        )
        .select_from(places)
        .outerjoin(JudgementRow, JudgementRow.id == places.c.judgement_id)
        .outerjoin(mine, mine.c.pair_id == places.c.pair_id)
        .where(
            func.coalesce(mine.c.labelled, 0) == 0,
            places.c.pair_id.not_in(held),
            places.c.pair_id.not_in(exclude),
        )
        .order_by(skipped, places.c.position)
        .limit(n)
    )
    return [
        QueueItem(pair_id, key, queue.why, position, bool(skip), bool(flag))
        for pair_id, key, position, skip, flag in rows
    ]


def progress(session: Session, queue: Queue, annotator: str) -> Progress:
    """How far a person is with a queue."""
    chosen = _candidates(session, queue).subquery("chosen")
    mine = _mine(annotator)
    total, done, skipped, flagged = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(mine.c.labelled), 0),
            func.coalesce(func.sum(mine.c.skipped), 0),
            func.coalesce(func.sum(mine.c.flagged), 0),
        )
        .select_from(chosen)
        .outerjoin(mine, mine.c.pair_id == chosen.c.pair_id)
    ).one()
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


def _candidates(session: Session, queue: Queue) -> Select[int, int]:
    """`pair_id` and the id of its newest judgement that the queue is about."""
    if queue.filter.is_empty:
        return (
            select(PairRow.id.label("pair_id"), func.max(JudgementRow.id).label("judgement_id"))
            .outerjoin(JudgementRow, JudgementRow.pair_id == PairRow.id)
            .group_by(PairRow.id)
        )
    statement = select(
        JudgementRow.pair_id.label("pair_id"), func.max(JudgementRow.id).label("judgement_id")
    ).select_from(JudgementRow)
    return narrow(session, statement, queue.filter).group_by(JudgementRow.pair_id)


def _places(session: Session, queue: Queue) -> Subquery:
    chosen = _candidates(session, queue).subquery("chosen")
    ordered = (
        select(
            chosen.c.pair_id,
            chosen.c.judgement_id,
            func.row_number().over(order_by=[*_order(queue), chosen.c.pair_id]).label("position"),
        )
        .join(PairRow, PairRow.id == chosen.c.pair_id)
        .outerjoin(JudgementRow, JudgementRow.id == chosen.c.judgement_id)
    )
    return ordered.subquery("places")


def _order(queue: Queue) -> list[ColumnElement[Any]]:
    match queue.order:
        case "newest":
            return [PairRow.id.desc()]
        case "least confident":
            return [func.coalesce(JudgementRow.confidence, 2.0)]
        case _:
            # A pair's lot is uniform; an affine map over a prime field makes another uniform
            # order of it for each seed, in arithmetic that every database has.
            factor = (queue.seed * 2 + 1) * _MIX % (_PRIME - 1) + 1
            return [(PairRow.lot * factor + queue.seed) % _PRIME]


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
