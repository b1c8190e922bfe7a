"""Which pairs the Annotate page is given, and how to begin where there are none."""

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

from sqlalchemy.orm import Session

from rmr1.errors import RecordNotFound
from rmr1.pair import Pair
from rmr1.record import pair_from_record
from storage import assigning, gold, judgements, pairs, queue_progress, queues
from storage.database import Database
from storage.queues import Queue
from ui.annotating import blind_item, item_as_it_stands, shown_why
from ui.faults import faults_view
from ui.views import View

AHEAD = 2
"""Pairs sent at once: the one to label, and the one after it."""


def open_page(
    database: Database,
    annotator: str,
    queue_id: int | None = None,
    first: View | None = None,
    *,
    named: bool = True,
) -> View:
    """What the page starts with.

    Args:
        queue_id: the queue that was used last; the queue of everything where it is gone.
        first: `pair_id`, `queue_id` and `judgement_key` of a pair to begin with: one that was not
            finished or, without the latter two, one that a link names.
        named: whether judges are named.
    """
    with database.write() as session:
        queue = _queue(session, queue_id)
        begun = _begun(session, annotator, first, named) if first else []
    served = _serve(database, annotator, queue, AHEAD, [item["pair_id"] for item in begun])
    with database.read() as session:
        open_ones = [each for each in queues.all_queues(session) if _is_offered(each, queue)]
        return {
            "queue": queue.id,
            "queues": [{"id": each.id, "name": each.name} for each in open_ones],
            "faults": faults_view(),
            "items": begun + served,
            "examples": _missing_examples(session) if not begun + served else 0,
            **_how_far(session, annotator, queue),
        }


def more(database: Database, annotator: str, queue_id: int, exclude: Sequence[int]) -> View:
    """The next pair of a queue, and how far the person is.

    Args:
        exclude: pairs that the person has before them, or passed over in this sitting.

    Raises:
        RecordNotFound: there is no such queue.
    """
    with database.read() as session:
        queue = queues.get(session, queue_id)
    items = _serve(database, annotator, queue, 1, exclude)
    with database.read() as session:
        left = _missing_examples(session) if not items else 0
        return {"items": items, "examples": left, **_how_far(session, annotator, queue)}


def load_examples(database: Database) -> int:
    """Put the example pairs that the studio ships on record.

    Returns:
        How many of them were not there before.
    """
    with database.write() as session:
        return pairs.add_many(session, _examples()).new


@cache
def _examples() -> tuple[Pair, ...]:
    text = (resources.files("ui") / "examples.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    return tuple(pair_from_record({**record, "source": "example"}) for record in records)


def _missing_examples(session: Session) -> int:
    """How many of the examples are not on record: what may be offered where nothing is left."""
    return sum(pairs.find(session, pair.hash) is None for pair in _examples())


def _queue(session: Session, queue_id: int | None) -> Queue:
    everything = queues.everything(session)
    try:
        return queues.get(session, queue_id) if queue_id else everything
    except RecordNotFound:
        return everything


def _begun(session: Session, annotator: str, first: View, named: bool) -> list[View]:
    pair_id, key = first["pair_id"], first.get("judgement_key")
    try:
        key = key or judgements.newest(session, pair_id)
        queue_id = first.get("queue_id")
        return [item_as_it_stands(session, annotator, pair_id, queue_id, key, named=named)]
    except RecordNotFound:
        return []


def _is_offered(queue: Queue, chosen: Queue) -> bool:
    return queue.terms.state == "open" or queue.id == chosen.id


def _serve(
    database: Database, annotator: str, queue: Queue, n: int, exclude: Sequence[int]
) -> list[View]:
    items = assigning.reserve(database, queue, annotator, n, exclude)
    with database.read() as session:
        return [
            {
                **blind_item(
                    pairs.get(session, item.pair_id),
                    annotator,
                    queue_id=item.queue_id,
                    why=shown_why(queue, item.why),
                    flagged=item.flagged,
                    returned=item.returned,
                ),
                "position": item.position,
                "skipped": item.skipped,
            }
            for item in items
        ]


def _how_far(session: Session, annotator: str, queue: Queue) -> View:
    """How far the person is, and why nothing more comes where that is not as the queue has it."""
    found = queue_progress.progress(session, queue, annotator)
    return {
        "progress": {
            "done": found.done,
            "total": found.total,
            "skipped": found.skipped,
            "flagged": found.flagged,
        },
        "closed": _why_closed(session, annotator, queue),
    }


def _why_closed(session: Session, annotator: str, queue: Queue) -> str:
    if queue.terms.state != "open":
        return f"This queue is {queue.terms.state} for now: choose another one above."
    if queue.terms.screening and gold.check_one(session, queue, annotator).passed is False:
        return (
            "Thank you for the first pairs. Before you go on with this queue, please talk to the "
            "lead: some answers were not as the guideline has them."
        )
    return ""
