"""Hidden until decided: how much of a pair somebody may see before their own label is in."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage import gold, queues, returning
from storage.columns import utc_now
from storage.probe_tables import ProbeRow
from storage.queues import Queue
from storage.remaining import labelled, mine
from storage.roles import Person, Role
from storage.tables import AnnotatorRow, AssignmentRow, JudgementRow, LabelEventRow, PairRow


class Seen(IntEnum):
    """How much of a pair is shown; each shows what those before it show."""

    PAIR = 0
    """The pair alone: it was served to the person, and their own label is not in."""
    JUDGES = 1
    """What judges said of it."""
    PEOPLE = 2
    """What everybody said of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What lists show somebody.

    Attributes:
        without: pairs that wait for the person's own label: nothing that judges said of them.
        people: whether they may look by what other people said.
    """

    without: frozenset[int] = frozenset()
    people: bool = True


EVERYTHING = Scope()


def seen(session: Session, who: Person, pair_id: int) -> Seen:
    """How much of a pair somebody may see now; leads see all, and undoing a label hides again."""
    if who.role >= Role.LEAD:
        return Seen.PEOPLE
    if who.role < Role.ANNOTATOR:
        return Seen.JUDGES  # whoever does not label will never have decided
    if pair_id in _unanswered(session, who.name):
        return Seen.PAIR
    own = mine(who.name)
    has_said = session.scalar(select(own.c.labelled).where(own.c.pair_id == pair_id))
    return Seen.PEOPLE if has_said else Seen.JUDGES


def scope(session: Session, who: Person) -> Scope:
    """What lists show somebody: for single pairs it says the same as `seen`."""
    if who.role >= Role.LEAD:
        return EVERYTHING
    waiting = _unanswered(session, who.name) if who.role >= Role.ANNOTATOR else frozenset[int]()
    return Scope(waiting, people=False)


def pair_of(session: Session, key: str) -> int | None:
    """The pair that a judgement, or a probe of one, is about; None where there is no such key."""
    judged = select(JudgementRow.pair_id).where(JudgementRow.key == key)
    probed = (
        select(JudgementRow.pair_id)
        .join(ProbeRow, ProbeRow.judgement_id == JudgementRow.id)
        .where(ProbeRow.key == key)
    )
    return session.scalar(judged) or session.scalar(probed)


def hashes(session: Session, found: Scope) -> frozenset[str]:
    """The hashes of the pairs that lists leave out."""
    return frozenset(session.scalars(select(PairRow.hash).where(PairRow.id.in_(found.without))))


def contents(session: Session, found: Scope) -> frozenset[str]:
    """The same blind to the order of the responses."""
    rows = select(PairRow.content_hash).where(PairRow.id.in_(found.without))
    return frozenset(session.scalars(rows))


def _unanswered(session: Session, name: str) -> frozenset[int]:
    """Pairs that were served to a person, or sent back to them, and wait for their label.

    One that is kept no longer waits as long as its queue wants another label of it.
    """
    live = {one.id: one for one in queues.all_queues(session) if one.terms.state != "archived"}
    own = mine(name)
    said = select(own.c.pair_id).where(own.c.labelled == 1)
    served = session.execute(
        select(AssignmentRow.queue_id, AssignmentRow.pair_id, AssignmentRow.held_until)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AnnotatorRow.name == name,
            AssignmentRow.queue_id.in_(live),
            AssignmentRow.pair_id.not_in(said),
        )
    ).all()
    now = utc_now()
    waiting = {one.pair_id for one in returning.waiting(session, name)}
    lapsed: dict[int, set[int]] = {}
    for queue_id, pair_id, held_until in served:
        if held_until > now:
            waiting.add(pair_id)
        else:
            lapsed.setdefault(queue_id, set()).add(pair_id)
    for queue_id, pair_ids in lapsed.items():
        waiting |= pair_ids - _full(session, live[queue_id], name, pair_ids)
    return _with_twins(session, waiting)


def _with_twins(session: Session, pair_ids: Collection[int]) -> frozenset[int]:
    """These pairs, and those that are the same with the responses in the other order."""
    if not pair_ids:
        return frozenset()
    contents = select(PairRow.content_hash).where(PairRow.id.in_(pair_ids))
    return frozenset(session.scalars(select(PairRow.id).where(PairRow.content_hash.in_(contents))))


def _full(session: Session, queue: Queue, name: str, pair_ids: Collection[int]) -> set[int]:
    """Those of a queue's pairs that others have labelled as often as it wants; gold never is."""
    if queue.terms.overlap is None:
        return set()
    me = select(AnnotatorRow.id).where(AnnotatorRow.name == name)
    others = (
        labelled(queue)
        .where(LabelEventRow.pair_id.in_(pair_ids), LabelEventRow.annotator_id.not_in(me))
        .distinct()
        .subquery("others")
    )
    enough = (
        select(others.c.pair_id)
        .group_by(others.c.pair_id)
        .having(func.count() >= queue.terms.overlap)
    )
    return set(session.scalars(enough)) - gold.of_queue(session, queue.id).keys()
