"""Hidden until decided: how much of a pair somebody may see before their own label is in."""

from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import queues, returning
from storage.probe_tables import ProbeRow
from storage.remaining import mine
from storage.roles import Person, Role
from storage.tables import AnnotatorRow, AssignmentRow, JudgementRow, PairRow


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


def _unanswered(session: Session, name: str) -> frozenset[int]:
    """Pairs that were served to a person, or sent back to them, and wait for their label."""
    live = [one.id for one in queues.all_queues(session) if one.terms.state != "archived"]
    own = mine(name)
    said = select(own.c.pair_id).where(own.c.labelled == 1)
    served = session.scalars(
        select(AssignmentRow.pair_id)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AnnotatorRow.name == name,
            AssignmentRow.queue_id.in_(live),
            AssignmentRow.pair_id.not_in(said),
        )
    )
    back = (one.pair_id for one in returning.waiting(session, name))
    return frozenset(served) | frozenset(back)
