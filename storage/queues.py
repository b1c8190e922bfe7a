"""Queues: named selections of pairs in an order, and the terms on which they are labelled."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage.columns import utc_now
from storage.courses import QueueOrder
from storage.database import Database
from storage.filters import JudgementFilter
from storage.tables import QueueRow
from storage.terms import Terms

EVERYTHING = "Everything"


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
    terms: Terms = field(default_factory=Terms)

    @property
    def why(self) -> str:
        """Why its pairs are served: `random` only where chance alone chose."""
        if self.order == "random" and self.filter.is_empty:
            return "random"
        parts = [f"filter:{self.filter.to_query()}"] if not self.filter.is_empty else []
        return " ".join([*parts, f"order:{self.order}"])


def create(
    session: Session,
    name: str,
    filter: JudgementFilter | None = None,
    order: QueueOrder = "random",
    seed: int = 0,
    terms: Terms | None = None,
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
    row = QueueRow(
        name=name,
        filter=wanted.model_dump(exclude_none=True),
        order=order,
        seed=seed,
        terms=terms.model_dump(mode="json") if terms else {},
    )
    session.add(row)
    session.flush()
    return _queue(row)


def settle(database: Database, queue_id: int, terms: Terms) -> Queue:
    """Put a queue's terms in force, and in the journal.

    Raises:
        RecordNotFound: there is no such queue.
    """
    with database.write() as session:
        row = session.get(QueueRow, queue_id)
        if row is None:
            raise RecordNotFound(f"There is no queue {queue_id}.")
        if database.journal:
            database.journal.catch_up(session)
        settled = terms.model_copy(update={"changed_at": utc_now()})
        row.terms = settled.model_dump(mode="json")
        session.flush()
        if database.journal:
            database.journal.append_queue(session, row)
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


def _queue(row: QueueRow) -> Queue:
    wanted = JudgementFilter.model_validate(row.filter)
    terms = Terms.model_validate(row.terms)
    return Queue(row.id, row.name, wanted, row.order, row.seed, terms)
