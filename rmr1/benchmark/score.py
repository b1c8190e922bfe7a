"""Outcomes made into a score: the published tables, what they hide, and what it cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rmr1.benchmark.contract import Benchmark, Query
from rmr1.benchmark.figure import Figure, Table
from rmr1.benchmark.judged import Judged
from rmr1.benchmark.manifest import Manifest
from rmr1.benchmark.outcome import RULES, Outcome, Rule
from rmr1.benchmark.tally import Mark, Tally
from rmr1.judgement import JudgeVersion
from rmr1.plan import Plan
from rmr1.rollout import State
from rmr1.share import Share


@dataclass(frozen=True, slots=True)
class Cost:
    """What the judgements took; None where it was not measured.

    Attributes:
        seconds: of all rollouts, one after another.
        median_seconds, median_tokens: for a judgement; tokens are those written.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    seconds: float | None
    median_seconds: float | None
    median_tokens: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """How one judge under one plan did on one benchmark, under one rule.

    Attributes:
        judged: items with a judgement; the whole benchmark has `benchmark.size`, if that is known.
        prompts: different prompts among them.
        again: judgements of an item that had been judged before; the last one counts.
        incomplete: queries left out because some of their losers were not judged.
        broken: judgements that the backend failed on; they count as wrong.
        tables: the published numbers, the main table first, its last figure the headline.
        slices: the smallest parts that have a score of their own.
        effects: position and length.
        states: judgements by how they ended.
        by_rule: the headline under every rule.
        agrees: for a released log, results that our reading of the same text confirms.
        manifest: what the run was asked to judge, where it left word.
    """

    benchmark: Benchmark
    rule: Rule
    version: JudgeVersion
    plan: Plan
    judged: int
    prompts: int
    again: int
    incomplete: int
    broken: int
    tables: tuple[Table, ...]
    slices: Table
    effects: Table
    states: Mapping[State, int]
    absent_quotes: Share
    swap_consistent: Share
    by_rule: Mapping[Rule, Figure]
    cost: Cost
    agrees: Share
    manifest: Manifest | None

    @property
    def headline(self) -> Figure:
        """The figure that the benchmark is known by."""
        return self.tables[0].figures[-1]

    @property
    def failures(self) -> Share:
        """Judgements without a verdict under the rule."""
        overall = self.effects["All pairs alike"]
        return Share.of(overall.failures, overall.n)

    def as_record(self) -> dict[str, Any]:
        """The score as a JSON object."""
        return {
            "benchmark": self.benchmark.name,
            "rule": self.rule,
            "rule_text": RULES[self.rule],
            "judge": {"hash": self.version.hash, **asdict(self.version)},
            "plan": self.plan.model_dump(),
            "judged": self.judged,
            "of": self.benchmark.size,
            "prompts": self.prompts,
            "judged_again": self.again,
            "incomplete_queries": self.incomplete,
            "backend_failures": self.broken,
            "failures": asdict(self.failures),
            "headline": self.headline.as_record(),
            "tables": {table.title: table.as_record() for table in self.tables},
            "slices": self.slices.as_record(),
            "effects": self.effects.as_record(),
            "states": dict(self.states),
            "absent_quotes": asdict(self.absent_quotes),
            "swap_consistent": asdict(self.swap_consistent),
            "headline_by_rule": {rule: figure.as_record() for rule, figure in self.by_rule.items()},
            "cost": asdict(self.cost),
            "log_agrees": asdict(self.agrees),
            "run": self.manifest and self.manifest.model_dump(),
        }


def score(judged: Judged, rule: Rule = "published") -> Score:
    """Score what has been judged."""
    outcomes = list(judged.outcomes.values())
    benchmark = judged.benchmark
    incomplete, whole = _whole(outcomes)
    tables = _tables(benchmark, whole, rule)
    consistent = [o.swap_consistent for o in outcomes if o.swap_consistent is not None]
    logged = [outcome.agrees for outcome in outcomes if outcome.agrees is not None]
    return Score(
        benchmark=benchmark,
        rule=rule,
        version=judged.version,
        plan=judged.plan,
        judged=len(outcomes),
        prompts=len({outcome.place.unit for outcome in outcomes}),
        again=judged.again,
        incomplete=incomplete,
        broken=sum(outcome.broken for outcome in outcomes),
        tables=tuple(tables),
        slices=_slices(whole, rule),
        effects=_effects(outcomes, rule),
        states=dict(Counter(outcome.state for outcome in outcomes).most_common()),
        absent_quotes=Share.of(
            sum(outcome.absent_quotes for outcome in outcomes),
            sum(outcome.quotes for outcome in outcomes),
        ),
        swap_consistent=Share.of(sum(consistent), len(consistent)),
        by_rule={one: _tables(benchmark, whole, one)[0].figures[-1] for one in RULES},
        cost=_cost(outcomes),
        agrees=Share.of(sum(logged), len(logged)),
        manifest=judged.manifest,
    )


def _tables(benchmark: Benchmark, whole: Sequence[Query], rule: Rule) -> Sequence[Table]:
    return benchmark.tables(Tally([*_marks(whole, rule), *benchmark.together(whole, rule)]))


def _whole(outcomes: Sequence[Outcome]) -> tuple[int, list[list[Outcome]]]:
    """What is right or wrong together: pairs alone, and queries of which every pair was judged.

    Returns:
        How many queries were left out, and the rest.
    """
    queries: dict[str, list[Outcome]] = defaultdict(list)
    whole: list[list[Outcome]] = []
    for outcome in outcomes:
        if outcome.place.query is None:
            whole.append([outcome])
        else:
            queries[outcome.place.query].append(outcome)
    complete = [one for one in queries.values() if len(one) >= (one[0].place.losers or 1)]
    return len(queries) - len(complete), whole + complete


def _marks(whole: Iterable[Query], rule: Rule, *, by_slice: bool = False) -> Iterator[Mark]:
    """A mark for each pair, and for each query, which is right only if all of its pairs are."""
    for outcomes in whole:
        place = outcomes[0].place
        if place.query is None:
            credit = outcomes[0].credit(rule)
        else:
            credit = float(all(outcome.credit(rule) == 1 for outcome in outcomes))
        yield Mark(
            cell=place.slice if by_slice else place.cell,
            stratum=place.slice if by_slice else place.stratum,
            unit=place.unit,
            credit=credit,
            failed=any(outcome.right(rule) is None for outcome in outcomes),
        )


def _slices(whole: Iterable[Query], rule: Rule) -> Table:
    tally = Tally(_marks(whole, rule, by_slice=True))
    return Table("Slices", tuple(tally.cell(cell) for cell in sorted(tally.cells)))


def _effects(outcomes: Iterable[Outcome], rule: Rule) -> Table:
    tally = Tally(mark for outcome in outcomes for mark in _effect_marks(outcome, rule))
    return Table(
        "Position and length",
        tuple(tally.cell(name) for name in _EFFECTS),
        "Position counts rollouts, length and all pairs count judgements; "
        "those without a verdict are not right, and not counted under Names the first or longer.",
    )


_EFFECTS = (
    "All pairs alike",
    "Right when the better stands first",
    "Right when the better stands second",
    "Names the first",
    "Right when the better is longer",
    "Right when the better is shorter",
    "Names the longer",
)


def _effect_marks(outcome: Outcome, rule: Rule) -> Iterator[Mark]:
    place = outcome.place

    def mark(cell: str, credit: float, failed: bool) -> Mark:
        return Mark(cell, place.stratum, place.unit, credit, failed)

    right = outcome.right(rule)
    yield mark("All pairs alike", outcome.credit(rule), right is None)
    for reading in outcome.readings:
        first, read = reading.chosen_first, reading.right[rule]
        where = "first" if first else "second"
        yield mark(f"Right when the better stands {where}", float(read is True), read is None)
        if read is not None:
            yield mark("Names the first", float(read is first), False)
    if outcome.chosen_longer is not None:
        which = "longer" if outcome.chosen_longer else "shorter"
        yield mark(f"Right when the better is {which}", float(right is True), right is None)
        if right is not None:
            yield mark("Names the longer", float(right is outcome.chosen_longer), False)


def _cost(outcomes: Sequence[Outcome]) -> Cost:
    prompt = [o.prompt_tokens for o in outcomes if o.prompt_tokens is not None]
    tokens = [o.tokens for o in outcomes if o.tokens is not None]
    seconds = [o.seconds for o in outcomes if o.seconds is not None]
    return Cost(
        prompt_tokens=sum(prompt) if prompt else None,
        completion_tokens=sum(tokens) if tokens else None,
        seconds=sum(seconds) if seconds else None,
        median_seconds=median(seconds) if seconds else None,
        median_tokens=median(tokens) if tokens else None,
    )
