"""The command that draws test-time scaling out of a run with many votes."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rmr1.cli import judged_alike, print_json
from rmr1.errors import InputError

app = typer.Typer()


@app.command()
def scale(
    results: Annotated[str, typer.Argument(help="what `rmr1 judge --out` wrote, or -")],
    html: Annotated[
        Path | None, typer.Option(help="write figures and tables to this file, too")
    ] = None,
    replays: Annotated[int, typer.Option(min=1, help="shuffles of the votes for each point")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of shuffles and intervals")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON object a judge")] = False,
) -> None:
    """Accuracy against tokens and seconds: votes, orders, budgets, early stop; and calibration.

    Everything is worked out from one run that drew many votes of every pair, such as
    `rmr1 judge PAIRS --votes 8 --orders both --temperature 1 --out RESULTS.jsonl`; a report for
    each judge and plan in the file.
    """
    # Imported late: numpy and statsmodels take long, Plotly longer, and other commands need none.
    from rmr1.scaling import scale as scaled
    from rmr1.scaling_text import scaling_text

    given = judged_alike(results)
    if not given:
        raise InputError(f"{results}: holds no judgement.")
    whole = [alike for alike in given if alike[0].plan.stop_at is None]
    if whole and len(whole) < len(given):
        left_out = len(given) - len(whole)
        sys.stderr.write(f"rmr1: runs left out because they stopped voting early: {left_out}.\n")
    found = [scaled(alike, replays=replays, seed=seed) for alike in whole or given]
    for one in found:
        if as_json:
            print_json({"judge": asdict(one.version), **one.as_record()})
        else:
            sys.stdout.write(f"### {one.version.title}\n\n{scaling_text(one)}\n")
    if html:
        from ui.scaling_report import report_html

        try:
            html.write_text(report_html(found), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{html}: cannot be written: {error.strerror}.") from error
