"""Scores as a report that is readable on its own: our runs beside the paper's rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rmr1.benchmark.catalogue import BENCHMARKS
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.document import Block, Grid, Heading, Paragraph, Points
from rmr1.benchmark.figure import Figure, Table
from rmr1.benchmark.outcome import RULES
from rmr1.benchmark.paper import PaperTable, Printed, paper_tables
from rmr1.benchmark.protocol import differences
from rmr1.benchmark.score import Score

TITLE = "Benchmarks of the judge"

BESIDE: Mapping[tuple[str, str], Sequence[str]] = {
    ("rewardbench", "Sections"): ("released_reward_bench", "reward_bench"),
    ("rm-bench", "Domains and difficulties"): ("corrected_rm_bench",),
    ("rm-bench", "As the published script aggregates"): ("released_rm_bench", "rm_bench"),
    ("rmb", "Parts"): ("released_rmb", "rmb"),
}
"""Printed tables that stand beside a table of ours, by benchmark and title."""

ALONE = ("ablation", "answer_only", "scaling_size", "scaling_budget")
"""Printed tables that no benchmark run stands beside: on how a judge is trained and sized."""

_OURS = "RM-R1"


def report(scores: Sequence[Score]) -> list[Block]:
    """The whole report."""
    given = [one for one in BENCHMARKS if any(one is score.benchmark for score in scores)]
    names = _names(scores)
    return [
        Heading(1, TITLE),
        Paragraph(
            "Shares are in per cent, with their 95 % intervals. A pair is right if the judge names "
            "the better response; a judgement without a verdict is a failure and counts as wrong "
            "unless the rule says otherwise. Rows of ours are strong, the others are as printed."
        ),
        *_overview(scores, names),
        *[
            block
            for benchmark in given
            for block in _comparison(
                benchmark, [one for one in scores if one.benchmark is benchmark], names
            )
        ],
        *[block for one in scores for block in score_blocks(one, f"Details: {names[id(one)]}")],
        *_alone(),
        Heading(2, "How scores are made"),
        Points(
            [
                *(f"Rule {name}: {text}." for name, text in RULES.items()),
                "Intervals: of Wilson for a plain share; for a weighted mean of independent shares "
                "put together of theirs (Zou and Donner 2008); by a bootstrap over prompts where "
                "one prompt stands behind several judgements; none where a part has one prompt.",
                *(f"{table.title}: {table.citation}." for table in paper_tables().values()),
            ]
        ),
    ]


def score_blocks(score: Score, title: str) -> Iterator[Block]:
    """Everything about one score."""
    yield Heading(2, title)
    yield Paragraph(
        f"{score.benchmark.title}, {score.version.title}, rule {score.rule}: "
        f"{percent(score.headline)} ({score.headline.name}); {score.judged:,} pairs judged on "
        f"{score.prompts:,} prompts, without a verdict {score.failures}."
    )
    if said := differences(score):
        yield Points(said)
    for table in (*score.tables, score.effects):
        yield Heading(3, table.title)
        if table.note:
            yield Paragraph(table.note)
        yield _figures(table)
    yield Heading(3, "Headline under every rule")
    yield _figures(Table("", tuple(score.by_rule.values())), list(score.by_rule))
    yield Heading(3, "States and cost")
    yield Points(list(_facts(score)))
    if len(score.slices.figures) > 1:
        yield Heading(3, score.slices.title)
        yield _figures(score.slices)


def percent(figure: Figure) -> str:
    """A figure with its interval; a dash where nothing was judged."""
    if figure.value is None:
        return "–"
    shown = f"{100 * figure.value:.2f}"
    if figure.low is not None and figure.high is not None:
        shown += f" ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
    return f"{shown}, in part" if figure.missing else shown


def _names(scores: Iterable[Score]) -> dict[int, str]:
    """A name for each score, its judge's; told apart by a number where two are alike."""
    names: dict[int, str] = {}
    for score in scores:
        plan = score.plan
        votes = f", {plan.votes} votes" if plan.votes > 1 else ""
        orders = ", both orders" if plan.orders == "both" else ""
        name = f"{score.version.title}{orders}{votes} on {score.benchmark.title}"
        again = sum(one.startswith(name) for one in names.values())
        names[id(score)] = f"{name} ({again + 1})" if again else name
    return names


def _overview(scores: Sequence[Score], names: Mapping[int, str]) -> Iterator[Block]:
    yield Heading(2, "Overview")
    yield Grid(
        ("Judge", "Score", "Rule", "Pairs", "Of", "Prompts", "Without a verdict"),
        [
            (
                names[id(one)],
                percent(one.headline),
                one.rule,
                f"{one.judged:,}",
                f"{one.benchmark.size:,}" if one.benchmark.size else "unknown",
                f"{one.prompts:,}",
                f"{one.failures.count:,} ({100 * (one.failures.share or 0):.1f} %)",
            )
            for one in scores
        ],
        frozenset(range(len(scores))),
    )
    yield from _averages(scores)
    main = paper_tables()["main"]
    yield Paragraph(f"The paper's main table, in per cent ({main.citation}).")
    yield _printed(main)


def _averages(scores: Sequence[Score]) -> Iterator[Block]:
    """The mean over the benchmarks, for judges that have been through all of the paper's."""
    judges: dict[tuple[str, str], dict[str, Score]] = {}
    for one in scores:
        judges.setdefault((one.version.hash, one.plan.hash), {})[one.benchmark.title] = one
    wanted = paper_tables()["main"].columns[:-1]
    rows = []
    for by_title in judges.values():
        figures = [by_title[title].headline for title in wanted if title in by_title]
        known = [figure.value for figure in figures if figure.value is not None]
        if len(known) == len(wanted):
            title = next(iter(by_title.values())).version.title
            part = ", in part" if any(figure.missing for figure in figures) else ""
            rows.append((title, f"{100 * sum(known) / len(known):.2f}{part}"))
    if rows:
        yield Grid(("Judge", f"Average of {', '.join(wanted)}"), rows, frozenset(range(len(rows))))


def _comparison(
    benchmark: Benchmark, scores: Sequence[Score], names: Mapping[int, str]
) -> Iterator[Block]:
    yield Heading(2, benchmark.title)
    for position, table in enumerate(scores[0].tables):
        beside = printed_beside(benchmark, table.title)
        if position and not beside:
            continue
        columns = [figure.name for figure in table]
        ours = [
            (names[id(one)], *(percent(figure) for figure in one.tables[position]))
            for one in scores
        ]
        rows = [row for printed in beside for row in printed_rows(printed, columns)]
        yield Heading(3, table.title)
        yield from [Paragraph(table.note)] if table.note else []
        yield Grid(("Judge", *columns), [*ours, *rows], frozenset(range(len(ours))))
        for printed in beside:
            note = f" {printed.note}" if printed.note else ""
            yield Paragraph(f"{printed.title}: {printed.citation}.{note}")
    yield Heading(3, f"What differs from the published protocol of {benchmark.title}")
    yield Points([f"{names[id(one)]}: {said}" for one in scores for said in differences(one)])


def printed_beside(benchmark: Benchmark, title: str) -> list[PaperTable]:
    """The printed tables that stand beside our table of this title."""
    return [paper_tables()[name] for name in BESIDE.get((benchmark.name, title), ())]


def printed_rows(printed: PaperTable, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """RM-R1's rows of a printed table, and the best of every other group: name, then numbers."""
    numbers: dict[tuple[str, str], dict[str, Printed]] = {}
    for number in printed.numbers():
        numbers.setdefault((number.group, number.model), {})[number.column] = number
    last = printed.columns[-1]
    best: dict[str, tuple[str, str]] = {}
    for key, values in numbers.items():
        known = values[last].share if last in values else 0.0
        held = numbers[best[key[0]]].get(last) if key[0] in best else None
        if held is None or known > held.share:
            best[key[0]] = key
    for key, values in numbers.items():
        if key[0] == _OURS or best[key[0]] == key:
            where = printed.version if key[0] == _OURS else f"{key[0]}, {printed.version}"
            shown = (
                f"{100 * values[column].share:.{printed.decimals}f}" if column in values else "–"
                for column in columns
            )
            yield f"{key[1]} ({where})", *shown


def whole_rows(printed: PaperTable) -> list[tuple[str, ...]]:
    """Every row of a printed table: its group and model, then the numbers as texts."""
    about = "≈ " if printed.approximate else ""
    return [
        (
            f"{group}: {model}",
            *(
                value if isinstance(value, str) else f"{about}{value:.{printed.decimals}f}"
                for value in values
            ),
        )
        for group, model, *values in printed.rows
    ]


def _alone() -> Iterator[Block]:
    yield Heading(2, "What else the paper reports")
    for table in (paper_tables()[name] for name in ALONE):
        yield Heading(3, table.title)
        yield Grid(("Model", *table.columns), whole_rows(table))
        yield Paragraph(f"As printed, in per cent: {table.citation}. {table.note}".strip())


def _printed(table: PaperTable) -> Grid:
    rows = list(printed_rows(table, table.columns))
    return Grid(("Model", *table.columns), rows)


def _figures(table: Table, names: Sequence[str] | None = None) -> Grid:
    return Grid(
        ("", "Share", "n", "Without a verdict", "Rate", "Interval", "Without"),
        [
            (
                name,
                percent(figure),
                f"{figure.n:,}",
                f"{figure.failures:,}",
                "–" if figure.failure_rate is None else f"{100 * figure.failure_rate:.1f} %",
                figure.interval,
                ", ".join(figure.missing),
            )
            for name, figure in zip(names or [figure.name for figure in table], table, strict=True)
        ],
    )


def _facts(score: Score) -> Iterator[str]:
    states = ", ".join(f"{state} {count:,}" for state, count in score.states.items())
    yield f"States: {states}."
    yield f"Absent quotations, of all: {score.absent_quotes}."
    if score.swap_consistent.n:
        yield f"Both orders agree: {score.swap_consistent}."
    if score.agrees.n:
        yield f"Results of the log that our reading of the same text confirms: {score.agrees}."
    if score.again:
        yield f"Judged again, the last judgement being the one that counts: {score.again:,}."
    cost = score.cost
    if cost.seconds is not None and cost.median_seconds is not None:
        yield f"Seconds: {cost.seconds:,.0f} in all rollouts, median {cost.median_seconds:,.2f}."
    if cost.completion_tokens is not None and cost.median_tokens is not None:
        yield (
            f"Tokens written: {cost.completion_tokens:,}, median {cost.median_tokens:,.0f}; "
            f"read: {cost.prompt_tokens or 0:,}."
        )
