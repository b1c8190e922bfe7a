"""The pairs that two judge versions both judged, with what is right on them; no texts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import Session, aliased

from rmr1.rollout import State
from storage import snapshots
from storage.decisions import decisions
from storage.snapshots import LabelFilter
from storage.splits import Fractions, split_of
from storage.tables import JudgementRow, JudgeVersionRow, PairRow

_CHUNK = 500


class CompareOptions(BaseModel):
    """Which pairs a comparison is about, and what is right on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    truth: Literal["labels", "known", "either"] = Field(
        default="either",
        description="the better side that people's labels decide, the one that a pair's source "
        "knew, or the labels where there are any and else the source",
    )
    stage: Literal["blind", "final"] = Field(
        default="blind", description="which label of a person counts"
    )
    sources: tuple[str, ...] = Field(default=(), description="sources of pairs; empty for all")
    held_out: bool = Field(
        default=True, description="without the pairs of the exports' training split"
    )
    fractions: Fractions = Field(
        default=Fractions(), description="shares of train, validation and test in the exports"
    )
    seed: int = Field(default=0, description="of the exports' splits")

    @model_validator(mode="after")
    def _adds_up(self) -> "CompareOptions":
        if not (min(self.fractions) >= 0 and abs(sum(self.fractions) - 1) <= 1e-9):  # NaN too
            raise ValueError("the shares of train, validation and test must add up to 1")
        return self


class Judged(NamedTuple):
    """The small columns of a judgement."""

    id: int
    key: str
    plan_hash: str
    verdict: str | None
    state: str
    type: str | None
    swap_consistent: bool | None
    quotes_total: int
    quotes_absent: int
    tokens: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class CommonPair:
    """A pair that both judged and whose better side is known.

    Attributes:
        truth: the better side.
        known_by: `labels` of people, or `known` to the pair's source.
    """

    pair_id: int
    source: str
    truth: str
    known_by: str
    old: Judged
    new: Judged

    @property
    def outcome(self) -> tuple[bool, bool]:
        """Whether the old and the new judge are right; without a verdict none is."""
        return self.old.verdict == self.truth, self.new.verdict == self.truth


def newest(session: Session, version_hash: str) -> Subquery:
    """Pair and id of the newest judgements by this version whose backend did not fail."""
    version = session.scalar(select(JudgeVersionRow.id).where(JudgeVersionRow.hash == version_hash))
    return (
        select(JudgementRow.pair_id, func.max(JudgementRow.id).label("id"))
        .where(JudgementRow.judge_version_id == version, JudgementRow.state != State.FAILED)
        .group_by(JudgementRow.pair_id)
        .subquery()
    )


def read(
    session: Session,
    of_old: Subquery,
    of_new: Subquery,
    options: CompareOptions,
    left_out: Counter[str],
) -> Iterator[CommonPair]:
    """The pairs to compare on, by id.

    Args:
        of_old: the `newest` judgements of the old version.
        of_new: those of the new one.
        left_out: gets the reasons why other pairs that both judged are no part of it.
    """
    labels = {} if options.truth == "known" else _labels(session, options)
    old, new = aliased(JudgementRow), aliased(JudgementRow)
    columns = [getattr(table, name) for table in (old, new) for name in Judged._fields]
    statement = (
        select(PairRow.id, PairRow.source, PairRow.chosen, PairRow.prompt_hash, *columns)
        .join(of_old, of_old.c.pair_id == PairRow.id)
        .join(of_new, of_new.c.pair_id == PairRow.id)
        .join(old, old.id == of_old.c.id)
        .join(new, new.id == of_new.c.id)
        .order_by(PairRow.id)
        .execution_options(yield_per=_CHUNK)
    )
    if options.sources:
        statement = statement.where(PairRow.source.in_(options.sources))
    width = len(Judged._fields)
    for pair_id, source, chosen, prompt_hash, *rest in session.execute(statement):
        known_by = "labels" if pair_id in labels else "known"
        truth = labels.get(pair_id, chosen if options.truth != "labels" else None)
        if reason := _why_not(truth, known_by, prompt_hash, options):
            left_out[reason] += 1
        elif truth:
            judged = Judged(*rest[:width]), Judged(*rest[width:])
            yield CommonPair(pair_id, source, truth, known_by, *judged)


def _labels(session: Session, options: CompareOptions) -> dict[int, str | None]:
    """What people's labels decide on each pair; None where they name no better side."""
    said = snapshots.current(session, LabelFilter(stage=options.stage))
    return {one.pair_id: one.winner for one in decisions(said)}


def _why_not(
    truth: str | None, known_by: str, prompt_hash: str, options: CompareOptions
) -> str | None:
    if truth is None and known_by == "labels":
        return "labels name no better side"
    if truth is None:
        return "no label" if options.truth == "labels" else "no better side is known"
    if options.held_out and split_of(prompt_hash, options.fractions, options.seed) == "train":
        return "in the training split"
    return None
