"""What each person said of each pair, stage by stage, read for the statistics of agreement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from threading import Lock
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, Subquery, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from storage.change_tables import ChangeMarkRow
from storage.kept import Kept
from storage.table_views import current_label
from storage.tables import AnnotatorRow, LabelEventRow, PairRow

if TYPE_CHECKING:
    from storage.filters import JudgementFilter

StageOfLabel = Literal["blind", "verdict", "reasoning", "final"]
STAGES: tuple[StageOfLabel, ...] = get_args(StageOfLabel)
"""Blind; after the judge's verdict; after its reasoning; as the label stands now."""

Stream = Literal["random", "targeted"]
_CHUNK = 500


class Opinion(NamedTuple):
    """What one person said of one pair.

    Attributes:
        prompt_hash: pairs of one prompt are resampled together.
        random: whether chance alone chose the pair for this person.
        blind: None where the verdict may have been in view: an inspection, or a blind answer
            that was taken back and given again.
        verdict: after the judge's verdict was shown; None where that stage was not reached.
        reasoning: after its reasoning was shown; the same.
        shown_id: the judgement whose verdict was shown.
        strength: of `final`, 1 to 3.
        event_id: what set `final`: it rises with time.
    """

    annotator: str
    pair_id: int
    prompt_hash: str
    random: bool
    blind: str | None
    verdict: str | None
    reasoning: str | None
    final: str
    shown_id: int | None
    strength: int | None
    seconds: float | None
    queue_id: int | None
    event_id: int

    def at(self, stage: StageOfLabel) -> str | None:
        """The answer at a stage; None where there is none."""
        answer: str | None = getattr(self, stage)
        return answer


def statement() -> Subquery:
    """One row for each current label that no inspection made; its columns are `Opinion`'s."""
    label, after = current_label.c, _after_the_verdict()
    event = aliased(LabelEventRow)
    return (
        select(
            label.annotator_id,
            label.pair_id,
            func.coalesce(label.why == "random", False).label("random"),
            case((label.blind_commits == 1, label.blind_value)).label("blind"),
            event.value.label("verdict"),
            case(
                (or_(label.reasoning.is_not(None), after.c.changed.is_not(None)), label.value)
            ).label("reasoning"),
            label.value.label("final"),
            event.judgement_id.label("shown_id"),
            label.strength,
            label.seconds,
            label.queue_id,
            label.event_id,
        )
        .select_from(current_label)
        .outerjoin(
            after,
            and_(after.c.annotator_id == label.annotator_id, after.c.pair_id == label.pair_id),
        )
        .outerjoin(event, event.id == after.c.reacted)
        .where(label.inspection.is_(False))
        .subquery()
    )


def _after_the_verdict() -> Subquery:
    """For each label the last event after the verdict, and the last change after the reasoning."""
    event, undo = aliased(LabelEventRow), aliased(LabelEventRow)

    def last(stage: str) -> ColumnElement[int]:
        return func.max(case((event.stage == stage, event.id)))

    return (
        select(
            event.annotator_id,
            event.pair_id,
            last("verdict").label("reacted"),
            last("reasoning").label("changed"),
        )
        .outerjoin(undo, undo.undoes_id == event.id)
        .where(
            event.value.is_not(None),
            event.action != "undo",
            event.stage.in_(("verdict", "reasoning")),
            undo.id.is_(None),
        )
        .group_by(event.annotator_id, event.pair_id)
        .subquery("after_the_verdict")
    )


class _Placed(NamedTuple):
    opinion: Opinion
    source: str
    subset: str


class _Heard(NamedTuple):
    """What everybody says of each pair, with the last event that is in it."""

    newest: int
    changes: int
    pairs: dict[int, tuple[_Placed, ...]]


_LOCK = Lock()
_LEFT_OUT: Kept[dict[str, int]] = Kept(1)
_HEARD: WeakKeyDictionary[Engine | Connection, _Heard] = WeakKeyDictionary()


def read(session: Session, wanted: JudgementFilter) -> Iterator[Opinion]:
    """The opinions that the filter's person, queue, source and subset leave, pair by pair."""
    heard = _heard(session).pairs
    for pair_id in sorted(heard):
        for said, source, subset in heard[pair_id]:
            has = (said.annotator, said.queue_id, source, subset)
            asked = (wanted.annotator, wanted.queue_id, wanted.source, wanted.subset)
            if all(one is None or one == other for one, other in zip(asked, has, strict=True)):
                yield said


def _heard(session: Session) -> _Heard:
    """All opinions; of those kept from the last look only pairs with new events are read again."""
    newest, changes = session.execute(
        select(
            select(func.max(LabelEventRow.id)).scalar_subquery(),
            select(func.max(ChangeMarkRow.changes)).scalar_subquery(),
        )
    ).one()
    with _LOCK:
        known = _HEARD.get(session.get_bind())
    if known and (known.newest, known.changes) == (newest or 0, changes):
        return known
    if known and known.changes == changes and known.newest < (newest or 0):
        since = select(LabelEventRow.pair_id).where(LabelEventRow.id > known.newest).distinct()
        again = session.scalars(since).all()
        pairs = known.pairs | dict.fromkeys(again, ())
        for start in range(0, len(again), _CHUNK):
            pairs |= _read(session, again[start : start + _CHUNK])
    else:
        pairs = _read(session, None)
    made = _Heard(newest or 0, changes, pairs)
    with _LOCK:
        _HEARD[session.get_bind()] = made
    return made


def _read(session: Session, pairs: Sequence[int] | None) -> dict[int, tuple[_Placed, ...]]:
    said = statement()
    columns = [said.c[name] for name in Opinion._fields[3:]]
    found = (
        select(
            *(PairRow.source, PairRow.subset),
            *(AnnotatorRow.name, said.c.pair_id, PairRow.prompt_hash, *columns),
        )
        .join(AnnotatorRow, AnnotatorRow.id == said.c.annotator_id)
        .join(PairRow, PairRow.id == said.c.pair_id)
        .order_by(said.c.pair_id, AnnotatorRow.name)
    )
    if pairs is not None:
        found = found.where(said.c.pair_id.in_(pairs))
    placed = (_Placed(Opinion(*row[2:]), *row[:2]) for row in session.execute(found))
    return {
        pair_id: tuple(own) for pair_id, own in groupby(placed, lambda one: one.opinion.pair_id)
    }


def left_out(session: Session) -> dict[str, int]:
    """Labels that are no part of the figures of the blind stage, and how many for each reason."""
    newest = session.scalar(select(func.max(LabelEventRow.id)))
    return _LEFT_OUT.get(session, None, newest, lambda: _left_out(session))


def _left_out(session: Session) -> dict[str, int]:
    label = current_label.c
    again = and_(label.inspection.is_(False), label.blind_commits > 1)
    inspected, repeated = session.execute(
        select(
            func.coalesce(func.sum(case((label.inspection, 1), else_=0)), 0),
            func.coalesce(func.sum(case((again, 1), else_=0)), 0),
        )
    ).one()
    return {
        name: number
        for name, number in (
            ("made with the verdict in view", inspected),
            ("blind answers given again after an undo", repeated),
        )
        if number
    }
