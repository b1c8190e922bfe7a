"""Labels frozen for training: chosen by a filter, counted first, hashed."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, exists, insert, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage import lead_events, pairs
from storage.census import CHOSEN, census
from storage.database import Database
from storage.table_views import current_label
from storage.tables import (
    AnnotatorRow,
    PairRow,
    SnapshotLabelRow,
    SnapshotRow,
)

_CHUNK = 1000
_SAID = (
    *("annotator_id", "judgement_id", "event_id", "blind_value", "strength", "reasoning"),
    *("note", "tags", "sections"),
)
_UNSAID = {"stage": "known", "inspection": False}
_DECIDED = {"stage": "decided", "inspection": False}


class LabelFilter(BaseModel):
    """Which labels count, and which of a label's stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Literal["blind", "final"] = Field(
        default="blind",
        description="what was said before the verdict was seen, or what was said in the end",
    )
    annotators: tuple[str, ...] = Field(default=(), description="their names; empty for everyone")
    sources: tuple[str, ...] = Field(default=(), description="sources of pairs; empty for all")
    ties: Literal["drop", "keep"] = Field(
        default="keep", description="whether ties, both bad and cannot tell are part of it"
    )
    inspection: bool = Field(
        default=False, description="with labels that were made with the verdict in view"
    )
    known: bool = Field(
        default=False,
        description="with the better side that a pair's source knew, where nobody labelled it",
    )
    adjudicated: bool = Field(
        default=False,
        description="with what a lead decided, which then stands for all labels of its pair",
    )


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """What a filter takes.

    Attributes:
        labels: labels of people.
        known: pairs whose better side only their source knew.
        decided: pairs that a lead decided, where the filter asks for that.
        pairs: different pairs.
        values: how often each value is said, the known ones included.
        left_out: why labels were left out, and how many for each reason.
    """

    labels: int
    known: int
    pairs: int
    annotators: int
    values: dict[str, int]
    left_out: dict[str, int]
    decided: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A frozen set of labels.

    Attributes:
        hash: SHA-256 (hex) over the filter and every label in it.
    """

    id: int
    name: str
    hash: str
    filter: LabelFilter
    counts: LabelCounts
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FrozenLabel:
    """One label of a snapshot.

    Attributes:
        annotator: None for what the pair's source knew, and for what a lead decided.
        value: under the pair's own sides; the value of the stage that the snapshot counts.
        judgement_id: the judgement that `reasoning`, `tags` and `sections` are about.
        reasoning: what was said last of the reasoning: `sound`, `wrong`, `repair` or None.
        sections: repaired sections, name and text.
        decided: whether it is the decision of a lead over the labels of the pair.
    """

    pair_id: int
    annotator: str | None
    value: str
    blind_value: str | None
    strength: int | None
    judgement_id: int | None
    reasoning: str | None
    note: str | None
    tags: tuple[str, ...]
    sections: dict[str, str] | None
    decided: bool = False


def count(session: Session, wanted: LabelFilter) -> LabelCounts:
    """Count what `wanted` takes, without freezing anything."""
    left_out: Counter[str] = Counter()
    rows = list(_said(session, wanted, left_out))
    decided = _by_leads(session, wanted) if wanted.adjudicated else []
    known = Counter[str]()
    if wanted.known:
        labelled = {row["pair_id"] for row in (*rows, *decided)}
        known = _known_sides(session, wanted, labelled)
    return _counts(rows, decided, known, left_out)


def current(session: Session, wanted: LabelFilter) -> Iterator[FrozenLabel]:
    """What people say now and `wanted` takes, as a snapshot would freeze it, pair by pair."""
    names = dict(session.execute(select(AnnotatorRow.id, AnnotatorRow.name)).all())
    for row in _said(session, wanted, Counter()):
        yield FrozenLabel(
            pair_id=row["pair_id"],
            annotator=names[row["annotator_id"]],
            value=row["value"],
            blind_value=row["blind_value"],
            strength=row["strength"],
            judgement_id=row["judgement_id"],
            reasoning=row["reasoning"],
            note=row["note"],
            tags=tuple(row["tags"] or ()),
            sections=row["sections"],
        )


def create(database: Database, name: str, wanted: LabelFilter) -> Snapshot:
    """Freeze what `wanted` takes now.

    Raises:
        InputError: the name is empty or taken, or the filter takes nothing.
    """
    name = name.strip()
    if not name:
        raise InputError("A snapshot needs a name.")
    with database.write() as session:
        if session.scalar(select(exists().where(SnapshotRow.name == name))):
            raise InputError(f"There is a snapshot named {name!r} already: choose another name.")
        counts, rows = _counted(session, wanted)
        if not rows:
            raise InputError("The filter takes no label, so there is nothing to freeze.")
        row = SnapshotRow(
            name=name,
            hash=_hash(session, wanted, rows),
            policy=wanted.model_dump(mode="json"),
            counts=asdict(counts),
        )
        session.add(row)
        session.flush()
        for label in rows:
            label["snapshot_id"] = row.id
        session.execute(insert(SnapshotLabelRow), rows)
        return _from_row(row)


def get(session: Session, name: str) -> Snapshot:
    """The snapshot of this name.

    Raises:
        RecordNotFound: there is none.
    """
    row = session.scalar(select(SnapshotRow).where(SnapshotRow.name == name))
    if row is None:
        raise RecordNotFound(f"There is no snapshot named {name!r}.")
    return _from_row(row)


def newest_first(session: Session) -> Sequence[Snapshot]:
    """All snapshots."""
    return [
        _from_row(row) for row in session.scalars(select(SnapshotRow).order_by(-SnapshotRow.id))
    ]


def labels(session: Session, snapshot: Snapshot) -> Iterator[FrozenLabel]:
    """The labels of a snapshot, those of a pair one after the other."""
    query = (
        select(SnapshotLabelRow, AnnotatorRow.name)
        .outerjoin(AnnotatorRow, SnapshotLabelRow.annotator_id == AnnotatorRow.id)
        .where(SnapshotLabelRow.snapshot_id == snapshot.id)
        .order_by(SnapshotLabelRow.pair_id, SnapshotLabelRow.id)
        .execution_options(yield_per=_CHUNK)
    )
    for row, annotator in session.execute(query):
        yield FrozenLabel(
            pair_id=row.pair_id,
            annotator=annotator,
            value=row.value,
            blind_value=row.blind_value,
            strength=row.strength,
            judgement_id=row.judgement_id,
            reasoning=row.reasoning,
            note=row.note,
            tags=tuple(row.tags or ()),
            sections=row.sections,
            decided=row.stage == _DECIDED["stage"],
        )


def _counted(session: Session, wanted: LabelFilter) -> tuple[LabelCounts, list[dict[str, Any]]]:
    """The counts, and the rows that would be frozen."""
    left_out: Counter[str] = Counter()
    rows = list(_said(session, wanted, left_out))
    decided = _by_leads(session, wanted) if wanted.adjudicated else []
    labelled = {row["pair_id"] for row in (*rows, *decided)}
    known = _known(session, wanted, labelled) if wanted.known else []
    sides = Counter(str(row["value"]) for row in known)
    return _counts(rows, decided, sides, left_out), [*rows, *decided, *known]


def _counts(
    rows: Sequence[dict[str, Any]],
    decided: Sequence[dict[str, Any]],
    known: Counter[str],
    left_out: Counter[str],
) -> LabelCounts:
    """The counts of people's labels, leads' decisions, and sides that only sources knew."""
    values = Counter(row["value"] for row in (*rows, *decided)) + known
    return LabelCounts(
        labels=len(rows),
        known=known.total(),
        decided=len(decided),
        pairs=len({row["pair_id"] for row in (*rows, *decided)}) + known.total(),
        annotators=len({row["annotator_id"] for row in rows}),
        values=dict(values.most_common()),
        left_out=dict(left_out.most_common()),
    )


def _said(
    session: Session, wanted: LabelFilter, left_out: Counter[str]
) -> Iterator[dict[str, Any]]:
    """What people said, as columns of the frozen rows."""
    query = (
        select(current_label)
        .join(PairRow, PairRow.id == current_label.c.pair_id)
        .where(*_of_sources(wanted))
        .order_by(current_label.c.pair_id, current_label.c.annotator_id)
    )
    if wanted.annotators:
        query = query.join(AnnotatorRow, AnnotatorRow.id == current_label.c.annotator_id).where(
            AnnotatorRow.name.in_(wanted.annotators)
        )
    for row in session.execute(query):
        value = row.blind_value if wanted.stage == "blind" else row.value
        reason = _why_not(wanted, value, inspection=row.inspection, commits=row.blind_commits)
        if reason:
            left_out[reason] += 1
            continue
        yield {
            "annotator_id": row.annotator_id,
            "pair_id": row.pair_id,
            "judgement_id": row.judgement_id,
            "event_id": row.event_id,
            "value": value,
            "blind_value": row.blind_value,
            "strength": row.strength,
            "stage": wanted.stage,
            "reasoning": row.reasoning,
            "inspection": row.inspection,
            "note": row.note,
            "tags": row.tags,
            "sections": row.sections,
        }


def _why_not(
    wanted: LabelFilter, value: str | None, *, inspection: bool, commits: int
) -> str | None:
    if inspection and not wanted.inspection:
        return "made with the verdict in view"
    if wanted.stage == "blind" and (value is None or inspection):
        return "no blind label"
    if wanted.stage == "blind" and commits > 1:
        return "blind label given again after the verdict was seen"
    if wanted.ties == "drop" and value not in ("A", "B"):
        return "names no better side"
    return None


def _known(session: Session, wanted: LabelFilter, labelled: set[int]) -> list[dict[str, Any]]:
    """What sources knew of pairs that nobody labelled."""
    query = (
        select(PairRow.id, PairRow.chosen)
        .where(PairRow.chosen.is_not(None), *_of_sources(wanted))
        .order_by(PairRow.id)
    )
    return [
        dict.fromkeys(_SAID) | {"pair_id": pair_id, "value": chosen, **_UNSAID}
        for pair_id, chosen in session.execute(query)
        if pair_id not in labelled
    ]


def _known_sides(session: Session, wanted: LabelFilter, labelled: Collection[int]) -> Counter[str]:
    """How often sources knew each side, over pairs that nobody labelled."""
    pairs = census(session).pairs
    fits = np.array([not wanted.sources or one[0] in wanted.sources for one in pairs.kinds], bool)
    unlabelled = ~np.isin(pairs.ids, np.fromiter(labelled, np.int64, len(labelled)))
    meant = unlabelled & fits[pairs.kind] if len(fits) else unlabelled
    counts = np.bincount(pairs.chosen[meant], minlength=len(CHOSEN)).tolist()
    found = {str(side): n for side, n in zip(CHOSEN, counts, strict=True) if side is not None}
    return +Counter(found)


def _by_leads(session: Session, wanted: LabelFilter) -> list[dict[str, Any]]:
    """What leads decided."""
    decided = lead_events.decided()
    query = (
        select(decided.c.pair_id, decided.c.value)
        .join(PairRow, PairRow.id == decided.c.pair_id)
        .where(*_of_sources(wanted))
        .order_by(decided.c.pair_id)
    )
    return [
        dict.fromkeys(_SAID) | {"pair_id": pair_id, "value": value, **_DECIDED}
        for pair_id, value in session.execute(query)
        if wanted.ties == "keep" or value in ("A", "B")
    ]


def _of_sources(wanted: LabelFilter) -> list[ColumnElement[bool]]:
    return [PairRow.source.in_(wanted.sources)] if wanted.sources else []


def _hash(session: Session, wanted: LabelFilter, rows: Sequence[dict[str, Any]]) -> str:
    """SHA-256 over what is frozen, by the pairs' own hashes: the same labels, the same hash."""
    hashes = pairs.columns(session, {row["pair_id"] for row in rows}, PairRow.hash)
    names = dict(session.execute(select(AnnotatorRow.id, AnnotatorRow.name)).all())
    # A field that came later must not change the hashes of what does not use it.
    later = set() if wanted.adjudicated else {"adjudicated"}
    digest = hashlib.sha256(wanted.model_dump_json(exclude=later).encode())
    lines = [
        json.dumps(
            [
                hashes[row["pair_id"]][0],
                names.get(row["annotator_id"]),
                *(
                    row[key]
                    for key in ("value", "blind_value", "strength", "reasoning", "tags", "sections")
                ),
            ],
            sort_keys=True,
        )
        for row in rows
    ]
    for line in sorted(lines):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _from_row(row: SnapshotRow) -> Snapshot:
    return Snapshot(
        id=row.id,
        name=row.name,
        hash=row.hash,
        filter=LabelFilter.model_validate(row.policy),
        counts=LabelCounts(**row.counts),
        created_at=row.created_at,
    )
