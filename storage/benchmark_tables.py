"""The tables of benchmark runs and of the items that their judgements count as, as typed rows."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storage.columns import JsonObject, utc_now
from storage.tables import Row, RunRow


class BenchmarkRow(Row):
    """What a run of the kind `benchmark` has beyond a run.

    Attributes:
        pid: of the process that judges; None until it has said so, or where none judges.
        beat_at: the process's last sign of life; at first the moment of opening.
        scores: by rule, as `Score.as_record` gives them; None where they are to be made again.
    """

    __tablename__ = "benchmark"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    pid: Mapped[int | None]
    host: Mapped[str] = mapped_column(default="")
    beat_at: Mapped[datetime] = mapped_column(default=utc_now)
    stop_asked_at: Mapped[datetime | None]
    scores: Mapped[JsonObject | None] = mapped_column(deferred=True)

    run: Mapped[RunRow] = relationship(lazy="joined", innerjoin=True)


class BenchmarkItemRow(Row):
    """An item of a benchmark, and the judgement that counts for it in a run.

    A pair on record has one source and one subset, and may be several items: what an item is
    stands here, so that scores need neither pairs nor texts.

    Attributes:
        item: SHA-256 (hex) of the item's key.
        seen: short hashes of all judgements of it that the run has had.
        query: of best of N, with the number of its `losers`.
        published, upstream, own: by rule, whether it is right; None without a verdict.
        spoke: initials of the rules under which any rollout has a verdict.
        first, second: whether the better response stood there in any rollout.
        outcome: as `outcome_record` writes it.
    """

    __tablename__ = "benchmark_item"
    __table_args__ = (
        UniqueConstraint("run_id", "item"),
        Index("ix_benchmark_item_judgement_id", "judgement_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    judgement_id: Mapped[int] = mapped_column(ForeignKey("judgement.id"))
    item: Mapped[str] = mapped_column(String(64))
    cell: Mapped[str]
    slice: Mapped[str]
    query: Mapped[str | None]
    losers: Mapped[int | None]
    published: Mapped[bool | None] = mapped_column(Boolean)
    upstream: Mapped[bool | None] = mapped_column(Boolean)
    own: Mapped[bool | None] = mapped_column(Boolean)
    spoke: Mapped[str] = mapped_column(String(8))
    first: Mapped[bool]
    second: Mapped[bool]
    chosen_longer: Mapped[bool | None]
    seen: Mapped[list[str]]
    outcome: Mapped[JsonObject]
