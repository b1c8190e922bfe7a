"""Benchmark runs from opening to end: what is asked, signs of life, progress, the wish to stop."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.manifest import Manifest
from rmr1.errors import InputError, RecordNotFound
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.plan import Plan
from storage import runs
from storage.benchmark_tables import BenchmarkRow
from storage.columns import JsonObject, utc_now
from storage.runs import Run
from storage.tables import RunRow

SILENCE = timedelta(seconds=45)
"""How long a process may say nothing before it is taken for dead; loading a judge is silent."""

RESULTS = "judged.jsonl"
"""The file of judgements in a run's folder."""


class Order(BaseModel):
    """What a benchmark run is asked to judge, by whom and how."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    benchmark: str
    data: str = Field(description="a file or folder as published, or hub:OWNER/NAME")
    sample: int | None = Field(default=None, ge=1, description="prompts; None for all")
    seed: int = Field(default=0, ge=0, lt=2**31, description="of the sample and of the sides")
    judge: str = Field(default="", description="title of the judge that is to be asked")
    plan: Plan


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """A run of the kind `benchmark`, with the process that does its work."""

    run: Run
    pid: int | None
    beat_at: datetime
    stop_asked_at: datetime | None

    def state(self, now: datetime | None = None) -> str:
        """The run's state as it is to be shown: `stopping`, or `lost` where its process is gone."""
        if self.run.state != "running":
            return self.run.state
        if (now or utc_now()) - self.beat_at >= SILENCE:
            return "lost"
        return "stopping" if self.stop_asked_at else "running"


def folder_of(data_dir: Path, run_id: int) -> Path:
    """Where a run keeps its judgements and its log."""
    return data_dir.resolve() / "benchmarks" / str(run_id)


def open_run(session: Session, order: Order, **more: object) -> int:
    """Put a benchmark run on record as running, before its process exists; its id.

    Args:
        more: further parameters to keep.
    """
    params: JsonObject = {**order.model_dump(mode="json"), **more}
    name = f"{by_name(order.benchmark).title}: {order.judge}"
    run_id = runs.start(session, "benchmark", name, params)
    session.add(BenchmarkRow(run_id=run_id))
    session.flush()
    return run_id


def reopen(session: Session, run_id: int) -> None:
    """Put a run that has ended early on record as running again, to be gone on with.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it still runs, has reached its end, or was brought in from files.
    """
    found = get(session, run_id)
    if found.state() in {"running", "stopping"}:
        raise InputError(f"Benchmark run {run_id} still runs: stop it first.")
    if found.run.state == "finished":
        raise InputError(f"Benchmark run {run_id} has reached its end: start a new one.")
    runs.reopen(session, run_id)
    row = session.get_one(BenchmarkRow, run_id)
    row.pid = row.stop_asked_at = None
    row.beat_at = utc_now()


def beat(session: Session, run_id: int) -> bool:
    """A sign of life of this process; whether somebody asked it to stop."""
    asked = session.execute(
        update(BenchmarkRow)
        .where(BenchmarkRow.run_id == run_id)
        .values(pid=os.getpid(), host=socket.gethostname(), beat_at=utc_now())
        .returning(BenchmarkRow.stop_asked_at)
    ).one_or_none()
    return asked is None or asked[0] is not None


def note(session: Session, run_id: int, params: JsonObject) -> None:
    """Add to what a run was started with."""
    row = session.get_one(RunRow, run_id)
    row.params = row.params | params


def recognise(session: Session, run_id: int, version: JudgeVersion) -> None:
    """Note the judge version of a run, which is to stay the same when the run goes on.

    Raises:
        InputError: the run was begun with another one.
    """
    known = session.get_one(RunRow, run_id).params.get("version")
    if known and known != version.hash:
        raise InputError(
            f"Benchmark run {run_id} was begun with another version of its judge: start a new one."
        )
    note(session, run_id, {"version": version.hash, "judge_title": version.title})


def ask_to_stop(session: Session, run_id: int) -> None:
    """Ask a run to stop after the pairs that it is at; asking again changes nothing.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it does not run.
    """
    state = get(session, run_id).state()
    if state not in {"running", "stopping"}:
        raise InputError(f"Benchmark run {run_id} does not run (it is {state}).")
    row = session.get_one(BenchmarkRow, run_id)
    row.stop_asked_at = row.stop_asked_at or utc_now()


def get(session: Session, run_id: int) -> BenchmarkRun:
    """The benchmark run with this id.

    Raises:
        RecordNotFound: there is none.
    """
    row = session.get(BenchmarkRow, run_id)
    if row is None:
        raise RecordNotFound(f"There is no benchmark run {run_id}.")
    return _run(row)


def recent(session: Session, limit: int = 200) -> list[BenchmarkRun]:
    """The newest benchmark runs, newest first."""
    newest = select(BenchmarkRow).order_by(BenchmarkRow.run_id.desc()).limit(limit)
    return [_run(row) for row in session.scalars(newest)]


def _run(row: BenchmarkRow) -> BenchmarkRun:
    return BenchmarkRun(
        run=runs.from_row(row.run),
        pid=row.pid,
        beat_at=row.beat_at,
        stop_asked_at=row.stop_asked_at,
    )


def open_kept(
    session: Session,
    benchmark: Benchmark,
    judgement: Judgement,
    path: Path,
    manifest: Manifest | None,
) -> int:
    """The run that judgements of a file belong to: the one that they came from, else a new one.

    Args:
        judgement: one of them; all of the run are of its judge and plan.
        path: the file or folder that was named.
        manifest: what the run that wrote the file was asked.
    """
    version, plan = judgement.version, judgement.plan
    order = Order(
        benchmark=benchmark.name,
        data=manifest.data if manifest else str(path.resolve()),
        sample=manifest.sample if manifest else None,
        seed=manifest.seed if manifest else 0,
        judge=version.title,
        plan=plan,
    )
    same = order.model_dump(mode="json", exclude={"judge"}) | {"version": version.hash}
    for row in session.scalars(select(RunRow).where(RunRow.kind == "benchmark")):
        if {name: row.params.get(name) for name in same} == same:
            _refuse_running(session, row.id)
            if manifest:
                note(session, row.id, {"manifest": manifest.model_dump()})
            return row.id
    more: JsonObject = {"manifest": manifest.model_dump()} if manifest else {}
    more |= {"version": version.hash, "judge_title": version.title, "kept": True}
    run_id = open_run(session, order, **more)
    runs.finish(session, run_id, state="stopped", message="Its files were not read to their end.")
    return run_id


def _refuse_running(session: Session, run_id: int) -> None:
    if get(session, run_id).state() in {"running", "stopping"}:
        raise InputError(
            f"Benchmark run {run_id} is judging the same right now and keeps it itself: wait for "
            "its end, or stop it."
        )
