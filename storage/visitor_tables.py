"""The table of what visitors say of pairs in the gallery: a tier of its own, beside all labels."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import StorableText, utc_now
from storage.tables import Row


class VisitorLabelRow(Row):
    """A visitor's blind answer. Rows are added, never changed or removed.

    It hangs on no other table: the pairs of the gallery need not be on record.

    Attributes:
        key: the idempotency key that came with it.
        session: what the visitor's browser calls itself, made anew with each visit.
        item: the gallery's name of what was judged.
        value: under the pair's own sides.
        chosen, verdict: the known answer and the judge's, as they stood then.
        consent: which wording the visitor agreed to.
    """

    __tablename__ = "visitor_label"
    __table_args__ = (Index("ix_visitor_label_session_pair_hash", "session", "pair_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    session: Mapped[str] = mapped_column(String(64))
    pair_hash: Mapped[str] = mapped_column(String(64), index=True)
    judge_version: Mapped[str] = mapped_column(String(64))
    value: Mapped[str] = mapped_column(String(16))
    chosen: Mapped[str | None] = mapped_column(String(1))
    verdict: Mapped[str | None] = mapped_column(String(1))
    display_swapped: Mapped[bool]
    seconds: Mapped[float | None]
    consent: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    item: Mapped[str] = mapped_column(StorableText)
