"""The course of a queue: which pairs it holds, and what each of its orders goes by."""

from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Subquery, case, func, select
from sqlalchemy.orm import Session, aliased

from rmr1.rollout import State
from storage.division import divided
from storage.filters import JudgementFilter, narrow
from storage.tables import JudgementRow, LabelEventRow, PairRow

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


def course(session: Session, wanted: JudgementFilter, order: str, seed: int) -> Subquery:
    """All pairs of a queue: `pair_id`, `place` (what the order goes by), `chance`."""
    lot = chance(seed)
    figure = _figures().get(order)
    if wanted.is_empty and figure is None:
        found = select(PairRow.id.label("pair_id"), lot.label("chance"))
        return _placed(found.select_from(PairRow), order, lot)
    meant = select(JudgementRow.pair_id, (figure if figure is not None else func.min(0)).label("f"))
    if wanted.is_empty:
        rated = meant.group_by(JudgementRow.pair_id).subquery("rated")
        ranked = select(
            PairRow.id.label("pair_id"),
            lot.label("chance"),
            func.coalesce(rated.c.f, _LAST).label("place"),
        ).outerjoin(rated, rated.c.pair_id == PairRow.id)
        return ranked.subquery("course")
    meant = narrow(session, meant.select_from(JudgementRow), wanted, counted=())
    pairs = meant.group_by(JudgementRow.pair_id).subquery("meant")
    found = select(pairs.c.pair_id, lot.label("chance")).join(
        PairRow, PairRow.id == pairs.c.pair_id
    )
    if figure is not None:
        return found.add_columns(pairs.c.f.label("place")).subquery("course")
    return _placed(found, order, lot)


def chance(seed: int) -> ColumnElement[int]:
    """A pair's place in the random order of this seed.

    A pair's lot is uniform; an affine map over a prime field makes another uniform order of it
    for each seed, in arithmetic that every database has.
    """
    factor = (seed * 2 + 1) * _MIX % (_PRIME - 1) + 1
    return (PairRow.lot * factor + seed) % _PRIME


def _placed(found: Select[*tuple[Any, ...]], order: str, lot: ColumnElement[int]) -> Subquery:
    """The course for orders that go by the pair itself."""
    if order == "newest":
        return found.add_columns((-PairRow.id).label("place")).subquery("course")
    if order == "people disagree":
        split = divided().subquery("split")
        found = found.outerjoin(split, split.c.pair_id == PairRow.id)
        share = 1.0 * split.c.most / split.c.labels
        return found.add_columns(func.coalesce(share, _LAST).label("place")).subquery("course")
    if order == "verdict changed":
        place = case((PairRow.id.in_(_changed()), 0), else_=1)
        return found.add_columns(place.label("place")).subquery("course")
    return found.add_columns(lot.label("place")).subquery("course")


def _figures() -> dict[str, ColumnElement[Any]]:
    """What orders go by that look at all judgements of a pair, smallest first."""
    judgement = JudgementRow
    for_a = func.sum(case((judgement.verdict == "A", 1.0), else_=0.0))
    decided = func.count(judgement.verdict)
    divided_judges = (func.count(judgement.verdict.distinct()) > 1) & (
        func.count(judgement.judge_version_id.distinct()) > 1
    )
    return {
        "least confident": func.min(func.coalesce(judgement.confidence, _LAST)),
        "judges disagree": case(
            (divided_judges, func.abs(2 * for_a / decided - 1)),
            else_=_LAST,
        ),
        "invented quotations": -func.max(judgement.quotes_absent),
        "contradictory": func.min(case((judgement.state == State.CONTRADICTORY, 0), else_=1)),
        "swap flips": func.min(case((judgement.swap_consistent.is_(False), 0), else_=1)),
    }


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
