"""What is left of a queue for a person, as statements: ordinary pairs, gold ones, own counts."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select, union
from sqlalchemy.orm import Session

from storage.census import Ids
from storage.columns import utc_now
from storage.queues import Queue
from storage.tables import AnnotatorRow, AssignmentRow, LabelEventRow


class Own(NamedTuple):
    """What a person said about a pair, as 0 or 1."""

    labelled: int
    skipped: int
    flagged: int


def own_pairs(session: Session, annotator: str) -> dict[int, Own]:
    """Each pair that a person said something about."""
    return {pair_id: Own(*said) for pair_id, *said in session.execute(select(mine(annotator)))}


def open_pairs(
    session: Session,
    order: Ids,
    own: Mapping[int, Own],
    queue: Queue,
    annotator: str,
    exclude: Collection[int],
    *,
    held: bool = True,
) -> Ids:
    """Pairs of the queue that the person may still label, in order, skipped ones last.

    Args:
        order: the queue's course.
        held: without those that others have, or are about to have, labelled often enough.
    """
    gone = {*exclude, *(pair_id for pair_id, said in own.items() if said.labelled)}
    if held:
        gone.update(session.scalars(_taken(queue, annotator)))
    left = order[~among(order, gone)]
    skipped = among(left, [pair_id for pair_id, said in own.items() if said.skipped])
    return np.concatenate([left[~skipped], left[skipped]])


def among(ids: Ids, few: Collection[int]) -> NDArray[np.bool_]:
    """Which of these ids are among a few."""
    return np.isin(ids, np.fromiter(few, np.int64, len(few)))


def _taken(queue: Queue, annotator: str) -> Select[int]:
    """Pairs that others have labelled, or hold, as often as the queue wants labels."""
    kept = (
        select(AssignmentRow.pair_id, AssignmentRow.annotator_id)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AssignmentRow.queue_id == queue.id,
            AssignmentRow.held_until > utc_now(),
            AnnotatorRow.name != annotator,
        )
    )
    if queue.terms.overlap is None:
        return select(kept.subquery("kept").c.pair_id)
    said = labelled(queue).where(
        LabelEventRow.annotator_id.not_in(
            select(AnnotatorRow.id).where(AnnotatorRow.name == annotator)
        )
    )
    both = union(kept, said).subquery("both")  # a union leaves doubles out
    return (
        select(both.c.pair_id).group_by(both.c.pair_id).having(func.count() >= queue.terms.overlap)
    )


def labelled(queue: Queue) -> Select[int, int]:
    """Pair and person of what was labelled in this queue and not taken back."""
    undo = select(LabelEventRow.undoes_id).where(LabelEventRow.undoes_id.is_not(None))
    return select(LabelEventRow.pair_id, LabelEventRow.annotator_id).where(
        LabelEventRow.queue_id == queue.id,
        LabelEventRow.stage == "blind",
        LabelEventRow.action == "commit",
        LabelEventRow.id.not_in(undo),
    )


def own_counts(order: Ids, own: Mapping[int, Own], marks: Collection[int]) -> tuple[int, int, int]:
    """Pairs of the queue, gold ones too, that the person labelled, skipped, flagged."""
    ids = np.fromiter(own, np.int64, len(own))
    here = np.isin(ids, order) | among(ids, marks)
    sums = np.array([*own.values()], np.int64).reshape(-1, 3)[here].sum(axis=0)
    return int(sums[0]), int(sums[1]), int(sums[2])


def mine(annotator: str) -> Subquery:
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
