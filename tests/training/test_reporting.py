import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rmr1.errors import StorageError
from storage import runs, trainings
from storage.database import Database
from training.reporting import Reporter, figures_of


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path / 'database.sqlite'}") as opened:
        yield opened


@pytest.fixture
def run_id(database: Database) -> int:
    with database.write() as session:
        return trainings.open_run(session, "a run", {})


def test_figures_get_the_stores_names() -> None:
    logs = {
        "loss": "1.5",
        "num_tokens": 120.0,
        "rewards/published/mean": -0.5,
        "rewards/published/std": 0.1,
        "completions/mean_length": 88.0,
        "completions/clipped_ratio": 0.25,
        "no_verdict": 0.5,
        "kl": None,
        "epoch": 0.3,
        "train_runtime": 4.0,
    }
    assert figures_of(logs) == {
        "loss": 1.5,
        "tokens": 120.0,
        "reward/published": -0.5,
        "length": 88.0,
        "clipped": 0.25,
        "no_verdict": 0.5,
    }


def test_figures_of_the_validation_split_say_so() -> None:
    logs = {
        "eval_loss": 2.0,
        "eval_reward": 0.5,
        "eval_rewards/format/mean": 1.0,
        "eval_runtime": 1,
    }
    assert figures_of(logs) == {"eval_loss": 2.0, "eval_reward": 0.5, "eval_reward/format": 1.0}


def test_a_run_that_goes_on_forgets_later_figures(database: Database, run_id: int) -> None:
    reporter = Reporter(database, run_id)
    reporter.begin(0, 10)
    for step in (1, 2, 3):
        reporter.figures(step, {"loss": float(step)})
        reporter.samples(step, [{"text": str(step)}])
    reporter.flush()
    reporter.begin(2, 10)
    reporter.flush()
    with database.read() as session:
        assert [p.step for p in trainings.metrics(session, run_id)] == [1, 2]
        assert {one.step for one in trainings.samples(session, run_id)} == {1, 2}
        assert runs.get(session, run_id).counts == {"step": 2, "steps": 10}


def test_a_busy_store_stops_no_run_and_is_told_later(
    database: Database, run_id: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy() -> Any:
        raise StorageError("The database is busy.")

    store = SimpleNamespace(write=busy)
    reporter = Reporter(store, run_id)  # type: ignore[arg-type]  # a fake
    reporter.figures(1, {"loss": 1.0})
    reporter.flush()
    assert "The database is busy." in capsys.readouterr().err
    store.write = database.write
    reporter.flush()
    reporter.flush()
    with database.read() as session:
        assert [point.value for point in trainings.metrics(session, run_id)] == [1.0]


def test_signs_of_life_and_a_request_to_stop(
    database: Database, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr("training.reporting.BEAT_S", 0.02)
    with database.write() as session:
        trainings.ask_to_stop(session, run_id)
    try:
        with Reporter(database, run_id) as reporter:
            assert reporter.stop_asked.wait(20)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    with database.read() as session:
        assert trainings.get(session, run_id).pid == os.getpid()
