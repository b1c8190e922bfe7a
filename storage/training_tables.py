"""The tables of trainings and of the adapters that they leave, as typed rows."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.columns import JsonObject, StorableText, utc_now
from storage.tables import Row, RunRow


class TrainingRow(Row):
    """What a run of the kind `training` has beyond a run: the process that does its work.

    Attributes:
        pid: None until the process has said so itself.
        beat_at: the process's last sign of life; at first the moment of opening.
    """

    __tablename__ = "training"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    pid: Mapped[int | None]
    host: Mapped[str] = mapped_column(default="")
    beat_at: Mapped[datetime] = mapped_column(default=utc_now)
    stop_asked_at: Mapped[datetime | None]

    run: Mapped[RunRow] = relationship(lazy="joined", innerjoin=True)


class MetricRow(Row):
    """A figure of a training at a step.

    The key is in the order in which curves are read, and in SQLite the table lies in that order.

    Attributes:
        value: None where the figure is no finite number.
    """

    __tablename__ = "metric"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 -- read by SQLAlchemy

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[float | None]


class TrainingSampleRow(Row):
    """A rollout that a training drew at a step, or whatever else of it is worth reading."""

    __tablename__ = "training_sample"
    __table_args__ = (Index("ix_training_sample_run_step", "run_id", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    step: Mapped[int]
    content: Mapped[JsonObject]


class AdapterRow(Row):
    """An adapter: weights by their hash, and the files that hold them.

    Attributes:
        hash: SHA-256 (hex) of the PEFT folder's weights.
        gguf, merged: further forms of the same weights; "" for none.
    """

    __tablename__ = "adapter"
    __table_args__ = (UniqueConstraint("name", "hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(String(64))
    folder: Mapped[str] = mapped_column(StorableText)
    gguf: Mapped[str] = mapped_column(StorableText, default="")
    merged: Mapped[str] = mapped_column(StorableText, default="")
    base: Mapped[str]
    profile: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    figures: Mapped[JsonObject] = mapped_column(default=dict)


class PromotionRow(Row):
    """Which adapter judges from a moment on. Rows are added, never changed or removed.

    Attributes:
        adapter_id: None for the base model alone.
        before_id: the promotion whose adapter comes back when this one is rolled back.
    """

    __tablename__ = "promotion"

    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(16))
    adapter_id: Mapped[int | None] = mapped_column(ForeignKey("adapter.id"), index=True)
    before_id: Mapped[int | None] = mapped_column(ForeignKey("promotion.id"))
    by: Mapped[str] = mapped_column(StorableText)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    adapter: Mapped[AdapterRow | None] = relationship(lazy="joined")
    before: Mapped["PromotionRow | None"] = relationship(remote_side=[id])
