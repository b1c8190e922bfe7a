"""Gold pairs of a queue: whose answer is known, mixed in silently to see how well people do."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

import numpy as np
from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.share import Share
from storage import lead_events
from storage.census import Ids, census
from storage.courses import course
from storage.database import Database
from storage.filters import JudgementFilter
from storage.lead_events import LeadEntry
from storage.queues import Queue, get
from storage.remaining import among
from storage.tables import AnnotatorRow, LabelEventRow, PairRow
from storage.team_tables import LeadEventRow

Known = Literal["chosen", "decided"]

MOST = 1000
"""Pairs that one draw may make gold."""

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


@dataclass(frozen=True, slots=True)
class Draw:
    """Which pairs are to become gold.

    Attributes:
        known: `chosen`: the pair's source knew the answer; `decided`: a lead has decided it.
        n: so many at most, drawn by chance; None for all, and never more than `MOST`.
        wanted: the filter that they come from; None for the queue's own.
        seed: of chance; None for the queue's own.
    """

    known: Known = "chosen"
    n: int | None = None
    wanted: JudgementFilter | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """What one draw made gold: `batch` undoes it."""

    batch: str
    pairs: int


def marks(queue_id: int) -> Subquery:
    """The gold pairs of a queue now: `pair_id`, `value`."""
    return lead_events.latest(
        ("gold", "ungold"), "gold", LeadEventRow.queue_id == queue_id
    ).subquery("gold")


def of_queue(session: Session, queue_id: int) -> dict[int, str]:
    """The gold pairs of a queue, and the answer to each."""
    gold = marks(queue_id)
    return dict(session.execute(select(gold.c.pair_id, gold.c.value)).all())


def count(session: Session, queue_id: int, draw: Draw) -> int:
    """How many pairs qualify for a draw that has no bound.

    Raises:
        RecordNotFound: there is no such queue.
    """
    return len(_left(session, get(session, queue_id), draw))


def mark(database: Database, queue_id: int, by: str, draw: Draw) -> Marked:
    """Make gold of pairs, drawn by chance, whose answer is known: all of them or none.

    Raises:
        RecordNotFound: there is no such queue.
        InputError: no pair qualifies.
    """
    with database.read() as session:
        order = _left(session, get(session, queue_id), draw)[: min(draw.n or MOST, MOST)].tolist()
        statement = _known(draw.known)
        id_column = statement.selected_columns[0]
        values = dict(session.execute(statement.where(id_column.in_(order))).all())
    if not order:
        knew = "source knew the better side" if draw.known == "chosen" else "answer a lead decided"
        where = "The queue" if draw.wanted is None else "The filter"
        raise InputError(f"{where} holds no further pair whose {knew}.")
    batch = uuid4().hex
    entries = [
        LeadEntry(
            key=f"{batch}-{number}",
            by=by,
            action="gold",
            pair_id=pair_id,
            queue_id=queue_id,
            value=values[pair_id],
            note=draw.known,
        )
        for number, pair_id in enumerate(order)
    ]
    return Marked(batch, len(lead_events.record(database, *entries)))


def undo(database: Database, queue_id: int, by: str, batch: str) -> int:
    """Make gold no longer what one `mark` made so, save what was unmarked or marked anew since.

    Returns:
        How many pairs.

    Raises:
        InputError: nothing of that batch is gold.
    """
    newest = (
        select(func.max(LeadEventRow.id))
        .where(LeadEventRow.queue_id == queue_id, LeadEventRow.action.in_(("gold", "ungold")))
        .group_by(LeadEventRow.pair_id)
    )
    statement = select(LeadEventRow.pair_id).where(
        LeadEventRow.id.in_(newest),
        LeadEventRow.action == "gold",
        LeadEventRow.key.startswith(f"{batch}-", autoescape=True),
    )
    with database.read() as session:
        found = session.scalars(statement).all() if batch else []
    if not found:
        raise InputError("None of those pairs is gold any more: there is nothing to undo.")
    entries = [
        LeadEntry(key=uuid4().hex, by=by, action="ungold", pair_id=pair_id, queue_id=queue_id)
        for pair_id in found
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


def _left(session: Session, queue: Queue, draw: Draw) -> Ids:
    """Pairs that qualify and are not gold yet, in random order."""
    wanted = queue.filter if draw.wanted is None else draw.wanted
    seed = queue.seed if draw.seed is None else draw.seed
    order = course(session, wanted, "random", seed)
    order = order[~among(order, of_queue(session, queue.id))]
    if draw.known == "decided":
        return order[among(order, session.scalars(_known(draw.known)).all())]
    pairs = census(session).pairs
    return order[pairs.chosen[np.searchsorted(pairs.ids, order)] > 0]


def _known(known: Known) -> Select[int, str | None]:
    """The pairs whose answer is known, with it."""
    if known == "decided":
        by_lead = lead_events.decided()
        return select(by_lead.c.pair_id, by_lead.c.value)
    return select(PairRow.id, PairRow.chosen).where(PairRow.chosen.is_not(None))


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
