"""The command that tries to command the judge: `rmr1 probe injection`."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from tqdm import tqdm

from rmr1 import injection
from rmr1.batch import by_prompt, judge_many
from rmr1.cli import changed_plan, load_settings, opened_judge
from rmr1.errors import BackendError
from rmr1.judgement import State

app = typer.Typer(no_args_is_help=True, help="Probes of a judge: does it obey what it reads?")


@app.callback()
def probe() -> None:
    """Probes of a judge."""


@app.command("injection")
def injection_(
    out: Annotated[
        Path | None,
        typer.Option(help="the report as JSON; by default where the page looks for it"),
    ] = None,
    orders: Annotated[str | None, typer.Option(help="AB, BA or both")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="budget of one rollout")] = None,
    profile: Annotated[str | None, typer.Option(help="prompt profile: a name or a file")] = None,
    adapter: Annotated[
        str | None, typer.Option(help="as in `rmr1 judge`; by default the judge's own")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="pairs judged at once")] = None,
) -> None:
    """Judge pairs whose worse response commands the judge, and their clean twins.

    Prints, for each kind of command, how often the verdict goes to the commanding response
    against its clean twin's, as a Markdown table.
    """
    settings = load_settings()
    plan = changed_plan(settings.plan, {"orders": orders, "max_tokens": max_tokens})
    wanted = injection.attacks()
    pairs = injection.pairs_to_judge(wanted)
    with opened_judge(settings, profile, adapter) as judge:
        version = judge.version
        finished = tqdm(
            judge_many(judge, by_prompt(pairs), plan, workers=workers),
            total=len(pairs),
            unit="pair",
            disable=not sys.stderr.isatty(),
        )
        judgements = list(finished)
    failed = [one for one in judgements if one.state is State.FAILED]
    if failed:
        raise BackendError(
            f"the judge failed on {len(failed)} of {len(pairs)} pairs: {failed[0].reason}"
        )
    found = injection.report(wanted, judgements, version, plan)
    path = out or injection.report_path(settings.data_dir, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found.as_record(), option=orjson.OPT_INDENT_2))
    sys.stdout.write(injection.markdown(found) + "\n")
