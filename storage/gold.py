"""Gold pairs of a queue: whose answer is known, mixed in silently to see how well people do."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal
from uuid import uuid4

from sqlalchemy import Subquery, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.share import Share
from storage import lead_events
from storage.courses import course
from storage.database import Database
from storage.lead_events import LeadEntry
from storage.queues import Queue, get
from storage.remaining import among
from storage.tables import AnnotatorRow, LabelEventRow, PairRow
from storage.team_tables import LeadEventRow

Known = Literal["chosen", "decided"]

_CHUNK = 500

BLOCK = 5
"""A person's own figure moves in steps of so many gold pairs, so that no step betrays one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How a person did on gold pairs, by the first blind answer to each.

    Attributes:
        passed: of the screening; None while it lasts, True where there is none.
        admitted: whether a lead let the person in whatever the screening said.
    """

    annotator: str
    accuracy: Share
    screened: int
    needed: int
    passed: bool | None
    admitted: bool


def marks(queue_id: int) -> Subquery:
    """The gold pairs of a queue now: `pair_id`, `value`."""
    return lead_events.latest(
        ("gold", "ungold"), "gold", LeadEventRow.queue_id == queue_id
    ).subquery("gold")


def of_queue(session: Session, queue_id: int) -> dict[int, str]:
    """The gold pairs of a queue, and the answer to each."""
    gold = marks(queue_id)
    return dict(session.execute(select(gold.c.pair_id, gold.c.value)).all())


def mark_known(database: Database, queue_id: int, by: str, n: int, known: Known) -> int:
    """Make gold of up to `n` pairs of a queue, drawn by chance, whose answer is known.

    Args:
        known: `chosen`: the pair's source knew it; `decided`: a lead has decided it.

    Returns:
        How many it became.

    Raises:
        RecordNotFound: there is no such queue.
        InputError: no pair of the queue qualifies.
    """
    with database.read() as session:
        queue = get(session, queue_id)
        found = list(islice(_knowable(session, queue, known), n))
    if not found:
        whose = "whose source knew the better side" if known == "chosen" else "that a lead decided"
        raise InputError(f"The queue holds no further pair {whose}.")
    entries = [
        LeadEntry(
            key=uuid4().hex,
            by=by,
            action="gold",
            pair_id=pair_id,
            queue_id=queue_id,
            value=value,
            note=known,
        )
        for pair_id, value in found
    ]
    return len(lead_events.record(database, *entries))


def check(session: Session, queue: Queue, annotator: str | None = None) -> dict[str, Checked]:
    """How people did on the gold pairs of a queue, by name."""
    gold = of_queue(session, queue.id)
    needed = min(queue.terms.screening, len(gold))
    answers = _answers(session, queue.id, gold, annotator)
    let_in = _admitted(session, queue.id)
    return {
        name: _checked(name, given, gold, queue, needed, name in let_in)
        for name, given in answers.items()
    }


def check_one(session: Session, queue: Queue, annotator: str) -> Checked:
    """How one person did on the gold pairs of a queue."""
    found = check(session, queue, annotator).get(annotator)
    if found:
        return found
    needed = min(queue.terms.screening, len(of_queue(session, queue.id)))
    admitted = annotator in _admitted(session, queue.id)
    passed = True if admitted or not needed else None
    return Checked(annotator, Share.of(0, 0), 0, needed, passed, admitted)


def mirror(session: Session, queue: Queue, annotator: str) -> Share:
    """What a person may know of their own accuracy: whole blocks of answers alone.

    It moves only every `BLOCK` gold pairs, so it does not tell which pair was one.
    """
    gold = of_queue(session, queue.id)
    given = _answers(session, queue.id, gold, annotator).get(annotator, {})
    whole = list(given.items())[: len(given) // BLOCK * BLOCK]
    return Share.of(sum(gold[pair] == value for pair, value in whole), len(whole))


def _knowable(session: Session, queue: Queue, known: Known) -> Iterator[tuple[int, str]]:
    """Pairs of the queue that are not gold yet, with their answer, in random order."""
    order = course(session, queue.filter, "random", queue.seed)
    order = order[~among(order, of_queue(session, queue.id))]
    if known == "decided":
        by_lead = lead_events.decided()
        rows = session.execute(select(by_lead.c.pair_id, by_lead.c.value)).all()
        values = {int(pair): str(value) for pair, value in rows}
        yield from ((pair, values[pair]) for pair in order[among(order, values)].tolist())
        return
    for start in range(0, len(order), _CHUNK):
        some = order[start : start + _CHUNK].tolist()
        statement = select(PairRow.id, PairRow.chosen).where(
            PairRow.id.in_(some), PairRow.chosen.is_not(None)
        )
        sides = {pair: side for pair, side in session.execute(statement) if side}
        yield from ((pair, sides[pair]) for pair in some if pair in sides)


def _answers(
    session: Session, queue_id: int, gold: Mapping[int, str], annotator: str | None
) -> dict[str, dict[int, str]]:
    """Each person's first blind answer to each gold pair of the queue, in the order given.

    The first counts even where it was taken back: the judge may have been seen since.
    """
    statement = (
        select(AnnotatorRow.name, LabelEventRow.pair_id, LabelEventRow.value)
        .join(AnnotatorRow, AnnotatorRow.id == LabelEventRow.annotator_id)
        .where(
            LabelEventRow.queue_id == queue_id,
            LabelEventRow.stage == "blind",
            LabelEventRow.action == "commit",
            LabelEventRow.pair_id.in_(list(gold)),
        )
        .order_by(LabelEventRow.id)
    )
    if annotator is not None:
        statement = statement.where(AnnotatorRow.name == annotator)
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for name, pair_id, value in session.execute(statement):
        found[name].setdefault(pair_id, value or "")
    return found


def _admitted(session: Session, queue_id: int) -> set[str]:
    return set(
        session.scalars(
            select(AnnotatorRow.name)
            .join(LeadEventRow, LeadEventRow.about_id == AnnotatorRow.id)
            .where(LeadEventRow.queue_id == queue_id, LeadEventRow.action == "admit")
        )
    )


def _checked(
    name: str,
    given: Mapping[int, str],
    gold: Mapping[int, str],
    queue: Queue,
    needed: int,
    admitted: bool,
) -> Checked:
    right = [gold[pair] == value for pair, value in given.items()]
    screened = right[:needed]
    passed = None if len(screened) < needed else sum(screened) >= queue.terms.pass_mark * needed
    if admitted or not needed:
        passed = True
    accuracy = Share.of(sum(right), len(right))
    return Checked(name, accuracy, len(screened), needed, passed, admitted)
