"""Which judgements a filter means, as a mask over the census: no walk through the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine, Select, func, select
from sqlalchemy.orm import Session

from storage import search
from storage.benchmark_tables import BenchmarkItemRow
from storage.census import OF_LABELS, Census, Codes, Ids, Kind, Mask, census, columns
from storage.filters import JudgementFilter, dimensions, label_sides, narrow
from storage.kept import Kept
from storage.tables import JudgementRow, LabelEventRow, RolloutRow

SIDES = 5
"""No label; then labels that name neither side, A, B, both."""

_DIMENSIONS = tuple(dimensions())
_LOCK = Lock()
_CHUNK = 500
_FEW = 5_000
"""Rollouts whose judgements are asked for one by one; for more, all are read into memory."""

_WALKED = ("confidence_min", "confidence_max", "without", "newest")
"""What is looked up in the census itself, beside the dimensions."""


@dataclass(frozen=True, eq=False)
class Labels:
    """What people say of pairs now, as far as filters ask: which sides are named.

    Attributes:
        newest: the last event that is in it.
        pairs: ids of labelled pairs, rising.
        sides: 1 more than the sum of 1 where A is named and 2 where B is.
    """

    newest: int
    pairs: Ids
    sides: Codes


@dataclass(frozen=True, eq=False)
class Selection:
    """The judgements that a filter means.

    Attributes:
        mask: None where all are meant.
    """

    all: Census
    labels: Labels
    mask: Mask | None

    @property
    def count(self) -> int:
        """How many judgements are meant."""
        return len(self.all.ids) if self.mask is None else int(np.count_nonzero(self.mask))

    def among(self, places: Codes) -> Codes:
        """Those of these places that are meant, in their order."""
        return places if self.mask is None else places[self.mask[places]]

    @cached_property
    def places(self) -> Codes:
        """The places of the judgements that are meant, by rising id."""
        found = np.arange(len(self.all.ids)) if self.mask is None else np.flatnonzero(self.mask)
        return found.astype(np.int32)


_LABELS: WeakKeyDictionary[Engine | Connection, Labels] = WeakKeyDictionary()
_MASKS: Kept[Mask] = Kept(8)
_ROLLOUTS: WeakKeyDictionary[Engine | Connection, tuple[object, Ids, Ids]] = WeakKeyDictionary()


def selected(session: Session, wanted: JudgementFilter, *, kinds: bool = True) -> Selection:
    """The judgements that a filter means.

    Args:
        kinds: False passes over the fields of `filters.dimensions()`.
    """
    everything, said = census(session), labels(session)
    masks = list(_masks(session, everything, wanted))
    if kinds:
        masks += _of_kinds(everything, said, wanted)
    mask = np.logical_and.reduce(masks) if masks else None
    return Selection(everything, said, mask)


_STEADY = {
    *(name for name in _DIMENSIONS if name not in OF_LABELS),
    *("confidence_min", "confidence_max", "without", "newest", "text", "run_id"),
}
"""Fields that no label and no benchmark run changes the meaning of."""


def state_of(
    session: Session, wanted: JudgementFilter, *, labels: bool = False
) -> tuple[object, ...]:
    """What differs whenever a filter may mean other judgements.

    Args:
        labels: whether labels matter in any case.
    """
    mark = census(session).mark
    asked = {name for name in JudgementFilter.model_fields if getattr(wanted, name) is not None}
    if not labels and asked <= _STEADY:
        return (mark,)
    said = session.scalar(select(func.max(LabelEventRow.id)))
    return mark, said, session.scalar(select(func.max(BenchmarkItemRow.id)))


def labels(session: Session) -> Labels:
    """Which sides people name; what they said since the last look is added."""
    newest = session.scalar(select(func.max(LabelEventRow.id))) or 0
    with _LOCK:
        known = _LABELS.get(session.get_bind())
    if known is not None and known.newest == newest:
        return known
    statement = select(label_sides.c.pair_id, label_sides.c.for_a, label_sides.c.for_b)
    gone = np.zeros(0, np.int64)
    if known is not None and known.newest < newest:
        heard = select(LabelEventRow.pair_id).where(LabelEventRow.id > known.newest).distinct()
        gone = np.array(session.scalars(heard).all(), np.int64)
        statement = statement.where(label_sides.c.pair_id.in_(gone.tolist()))
    else:
        known = None
    rows = session.execute(statement).all()
    pairs = np.array([pair for pair, _, _ in rows], np.int64)
    sides = np.array([1 + a + 2 * b for _, a, b in rows], np.int32)
    if known is not None:
        stays = ~np.isin(known.pairs, gone)
        pairs = np.concatenate([known.pairs[stays], pairs])
        sides = np.concatenate([known.sides[stays], sides])
    order = np.argsort(pairs)
    made = Labels(newest, pairs[order], sides[order])
    with _LOCK:
        _LABELS[session.get_bind()] = made
    return made


def sides_of(everything: Census, said: Labels) -> Codes:
    """For each judgement 0, or the sides that labels of its pair name."""
    of_pair = np.zeros(len(everything.pairs.ids), np.int32)
    places = np.searchsorted(everything.pairs.ids, said.pairs)
    known = places < len(of_pair)
    of_pair[places[known]] = said.sides[known]
    return of_pair[everything.pair_place]


def whole_kind(kind: Kind, sides: int) -> tuple[str, ...]:
    """A judgement's value in every dimension."""
    values = kind._asdict() | {
        "labelled": "yes" if sides else "no",
        "agreement": _agreement(kind.verdict, sides),
    }
    return tuple(values[name] for name in _DIMENSIONS)


def _agreement(verdict: str, sides: int) -> str:
    if verdict not in ("A", "B") or sides < 2:
        return ""
    if sides == SIDES - 1:
        return "split"
    return "agrees" if (sides == 2) is (verdict == "A") else "disagrees"


def _of_kinds(everything: Census, said: Labels, wanted: JudgementFilter) -> Iterable[Mask]:
    chosen = {name: value for name in _DIMENSIONS if (value := getattr(wanted, name)) is not None}
    of_labels = {name: chosen.pop(name) for name in OF_LABELS if name in chosen}
    if chosen:
        yield everything.of_kinds(chosen)
    if of_labels:
        fits = np.array(
            [
                [_fits_labels(kind, sides, of_labels) for sides in range(SIDES)]
                for kind in everything.kinds
            ],
            bool,
        ).reshape(-1, SIDES)
        yield fits[everything.kind, sides_of(everything, said)]


def _fits_labels(kind: Kind, sides: int, wanted: dict[str, str]) -> bool:
    has = {"labelled": "yes" if sides else "no", "agreement": _agreement(kind.verdict, sides)}
    return all(has[name] == value for name, value in wanted.items())


def _masks(session: Session, everything: Census, wanted: JudgementFilter) -> Iterable[Mask]:
    if wanted.confidence_min is not None:
        yield everything.confidence >= wanted.confidence_min
    if wanted.confidence_max is not None:
        yield everything.confidence <= wanted.confidence_max
    if wanted.without:
        yield ~np.isin(everything.pair, list(wanted.without))
    if wanted.newest:
        yield everything.is_newest
    rest = wanted.model_copy(update=dict.fromkeys((*_DIMENSIONS, *_WALKED)))
    if not rest.is_empty:
        state = state_of(session, rest)
        yield _MASKS.get(
            session, rest, state, lambda: _asked_of_the_database(session, everything, rest)
        )


def _asked_of_the_database(session: Session, everything: Census, rest: JudgementFilter) -> Mask:
    found = np.ones(len(everything.ids), bool)
    words = search.indexed(session, rest.text) if rest.text else None
    if words is not None:
        found = np.isin(everything.pair, _ids(session, words.pairs))
        found |= everything.of_ids(_behind(session, everything, _ids(session, words.rollouts)))
        rest = rest.model_copy(update={"text": None})
        if rest.is_empty:
            return found
    statement = select(JudgementRow.id).select_from(JudgementRow)
    meant = narrow(session, statement, rest, kinds=False, counted=())
    return found & everything.of_ids(_ids(session, meant))


def _behind(session: Session, everything: Census, found: Ids) -> Ids:
    """Ids of the judgements that these rollouts belong to."""
    if len(found) > _FEW:
        rollouts, judgements = _rollouts(session, everything)
        places = np.searchsorted(rollouts, found)
        return judgements[places[places < len(judgements)]]
    chunks = (found[start : start + _CHUNK].tolist() for start in range(0, len(found), _CHUNK))
    row = RolloutRow
    asked = (select(row.judgement_id).where(row.id.in_(some)) for some in chunks)
    return np.concatenate([np.zeros(0, np.int64), *(_ids(session, one) for one in asked)])


def _rollouts(session: Session, everything: Census) -> tuple[Ids, Ids]:
    """Ids of all rollouts, rising, and of the judgements that they belong to."""
    with _LOCK:
        known = _ROLLOUTS.get(session.get_bind())
    if known is not None and known[0] == everything.mark:
        return known[1:]
    parts = [np.zeros((2, 0), np.int64)]
    statement = select(RolloutRow.id, RolloutRow.judgement_id)
    parts += [np.array(found, np.int64) for found in columns(session, statement)]
    both = np.concatenate(parts, axis=1)
    ids, behind = both[:, np.argsort(both[0], kind="stable")]
    with _LOCK:
        _ROLLOUTS[session.get_bind()] = (everything.mark, ids, behind)
    return ids, behind


def _ids(session: Session, statement: Select[int]) -> Ids:
    return np.fromiter(session.connection().execute(statement).scalars(), np.int64)
