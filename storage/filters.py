"""Which judgements are meant: what the pages filter, count and link by."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, Self, TypeVarTuple
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, select
from sqlalchemy.orm import Session

from rmr1.benchmark.outcome import Rule
from rmr1.errors import InputError
from storage import opinion_filter, search
from storage.benchmark_parts import Credit, behind
from storage.table_views import current_label
from storage.tables import JudgementRow, JudgeVersionRow, PairRow

YesNo = Literal["yes", "no"]
Row = TypeVarTuple("Row")


class JudgementFilter(BaseModel):
    """Which judgements are meant; a field that is None lets all pass, an empty filter means all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(
        default=None, description="words in prompt, responses or the judge's text"
    )
    type: Literal["Chat", "Reasoning", "none"] | None = Field(
        default=None, description="task type; `none`: the judge named none"
    )
    state: str | None = Field(default=None, description="how the judgement ended")
    verdict: Literal["A", "B", "none"] | None = None
    source: str | None = Field(default=None, description="the pair's source")
    subset: str | None = Field(default=None, description="the part of the pair's source")
    judge_version: str | None = Field(default=None, description="hash of the judge version")
    correct: Literal["yes", "no", "no verdict", "unknown"] | None = Field(
        default=None,
        description="verdict against the pair's known better side; `unknown`: none is known",
    )
    quotes: Literal["absent", "near", "all exact", "none"] | None = Field(
        default=None,
        description="the worst quotation: invented, inexact, all exact; or none quoted at all",
    )
    swap: Literal["consistent", "flipped", "not compared"] | None = None
    labelled: YesNo | None = Field(default=None, description="whether anyone labelled the pair")
    agreement: Literal["agrees", "disagrees", "split"] | None = Field(
        default=None,
        description="current labels A and B against the verdict; `split`: some each way",
    )
    multi_turn: YesNo | None = None
    confidence_min: float | None = Field(default=None, ge=0, le=1)
    confidence_max: float | None = Field(default=None, ge=0, le=1)
    run_id: int | None = Field(default=None, description="the import or batch it came with")
    benchmark: int | None = Field(default=None, description="the benchmark run that it counts in")
    part: str | None = Field(default=None, description="the number of that run that it is behind")
    rule: Rule | None = Field(default=None, description="the rule of `credit`; published if none")
    credit: Credit | None = Field(default=None, description="what it is worth in that run")
    stage: Literal["blind", "verdict", "reasoning", "final"] | None = Field(
        default=None, description="the stage whose answers of people are meant; `final` if none"
    )
    stream: Literal["random", "targeted"] | None = Field(
        default=None, description="whether chance alone chose the pair for the person"
    )
    annotator: str | None = Field(default=None, description="a person who answered")
    other: str | None = Field(default=None, description="a second one, beside `people`")
    queue_id: int | None = Field(default=None, description="the queue that it was answered from")
    label: Literal["A", "B", "tie", "both_bad", "cannot_tell"] | None = Field(
        default=None, description="what somebody answered"
    )
    agrees: YesNo | None = Field(
        default=None, description="an answer A or B that the verdict names; no verdict does not"
    )
    people: Literal["agree", "differ", "any"] | None = Field(
        default=None, description="several people's answers on the pair; `any`: there are several"
    )
    pull: Literal["towards", "away", "stayed with it", "stayed apart", "any"] | None = Field(
        default=None, description="from the blind answer to the one after the verdict was shown"
    )
    newest: Literal["yes"] | None = Field(
        default=None, description="only each judge version's newest judgement of a pair"
    )
    without: frozenset[int] | None = Field(
        default=None, exclude=True, description="pairs that are left out; no address says so"
    )

    def to_query(self) -> str:
        """The filter as the query part of a URL; "" when it is empty."""
        return urlencode(self.model_dump(exclude_none=True))

    @classmethod
    def from_query(cls, query: str | Mapping[str, str]) -> Self:
        """Read `to_query`'s form; parameters of other names and empty ones are passed over.

        Raises:
            InputError: a value that no filter has.
        """
        given = query if isinstance(query, Mapping) else dict(parse_qsl(query.removeprefix("?")))
        names = cls.model_fields.keys() - {"without"}
        known = {k: v for k, v in given.items() if k in names and v != ""}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                f"The filter {first['loc'][0]}={first['input']!r} is unknown: {first['msg']}."
            ) from error

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything pass."""
        return not self.model_dump(exclude_none=True)


label_sides = (
    select(
        current_label.c.pair_id,
        func.max(case((current_label.c.value == "A", 1), else_=0)).label("for_a"),
        func.max(case((current_label.c.value == "B", 1), else_=0)).label("for_b"),
    )
    .group_by(current_label.c.pair_id)
    .subquery("labels")
)
"""For each labelled pair whether people name A, and B, as it stands now: 1 or 0."""


_ON_PAIR = {"source", "subset", "multi_turn"}
_ON_LABELS = {"labelled", "agreement"}


def narrow(
    session: Session,
    statement: Select[*Row],
    wanted: JudgementFilter,
    *,
    kinds: bool = True,
    counted: Collection[str] | None = None,
) -> Select[*Row]:
    """Join and restrict a statement over `JudgementRow` to the judgements that are meant.

    Args:
        kinds: False leaves the fields of `dimensions` out and keeps the rest.
        counted: the dimensions that the statement itself selects, all where None: tables that
            no dimension in use needs are not joined, which saves most of the time of a list.
    """
    known = dimensions()
    chosen = {name for name in known if kinds and getattr(wanted, name) is not None}
    used = chosen.union(known if counted is None else counted)
    if used & _ON_PAIR:
        statement = statement.join(PairRow, PairRow.id == JudgementRow.pair_id)
    if "judge_version" in used:
        version = JudgeVersionRow.id == JudgementRow.judge_version_id
        statement = statement.join(JudgeVersionRow, version)
    if used & _ON_LABELS:
        statement = statement.outerjoin(label_sides, label_sides.c.pair_id == JudgementRow.pair_id)
    for name in chosen:
        statement = statement.where(known[name] == getattr(wanted, name))
    if wanted.text:
        statement = statement.where(search.matches(session, wanted.text))
    statement = statement.where(*_plain(wanted))
    if wanted.benchmark is not None:
        rule = wanted.rule or "published"
        counted_in = behind(session, wanted.benchmark, wanted.part, rule, wanted.credit)
        statement = statement.where(JudgementRow.id.in_(counted_in))
    return statement.where(*opinion_filter.conditions(wanted))


def _plain(wanted: JudgementFilter) -> Iterator[ColumnElement[bool]]:
    """What the filter asks of the judgement's own columns, beside its kinds."""
    if wanted.confidence_min is not None:
        yield JudgementRow.confidence >= wanted.confidence_min
    if wanted.confidence_max is not None:
        yield JudgementRow.confidence <= wanted.confidence_max
    if wanted.run_id is not None:
        yield JudgementRow.run_id == wanted.run_id
    if wanted.without:
        yield JudgementRow.pair_id.not_in(wanted.without)


def dimensions() -> dict[str, ColumnElement[str]]:
    """For each field that splits judgements into kinds, the kind, as text.

    They stand on the joins that `narrow` makes.
    """
    judgement = JudgementRow
    agrees = case((judgement.verdict == "A", label_sides.c.for_a), else_=label_sides.c.for_b)
    differs = case((judgement.verdict == "A", label_sides.c.for_b), else_=label_sides.c.for_a)
    return {
        "type": func.coalesce(judgement.type, "none"),
        "state": cast(judgement.state, String),
        "verdict": func.coalesce(judgement.verdict, "none"),
        "source": cast(PairRow.source, String),
        "subset": cast(PairRow.subset, String),
        "judge_version": cast(JudgeVersionRow.hash, String),
        "correct": case(
            (judgement.correct.is_(None), "unknown"),
            (judgement.correct.is_(True), "yes"),
            (judgement.verdict.is_(None), "no verdict"),
            else_="no",
        ),
        "quotes": case(
            (judgement.quotes_absent > 0, "absent"),
            (judgement.quotes_near > 0, "near"),
            (judgement.quotes_total > 0, "all exact"),
            else_="none",
        ),
        "swap": case(
            (judgement.swap_consistent.is_(None), "not compared"),
            (judgement.swap_consistent.is_(True), "consistent"),
            else_="flipped",
        ),
        "labelled": case((label_sides.c.pair_id.is_(None), "no"), else_="yes"),
        "agreement": case(
            (judgement.verdict.is_(None), ""),
            (and_(agrees == 1, differs == 1), "split"),
            (agrees == 1, "agrees"),
            (differs == 1, "disagrees"),
            else_="",
        ),
        "multi_turn": case((PairRow.multi_turn, "yes"), else_="no"),
    }
