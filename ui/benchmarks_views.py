"""Benchmark runs beside the paper's tables as the dictionaries that the page paints; no Gradio."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from sqlalchemy.orm import Session

from rmr1.benchmark.catalogue import BENCHMARKS, by_name
from rmr1.benchmark.outcome import RULES, Rule
from rmr1.benchmark.paper import PaperTable, paper_tables
from rmr1.benchmark.report import ALONE, printed_beside, printed_rows, whole_rows
from rmr1.errors import InputError, RecordNotFound
from storage import benchmark_runs, benchmarks
from storage.benchmark_parts import EFFECTS, SLICES, part_name
from storage.benchmark_runs import BenchmarkRun
from storage.database import Database
from storage.filters import JudgementFilter
from ui.benchmark_figures import (
    Record,
    cost_words,
    costs,
    figure_view,
    plan_words,
    shares,
    table_view,
)
from ui.benchmark_progress import can_resume, progress_view
from ui.views import View

RULE_NAMES: Mapping[Rule, str] = {
    "published": "RM-R1's evaluation",
    "upstream": "RewardBench's own",
    "own": "this project's",
}

MOST_LIVE = 2_000
"""Judgements of a run that is scored anew at each look while it goes on."""


def page_view(database: Database, asked: Mapping[str, Any]) -> View:
    """Everything on the page.

    Args:
        asked: `run`, the chosen run's id or None, and `rule`.

    Returns:
        The runs, the main table, and the chosen run's details or why there are none.
    """
    rule = rule_of(asked.get("rule"))
    wanted = asked.get("run")
    with database.read() as session:
        found = benchmark_runs.recent(session)
        records = {one.run.id: _record(session, one, rule, wanted) for one in found}
        view: View = {
            "asked": [wanted, str(asked.get("rule") or rule)[:80]],
            "rules": [[name, RULE_NAMES[name], text] for name, text in RULES.items()],
            "rule": rule,
            "runs": [run_row(one, records[one.run.id], rule) for one in found],
            "live": any(one.state() in {"running", "stopping"} for one in found),
            "main": main_view(found, records, rule),
            "alone": [whole_view(paper_tables()[name]) for name in ALONE],
            "run": None,
            "problem": "",
        }
        if isinstance(wanted, int):
            try:
                view["run"] = run_view(session, wanted, rule, found, records)
            except (InputError, RecordNotFound) as error:
                view["problem"] = str(error)
    return view


def _record(session: Session, one: BenchmarkRun, rule: Rule, wanted: object) -> Record | None:
    """A run's score; while it runs only the chosen one's, and only while that is soon made."""
    goes_on = one.state() in {"running", "stopping"}
    if goes_on and (one.run.id != wanted or one.run.counts.get("done", 0) > MOST_LIVE):
        return None
    return benchmarks.record_of(session, one.run.id, rule)


def rule_of(given: object) -> Rule:
    """The rule of a name; the published one where it is none."""
    return next((rule for rule in get_args(Rule) if rule == given), "published")


def run_row(one: BenchmarkRun, record: Record | None, rule: Rule) -> View:
    """A run in the list."""
    params, counts = one.run.params, one.run.counts
    benchmark = by_name(params["benchmark"])
    return {
        "id": one.run.id,
        "benchmark": benchmark.title,
        "judge": params.get("judge_title") or params.get("judge") or "",
        "plan": plan_words(params["plan"]),
        "state": one.state(),
        "at": f"{one.run.created_at:%Y-%m-%d %H:%M}",
        "of": benchmark.size,
        "judged": record["judged"] if record else counts.get("done", 0),
        "figure": record and figure_view(record["headline"], one.run.id, _headline(record), rule),
        "cost": cost_words(record) if record else [],
    }


def _headline(record: Record) -> str:
    title, table = next(iter(record["tables"].items()))
    return part_name(title, list(table["figures"])[-1])


def main_view(
    found: Sequence[BenchmarkRun], records: Mapping[int, Record | None], rule: Rule
) -> View:
    """The paper's main table with our judges above: a row for each judge and plan."""
    main = paper_tables()["main"]
    titles = main.columns[:-1]
    ours: dict[tuple[str, str], dict[str, BenchmarkRun]] = {}
    for one in found:  # newest first; the largest of a benchmark counts
        params, record = one.run.params, records[one.run.id]
        title = by_name(params["benchmark"]).title
        if record is None or title not in titles:
            continue
        row = ours.setdefault((record["judge"]["hash"], str(params["plan"])), {})
        held = row.get(title)
        before = records[held.run.id] if held else None
        if before is None or before["judged"] < record["judged"]:
            row[title] = one
    return {
        "columns": list(main.columns),
        "ours": [_main_row(row, records, titles, rule) for row in ours.values()],
        "printed": printed_view(main, main.columns),
    }


def _main_row(
    row: Mapping[str, BenchmarkRun],
    records: Mapping[int, Record | None],
    titles: Sequence[str],
    rule: Rule,
) -> View:
    cells: list[View | None] = []
    for title in titles:
        run_id = row[title].run.id if title in row else 0
        record = records.get(run_id)
        cells.append(
            figure_view(record["headline"], run_id, _headline(record), rule) if record else None
        )
    known = [cell["value"] for cell in cells if cell and cell["value"] is not None]
    whole = len(known) == len(titles)
    mean = f"{100 * sum(known) / len(known):.2f}" if whole else ""
    first = next(iter(row.values())).run.params
    return {
        "name": first.get("judge_title") or first.get("judge"),
        "plan": plan_words(first["plan"]),
        "cells": cells,
        "average": mean,
        "why": "" if whole else "only where all three are judged",
    }


def printed_view(table: PaperTable, columns: Sequence[str]) -> View:
    """A printed table's rows: RM-R1's, and the best of every other group."""
    return {
        "title": table.title,
        "citation": table.citation,
        "note": table.note,
        "approximate": table.approximate,
        "rows": [list(row) for row in printed_rows(table, columns)],
    }


def whole_view(table: PaperTable) -> View:
    """A printed table with all its rows."""
    return {
        "title": table.title,
        "citation": table.citation,
        "note": table.note,
        "columns": list(table.columns),
        "rows": whole_rows(table),
    }


def run_view(
    session: Session,
    run_id: int,
    rule: Rule,
    found: Sequence[BenchmarkRun],
    records: Mapping[int, Record | None],
) -> View:
    """One run: how far it is, its tables beside the paper's, and what they hide.

    Raises:
        RecordNotFound: there is no such run.
    """
    one = benchmark_runs.get(session, run_id)
    params = one.run.params
    benchmark = by_name(params["benchmark"])
    record = records[run_id] if run_id in records else benchmarks.record_of(session, run_id, rule)
    others = [
        (other.run, record_of_other)
        for other in found
        if other.run.id != run_id and other.run.params["benchmark"] == benchmark.name
        if (record_of_other := records[other.run.id])
    ]
    view: View = {
        "id": run_id,
        "title": f"{benchmark.title}: {params.get('judge_title') or params.get('judge')}",
        "name": benchmark.name,
        "plan": plan_words(params["plan"]),
        "data": params["data"],
        "state": one.state(),
        "message": one.run.message,
        "progress": progress_view(one, time.time()),
        "can_stop": one.state() in {"running", "stopping"},
        "can_resume": can_resume(one),
        "facts": facts(params),
        "score": None,
    }
    if record:
        view["score"] = score_view(record, run_id, rule, others)
    return view


def facts(params: Mapping[str, Any]) -> list[list[str]]:
    """What the run was asked."""
    manifest = params.get("manifest") or {}
    sample = params.get("sample")
    rows = [
        ["Data", str(params["data"])],
        ["Sample", f"{sample:,} prompts, seed {params['seed']}" if sample else "all prompts"],
        ["Judge", str(params.get("judge_title") or params.get("judge"))],
        ["Plan", plan_words(params["plan"])],
    ]
    if manifest:
        rows.append(
            [
                "Chosen",
                f"{manifest['prompts']:,} of {manifest['all_prompts']:,} prompts, "
                f"{manifest['pairs']:,} of {manifest['all_pairs']:,} pairs",
            ]
        )
    return rows


def score_view(
    record: Record, run_id: int, rule: Rule, others: Sequence[tuple[Any, Record]]
) -> View:
    """A score: tables, slices, effects, rules, quotations, cost, and what differs in protocol."""
    benchmark = by_name(record["benchmark"])
    tables = []
    for title, table in record["tables"].items():
        shown = table_view(title, table, run_id, rule)
        names = list(table["figures"])
        shown["beside"] = [printed_view(one, names) for one in printed_beside(benchmark, title)]
        shown["others"] = [
            {
                "run": run.id,
                "name": run.params.get("judge_title") or run.params.get("judge"),
                "plan": plan_words(run.params["plan"]),
                "cells": [
                    figure_view(figure, run.id, part_name(title, name), rule)
                    for name, figure in other["tables"][title]["figures"].items()
                ],
            }
            for run, other in others
            if list(other["tables"].get(title, {"figures": ()})["figures"]) == names
        ]
        tables.append(shown)
    return {
        "headline": figure_view(record["headline"], run_id, _headline(record), rule),
        "judged": record["judged"],
        "prompts": record["prompts"],
        "of": record["of"],
        "tables": tables,
        "slices": table_view(SLICES, record["slices"], run_id, rule),
        "effects": table_view(EFFECTS, record["effects"], run_id, rule),
        "by_rule": [
            figure_view(figure, run_id, _headline(record), name) | {"name": RULE_NAMES[name]}
            for name, figure in record["headline_by_rule"].items()
        ],
        "differences": list(record["differences"]),
        "shares": shares(record, run_id, rule),
        "states": [
            [state, count, JudgementFilter(benchmark=run_id, state=state).to_query()]
            for state, count in record["states"].items()
        ],
        "cost": costs(record),
    }


def benchmark_choices() -> list[View]:
    """What the form offers."""
    return [
        {"name": one.name, "title": one.title, "size": one.size, "origin": one.origin}
        for one in BENCHMARKS
    ]
