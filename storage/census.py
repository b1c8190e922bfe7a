"""Figures of every judgement and pair as columns in memory: what lists, counts and queues walk.

A database reads rows one by one; a million of them take seconds. Here they are read once, what is
added later is added, and what is changed or removed (`change_mark`) has them read anew.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    String,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.orm import Session

from rmr1.rollout import State
from storage.change_tables import ChangeMarkRow
from storage.filters import dimensions
from storage.tables import JudgementRow, JudgeVersionRow, PairRow

Ids = NDArray[np.int64]
Numbers = NDArray[np.float64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

OF_LABELS = ("labelled", "agreement")
"""The dimensions that depend on people's labels; they change all the time."""

CHOSEN = (None, "A", "B")
"""What is known of a pair's better side."""

OF_PAIR = ("source", "subset", "multi_turn")
_VERSION = "judge_version"
_CHUNK = 20_000
_LOCK = Lock()


class Mark(NamedTuple):
    """What differs whenever the judgements or pairs on record differ."""

    changes: int
    judgements: int
    newest: int
    pairs: int
    newest_pair: int


class Kind(NamedTuple):
    """What a judgement is of, whatever people say; fields as in `filters.dimensions()`."""

    type: str
    state: str
    verdict: str
    correct: str
    quotes: str
    swap: str
    judge_version: str
    source: str
    subset: str
    multi_turn: str


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every pair, by rising id.

    Attributes:
        kinds: source, subset and `yes` or `no` for several turns; `kind` is a place in it.
        chosen: a place in `CHOSEN`.
    """

    ids: Ids
    lots: Ids
    kind: Codes
    chosen: Codes
    kinds: list[tuple[str, str, str]]


@dataclass(frozen=True, eq=False)
class Census:
    """Every judgement, by rising id: a row has the same place in every column.

    Attributes:
        pair: ids of the pairs.
        kind: a place in `kinds`.
        confidence, seconds: not a number where there is none.
    """

    mark: Mark
    pairs: Pairs
    ids: Ids
    pair: Ids
    kind: Codes
    confidence: Numbers
    seconds: Numbers
    total: Codes
    near: Codes
    absent: Codes
    kinds: list[Kind]
    numbers: dict[Kind, int]

    @property
    def is_whole(self) -> bool:
        """Whether it holds as many rows as there are."""
        return (len(self.ids), len(self.pairs.ids)) == (self.mark.judgements, self.mark.pairs)

    @cached_property
    def pair_place(self) -> NDArray[np.intp]:
        """The place in `pairs` of each judgement's pair."""
        return np.searchsorted(self.pairs.ids, self.pair)

    @cached_property
    def oldest_first(self) -> Codes:
        """All places."""
        return np.arange(len(self.ids), dtype=np.int32)

    @cached_property
    def least_confident(self) -> Codes:
        """Places by rising confidence, those without one last."""
        return _order(self.confidence)

    @cached_property
    def most_confident(self) -> Codes:
        """Places by falling confidence, those without one last."""
        return _falling(self.least_confident, self.confidence)

    @cached_property
    def slowest(self) -> Codes:
        """Places by falling time, those without one last."""
        return _falling(_order(self.seconds), self.seconds)

    @cached_property
    def most_absent(self) -> Codes:
        """Places by falling number of invented quotations."""
        return _order(self.absent)[::-1]

    @cached_property
    def is_newest(self) -> Mask:
        """Whether no later judgement of the pair by its version stands that did not fail."""
        versions = {name: n for n, name in enumerate({kind.judge_version for kind in self.kinds})}
        version = np.array([versions[kind.judge_version] for kind in self.kinds], np.int64)
        failed = np.array([kind.state == State.FAILED for kind in self.kinds], bool)
        places = np.flatnonzero(~failed[self.kind])[::-1]
        of_version = version[self.kind[places]] if len(places) else places
        _, first = np.unique(self.pair[places] * len(versions) + of_version, return_index=True)
        found = np.zeros(len(self.ids), bool)
        found[places[first]] = True
        return found

    def of_ids(self, ids: Ids) -> Mask:
        """Which judgements have one of these ids."""
        places, wanted = np.searchsorted(self.ids, ids), ids
        inside = places < len(self.ids)
        places, wanted = places[inside], wanted[inside]
        found = np.zeros(len(self.ids), bool)
        found[places[self.ids[places] == wanted]] = True
        return found

    def of_kinds(self, wanted: dict[str, str]) -> Mask:
        """Which judgements are of a kind; names as in `Kind`."""
        fits = [
            all(getattr(k, name) == value for name, value in wanted.items()) for k in self.kinds
        ]
        return np.array(fits, bool)[self.kind] if fits else np.zeros(0, bool)


_KEPT: WeakKeyDictionary[Engine | Connection, Census] = WeakKeyDictionary()


def census(session: Session) -> Census:
    """The figures as they are in this session's view of the data."""
    mark = _mark(session)
    with _LOCK:  # who comes second waits for the first rather than read the same again
        known = _KEPT.get(session.get_bind())
        if known is not None and known.mark == mark:
            return known
        is_older = known is not None and known.mark.changes == mark.changes
        made = _extended(session, known, mark) if known and is_older else None
        if made is None or not made.is_whole:
            made = _extended(session, _empty(mark), mark)
        _KEPT[session.get_bind()] = made
        return made


def forget() -> None:
    """Read everything anew at the next look."""
    with _LOCK:
        _KEPT.clear()


def _mark(session: Session) -> Mark:
    figures = (
        select(func.coalesce(func.max(ChangeMarkRow.changes), 0)),
        select(func.count()).select_from(JudgementRow),
        select(func.coalesce(func.max(JudgementRow.id), 0)),
        select(func.count()).select_from(PairRow),
        select(func.coalesce(func.max(PairRow.id), 0)),
    )
    found = session.execute(select(*(one.scalar_subquery() for one in figures)))
    return Mark(*found.one())


def _empty(mark: Mark) -> Census:
    none, numbers, codes = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int32)
    return Census(
        Mark(mark.changes, 0, 0, 0, 0),
        Pairs(none, none, codes, codes, []),
        *(none, none, codes, numbers, numbers, codes, codes, codes, [], {}),
    )


def _extended(session: Session, known: Census, mark: Mark) -> Census:
    """The census with what was added since."""
    pairs = _with_new_pairs(session, known.pairs, known.mark.newest_pair)
    made = _with_new_judgements(session, known, pairs, known.mark.newest)
    return replace(made, mark=mark)


def _with_new_pairs(session: Session, known: Pairs, newest: int) -> Pairs:
    turns = case((PairRow.multi_turn, "yes"), else_="no")
    statement = (
        select(PairRow.id, PairRow.lot, PairRow.chosen, PairRow.source, PairRow.subset, turns)
        .where(PairRow.id > newest)
        .order_by(PairRow.id)
    )
    kinds = list(known.kinds)
    numbers = {kind: n for n, kind in enumerate(kinds)}
    ids, lots, kind, chosen = [known.ids], [known.lots], [known.kind], [known.chosen]
    for found, drawn, better, *texts in columns(session, statement):
        ids.append(np.array(found, np.int64))
        lots.append(np.array(drawn, np.int64))
        kind.append(_numbered(zip(*texts, strict=True), numbers, kinds))
        chosen.append(np.array([CHOSEN.index(side) for side in better], np.int32))
    return Pairs(
        np.concatenate(ids),
        np.concatenate(lots),
        np.concatenate(kind),
        np.concatenate(chosen),
        kinds,
    )


def _with_new_judgements(session: Session, known: Census, pairs: Pairs, newest: int) -> Census:
    row = JudgementRow
    total = cast(row.quotes_total, BigInteger)
    packed = (total * _PACK + row.quotes_near) * _PACK + row.quotes_absent
    statement = (
        select(row.id, row.pair_id, row.confidence, row.seconds, packed, _words())
        .where(row.id > newest)
        .order_by(row.id)
    )
    version_hash = cast(JudgeVersionRow.hash, String)
    versions = dict(session.execute(select(JudgeVersionRow.id, version_hash)).all())
    names, numbers = list(known.kinds), dict(known.numbers)
    own: dict[str, int] = {}
    said: list[str] = []
    parts: list[list[NDArray[Any]]] = [[getattr(known, name)] for name in _COLUMNS]
    for found in columns(session, statement):
        quotes, pair = np.array(found[4], np.int64), np.array(found[1], np.int64)
        of_pair = pairs.kind[np.searchsorted(pairs.ids, pair)].astype(np.int64)
        code = _numbered(found[5], own, said) * np.int64(len(pairs.kinds)) + of_pair
        both, inverse = np.unique(code, return_inverse=True)
        wanted = (divmod(one, len(pairs.kinds)) for one in both.tolist())
        kinds = [_kind(said[place], pairs.kinds[of], versions) for place, of in wanted]
        made: tuple[NDArray[Any], ...] = (
            *(np.array(found[0], np.int64), pair),
            *(np.array(found[2], float), np.array(found[3], float)),
            *(quotes // _PACK**2, quotes // _PACK % _PACK, quotes % _PACK),
            _numbered(kinds, numbers, names)[inverse],
        )
        for part, values in zip(parts, made, strict=True):
            part.append(values.astype(part[0].dtype))
    joined = {name: np.concatenate(c) for name, c in zip(_COLUMNS, parts, strict=True)}
    return Census(known.mark, pairs, **joined, kinds=names, numbers=numbers)


_COLUMNS = ("ids", "pair", "confidence", "seconds", "total", "near", "absent", "kind")
_PACK = 1 << 16
"""Three counts travel as one number: what a row costs is the number of its columns."""

_BETWEEN = "|"
"""Between words that are all this program's own, so that none of them holds it."""


def _words() -> ColumnElement[str]:
    """What a judgement is, save what its pair says, and its version's id, in one text."""
    kinds = dimensions()
    found: ColumnElement[str] = cast(JudgementRow.judge_version_id, String)
    for name in Kind._fields:
        if name not in (*OF_PAIR, _VERSION):
            found = found + _BETWEEN + kinds[name]
    return found


def _kind(words: str, of_pair: tuple[str, str, str], versions: dict[int, str]) -> Kind:
    version, *rest = words.split(_BETWEEN)
    return Kind(*(*rest, versions[int(version)], *of_pair))


def _numbered(values: Iterable[Any], numbers: dict[Any, int], names: list[Any]) -> Codes:
    """The number of each value; a new one gets the next."""
    found = []
    for value in values:
        number = numbers.get(value)
        if number is None:
            number = numbers[value] = len(names)
            names.append(value)
        found.append(number)
    return np.array(found, np.int32)


def columns(
    session: Session, statement: Select[*tuple[Any, ...]]
) -> Iterator[Sequence[Sequence[Any]]]:
    """The columns of some rows after the other, as the driver gives them: rows cost too much."""
    cursor = session.connection().execute(statement).cursor
    while rows := cursor.fetchmany(_CHUNK):
        yield list(zip(*rows, strict=True))
    cursor.close()


def _order(column: NDArray[Any]) -> Codes:
    """Places by rising value, then id; what is no number comes last."""
    return np.argsort(column, kind="stable").astype(np.int32)


def _falling(rising: Codes, column: Numbers) -> Codes:
    """The same the other way round, save that what is no number stays last."""
    numbers = len(column) - int(np.count_nonzero(np.isnan(column)))
    return np.concatenate([rising[:numbers][::-1], rising[numbers:][::-1]])
