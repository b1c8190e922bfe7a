"""Pairs on record: each once, whatever it came from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import case, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, lazyload

from rmr1.errors import RecordNotFound
from rmr1.pair import Message, Pair, Side, transcript
from storage.change_tables import ChangeMarkRow
from storage.columns import JsonObject, utc_now
from storage.tables import JudgementRow, PairRow, PairTextRow

_CHUNK = 500  # well under the number of parameters that one statement may have


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair with its place in the database.

    Attributes:
        run_id: the import it came with; None where it came from a person or a request.
    """

    id: int
    pair: Pair
    run_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """What became of many pairs.

    Attributes:
        ids: the id of each pair, in the order they were given.
        new: how many of them were not on record before.
    """

    ids: list[int]
    new: int


def add(session: Session, pair: Pair, *, run_id: int | None = None) -> int:
    """The id of `pair`, put on record if it is not there.

    A pair that is there keeps its id; what it lacked (better side, source, subset, outer id) is
    filled in from `pair`, what it has stays.

    Raises:
        InputError: a text holds characters that are no valid Unicode.
    """
    return add_many(session, [pair], run_id=run_id).ids[0]


def add_many(session: Session, pairs: Sequence[Pair], *, run_id: int | None = None) -> Added:
    """As `add`, for many at once.

    Raises:
        InputError: a text holds characters that are no valid Unicode; nothing is added.
    """
    ids: list[int] = []
    new = 0
    for chunk in _chunks(pairs):
        hashed = [(pair.hash, pair) for pair in chunk]
        wanted = dict(reversed(hashed))
        known = _ids(session, list(wanted))
        fresh = {digest: pair for digest, pair in wanted.items() if digest not in known}
        for digest in _lacking(session, wanted, known):
            _fill_in(session, known[digest], wanted[digest])
        if fresh:
            known |= _insert(session, fresh, run_id)
        ids.extend(known[digest] for digest, _ in hashed)
        new += len(fresh)
    return Added(ids, new)


def get(session: Session, pair_id: int) -> StoredPair:
    """The pair with this id.

    Raises:
        RecordNotFound: there is none.
    """
    row = session.get(PairRow, pair_id)
    if row is None:
        raise RecordNotFound(f"There is no pair {pair_id}.")
    return StoredPair(row.id, from_row(row), row.run_id, row.created_at)


def find(session: Session, pair_hash: str) -> StoredPair | None:
    """The pair with this hash, or None."""
    row = session.scalar(select(PairRow).where(PairRow.hash == pair_hash))
    if row is None:
        return None
    return StoredPair(row.id, from_row(row), row.run_id, row.created_at)


def hashes(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The hashes of the pairs with these numbers."""
    return {pair_id: digest for pair_id, (digest,) in columns(session, ids, PairRow.hash).items()}


def columns(
    session: Session, ids: Collection[int], *wanted: InstrumentedAttribute[str]
) -> dict[int, tuple[str, ...]]:
    """These columns of the pairs with these numbers."""
    listed = list(ids)
    found: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(listed), _CHUNK):
        some = PairRow.id.in_(listed[start : start + _CHUNK])
        for pair_id, *values in session.execute(select(PairRow.id, *wanted).where(some)):
            found[pair_id] = tuple(values)
    return found


def note_change(session: Session) -> None:
    """Note that pairs or judgements on record are changed or removed by this transaction."""
    session.execute(update(ChangeMarkRow).values(changes=ChangeMarkRow.changes + 1))


def from_row(row: PairRow) -> Pair:
    """The pair that a row holds."""
    return Pair(
        conversation=tuple(Message.model_validate(turn) for turn in row.texts.conversation),
        response_a=row.texts.response_a,
        response_b=row.texts.response_b,
        id=row.external_id,
        chosen=Side(row.chosen) if row.chosen else None,
        source=row.source,
        subset=row.subset,
        meta=row.texts.meta,
    )


def _chunks(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    remaining = iter(pairs)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk


def _ids(session: Session, hashes: list[str]) -> dict[str, int]:
    found = session.execute(select(PairRow.hash, PairRow.id).where(PairRow.hash.in_(hashes)))
    return dict(found.all())


def _insert(session: Session, fresh: dict[str, Pair], run_id: int | None) -> dict[str, int]:
    session.execute(insert(PairRow), [_columns(p, d, run_id) for d, p in reversed(fresh.items())])
    ids = _ids(session, list(fresh))
    session.execute(insert(PairTextRow), [_texts(p, ids[d]) for d, p in fresh.items()])
    return ids


def _columns(pair: Pair, digest: str, run_id: int | None) -> JsonObject:
    return {
        "hash": digest,
        "content_hash": pair.content_hash,
        "prompt_hash": pair.prompt_hash,
        "lot": int(digest[:8], 16) >> 1,
        "chosen": pair.chosen,
        "source": pair.source,
        "subset": pair.subset,
        "multi_turn": pair.is_multi_turn,
        "run_id": run_id,
        "created_at": utc_now(),
        "external_id": pair.id,
    }


def _texts(pair: Pair, pair_id: int) -> JsonObject:
    earlier = pair.conversation[:-1]
    return {
        "pair_id": pair_id,
        "prompt": pair.prompt,
        "context": transcript(earlier) if earlier else "",
        "response_a": pair.response_a,
        "response_b": pair.response_b,
        "conversation": [turn.model_dump() for turn in pair.conversation],
        "meta": pair.meta,
    }


def _lacking(session: Session, wanted: Mapping[str, Pair], known: Mapping[str, int]) -> list[str]:
    """Hashes of the pairs on record that lack something that the wanted ones have."""
    row = PairRow
    columns = (row.source, row.subset, row.external_id, row.chosen)
    found = session.execute(select(row.hash, *columns).where(row.id.in_(known.values())))
    return [
        digest
        for digest, *has in found
        for pair in (wanted[digest],)
        if any(
            new and not old
            for new, old in zip((pair.source, pair.subset, pair.id, pair.chosen), has, strict=True)
        )
    ]


def _fill_in(session: Session, pair_id: int, pair: Pair) -> None:
    row = session.get_one(PairRow, pair_id, options=[lazyload(PairRow.texts)])
    before = (row.source, row.subset, row.chosen)
    row.source = row.source or pair.source
    row.subset = row.subset or pair.subset
    row.external_id = row.external_id or pair.id
    if before != (row.source, row.subset, row.chosen or pair.chosen):
        note_change(session)
    if row.chosen is None and pair.chosen:
        row.chosen = pair.chosen
        is_correct = case((JudgementRow.verdict == pair.chosen, True), else_=False)
        session.execute(
            update(JudgementRow).where(JudgementRow.pair_id == pair_id).values(correct=is_correct)
        )
