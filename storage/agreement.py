"""The judge against people: agreement, kappa, confusion, by slice and stage, and by version."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.share import Share
from storage.census import census
from storage.estimate import Estimate, bootstrapped, grouped
from storage.filters import JudgementFilter, narrow
from storage.opinions import STAGES, Opinion, StageOfLabel, Stream
from storage.paired import Paired, compare_outcomes
from storage.rater_agreement import cohen_kappa
from storage.tables import AnnotatorRow, JudgementRow, JudgeVersionRow, LabelEventRow, PairRow

SIDES = ("A", "B")
SLICES = ("source", "subset", "type", "state")
NO_VERDICT = "none"


class Judged(NamedTuple):
    """A judge version's newest judgement of a labelled pair that did not fail."""

    id: int
    pair_id: int
    version: str
    source: str
    subset: str
    type: str
    state: str
    verdict: str | None
    confidence: float | None
    confidence_source: str | None


class Answered(NamedTuple):
    """One person's answer beside one judgement of the same pair."""

    judged: Judged
    said: Opinion
    value: str

    @property
    def is_right(self) -> bool:
        """Whether the judge names the response that the person names."""
        return self.judged.verdict == self.value


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a judge stands to people's answers.

    Attributes:
        labels: answers on pairs that it judged, whatever they say.
        right: judgements that name the response that a person names, of the answers A and B; no
            verdict counts as not naming it.
        kappa: Cohen's, over the answers A and B and the verdicts A and B.
        matrix: answers by what the person and what the judge say (`none`: no verdict).
    """

    labels: int
    right: Share
    kappa: Estimate
    matrix: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class AgreementSlice:
    """The agreement on a part of the answers; `field` is the filter's, `value` its value."""

    field: str
    value: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """Another judge version against the one in question, on the pairs both judged.

    Attributes:
        paired: `old` is the other version, `new` the one in question.
        difference: of the shares of right verdicts, new less old.
    """

    version: str
    paired: Paired
    difference: Estimate


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """The judge against people on one stream of answers.

    Attributes:
        slices: by source, subset, type and state, and by judge version (of all versions).
        stages: at each stage, on the answers given there.
        versions: other versions against this one, where people's majority names a side.
    """

    whole: Agreement
    stages: dict[StageOfLabel, Agreement]
    slices: tuple[AgreementSlice, ...]
    versions: tuple[VersionDifference, ...]


def choices(session: Session, source: str | None) -> tuple[list[str], list[str], list[str]]:
    """The sources of pairs, the subsets (of one source), and the people's names, each sorted."""
    kinds = census(session).pairs.kinds
    sources = sorted({name for name, _, _ in kinds if name})
    parts = sorted({part for name, part, _ in kinds if part and source in (None, name)})
    names = session.scalars(select(AnnotatorRow.name).order_by(AnnotatorRow.name))
    return sources, parts, [name for name in names if name]


def judged(session: Session, wanted: JudgementFilter) -> list[Judged]:
    """The newest judgement of each labelled pair by each judge version that the filter leaves."""
    row = JudgementRow
    fields = ("judge_version", "source", "subset")
    narrowing = wanted.model_copy(
        update={
            **dict.fromkeys(("annotator", "queue_id", "stage", "stream", "judge_version")),
            "newest": "yes",
        }
    )
    statement = (
        select(
            *(row.id, row.pair_id, JudgeVersionRow.hash, PairRow.source, PairRow.subset),
            *(
                func.coalesce(row.type, "none"),
                row.state,
                row.verdict,
                row.confidence,
                row.confidence_source,
            ),
        )
        .select_from(row)
        .where(row.pair_id.in_(select(LabelEventRow.pair_id)))
    )
    statement = narrow(session, statement, narrowing, counted=fields)
    return [Judged._make(found) for found in session.execute(statement)]


def answered(
    judgements: Iterable[Judged], said: Iterable[Opinion], stage: StageOfLabel
) -> list[Answered]:
    """Each judgement beside each answer that was given on its pair at a stage."""
    by_pair: defaultdict[int, list[tuple[Opinion, str]]] = defaultdict(list)
    for one in said:
        value = one.at(stage)
        if value is not None:
            by_pair[one.pair_id].append((one, value))
    return [
        Answered(one, opinion, value)
        for one in judgements
        for opinion, value in by_pair.get(one.pair_id, ())
    ]


def agreement(both: Sequence[Answered]) -> Agreement:
    """How one judge version stands to these answers."""
    sided = [one for one in both if one.value in SIDES]
    voiced = [one for one in sided if one.judged.verdict]
    return Agreement(
        labels=len(both),
        right=Share.of(sum(one.is_right for one in sided), len(sided)),
        kappa=cohen_kappa(
            [(one.value, one.judged.verdict or NO_VERDICT) for one in voiced],
            [one.said.prompt_hash for one in voiced],
            unit="answers",
        ),
        matrix=dict(Counter((one.value, one.judged.verdict or NO_VERDICT) for one in both)),
    )


def report(
    judgements: Sequence[Judged],
    said: Sequence[Opinion],
    version: str,
    stage: StageOfLabel,
    stream: Stream,
) -> JudgeReport:
    """The judge version against the people of a stream.

    Args:
        judgements: of all versions.
        version: hash of the judge version in question.
    """
    said = [one for one in said if one.random is (stream == "random")]
    own = [one for one in judgements if one.version == version]
    everything = answered(judgements, said, stage)
    both = [one for one in everything if one.judged.version == version]
    return JudgeReport(
        whole=agreement(both),
        stages={name: agreement(answered(own, said, name)) for name in STAGES},
        slices=(*_slices(both, SLICES), *_slices(everything, ("version",))),
        versions=tuple(_versions(judgements, majority(said, stage), version)),
    )


def _slices(both: Sequence[Answered], fields: Sequence[str]) -> list[AgreementSlice]:
    found = []
    for field in fields:
        parts: defaultdict[str, list[Answered]] = defaultdict(list)
        for one in both:
            parts[getattr(one.judged, field)].append(one)
        name = "judge_version" if field == "version" else field
        ranked = sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))
        found += [AgreementSlice(name, value, agreement(part)) for value, part in ranked]
    return found


def majority(said: Iterable[Opinion], stage: StageOfLabel) -> dict[int, tuple[str, str]]:
    """Value and prompt of each pair on which more people say one value than any other."""
    values: defaultdict[int, Counter[str]] = defaultdict(Counter)
    prompts = {}
    for one in said:
        if value := one.at(stage):
            values[one.pair_id][value] += 1
            prompts[one.pair_id] = one.prompt_hash
    found = {}
    for pair_id, counts in values.items():
        (value, most), *rest = counts.most_common(2)
        if not rest or most > rest[0][1]:
            found[pair_id] = (value, prompts[pair_id])
    return found


def _versions(
    judgements: Iterable[Judged], truths: dict[int, tuple[str, str]], version: str
) -> Iterable[VersionDifference]:
    verdicts: defaultdict[str, dict[int, str | None]] = defaultdict(dict)
    for one in judgements:
        if truths.get(one.pair_id, ("", ""))[0] in SIDES:
            verdicts[one.version][one.pair_id] = one.verdict
    own = verdicts.pop(version, {})
    for other, theirs in verdicts.items():
        common = sorted(own.keys() & theirs.keys())
        outcomes = [
            (theirs[pair_id] == truths[pair_id][0], own[pair_id] == truths[pair_id][0])
            for pair_id in common
        ]
        if outcomes:
            prompts = [truths[pair_id][1] for pair_id in common]
            yield VersionDifference(
                other, compare_outcomes(outcomes), difference(outcomes, prompts)
            )


def difference(
    outcomes: Sequence[tuple[bool, bool]], prompts: Sequence[str], *, unit: str = "pairs"
) -> Estimate:
    """How much more often the second is right than the first, with a paired bootstrap."""
    if not outcomes:
        return Estimate.undefined(0, unit, "Nothing to compare.")
    sums = np.array([[float(new) - float(old), 1.0] for old, new in outcomes])
    value = float(sums[:, 0].sum() / len(outcomes))
    added = grouped(sums, prompts)
    return bootstrapped(value, added, lambda s: s[:, 0] / s[:, 1], n=len(outcomes), unit=unit)
