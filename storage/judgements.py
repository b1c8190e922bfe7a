"""Judgements on record: added, found again, listed, counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
from sqlalchemy import case, select
from sqlalchemy.orm import Session, joinedload, selectinload

from rmr1.errors import RecordNotFound
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.rollout import State
from storage import judgement_rows, pairs
from storage.census import Census, Codes
from storage.cube import cells
from storage.filters import JudgementFilter, dimensions
from storage.judgement_rows import insert_values, to_values
from storage.selection import selected
from storage.summaries import JudgementSummary, read_summaries
from storage.tables import JudgementRow, JudgeVersionRow, PairRow, RolloutRow

Item = TypeVar("Item")
Origin = Literal["live", "import", "batch", "benchmark"]
Sort = Literal[
    "newest", "oldest", "least confident", "most confident", "most absent quotes", "slowest"
]

_LOT = 500


@dataclass(frozen=True, slots=True)
class StoredJudgement:
    """A judgement with its place in the database.

    Attributes:
        key: what links carry.
        origin: `live`, `import`, `batch` or `benchmark`.
        run_id: the import or batch it came with, if any.
    """

    key: str
    judgement: Judgement
    pair_id: int
    created_at: datetime
    origin: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a list; `number` counts from 1, `total` is the length of the whole list."""

    items: tuple[Item, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class Facets:
    """How many judgements there are of each kind.

    Attributes:
        total: judgements that the filter lets through.
        counts: for each field of the filter, the kinds with their numbers, commonest first. A
            field's own choice does not narrow its own counts, so that the alternatives show.
    """

    total: int
    counts: dict[str, dict[str, int]]


class Neighbours(NamedTuple):
    """Keys of the judgements before and after one in a list; None at its ends."""

    previous: str | None
    following: str | None


def add(
    session: Session,
    judgement: Judgement,
    *,
    profile_text: str = "",
    origin: Origin = "live",
    run_id: int | None = None,
) -> str:
    """Put a judgement on record, and its pair and judge version where they are not.

    Args:
        profile_text: content of the prompt profile, kept with the judge version.

    Returns:
        The new judgement's key.

    Raises:
        InputError: a text of the pair holds characters that are no valid Unicode.
    """
    (key,) = _insert(session, [judgement], origin, run_id, profile_text)
    return key


def add_new(
    session: Session, found: Sequence[Judgement], *, origin: Origin, run_id: int | None = None
) -> int:
    """As `add`, for many at once, save those on record: same pair, judge and plan.

    One whose backend failed keeps only others out that failed: it is worth another try.

    Returns:
        How many were added.

    Raises:
        InputError: a text of a pair holds characters that are no valid Unicode.
    """
    added = 0
    for start in range(0, len(found), _LOT):
        lot = found[start : start + _LOT]
        known = _known(session, lot)
        fresh = []
        for judgement in lot:
            same = (judgement.pair.hash, judgement.version.hash, judgement.plan.hash)
            failed = judgement.state is State.FAILED
            if (*same, False) not in known and not (failed and (*same, True) in known):
                fresh.append(judgement)
                known.add((*same, failed))
        _insert(session, fresh, origin, run_id)
        added += len(fresh)
    return added


def _known(session: Session, lot: Sequence[Judgement]) -> set[tuple[str, str, str, bool]]:
    """Pair, judge, plan and whether it failed, of what is on record of these pairs."""
    hashes = {judgement.pair.hash for judgement in lot}
    failed = case((JudgementRow.state == State.FAILED, True), else_=False)
    rows = session.execute(
        select(PairRow.hash, JudgeVersionRow.hash, JudgementRow.plan_hash, failed)
        .select_from(JudgementRow)
        .join(JudgementRow.pair)
        .join(JudgementRow.version)
        .where(PairRow.hash.in_(hashes))
    )
    return {(pair, version, plan, bool(broken)) for pair, version, plan, broken in rows}


def _insert(
    session: Session,
    found: Sequence[Judgement],
    origin: Origin,
    run_id: int | None,
    profile_text: str = "",
) -> list[str]:
    """Put these on record with their pairs and versions; their keys."""
    if not found:
        return []
    pair_ids = pairs.add_many(session, [one.pair for one in found], run_id=run_id).ids
    versions = {one.version.hash: one.version for one in found}
    version_ids = {
        digest: add_version(session, version, profile_text) for digest, version in versions.items()
    }
    better = select(PairRow.id, PairRow.chosen).where(PairRow.id.in_(pair_ids))
    chosen = dict(session.execute(better).all())
    made = []
    for judgement, pair_id in zip(found, pair_ids, strict=True):
        values = to_values(judgement, pair_id, version_ids[judgement.version.hash])
        known = chosen[pair_id]
        values.judgement["correct"] = None if known is None else judgement.verdict == known
        values.judgement.update(origin=origin, run_id=run_id)
        made.append(values)
    insert_values(session, made)
    return [values.judgement["key"] for values in made]


def add_version(session: Session, version: JudgeVersion, profile_text: str = "") -> int:
    """The id of a judge version, put on record where it is not."""
    row = session.scalar(select(JudgeVersionRow).where(JudgeVersionRow.hash == version.hash))
    if row is None:
        row = judgement_rows.version_to_row(version, profile_text)
        session.add(row)
        session.flush()
    row.profile_text = row.profile_text or profile_text
    return row.id


def find_same(
    session: Session, pair_hash: str, version_hash: str, plan_hash: str, *, failed: bool = False
) -> str | None:
    """Key of the newest judgement of this pair by this judge under this plan, or None.

    Args:
        failed: whether one whose backend failed counts; it is worth another try.
    """
    statement = (
        select(JudgementRow.key)
        .join(JudgementRow.pair)
        .join(JudgementRow.version)
        .where(
            PairRow.hash == pair_hash,
            JudgeVersionRow.hash == version_hash,
            JudgementRow.plan_hash == plan_hash,
        )
        .order_by(JudgementRow.id.desc())
        .limit(1)
    )
    if not failed:
        statement = statement.where(JudgementRow.state != State.FAILED)
    return session.scalar(statement)


def newest(session: Session, pair_id: int) -> str | None:
    """Key of the newest judgement of a pair whose backend did not fail, or None."""
    keys = select(JudgementRow.key).where(
        JudgementRow.pair_id == pair_id, JudgementRow.state != State.FAILED
    )
    return session.scalar(keys.order_by(JudgementRow.id.desc()).limit(1))


def get(session: Session, key: str) -> StoredJudgement:
    """The judgement with this key.

    Raises:
        RecordNotFound: there is none.
    """
    rollouts = selectinload(JudgementRow.rollouts)
    row = session.scalar(
        select(JudgementRow)
        .where(JudgementRow.key == key)
        .options(
            joinedload(JudgementRow.pair, innerjoin=True),  # outer, SQLite builds all pairs first
            joinedload(JudgementRow.version, innerjoin=True),
            rollouts.selectinload(RolloutRow.quotes),
        )
    )
    if row is None:
        raise RecordNotFound(f"There is no judgement {key!r}.")
    return StoredJudgement(
        key=row.key,
        judgement=judgement_rows.from_row(row),
        pair_id=row.pair_id,
        created_at=row.created_at,
        origin=row.origin,
        run_id=row.run_id,
    )


def page(
    session: Session,
    wanted: JudgementFilter,
    sort: Sort = "newest",
    number: int = 1,
    size: int = 50,
    total: int | None = None,
) -> Page[JudgementSummary]:
    """One page of the judgements that are meant; a number past the end gives the last page.

    Args:
        total: the length of the list, where it is known already.
    """
    found = selected(session, wanted)
    total = found.count if total is None else total
    number = min(max(1, number), max(1, -(-total // size)))
    places = found.among(_sorted(found.all, sort))[(number - 1) * size : number * size]
    return Page(read_summaries(session, found.all.ids[places].tolist()), total, number, size)


def count(session: Session, wanted: JudgementFilter) -> int:
    """How many judgements are meant."""
    return selected(session, wanted).count


def facets(session: Session, wanted: JudgementFilter) -> Facets:
    """How many judgements of each kind there are, for charts and menus that filter."""
    names = tuple(dimensions())
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    total = 0
    chosen = [getattr(wanted, name) for name in names]
    for values, number, *_ in cells(session, wanted):
        misses = [i for i, value in enumerate(chosen) if value not in (None, values[i])]
        total += 0 if misses else number
        if len(misses) > 1:
            continue
        for i, name in enumerate(names):
            if not misses or misses == [i]:
                counts[name][values[i]] += number
    return Facets(total, {name: dict(found.most_common()) for name, found in counts.items()})


def neighbours(
    session: Session, wanted: JudgementFilter, key: str, sort: Sort = "newest"
) -> Neighbours:
    """The judgements before and after the one with this key, which need not itself be meant.

    Raises:
        RecordNotFound: there is no such judgement.
    """
    id_ = session.scalar(select(JudgementRow.id).where(JudgementRow.key == key))
    if id_ is None:
        raise RecordNotFound(f"There is no judgement {key!r}.")
    found = selected(session, wanted)
    order = _sorted(found.all, sort)
    here = int(np.argmax(order == np.searchsorted(found.all.ids, id_)))
    before, after = found.among(order[:here]), found.among(order[here + 1 :])
    ids = found.all.ids[np.concatenate([before[-1:], after[:1]])].tolist()
    known = select(JudgementRow.id, JudgementRow.key).where(JudgementRow.id.in_(ids))
    keys = dict(session.execute(known).all())
    return Neighbours(
        keys.get(ids[0]) if len(before) else None, keys.get(ids[-1]) if len(after) else None
    )


def _sorted(everything: Census, sort: Sort) -> Codes:
    """All places in this order; what is unknown comes last."""
    match sort:
        case "newest":
            return everything.oldest_first[::-1]
        case "oldest":
            return everything.oldest_first
        case "least confident":
            return everything.least_confident
        case "most confident":
            return everything.most_confident
        case "most absent quotes":
            return everything.most_absent
        case "slowest":
            return everything.slowest
