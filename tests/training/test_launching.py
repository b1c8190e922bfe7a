import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rmr1.errors import ConfigurationError, InputError
from rmr1.settings import Settings
from storage import runs, trainings
from storage.database import Database
from training import checkpoints, launching
from training.recipe import Recipe

VALUES: dict[str, Any] = {"name": "small", "kind": "sft", "base": "x", "learning_rate": 1e-4}
RECIPE = Recipe.model_validate(VALUES)


@pytest.fixture
def app_settings(tmp_path: Path) -> Settings:
    """With a Python that does nothing, at once."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    return Settings(data_dir=tmp_path / "data", training_python=python)


@pytest.fixture
def database(app_settings: Settings) -> Iterator[Database]:
    with Database.open(launching.database_url(app_settings)) as opened:
        yield opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "sft.train.jsonl").write_text("{}\n")
    return folder


def test_a_run_is_opened_with_all_that_it_depends_on(
    app_settings: Settings, database: Database, data: Path
) -> None:
    started = launching.start(app_settings, database, RECIPE, data)
    assert started.process.wait(60) == 0
    with database.read() as session:
        params = trainings.get(session, started.run_id).run.params
    assert params["recipe"] == RECIPE.model_dump(mode="json")
    assert params["data"] == str(data)
    assert params["data_hash"] == launching.data_hash(RECIPE, data)
    assert params["software"].startswith("rmr1")
    log = launching.run_folder(app_settings, started.run_id) / launching.LOG
    assert log.read_text() == f"-m training run {started.run_id}\n"


@pytest.mark.parametrize(
    ("launcher", "command"),
    [
        ("accelerate launch --num_processes 2", "-m accelerate.commands.launch --num_processes 2"),
        ("torchrun --nproc_per_node 2", "-m torch.distributed.run --nproc_per_node 2"),
    ],
)
def test_a_launcher_stands_before_the_work(
    app_settings: Settings, database: Database, data: Path, launcher: str, command: str
) -> None:
    started = launching.start(app_settings, database, RECIPE, data, launcher)
    assert started.process.wait(60) == 0
    log = launching.run_folder(app_settings, started.run_id) / launching.LOG
    assert log.read_text() == f"{command} -m training run {started.run_id}\n"


def test_what_cannot_be_started_opens_no_run(
    app_settings: Settings, database: Database, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="needs a base"):
        launching.start(app_settings, database, RECIPE.model_copy(update={"base": ""}), data)
    with pytest.raises(InputError, match=r"preference\.train"):
        launching.start(app_settings, database, RECIPE.model_copy(update={"kind": "reward"}), data)
    with pytest.raises(ConfigurationError, match="must begin with"):
        launching.start(app_settings, database, RECIPE, data, "sh -c true")
    with database.read() as session:
        assert trainings.recent(session) == []


def test_a_python_that_is_not_there_fails_the_run(
    app_settings: Settings, database: Database, data: Path, tmp_path: Path
) -> None:
    lacking = app_settings.model_copy(update={"training_python": tmp_path / "none"})
    with pytest.raises(ConfigurationError, match="cannot be started"):
        launching.start(lacking, database, RECIPE, data)
    with database.read() as session:
        (training,) = trainings.recent(session)
    assert training.run.state == "failed"


def test_a_run_goes_on_with_the_same_data_only(
    app_settings: Settings, database: Database, data: Path
) -> None:
    started = launching.start(app_settings, database, RECIPE, data)
    started.process.wait(60)
    with database.write() as session:
        runs.finish(session, started.run_id, state="stopped")
    again = launching.resume(app_settings, database, started.run_id)
    assert again.process.wait(60) == 0
    with database.write() as session:
        runs.finish(session, started.run_id, state="stopped")
    (data / "sft.train.jsonl").write_text("{}\n{}\n")
    with pytest.raises(InputError, match="not what they were"):
        launching.resume(app_settings, database, started.run_id)


def test_without_a_setting_the_python_is_the_one_that_runs(
    app_settings: Settings, database: Database, data: Path
) -> None:
    own = app_settings.model_copy(update={"training_python": None})
    assert launching._argv(own, "")[0] == sys.executable


def test_half_written_checkpoints_are_not_gone_on_from(tmp_path: Path) -> None:
    assert checkpoints.last_whole(tmp_path) is None
    for step in (9, 10, 11):
        (tmp_path / checkpoints.FOLDER / f"checkpoint-{step}").mkdir(parents=True)
    for step in (9, 10):
        checkpoints.mark_whole(tmp_path / checkpoints.FOLDER / f"checkpoint-{step}")
    last = checkpoints.last_whole(tmp_path)
    assert last is not None
    assert last.name == "checkpoint-10"
    assert not (tmp_path / checkpoints.FOLDER / "checkpoint-11").exists()


def test_rows_of_another_profile_are_refused_before_a_run_is_opened(
    app_settings: Settings, database: Database, data: Path
) -> None:
    (data / "sft.manifest.json").write_text('{"options": {"profile": "brief"}}')
    with pytest.raises(InputError, match=r"profile 'brief'.*trains for 'cor'"):
        launching.start(app_settings, database, RECIPE, data)
    with database.read() as session:
        assert not trainings.recent(session)
