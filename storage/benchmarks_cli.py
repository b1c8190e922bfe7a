"""Commands for benchmark runs in the store: keep judged files, list runs, work on one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from rmr1.benchmark.catalogue import by_name
from storage import benchmark_keeping, benchmark_runs, benchmarks
from storage.console import DatabaseUrl, opened, say

app = typer.Typer(no_args_is_help=True)

Work = Callable[[int], None]


@app.command()
def keep(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="judgements or released RM-R1 logs, or folders of them")
    ],
    benchmark: Annotated[
        str | None,
        typer.Option(help="count all pairs as of this one; by default their source tells"),
    ] = None,
    database: DatabaseUrl = "",
) -> None:
    """Bring judged benchmarks into the database, for the Benchmarks page; nothing comes twice."""
    known = by_name(benchmark) if benchmark else None
    with opened(context, database) as store:
        kept = benchmark_keeping.keep_files(store, paths, known)
        with store.read() as session:
            for run_id, new in kept.runs.items():
                found = benchmarks.record_of(session, run_id)
                say(
                    {
                        "run": run_id,
                        "name": benchmark_runs.get(session, run_id).run.name,
                        "new_judgements": new,
                        "judged": found and found["judged"],
                        "score": found and found["headline"]["value"],
                    }
                )
    if kept.unusable:
        say({"unusable_rows": kept.unusable, "such_as": kept.reasons})


@app.command("list")
def list_runs(context: typer.Context, database: DatabaseUrl = "") -> None:
    """The benchmark runs on record, newest first."""
    with opened(context, database) as store, store.read() as session:
        for found in benchmark_runs.recent(session):
            run = found.run
            say({"run": run.id, "name": run.name, "state": found.state(), "counts": run.counts})
