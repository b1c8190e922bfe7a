"""Trainings while they run: signs of life, curves, samples, and the request to stop.

A training is written by a process of its own and read by pages and commands. Every verb is one
or two statements, so that a write block around it is over at once. It ends by `runs.finish`.
"""

import math
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from storage import runs
from storage.columns import JsonObject, utc_now
from storage.runs import Run
from storage.tables import RunRow
from storage.training_tables import MetricRow, TrainingRow, TrainingSampleRow

SILENCE = timedelta(seconds=30)
"""How long a process may say nothing before it is taken for dead."""


@dataclass(frozen=True, slots=True)
class Training:
    """A run of the kind `training`, with the process that does its work.

    Attributes:
        pid: None until the process has said so itself.
        beat_at: the last sign of life; at first the moment when the run was opened.
        stop_asked_at: when somebody asked it to stop; None if nobody did.
    """

    run: Run
    pid: int | None
    host: str
    beat_at: datetime
    stop_asked_at: datetime | None

    def state(self, now: datetime | None = None) -> str:
        """The run's state as it is to be shown: `lost` where a running one has gone silent."""
        silent = self.run.state == "running" and not is_alive(self, now)
        return "lost" if silent else self.run.state


class Point(NamedTuple):
    """A figure at a step; `value` is None where it was no finite number."""

    step: int
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a training drew at a step: prompt, text, scores, as the trainer names them."""

    step: int
    content: JsonObject


def open_run(session: Session, name: str, params: JsonObject | None = None) -> int:
    """Put a training on record as running, before its process exists; its id.

    The process has `SILENCE` to give its first sign of life.
    """
    run_id = runs.start(session, "training", name, params)
    session.add(TrainingRow(run_id=run_id))
    session.flush()
    return run_id


def reopen(session: Session, run_id: int) -> None:
    """Put a training that has ended early on record as running again, to be gone on with.

    Raises:
        RecordNotFound: there is no such training.
        InputError: it still runs, or it has reached its end.
    """
    training = get(session, run_id)
    if training.run.state == "running" and is_alive(training):
        raise InputError(f"Training {run_id} still runs (process {training.pid}): stop it first.")
    if training.run.state == "finished":
        raise InputError(f"Training {run_id} has reached its end: start a new one.")
    runs.reopen(session, run_id)
    row = session.get_one(TrainingRow, run_id)
    row.pid = row.stop_asked_at = None
    row.host = ""
    row.beat_at = utc_now()


def beat(session: Session, run_id: int, pid: int) -> None:
    """A sign of life of the process `pid` on this host; one taken for lost is running again.

    Raises:
        RecordNotFound: there is no such training.
    """
    beaten = session.scalar(
        update(TrainingRow)
        .where(TrainingRow.run_id == run_id)
        .values(pid=pid, host=socket.gethostname(), beat_at=utc_now())
        .returning(TrainingRow.run_id)
    )
    if beaten is None:
        raise RecordNotFound(f"There is no training {run_id}.")
    session.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.state == "lost")
        .values(state="running", message="", finished_at=None)
    )


def log_metrics(session: Session, run_id: int, step: int, figures: Mapping[str, float]) -> None:
    """Put figures of a step on record; one of a name that the step already has is replaced."""
    if not figures:
        return
    of_step = (MetricRow.run_id == run_id, MetricRow.step == step)
    session.execute(delete(MetricRow).where(*of_step, MetricRow.name.in_(figures)))
    rows = [
        {"run_id": run_id, "step": step, "name": name, "value": _finite(value)}
        for name, value in figures.items()
    ]
    session.execute(insert(MetricRow), rows)


def log_samples(session: Session, run_id: int, step: int, samples: Sequence[JsonObject]) -> None:
    """Put samples of a step on record, beside those that it has."""
    rows = [{"run_id": run_id, "step": step, "content": _plain(one)} for one in samples]
    if rows:
        session.execute(insert(TrainingSampleRow), rows)


def forget_metrics_after(session: Session, run_id: int, step: int) -> None:
    """Remove the figures of later steps: a run that goes on from `step` makes them anew."""
    session.execute(delete(MetricRow).where(MetricRow.run_id == run_id, MetricRow.step > step))


def forget_samples_after(session: Session, run_id: int, step: int) -> None:
    """Remove the samples of later steps: a run that goes on from `step` makes them anew."""
    table = TrainingSampleRow
    session.execute(delete(table).where(table.run_id == run_id, table.step > step))


def metrics(session: Session, run_id: int, after_step: int = -1) -> list[Point]:
    """The figures of the steps after `after_step`, by step and name.

    A step may get further figures later (an evaluation after its training step): who follows a
    run asks again from before the last step it has seen, or for everything.
    """
    rows = session.execute(
        select(MetricRow.step, MetricRow.name, MetricRow.value)
        .where(MetricRow.run_id == run_id, MetricRow.step > after_step)
        .order_by(MetricRow.step, MetricRow.name)
    )
    return [Point(*row) for row in rows]


def samples(session: Session, run_id: int, limit: int = 20) -> list[Sample]:
    """The samples of the newest steps, newest step first; within a step as they were drawn."""
    table = TrainingSampleRow
    rows = session.execute(
        select(table.step, table.content)
        .where(table.run_id == run_id)
        .order_by(table.step.desc(), table.id)
        .limit(limit)
    )
    return [Sample(*row) for row in rows]


def ask_to_stop(session: Session, run_id: int) -> None:
    """Ask a training to stop at its next step; asking again changes nothing.

    Raises:
        RecordNotFound: there is no such training.
        InputError: it does not run.
    """
    state = get(session, run_id).state()
    if state != "running":
        raise InputError(f"Training {run_id} does not run (it is {state}).")
    row = session.get_one(TrainingRow, run_id)
    row.stop_asked_at = row.stop_asked_at or utc_now()


def is_asked_to_stop(session: Session, run_id: int) -> bool:
    """Whether somebody asked this training to stop."""
    asked = select(TrainingRow.stop_asked_at).where(TrainingRow.run_id == run_id)
    return session.scalar(asked) is not None


def is_alive(training: Training, now: datetime | None = None) -> bool:
    """Whether its process gave a sign of life within `SILENCE`.

    Args:
        now: the moment that is asked about; the present by default.
    """
    return (now or utc_now()) - training.beat_at < SILENCE


def mark_lost(session: Session, now: datetime | None = None) -> list[int]:
    """Note the running trainings that have gone silent as lost; their ids.

    Args:
        now: the moment that is asked about; the present by default.
    """
    silent = TrainingRow.beat_at <= (now or utc_now()) - SILENCE
    rows = session.scalars(
        select(TrainingRow).join(TrainingRow.run).where(RunRow.state == "running", silent)
    ).all()
    for row in rows:
        where = f"process {row.pid} on {row.host}" if row.pid else "its process"
        message = f"The last sign of life of {where} came at {row.beat_at:%Y-%m-%d %H:%M:%S} UTC."
        runs.finish(session, row.run_id, state="lost", message=message)
    return [row.run_id for row in rows]


def get(session: Session, run_id: int) -> Training:
    """The training with this id.

    Raises:
        RecordNotFound: there is none.
    """
    row = session.get(TrainingRow, run_id)
    if row is None:
        raise RecordNotFound(f"There is no training {run_id}.")
    return _training(row)


def recent(session: Session, limit: int = 50) -> list[Training]:
    """The newest trainings, newest first."""
    newest = select(TrainingRow).order_by(TrainingRow.run_id.desc()).limit(limit)
    return [_training(row) for row in session.scalars(newest)]


def _training(row: TrainingRow) -> Training:
    return Training(
        run=runs.from_row(row.run),
        pid=row.pid,
        host=row.host,
        beat_at=row.beat_at,
        stop_asked_at=row.stop_asked_at,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: object) -> object:
    """`value` without numbers that JSON does not have: a reward may be missing."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _finite(value) if isinstance(value, float) else value
