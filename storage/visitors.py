"""What visitors say of pairs in the gallery: kept apart from labels, so no figure counts it.

No page but the game reads it, no snapshot and no export takes it; `rows` hands it out by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, first_problem
from storage.database import Database
from storage.entries import Receipt
from storage.visitor_tables import VisitorLabelRow

CONSENT = "2026-11"
"""Of the wording that visitors agree to now; a new wording gets a new name."""


class VisitorEntry(BaseModel):
    """A visitor's answer. Making one from unusable values raises `InputError` by `read`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=8, max_length=64, description="idempotency key")
    session: str = Field(pattern=r"^[0-9a-fA-F\-]{16,64}$", description="the browser's own name")
    item: str = Field(min_length=1, max_length=200)
    pair_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    judge_version: str = Field(max_length=64)
    value: Literal["A", "B", "tie"] = Field(description="under the pair's own sides")
    chosen: Literal["A", "B"] | None
    verdict: Literal["A", "B"] | None
    display_swapped: bool
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    consent: Literal["2026-11"] = Field(description="the wording that was agreed to")

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
            raise InputError(f"The answer's {where or 'whole'} cannot be used: {what}.") from error


@dataclass(frozen=True, slots=True)
class Score:
    """How a visit stands, over the pairs whose better side is known.

    Attributes:
        visitor, judge: right answers; a tie and no verdict are none.
    """

    n: int
    visitor: int
    judge: int


def record(database: Database, entry: VisitorEntry) -> Receipt:
    """Keep an answer: once this returns it is on disk. A pair's first answer in a visit stays.

    Raises:
        StorageError: the database or the journal refused; nothing was acknowledged.
    """
    with database.write() as session:
        if database.journal:
            database.journal.catch_up(session)
        same = (VisitorLabelRow.session == entry.session) & (
            VisitorLabelRow.pair_hash == entry.pair_hash
        )
        wanted = select(VisitorLabelRow).where((VisitorLabelRow.key == entry.key) | same)
        row, is_there = session.scalar(wanted.limit(1)), True
        if row is None:
            row, is_there = VisitorLabelRow(**entry.model_dump()), False
            session.add(row)
            session.flush()
            if database.journal:
                database.journal.append(session, row)
        return Receipt(row.id, row.key, row.created_at, 0, duplicate=is_there)


def score(session: Session, visit: str) -> Score:
    """How a visit stands.

    Args:
        visit: the session that its answers carry.
    """
    row = VisitorLabelRow
    n, visitor, judge = session.execute(
        select(
            func.count(),
            func.count().filter(row.value == row.chosen),
            func.count().filter(row.verdict == row.chosen),
        ).where(row.session == visit, row.chosen.is_not(None))
    ).one()
    return Score(n, visitor, judge)


def answered(session: Session, visit: str) -> set[str]:
    """The hashes of the pairs that a visit has answered."""
    found = select(VisitorLabelRow.pair_hash).where(VisitorLabelRow.session == visit)
    return set(session.scalars(found))


def rows(session: Session) -> Iterator[dict[str, Any]]:
    """Every answer as a JSON object, the oldest first."""
    names = [column.key for column in VisitorLabelRow.__table__.columns if column.key != "id"]
    for row in session.scalars(select(VisitorLabelRow).order_by(VisitorLabelRow.id)):
        values = {name: getattr(row, name) for name in names}
        yield {**values, "created_at": row.created_at.isoformat()}
