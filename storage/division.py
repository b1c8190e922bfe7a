"""How the labels of people on a pair are divided."""

from sqlalchemy import Select, func, select

from storage.table_views import current_label
from storage.tables import AnnotatorRow, LabelEventRow


def divided(queue_id: int | None = None) -> Select[int, int, int]:
    """Pairs of which people say different things: `pair_id`, `labels`, `most` (said alike).

    Labels of visitors, and those made with the verdict in view from the start, do not count.

    Args:
        queue_id: only pairs that somebody labelled in this queue.
    """
    view = current_label.c
    tally = (
        select(view.pair_id, view.value, func.count().label("n"))
        .join(AnnotatorRow, AnnotatorRow.id == view.annotator_id)
        .where(AnnotatorRow.role != "visitor", view.inspection.is_(False))
        .group_by(view.pair_id, view.value)
    )
    if queue_id is not None:
        here = select(LabelEventRow.pair_id).where(LabelEventRow.queue_id == queue_id)
        tally = tally.where(view.pair_id.in_(here))
    counts = tally.subquery("tally")
    return (
        select(
            counts.c.pair_id,
            func.sum(counts.c.n).label("labels"),
            func.max(counts.c.n).label("most"),
        )
        .group_by(counts.c.pair_id)
        .having(func.count() > 1)
    )
