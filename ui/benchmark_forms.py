"""What the Benchmarks page's form asks for: read, checked, and made a run."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rmr1.benchmark.catalogue import by_name
from rmr1.errors import InputError, RMR1Error, first_problem
from rmr1.plan import Plan
from storage import benchmark_runs, runs
from storage.benchmark_runs import Order
from ui.bencher import BenchmarkCommand
from ui.benchmarks_views import benchmark_choices
from ui.context import Studio
from ui.views import View

NO_COMMAND = "This studio was started without a way to run benchmarks: it shows runs, starts none."

PLANS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "published": (
        "One order, greedy, as published",
        {"orders": "AB", "votes": 1, "temperature": 0.0, "stop_at": None},
    ),
    "both": (
        "Both orders, greedy",
        {"orders": "both", "votes": 1, "temperature": 0.0, "stop_at": None},
    ),
    "votes": (
        "Four votes",
        {"orders": "AB", "votes": 4, "temperature": 0.7, "stop_at": None},
    ),
    "adaptive": (
        "Up to eight votes, stopping early",
        {"orders": "AB", "votes": 8, "temperature": 0.7, "stop_at": 0.95},
    ),
}
"""Plans to choose from: words, and what differs from the judge's own plan."""

_LONGEST_PATH = 1_000


def choices(studio: Studio) -> View:
    """What the form offers."""
    local = studio.data_dir / "benchmarks" / "data"
    return {
        "benchmarks": benchmark_choices(),
        "judges": list(studio.judges),
        "plans": [[name, title] for name, (title, _) in PLANS.items()],
        "max_tokens": studio.plan.max_tokens,
        "can_start": studio.benchmarks is not None,
        "why_not": "" if studio.benchmarks else NO_COMMAND,
        "found": sorted(str(path) for path in local.iterdir()) if local.is_dir() else [],
    }


def order_of(studio: Studio, form: Mapping[str, Any]) -> Order:
    """What the form asks for.

    Raises:
        InputError: a field cannot be used; the sentence names it.
    """
    benchmark = by_name(str(form.get("benchmark") or ""))
    judge = str(form.get("judge") or "")
    if judge not in studio.judges:
        raise InputError(f"There is no judge {judge[:80]!r}: choose one of the list.")
    preset = PLANS.get(str(form.get("plan") or "published"))
    if preset is None:
        raise InputError("There is no such plan: choose one of the list.")
    base = studio.plans.get(judge, studio.plan)
    given = {**preset[1], "max_tokens": _whole(form, "max_tokens", "Most tokens")}
    try:
        plan = Plan.model_validate(
            {
                **base.model_dump(),
                **{k: v for k, v in given.items() if k == "stop_at" or v is not None},
            }
        )
        return Order(
            benchmark=benchmark.name,
            data=_data(form, benchmark.title, benchmark.origin),
            sample=_whole(form, "sample", "Sample"),
            seed=_whole(form, "seed", "Seed") or 0,
            judge=judge,
            plan=plan,
        )
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{where.replace('_', ' ').capitalize()}: {what}.") from error


def _data(form: Mapping[str, Any], title: str, origin: str) -> str:
    data = str(form.get("data") or "").strip()
    if not data:
        raise InputError(f"Say where {title} is: a file, a folder, or {origin}.")
    if len(data) > _LONGEST_PATH or not data.isprintable():
        raise InputError("The data's path is too long, or holds characters that no path has.")
    if data.startswith("hub:"):
        return data
    try:
        there = Path(data).exists()
    except OSError as error:
        raise InputError(f"{data!r} cannot be looked at: {error.strerror}.") from error
    if not there:
        raise InputError(
            f"{data!r} is neither a file nor a folder on the studio's machine, nor hub:OWNER/NAME: "
            f"{title} is to be had from {origin}."
        )
    return str(Path(data).resolve())


def _whole(form: Mapping[str, Any], name: str, words: str) -> int | None:
    text = str(form.get(name) if form.get(name) is not None else "").strip().replace(",", "")
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise InputError(f"{words}: {text[:40]!r} is no whole number.")
    return int(text)


def start(studio: Studio, form: Mapping[str, Any]) -> int:
    """Open a run, and start the process that works on it.

    Returns:
        Its id.

    Raises:
        InputError: a field cannot be used, or this studio starts no runs.
        ConfigurationError: the process cannot be started.
    """
    command = command_of(studio)
    order = order_of(studio, form)
    with studio.database.write() as session:
        run_id = benchmark_runs.open_run(session, order, by=str(form.get("by") or ""))
    _launch(studio, command, run_id)
    return run_id


def resume(studio: Studio, run_id: int) -> None:
    """Let a run that has ended early go on.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it still runs, has reached its end, or this studio starts no runs.
        ConfigurationError: the process cannot be started.
    """
    command = command_of(studio)
    with studio.database.write() as session:
        benchmark_runs.reopen(session, run_id)
    _launch(studio, command, run_id)


def _launch(studio: Studio, command: BenchmarkCommand, run_id: int) -> None:
    try:
        command.start(studio.database, run_id)
    except RMR1Error as error:
        with studio.database.write() as session:
            runs.finish(session, run_id, state="failed", message=str(error))
        raise


def command_of(studio: Studio) -> BenchmarkCommand:
    """How runs are started.

    Raises:
        InputError: this studio starts none.
    """
    if studio.benchmarks is None:
        raise InputError(NO_COMMAND)
    return studio.benchmarks


def command_line(studio: Studio, form: Mapping[str, Any]) -> str:
    """The same as a command for a terminal; "" where the form cannot be used."""
    try:
        order = order_of(studio, form)
    except InputError:
        return ""
    plan = order.plan
    parts = ["rmr1", "bench", "run", order.benchmark, "--data", order.data, "--out", "judged.jsonl"]
    parts += ["--sample", str(order.sample)] if order.sample else []
    parts += ["--seed", str(order.seed), "--orders", plan.orders, "--votes", str(plan.votes)]
    parts += ["--temperature", f"{plan.temperature:g}", "--max-tokens", str(plan.max_tokens)]
    parts += ["--adaptive", f"{plan.stop_at:g}"] if plan.stop_at is not None else []
    return f"{shlex.join(parts)} && rmr1 bench keep judged.jsonl"
