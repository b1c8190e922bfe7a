"""The course of a queue: which pairs it holds, and what each of its orders goes by."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from rmr1.rollout import State
from storage.census import Ids, Kind, Numbers
from storage.division import divided
from storage.filters import JudgementFilter
from storage.kept import Kept
from storage.selection import Selection, selected, state_of
from storage.tables import JudgementRow, LabelEventRow

QueueOrder = Literal[
    "random",
    "newest",
    "least confident",
    "people disagree",
    "judges disagree",
    "invented quotations",
    "contradictory",
    "swap flips",
    "verdict changed",
]

ORDERS: dict[str, str] = {
    "random": "chance alone decides",
    "newest": "pairs that came in last come first",
    "least confident": "the judge was least sure",
    "people disagree": "people said different things, most divided first",
    "judges disagree": "judge versions gave different verdicts, most divided first",
    "invented quotations": "most quotations that stand in no response",
    "contradictory": "reasoning and verdict contradict each other",
    "swap flips": "the verdict turned with the order of the responses",
    "verdict changed": "a new judge version says otherwise than the one that was labelled",
}
"""The orders, and what each puts first; chance decides between equals."""

_PRIME = 2**31 - 1
_MIX = 1_103_515_245
_LAST = 2.0
_OF_LABELS = ("people disagree", "verdict changed")
_KEPT: Kept[Ids] = Kept(8)


def course(session: Session, wanted: JudgementFilter, order: str, seed: int) -> Ids:
    """Ids of all pairs of a queue, in its order; kept until what it goes by changes."""
    state = state_of(session, wanted, labels=order in _OF_LABELS)
    asked = (wanted, order, seed)
    return _KEPT.get(session, asked, state, lambda: _laid(session, *asked))


def _laid(session: Session, wanted: JudgementFilter, order: str, seed: int) -> Ids:
    meant = selected(session, wanted)
    pairs = meant.all.pairs
    places = np.arange(len(pairs.ids))
    if not wanted.is_empty:
        places = np.unique(meant.all.pair_place[meant.places])
    ids, lot = pairs.ids[places], chance(pairs.lots[places], seed)
    if order == "newest":
        return ids[::-1]
    if order == "people disagree":
        split = {pair: most / n for pair, n, most in session.execute(divided())}
        figure = np.array([split.get(pair, _LAST) for pair in ids.tolist()])
    elif order == "verdict changed":
        figure = ~np.isin(ids, session.scalars(_changed()).all())
    elif order in _FIGURES:
        figure = _FIGURES[order](meant)[places]
    else:
        figure = np.zeros(len(ids))
    return ids[np.lexsort((ids, lot, figure))]


def chance(lots: Ids, seed: int) -> Ids:
    """Places of pairs in the random order of this seed.

    A pair's lot is uniform; an affine map over a prime field makes another uniform order of it
    for each seed.
    """
    factor = (seed * 2 + 1) * _MIX % (_PRIME - 1) + 1
    return (lots * factor + seed % _PRIME) % _PRIME


def _least(meant: Selection, values: Numbers) -> Numbers:
    """The least value of each pair's judgements that are meant; `_LAST` where it has none."""
    found = np.full(len(meant.all.pairs.ids), _LAST)
    np.minimum.at(found, meant.all.pair_place[meant.places], values[meant.places])
    return found


def _least_of_kinds(meant: Selection, is_first: Callable[[Kind], bool]) -> Numbers:
    flags = np.array([0.0 if is_first(kind) else 1.0 for kind in meant.all.kinds])
    return _least(meant, flags[meant.all.kind] if len(flags) else flags)


def _judges_apart(meant: Selection) -> Numbers:
    """How far from an even split the verdicts of different judges are; `_LAST` where all agree."""
    kinds, size = meant.all.kinds, len(meant.all.pairs.ids)
    pair, kind = meant.all.pair_place[meant.places], meant.all.kind[meant.places]
    versions = {name: float(n) for n, name in enumerate({one.judge_version for one in kinds})}
    version = np.array([versions[one.judge_version] for one in kinds])[kind] if kinds else kind
    for_a, for_b = (
        np.bincount(pair, np.array([one.verdict == side for one in kinds], float)[kind], size)
        for side in "AB"
    )
    first, last = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(first, pair, version)
    np.maximum.at(last, pair, version)
    apart = (for_a > 0) & (for_b > 0) & (first < last)
    share = np.divide(for_a, for_a + for_b, out=np.zeros(size), where=apart)
    return np.where(apart, np.abs(2 * share - 1), _LAST)


_FIGURES: dict[str, Callable[[Selection], Numbers]] = {
    "least confident": lambda m: _least(m, np.nan_to_num(m.all.confidence, nan=_LAST)),
    "judges disagree": _judges_apart,
    "invented quotations": lambda m: _least(m, -m.all.absent.astype(float)),
    "contradictory": lambda m: _least_of_kinds(m, lambda kind: kind.state == State.CONTRADICTORY),
    "swap flips": lambda m: _least_of_kinds(m, lambda kind: kind.swap == "flipped"),
}
"""What orders go by that look at all judgements of a pair: a figure for each, smallest first."""


def _changed() -> Select[int]:
    """Pairs whose newest verdict is not that of the judgement that was labelled."""
    old, new = aliased(JudgementRow), aliased(JudgementRow)
    newest = (
        select(JudgementRow.pair_id, func.max(JudgementRow.id).label("id"))
        .where(JudgementRow.state != State.FAILED)
        .group_by(JudgementRow.pair_id)
        .subquery("newest")
    )
    return (
        select(LabelEventRow.pair_id)
        .join(old, old.id == LabelEventRow.judgement_id)
        .join(newest, newest.c.pair_id == LabelEventRow.pair_id)
        .join(new, new.id == newest.c.id)
        .where(
            old.verdict.is_distinct_from(new.verdict),
            old.judge_version_id != new.judge_version_id,
        )
    )
