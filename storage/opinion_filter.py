"""The part of a filter that is about people's answers: which judgements they were given on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, or_, select
from sqlalchemy.orm import aliased

from rmr1.rollout import State
from storage import opinions
from storage.tables import AnnotatorRow, JudgementRow

if TYPE_CHECKING:
    from storage.filters import JudgementFilter

SIDES = ("A", "B")


def conditions(wanted: JudgementFilter) -> Iterator[ColumnElement[bool]]:
    """What the filter asks of people's answers, as conditions on `JudgementRow`."""
    if wanted.pull is not None:
        yield _pulled(wanted)
    elif wanted.people is not None:
        yield _said_by_several(wanted)
    elif (
        any(
            value is not None
            for value in (
                wanted.stage,
                wanted.stream,
                wanted.annotator,
                wanted.queue_id,
                wanted.label,
            )
        )
        or wanted.agrees
    ):
        yield _said(wanted)
    if wanted.newest == "yes":
        yield _is_newest()


def _answers(wanted: JudgementFilter, person: str | None) -> tuple[Subquery, ColumnElement[bool]]:
    """The opinions, and which of them are meant: of this person, or of all."""
    said = opinions.statement()
    asked: list[ColumnElement[bool]] = [said.c[wanted.stage or "final"].is_not(None)]
    if wanted.stream is not None:
        asked.append(said.c.random.is_(wanted.stream == "random"))
    if person is not None:
        known = select(AnnotatorRow.id).where(AnnotatorRow.name == person).scalar_subquery()
        asked.append(said.c.annotator_id == known)
    if wanted.queue_id is not None:
        asked.append(said.c.queue_id == wanted.queue_id)
    if wanted.label is not None:
        asked.append(said.c[wanted.stage or "final"] == wanted.label)
    return said, and_(*asked)


def _said(wanted: JudgementFilter) -> ColumnElement[bool]:
    def given(*values: str) -> ColumnElement[bool]:
        said, meant = _answers(wanted, wanted.annotator)
        pairs = select(said.c.pair_id).where(meant)
        if values:
            pairs = pairs.where(said.c[wanted.stage or "final"].in_(values))
        return JudgementRow.pair_id.in_(pairs)

    verdict = JudgementRow.verdict
    if wanted.agrees is None:
        return given()
    if wanted.agrees == "yes":
        return or_(*(and_(verdict == side, given(side)) for side in SIDES))
    return or_(
        and_(verdict.is_(None), given(*SIDES)),
        and_(verdict == "A", given("B")),
        and_(verdict == "B", given("A")),
    )


def _said_by_several(wanted: JudgementFilter) -> ColumnElement[bool]:
    def pairs(*, differing: bool) -> Select[int]:
        one, meant = _answers(wanted, wanted.annotator)
        other, also_meant = _answers(wanted, wanted.other)
        stage = wanted.stage or "final"
        found = (
            select(one.c.pair_id)
            .join(other, other.c.pair_id == one.c.pair_id)
            .where(meant, also_meant, one.c.annotator_id != other.c.annotator_id)
        )
        return found.where(one.c[stage] != other.c[stage]) if differing else found

    differ = JudgementRow.pair_id.in_(pairs(differing=True))
    if wanted.people == "differ":
        return differ
    several = JudgementRow.pair_id.in_(pairs(differing=False))
    return several if wanted.people == "any" else and_(several, ~differ)


def _pulled(wanted: JudgementFilter) -> ColumnElement[bool]:
    stage = wanted.stage if wanted.stage in ("reasoning", "final") else "verdict"

    def shown(side: str) -> Select[int]:
        said, meant = _answers(wanted.model_copy(update={"stage": stage}), wanted.annotator)
        before, after = said.c.blind == side, said.c[stage] == side
        moves = {
            "towards": and_(~before, after),
            "away": and_(before, ~after),
            "stayed with it": and_(before, after),
            "stayed apart": and_(~before, ~after),
            "any": said.c.blind.is_not(None),
        }
        return select(said.c.shown_id).where(
            meant, said.c.shown_id.is_not(None), moves[wanted.pull or "any"]
        )

    # By side rather than by a join: the answers are read once, not again for each judgement.
    return or_(
        *(and_(JudgementRow.verdict == side, JudgementRow.id.in_(shown(side))) for side in SIDES)
    )


def _is_newest() -> ColumnElement[bool]:
    newer = aliased(JudgementRow)
    same = and_(
        newer.pair_id == JudgementRow.pair_id,
        newer.judge_version_id == JudgementRow.judge_version_id,
        newer.state != State.FAILED,
        newer.id + 0 > JudgementRow.id,  # the sum keeps SQLite from walking all newer ids
    )
    return and_(JudgementRow.state != State.FAILED, ~exists().where(same))
