"""The command line of training: recipes, runs, and what becomes of their results.

Results are JSON on standard output; progress goes to standard error.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rmr1.backends.loading import load_backend
from rmr1.batch import judge_many
from rmr1.cli import load_settings
from rmr1.errors import InputError
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import pair_from_record
from rmr1.settings import EmbeddedSettings, Settings
from storage import runs, trainings
from storage.console import DatabaseUrl, opened, say
from storage.database import Database
from storage.trainings import Training
from training import data_cli, launching, mix_cli
from training.checkpoints import ADAPTER
from training.launching import Started
from training.recipe import EMBEDDED, load_recipe, read_overrides, recipe_names

app = typer.Typer(no_args_is_help=True, help="Training: data, runs, results.")
app.add_typer(data_cli.app)
app.add_typer(mix_cli.app)

POLL_S = 1.0

RecipeName = Annotated[str, typer.Argument(help="a packaged recipe or a .toml file")]
Data = Annotated[Path, typer.Option(help="folder of the data set")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="KEY=VALUE of the recipe, such as lora.rank=8")
]
Launcher = Annotated[
    str, typer.Option(help="`accelerate launch ...` or `torchrun ...`, for several processes")
]
Detach = Annotated[bool, typer.Option("--detach", help="say the run's id and return")]
RunId = Annotated[int, typer.Argument(help="id of the run")]


@app.command()
def recipes(
    as_json: Annotated[bool, typer.Option("--json", help="everything, as one JSON list")] = False,
) -> None:
    """The packaged recipes."""
    found = [load_recipe(name) for name in recipe_names()]
    if as_json:
        cards = [
            {
                "name": one.name,
                "title": one.title,
                "description": one.description,
                "kind": one.kind,
                "numbers": one.numbers,
            }
            for one in found
        ]
        sys.stdout.write(json.dumps(cards) + "\n")
        return
    for one in found:
        say({"name": one.name, "kind": one.kind, "description": one.description})


@app.command()
def run(
    context: typer.Context,
    recipe: RecipeName,
    data: Data,
    sets: Set = None,
    launcher: Launcher = "",
    detach: Detach = False,
    database: DatabaseUrl = "",
) -> None:
    """Start a run in a process of its own, and follow it; Ctrl+C asks it to stop."""
    wanted = load_recipe(recipe, read_overrides(sets or []))
    with opened(context, database) as store:
        started = launching.start(_settings(database), store, wanted, data, launcher)
        _follow(store, started, detach=detach)


@app.command()
def resume(
    context: typer.Context, run_id: RunId, detach: Detach = False, database: DatabaseUrl = ""
) -> None:
    """Let a run go on from its last checkpoint, and follow it."""
    with opened(context, database) as store:
        _follow(store, launching.resume(_settings(database), store, run_id), detach=detach)


@app.command()
def stop(context: typer.Context, run_id: RunId, database: DatabaseUrl = "") -> None:
    """Ask a run to stop at its next step, with a checkpoint to go on from."""
    with opened(context, database) as store, store.write() as session:
        trainings.ask_to_stop(session, run_id)
    say({"run": run_id, "asked": "stop"})


@app.command("runs")
def list_runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="the newest so many")] = 20,
    database: DatabaseUrl = "",
) -> None:
    """The newest runs, newest first."""
    with opened(context, database) as store:
        with store.write() as session:
            trainings.mark_lost(session)
        with store.read() as session:
            for training in trainings.recent(session, limit):
                say(_described(training))


@app.command()
def sweep(
    context: typer.Context,
    recipe: RecipeName,
    data: Data,
    pairs: Annotated[
        Path, typer.Option(help="held-out pairs with a known better side, JSON lines")
    ],
    out: Annotated[Path, typer.Option(help="folder of the subsets and the figures; it goes on")],
    sizes: Annotated[str, typer.Option(help="numbers of traces")] = "50,100,200,400,800",
    sets: Set = None,
    max_tokens: Annotated[int, typer.Option(help="budget of one judgement")] = 512,
    seed: Annotated[int, typer.Option(help="of the order in which traces are added")] = 0,
    database: DatabaseUrl = "",
) -> None:
    """Accuracy of the embedded judge against the number of distilled traces it learnt from."""
    from training.sweep import sweep as sweep_sizes

    wanted = load_recipe(recipe, read_overrides(sets or []))
    if wanted.base != EMBEDDED or wanted.kind != "sft":
        raise InputError("A sweep distils the embedded model: choose a recipe that does.")
    held_out = [pair_from_record(row) for row in _json_lines(pairs)]
    plan = Plan(max_tokens=max_tokens)
    with opened(context, database) as store:

        def train(folder: Path) -> Path:
            started = launching.start(_settings(database), store, wanted, folder)
            _follow(store, started, detach=False)
            return launching.run_folder(_settings(database), started.run_id) / ADAPTER

        def judge(adapter: Path) -> Iterator[Judgement]:
            backend = load_backend(EmbeddedSettings(adapters={"sweep": adapter}))
            try:
                judge = Judge(backend, load_profile(wanted.profile), adapter="sweep")
                yield from judge_many(judge, held_out, plan)
            finally:
                backend.close()

        for point in sweep_sizes(data, _sizes(sizes), out, train, judge, seed=seed):
            say(asdict(point))


def _sizes(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--sizes: {text!r} must be numbers, by commas.") from error
    if min(found) < 1:
        raise InputError("--sizes: each must be at least 1.")
    return found


def _json_lines(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read as JSON lines: {error}.") from error


@app.command()
def convert(
    adapter: Annotated[Path, typer.Argument(help="PEFT folder, such as a run's `adapter`")],
    out: Annotated[Path, typer.Option(help="GGUF file to write: the LoRA")],
    merged: Annotated[
        Path | None, typer.Option(help="GGUF file to write too: base and adapter in one, Q8_0")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="GGUF file of the base; by default the embedded one")
    ] = None,
) -> None:
    """Make an adapter fit for the embedded backend."""
    from rmr1.backends.lora import convert_lora, merge_lora  # what no other command needs
    from rmr1.backends.weights import find_weights

    weights = base or find_weights()
    try:
        convert_lora(adapter, out, weights)
        if merged:
            merge_lora(weights, out, merged)
    except OSError as error:
        raise InputError(f"{error.filename or out}: {error.strerror}.") from error
    say({"adapter": str(adapter), "gguf": str(out), "merged": str(merged) if merged else ""})


def _settings(database: str) -> Settings:
    """The settings, with the database that an option names: the run's process must find it."""
    found = load_settings()
    return found.model_copy(update={"database_url": database}) if database else found


def _follow(store: Database, started: Started, *, detach: bool) -> None:
    """Show a run's figures until it ends; its end decides the exit code.

    Raises:
        Exit: the run failed or was lost.
    """
    run_id = started.run_id
    if detach:
        say({"run": run_id})
        return
    sys.stderr.write(f"run {run_id}; its log: rmr1 train runs\n")
    seen = -1
    while started.process.poll() is None:
        try:
            seen = _show(store, run_id, seen)
            time.sleep(POLL_S)
        except KeyboardInterrupt:
            with store.write() as session:
                trainings.ask_to_stop(session, run_id)
            sys.stderr.write("asked to stop; it saves a checkpoint first\n")
    _show(store, run_id, seen)
    with store.write() as session:
        if runs.get(session, run_id).state == "running":
            message = f"Its process ended with exit code {started.process.returncode}."
            runs.finish(session, run_id, state="lost", message=message)
    with store.read() as session:
        training = trainings.get(session, run_id)
    say(_described(training))
    if training.run.state not in ("finished", "stopped"):
        raise typer.Exit(1)


def _show(store: Database, run_id: int, seen: int) -> int:
    """Write the figures of steps after `seen`; the last step."""
    steps: dict[int, list[str]] = {}
    with store.read() as session:
        for point in trainings.metrics(session, run_id, seen):
            value = "-" if point.value is None else f"{point.value:.4g}"
            steps.setdefault(point.step, []).append(f"{point.name} {value}")
    for step, figures in steps.items():
        sys.stderr.write(f"step {step}: {', '.join(figures)}\n")
    return max(steps, default=seen)


def _described(training: Training) -> dict[str, object]:
    run = asdict(training.run)
    return {
        **{name: run[name] for name in ("id", "name", "message", "counts", "params")},
        "state": training.state(),
        "created_at": training.run.created_at,
        "finished_at": training.run.finished_at,
        "pid": training.pid,
        "host": training.host,
        "beat_at": training.beat_at,
    }
