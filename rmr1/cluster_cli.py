"""The command of the cluster: `rmr1 judge-parquet`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from rmr1.cli import changed_plan, load_settings, print_json
from rmr1.cluster import Cluster, Tally, Work, judge_parquet
from rmr1.errors import BackendError

app = typer.Typer()


@app.command("judge-parquet")
def judge_parquet_command(
    source: Annotated[Path, typer.Argument(help="a Parquet file of pairs, or a folder of some")],
    out: Annotated[Path, typer.Option(help="folder of the judgements; an existing one goes on")],
    actors: Annotated[int, typer.Option(min=1, help="judges at work at once")] = 1,
    cpus: Annotated[float, typer.Option(min=0, help="CPUs that each of them holds")] = 1.0,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs that each of them holds")] = 0.0,
    address: Annotated[
        str, typer.Option(help="of a running Ray cluster, or auto; by default one starts here")
    ] = "",
    rows: Annotated[
        int, typer.Option(min=1, help="rows of a part, the unit that is resumed")
    ] = 512,
    orders: Annotated[str | None, typer.Option(help="AB, BA or both")] = None,
    votes: Annotated[int | None, typer.Option(help="rollouts for each order")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="budget of one rollout")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the first rollout")] = None,
    profile: Annotated[str | None, typer.Option(help="prompt profile: a name or a file")] = None,
    adapter: Annotated[str | None, typer.Option(help='a name; "" for none')] = None,
) -> None:
    """Judge the pairs of Parquet files on a Ray cluster, each actor with a judge of its own.

    Columns are those of `rmr1 judge`: prompt, response_a and response_b, or chosen and rejected.
    Killed at any moment it goes on with the parts that are not there yet. Exits with 1 if a backend
    failed on any pair; the next run judges those again. A row that holds no pair stops nothing: its
    reason stands in the result.
    """
    settings = load_settings()
    chosen = {
        "orders": orders,
        "votes": votes,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
    }
    plan = changed_plan(settings.plan, chosen)
    work = Work(settings.backend, plan, profile or settings.profile, adapter, rows)
    total = Tally()
    with tqdm(unit="part", disable=not sys.stderr.isatty()) as bar:
        running = judge_parquet(source, out, work, Cluster(address, actors, cpus, gpus))
        bar.total, total = next(running)
        for _, tally in running:
            total += tally
            bar.update()
    print_json({"judged": total.judged, "failed": total.failed, "unusable": total.unusable})
    if total.failed:
        raise BackendError(f"the judge failed on {total.failed} pairs: run it again.")
