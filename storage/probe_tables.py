"""The table of probes, as typed rows."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import JsonObject, StorableText, utc_now
from storage.tables import Row


class ProbeRow(Row):
    """A judgement of a pair that was changed to see what carries another judgement's verdict.

    It is no row of `judgement`, and its pair none of `pair`: so nothing that counts, lists, serves
    or exports those can ever take a probe for one of them.

    Attributes:
        key: random, 128 bits in hex.
        judgement_id: the judgement that it probes.
        record: the probe's own judgement, as `rmr1.record` writes one.
    """

    __tablename__ = "probe"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    judgement_id: Mapped[int] = mapped_column(
        ForeignKey("judgement.id", ondelete="CASCADE"), index=True
    )
    change: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str | None] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float | None]
    by: Mapped[str] = mapped_column(StorableText)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    record: Mapped[JsonObject]
