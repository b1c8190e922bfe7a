"""What is left of a queue for a person, as statements: ordinary pairs, gold ones, own counts."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select, union
from sqlalchemy.orm import Session

from storage.columns import utc_now
from storage.queues import Queue
from storage.tables import AnnotatorRow, AssignmentRow, LabelEventRow


def open_pairs(
    pairs: Subquery,
    own: Subquery,
    queue: Queue,
    annotator: str,
    exclude: Collection[int],
    *,
    held: bool = True,
) -> Select[int, int, int]:
    """Pairs of the queue that the person may still label, in order: id, skipped, flagged.

    Args:
        held: without those that others have, or are about to have, labelled often enough.
    """
    skipped = func.coalesce(own.c.skipped, 0)
    statement = (
        select(pairs.c.pair_id, skipped, func.coalesce(own.c.flagged, 0))
        .select_from(pairs)
        .outerjoin(own, own.c.pair_id == pairs.c.pair_id)
        .where(func.coalesce(own.c.labelled, 0) == 0, pairs.c.pair_id.not_in(list(exclude)))
        .order_by(skipped, pairs.c.place, pairs.c.chance, pairs.c.pair_id)
    )
    return statement.where(pairs.c.pair_id.not_in(_taken(queue, annotator))) if held else statement


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


def own_counts(
    session: Session, pairs: Subquery, own: Subquery, marks: Collection[int]
) -> tuple[int, int, int]:
    """Pairs of the queue, gold ones too, that the person labelled, skipped, flagged."""
    sums = [func.coalesce(func.sum(own.c[n]), 0) for n in ("labelled", "skipped", "flagged")]
    done, skipped, flagged = session.execute(
        select(*sums).where(
            own.c.pair_id.in_(select(pairs.c.pair_id)) | own.c.pair_id.in_(list(marks))
        )
    ).one()
    return done, skipped, flagged


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
