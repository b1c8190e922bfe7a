"""The table of what leads say: decisions on pairs, what is sent back, which pairs are gold."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.columns import StorableText, utc_now
from storage.tables import AnnotatorRow, PairRow, QueueRow, Row


class LeadEventRow(Row):
    """One thing that a lead said. Rows are added, never changed or removed.

    Attributes:
        key: the idempotency key that came with it.
        about_id: the person whom it is about, where it is about one.
        value: under the pair's own sides.
    """

    __tablename__ = "lead_event"
    __table_args__ = (
        Index("ix_lead_event_pair_action", "pair_id", "action"),
        Index("ix_lead_event_queue_action", "queue_id", "action"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    by_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    action: Mapped[str] = mapped_column(String(16))
    pair_id: Mapped[int | None] = mapped_column(ForeignKey("pair.id"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"))
    about_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    value: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(24))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    note: Mapped[str | None] = mapped_column(StorableText)

    by: Mapped[AnnotatorRow] = relationship(foreign_keys=[by_id])
    about: Mapped[AnnotatorRow | None] = relationship(foreign_keys=[about_id])
    pair: Mapped[PairRow | None] = relationship()
    queue: Mapped[QueueRow | None] = relationship()
