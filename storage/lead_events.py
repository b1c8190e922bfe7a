"""What leads say, as events that are only ever added: checked, recorded, journalled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound, first_problem
from storage.database import Database
from storage.entries import Value, Words
from storage.people import annotator_id
from storage.tables import AnnotatorRow, PairRow, QueueRow
from storage.team_tables import LeadEventRow

LeadAction = Literal["decide", "withdraw", "send_back", "gold", "ungold", "admit"]
Reason = Literal["guideline", "slip", "ambiguous", "fact", "influence", "other"]

REASONS: dict[str, str] = {
    "guideline": "The guideline is unclear",
    "slip": "A slip",
    "ambiguous": "Really ambiguous",
    "fact": "A fact is wrong",
    "influence": "Swayed by the judge",
    "other": "Something else (say what)",
}
"""Why people differed, as a lead sees it."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "decide": ("pair_id", "value", "reason"),
    "withdraw": ("pair_id",),
    "send_back": ("pair_id", "note"),
    "gold": ("pair_id", "queue_id", "value"),
    "ungold": ("pair_id", "queue_id"),
    "admit": ("queue_id", "about"),
}


class LeadEntry(BaseModel):
    """One thing that a lead says. Making one from unusable values raises `InputError`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=8, max_length=64, description="idempotency key")
    by: Words = Field(min_length=1, max_length=200, description="the lead's name")
    action: LeadAction
    pair_id: int | None = None
    queue_id: int | None = None
    about: str | None = Field(default=None, description="name of the person it is about")
    value: Value | None = Field(default=None, description="under the pair's own sides")
    reason: Reason | None = None
    note: Words | None = Field(default=None, max_length=20_000)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """An entry from values that a page sent.

        Raises:
            InputError: they make none; the sentence says why.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            where, what = first_problem(error)
            subject = f"The decision's {where}" if where else "The decision"
            raise InputError(f"{subject} cannot be used: {what}.") from error

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for name in _NEEDS[self.action]:
            if getattr(self, name) in (None, ""):
                raise InputError(f"`{self.action}` needs its {name.removesuffix('_id')}.")
        if self.reason == "other" and not self.note:
            raise InputError("Say in a note what the other reason is.")
        return self


@dataclass(frozen=True, slots=True)
class LeadReceipt:
    """Proof that something is on disk.

    Attributes:
        duplicate: whether the same key had been recorded before.
    """

    id: int
    at: datetime
    duplicate: bool


def record(database: Database, *entries: LeadEntry) -> list[LeadReceipt]:
    """Put what a lead said on record, all of it or nothing: once this returns it is on disk.

    Raises:
        RecordNotFound: a pair, queue or person does not exist.
        InputError: a key was used by somebody else.
        StorageError: it was not stored.
    """
    with database.write() as session:
        if database.journal:
            database.journal.catch_up(session)
        return [_add(database, session, entry) for entry in entries]


def of_pair(session: Session, pair_id: int) -> Sequence[LeadEventRow]:
    """What leads said about how a pair is to be labelled, oldest first."""
    return session.scalars(
        select(LeadEventRow)
        .where(
            LeadEventRow.pair_id == pair_id,
            LeadEventRow.action.in_(("decide", "withdraw", "send_back")),
        )
        .order_by(LeadEventRow.id)
    ).all()


def latest(
    actions: tuple[str, str], live: str, *where: ColumnElement[bool]
) -> Select[int | None, str | None]:
    """Pair and value of the pairs whose latest event of these actions is the `live` one."""
    last = (
        select(func.max(LeadEventRow.id))
        .where(LeadEventRow.action.in_(actions), *where)
        .group_by(LeadEventRow.pair_id)
    )
    return select(LeadEventRow.pair_id, LeadEventRow.value).where(
        LeadEventRow.id.in_(last), LeadEventRow.action == live
    )


def decided() -> Subquery:
    """The pairs on which a lead has decided and not thought better of it: `pair_id`, `value`."""
    return latest(("decide", "withdraw"), "decide").subquery("decided")


def _add(database: Database, session: Session, entry: LeadEntry) -> LeadReceipt:
    by_id = annotator_id(session, entry.by, "lead")
    found = session.scalar(select(LeadEventRow).where(LeadEventRow.key == entry.key))
    if found is not None:
        if found.by_id != by_id:
            raise InputError("This idempotency key was used by somebody else: make a new one.")
        return LeadReceipt(found.id, found.created_at, duplicate=True)
    for table, id in ((PairRow, entry.pair_id), (QueueRow, entry.queue_id)):
        if id is not None and session.get(table, id) is None:
            raise RecordNotFound(f"There is no {table.__tablename__} {id}.")
    row = LeadEventRow(
        key=entry.key,
        by_id=by_id,
        action=entry.action,
        pair_id=entry.pair_id,
        queue_id=entry.queue_id,
        about_id=_about(session, entry.about),
        value=entry.value,
        reason=entry.reason,
        note=entry.note,
    )
    session.add(row)
    session.flush()
    if database.journal:
        database.journal.append(session, row)
    return LeadReceipt(row.id, row.created_at, duplicate=False)


def _about(session: Session, name: str | None) -> int | None:
    if name is None:
        return None
    found = session.scalar(select(AnnotatorRow.id).where(AnnotatorRow.name == name))
    if found is None:
        raise RecordNotFound(f"Nobody is called {name[:80]!r}.")
    return found
