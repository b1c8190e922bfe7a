"""The tables, as typed rows; nothing outside `storage` sees one.

Small columns stand before long texts: SQLite reads a row from its start, so a query that asks
for small columns alone never walks through the texts behind them.
"""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from storage.columns import JsonObject, StorableText, UtcDateTime, utc_now


class Row(DeclarativeBase):
    """Base of all rows."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 -- read by SQLAlchemy, never changed
        datetime: UtcDateTime,
        JsonObject: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }


class RunRow(Row):
    """Something that ran: an import, a batch, a benchmark, a training."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(StorableText, default="")
    params: Mapped[JsonObject] = mapped_column(default=dict)
    counts: Mapped[JsonObject] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class ArtifactRow(Row):
    """A file or folder that a run left."""

    __tablename__ = "artifact"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    name: Mapped[str]
    path: Mapped[str] = mapped_column(StorableText)
    hash: Mapped[str] = mapped_column(String(64), default="")
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    meta: Mapped[JsonObject] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PairRow(Row):
    """A pair: what it is known and chosen by.

    Attributes:
        lot: 31 bits of the hash; seeded orders go by it.
        texts: the pair itself, in a table of its own so that scans over pairs stay quick.
    """

    __tablename__ = "pair"
    __table_args__ = (Index("ix_pair_source_subset", "source", "subset"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    prompt_hash: Mapped[str] = mapped_column(String(64), index=True)
    lot: Mapped[int] = mapped_column(BigInteger, index=True)  # big, as it is multiplied
    chosen: Mapped[str | None] = mapped_column(String(1))
    source: Mapped[str] = mapped_column(default="")
    subset: Mapped[str] = mapped_column(default="")
    multi_turn: Mapped[bool]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    external_id: Mapped[str | None]

    texts: Mapped["PairTextRow"] = relationship(
        lazy="joined", innerjoin=True, cascade="all, delete-orphan", passive_deletes=True
    )


class PairTextRow(Row):
    """The texts of a pair.

    `prompt` is the last user's turn and `context` the turns before it, both for previews and
    search; `conversation` is the whole.
    """

    __tablename__ = "pair_text"

    pair_id: Mapped[int] = mapped_column(
        ForeignKey("pair.id", ondelete="CASCADE"), primary_key=True
    )
    prompt: Mapped[str] = mapped_column(StorableText)
    context: Mapped[str] = mapped_column(StorableText, default="")
    response_a: Mapped[str] = mapped_column(StorableText)
    response_b: Mapped[str] = mapped_column(StorableText)
    conversation: Mapped[list[JsonObject]] = mapped_column(JSON)
    meta: Mapped[JsonObject] = mapped_column(default=dict)


class JudgeVersionRow(Row):
    """A judge version, with the content of its prompt profile where that was given."""

    __tablename__ = "judge_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    backend: Mapped[str]
    model: Mapped[str]
    revision: Mapped[str]
    engine: Mapped[str]
    adapter: Mapped[str]
    profile: Mapped[str]
    profile_hash: Mapped[str]
    profile_text: Mapped[str] = mapped_column(StorableText, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


_MANY = text("rollout_count > 1")
_OF_MANY_VOTES = Index(
    "ix_judgement_votes",
    *("judge_version_id", "plan_hash", "pair_id"),
    sqlite_where=_MANY,
    postgresql_where=_MANY,
)


class JudgementRow(Row):
    """A judgement, with the figures that lists and filters ask for.

    Attributes:
        key: random, 128 bits in hex: what links carry.
        correct: None where the pair's better side is unknown.
        swap_consistent: None unless both orders were judged.
        tokens: completion tokens of all rollouts.
        seconds: time of all rollouts added up.
    """

    __tablename__ = "judgement"
    __table_args__ = (
        Index("ix_judgement_same", "pair_id", "judge_version_id", "plan_hash"),
        Index("ix_judgement_state_verdict", "state", "verdict"),
        Index("ix_judgement_confidence", "confidence"),
        _OF_MANY_VOTES,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"))
    judge_version_id: Mapped[int] = mapped_column(ForeignKey("judge_version.id"), index=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[str | None] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[float | None]
    confidence_source: Mapped[str | None] = mapped_column(String(16))
    type: Mapped[str | None] = mapped_column(String(16))
    swap_consistent: Mapped[bool | None]
    correct: Mapped[bool | None]
    quotes_total: Mapped[int]
    quotes_near: Mapped[int]
    quotes_absent: Mapped[int]
    tokens: Mapped[int | None]
    seconds: Mapped[float | None]
    rollout_count: Mapped[int]
    origin: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    reason: Mapped[str] = mapped_column(StorableText, default="")
    plan: Mapped[JsonObject]

    pair: Mapped[PairRow] = relationship()
    version: Mapped[JudgeVersionRow] = relationship()
    rollouts: Mapped[list["RolloutRow"]] = relationship(
        order_by="RolloutRow.position", cascade="all, delete-orphan", passive_deletes=True
    )


class RolloutRow(Row):
    """One completion; the trace is read from `text` again, what the text cannot say is here."""

    __tablename__ = "rollout"
    __table_args__ = (UniqueConstraint("judgement_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    judgement_id: Mapped[int] = mapped_column(ForeignKey("judgement.id", ondelete="CASCADE"))
    position: Mapped[int]
    order: Mapped[str] = mapped_column(String(2))
    vote: Mapped[int]
    seed: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str | None] = mapped_column(String(1))
    probability_a: Mapped[float | None]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    seconds: Mapped[float | None]
    first_seconds: Mapped[float | None]
    injected: Mapped[list[str]]
    reason: Mapped[str] = mapped_column(StorableText, default="")
    text: Mapped[str] = mapped_column(StorableText)

    criteria: Mapped[list["CriterionRow"]] = relationship(
        order_by="CriterionRow.position", cascade="all, delete-orphan", passive_deletes=True
    )
    quotes: Mapped[list["QuoteRow"]] = relationship(
        order_by="QuoteRow.position", cascade="all, delete-orphan", passive_deletes=True
    )


class CriterionRow(Row):
    """One criterion of a rollout's rubric."""

    __tablename__ = "criterion"
    __table_args__ = (UniqueConstraint("rollout_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[int] = mapped_column(ForeignKey("rollout.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(StorableText)
    weight_text: Mapped[str | None] = mapped_column(StorableText)
    weight: Mapped[float | None]
    share: Mapped[float | None]
    text: Mapped[str] = mapped_column(StorableText, default="")


class QuoteRow(Row):
    """One quotation of a rollout, and where it stands in the response.

    `segment` is the number of the evaluation's segment that it is a part of.
    """

    __tablename__ = "quote"
    __table_args__ = (UniqueConstraint("rollout_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[int] = mapped_column(ForeignKey("rollout.id", ondelete="CASCADE"))
    position: Mapped[int]
    side: Mapped[str] = mapped_column(String(1))
    match: Mapped[str] = mapped_column(String(8), index=True)
    segment: Mapped[int | None]
    start: Mapped[int | None]
    end: Mapped[int | None]
    score: Mapped[float]
    text: Mapped[str] = mapped_column(StorableText)
    differences: Mapped[list[list[str]]] = mapped_column(JSON, default=list)


class AnnotatorRow(Row):
    """A person who labels."""

    __tablename__ = "annotator"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(String(16), default="annotator")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class QueueRow(Row):
    """A named selection of pairs to label, in an order; `terms` are those of `storage.terms`."""

    __tablename__ = "queue"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    filter: Mapped[JsonObject] = mapped_column(default=dict)
    order: Mapped[str] = mapped_column(String(24), default="random")
    seed: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    terms: Mapped[JsonObject] = mapped_column(default=dict)


class AssignmentRow(Row):
    """A pair held for one annotator of a queue until a moment."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("queue_id", "pair_id", "annotator_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("queue.id", ondelete="CASCADE"))
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id", ondelete="CASCADE"), index=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id", ondelete="CASCADE"))
    held_until: Mapped[datetime]


class LabelEventRow(Row):
    """One thing that a person said about a pair. Rows are added, never changed or removed.

    Attributes:
        key: the idempotency key that came with it.
        value: under the pair's own sides, whatever order the person saw.
        tags, note, sections: None where the event says nothing about them.
        undoes_id: the event that this one takes back.
    """

    __tablename__ = "label_event"
    __table_args__ = (
        Index("ix_label_event_annotator_pair", "annotator_id", "pair_id"),
        Index("ix_label_event_annotator_created", "annotator_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    annotator_id: Mapped[int] = mapped_column(ForeignKey("annotator.id"))
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), index=True)
    judgement_id: Mapped[int | None] = mapped_column(ForeignKey("judgement.id"), index=True)
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("queue.id"), index=True)
    stage: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))
    value: Mapped[str | None] = mapped_column(String(16))
    strength: Mapped[int | None]
    display_swapped: Mapped[bool]
    seconds: Mapped[float | None]
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("label_event.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    why: Mapped[str] = mapped_column(StorableText, default="")
    note: Mapped[str | None] = mapped_column(StorableText)
    tags: Mapped[list[str] | None]
    sections: Mapped[JsonObject | None]

    annotator: Mapped[AnnotatorRow] = relationship()
    pair: Mapped[PairRow] = relationship()
    judgement: Mapped[JudgementRow | None] = relationship()
    queue: Mapped[QueueRow | None] = relationship()
    undone: Mapped["LabelEventRow | None"] = relationship(remote_side=[id])


class JournalMarkRow(Row):
    """How far the journal is known to be in the tables (one row, changed with every label)."""

    __tablename__ = "journal_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    offset: Mapped[int] = mapped_column(BigInteger)


class SnapshotRow(Row):
    """A frozen, hashed set of labels."""

    __tablename__ = "snapshot"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(String(64), index=True)
    policy: Mapped[JsonObject] = mapped_column(default=dict)
    counts: Mapped[JsonObject] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SnapshotLabelRow(Row):
    """A label as it was when the snapshot was taken; `event_id` is the event that set its value.

    Without annotator and event it is the better side that the pair's source knew.
    """

    __tablename__ = "snapshot_label"
    __table_args__ = (UniqueConstraint("snapshot_id", "annotator_id", "pair_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    snapshot_id: Mapped[int] = mapped_column(ForeignKey("snapshot.id", ondelete="CASCADE"))
    annotator_id: Mapped[int | None] = mapped_column(ForeignKey("annotator.id"))
    pair_id: Mapped[int] = mapped_column(ForeignKey("pair.id"), index=True)
    judgement_id: Mapped[int | None] = mapped_column(ForeignKey("judgement.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("label_event.id"), index=True)
    value: Mapped[str] = mapped_column(String(16))
    blind_value: Mapped[str | None] = mapped_column(String(16))
    strength: Mapped[int | None]
    stage: Mapped[str] = mapped_column(String(16))
    reasoning: Mapped[str | None] = mapped_column(String(16))
    inspection: Mapped[bool]
    split: Mapped[str] = mapped_column(String(16), default="")
    note: Mapped[str | None] = mapped_column(StorableText)
    tags: Mapped[list[str] | None]
    sections: Mapped[JsonObject | None]
