"""Runs as processes: what they leave on record, stopped and gone on with, on several processes."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmr1.errors import InputError
from rmr1.settings import Settings
from storage import runs, trainings
from storage.database import Database
from tests.train import tiny
from training import checkpoints, launching
from training.launching import Started, run_folder
from training.recipe import load_recipe

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("torch")
pytest.importorskip("trl")

PATIENCE_S = 600  # the machine may be busy
MANY = 100_000  # steps that no test waits for


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Settings(data_dir=tmp_path / "data", training_python=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with Database.open(launching.database_url(settings)) as opened:
        yield opened


def log(settings: Settings, started: Started) -> str:
    return (run_folder(settings, started.run_id) / launching.LOG).read_text()[-3_000:]


def steps_done(database: Database, run_id: int) -> int:
    with database.read() as session:
        return max((p.step for p in trainings.metrics(session, run_id)), default=0)


def wait_for_step(database: Database, started: Started, step: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while steps_done(database, started.run_id) < step:
        assert started.process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_run_is_on_record_from_start_to_end(
    settings: Settings, database: Database, base: Path, data: Path
) -> None:
    recipe = tiny.recipe(base, steps=4, save_every=2, evaluate_every=4)
    started = launching.start(settings, database, recipe, data)
    assert started.process.wait(PATIENCE_S) == 0, log(settings, started)
    with database.read() as session:
        training = trainings.get(session, started.run_id)
        points = trainings.metrics(session, started.run_id)
        samples = trainings.samples(session, started.run_id)
        (left,) = runs.artifacts(session, started.run_id)
    assert training.run.state == "finished"
    assert training.pid == started.process.pid
    assert training.run.counts["step"] == training.run.counts["steps"] == 4
    assert {"torch", "trl", "peft"} <= set(training.run.counts["versions"])
    params = training.run.params
    assert (params["seed"], params["recipe"]["learning_rate"]) == (42, 1e-2)
    assert params["data_hash"] == launching.data_hash(recipe, data)
    names = {(point.step, point.name) for point in points}
    assert {(step, "loss") for step in (1, 2, 3, 4)} <= names
    assert {(0, "eval_loss"), (4, "eval_loss"), (2, "tokens"), (3, "tokens_per_second")} <= names
    assert {sample.step for sample in samples} == {0, 4}
    folder = run_folder(settings, started.run_id)
    assert load_recipe(folder / launching.RECIPE) == recipe
    assert left.path == str(folder / "adapter")
    assert left.hash


def test_a_stopped_run_goes_on_from_its_checkpoint(
    settings: Settings, database: Database, base: Path, data: Path
) -> None:
    recipe = tiny.recipe(base, steps=MANY, save_every=MANY)
    started = launching.start(settings, database, recipe, data)
    wait_for_step(database, started, 2)
    with database.write() as session:
        trainings.ask_to_stop(session, started.run_id)
    assert started.process.wait(PATIENCE_S) == 0, log(settings, started)
    with database.read() as session:
        assert runs.get(session, started.run_id).state == "stopped"
    last = steps_done(database, started.run_id)
    whole = checkpoints.last_whole(run_folder(settings, started.run_id))
    assert whole is not None
    assert whole.name == f"checkpoint-{last}"

    again = launching.resume(settings, database, started.run_id)
    with pytest.raises(InputError, match="still runs"):
        launching.resume(settings, database, started.run_id)
    wait_for_step(database, again, last + 2)
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(PATIENCE_S) == 0, log(settings, again)
    with database.read() as session:
        assert runs.get(session, started.run_id).state == "stopped"
        losses = [p for p in trainings.metrics(session, started.run_id) if p.name == "loss"]
    assert [point.step for point in losses] == list(range(1, losses[-1].step + 1))


def test_a_run_that_fails_says_why(
    settings: Settings, database: Database, base: Path, data: Path
) -> None:
    recipe = tiny.recipe(base, max_tokens=16)
    started = launching.start(settings, database, recipe, data)
    assert started.process.wait(PATIENCE_S) == 1
    with database.read() as session:
        run = runs.get(session, started.run_id)
    assert run.state == "failed"
    assert "number of tokens" in run.message
    assert "Traceback" in log(settings, started)


@pytest.mark.parametrize("kind", ["sft", "grpo"])
@pytest.mark.parametrize(
    "launcher", ["accelerate launch --cpu --num_processes 2", "torchrun --nproc_per_node 2"]
)
def test_two_processes_train_one_adapter(
    settings: Settings, database: Database, base: Path, data: Path, launcher: str, kind: str
) -> None:
    grpo = {"group": 2, "max_completion": 4} if kind == "grpo" else None
    recipe = tiny.recipe(base, kind=kind, grpo=grpo, steps=2, batch=4, save_every=1)
    started = launching.start(settings, database, recipe, data, launcher)
    assert started.process.wait(PATIENCE_S) == 0, log(settings, started)
    with database.read() as session:
        run = runs.get(session, started.run_id)
        points = trainings.metrics(session, started.run_id)
    assert run.state == "finished"
    assert [p.step for p in points if p.name == "loss"] == [1, 2]
