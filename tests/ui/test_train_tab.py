import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rmr1.errors import InputError, RecordNotFound
from storage import adapters, runs, trainings
from ui import adapter_views, train_tab, training_views
from ui.trainer import TrainingCommand

FAKE = Path(__file__).parent / "fake_training.py"


@pytest.fixture
def studio(studio, tmp_path):
    command = TrainingCommand((sys.executable, str(FAKE), str(tmp_path / "asked")), tmp_path)
    return replace(studio, training=command)


@pytest.fixture
def run(studio):
    params = {"base": "embedded", "profile": "brief"}
    with studio.database.write() as session:
        run_id = trainings.open_run(session, "embedded-distil", params)
        runs.finish(session, run_id)
    folder = training_views.run_folder(studio.data_dir, run_id) / "adapter"
    folder.mkdir(parents=True)
    (folder / adapters.WEIGHTS).write_bytes(b"weights")
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    left = {"path": str(folder), "hash": adapters.weights_hash(folder)}
    with studio.database.write() as session:
        runs.add_artifact(session, run_id, kind="adapter", name="adapter", **left)
    return run_id


def shown(studio):
    return adapter_views.adapters_view(studio.database, studio.data_dir)


def test_an_adapter_goes_from_a_run_to_the_judge_and_back(studio, run):
    assert shown(studio)["unregistered"] == [{"run": run, "name": "embedded-distil"}]
    said = train_tab.register(studio, {"run": run, "name": "short"})
    assert said.startswith("short@")
    (adapter,) = shown(studio)["adapters"]
    assert (adapter["base"], adapter["profile"], adapter["run"]) == ("embedded", "brief", run)
    assert shown(studio)["unregistered"] == []
    train_tab.promote(studio, {"adapter": adapter["id"], "by": "Mara"})
    assert shown(studio)["promoted"] == adapter["version"]
    assert "the judge of the settings judges" in train_tab.roll_back(studio, {"by": "Jo"})
    view = shown(studio)
    assert [(one["what"], one["by"]) for one in view["history"]] == [
        ("rolled back to", "Jo"),
        ("promoted", "Mara"),
    ]
    assert not view["can_roll_back"]


@pytest.mark.parametrize(
    ("act", "asked", "error"),
    [
        (train_tab.register, {"run": 99, "name": "x"}, RecordNotFound),
        (train_tab.register, {"name": "x"}, InputError),
        (train_tab.promote, {"adapter": "1"}, InputError),
        (train_tab.promote, {"adapter": 99, "by": "x"}, RecordNotFound),
        (train_tab.roll_back, {"by": "x"}, InputError),
    ],
)
def test_what_cannot_be_done_is_refused(studio, act, asked, error):
    with pytest.raises(error):
        act(studio, asked)


def test_a_stop_that_comes_too_late_is_said_beside_the_run(studio, run):
    view = train_tab.stop(studio, {"run": run})
    assert "does not run" in view["problem"]
    assert view["run"]["state"] == "finished"
    assert view["fresh"]


def test_a_run_is_stopped_by_a_request_and_resumed_by_the_training_room(studio):
    with studio.database.write() as session:
        run_id = trainings.open_run(session, "embedded-distil", {})
    assert train_tab.stop(studio, {"run": run_id})["run"]["state"] == "stopping"
    assert train_tab.resume(studio, {"run": run_id})["problem"] == ""
    assert '"resume"' in (studio.data_dir / "asked").read_text(encoding="utf-8")


def test_a_studio_without_a_training_room_says_so(studio):
    bare = replace(studio, training=None)
    with pytest.raises(InputError, match="starts none"):
        train_tab.recipes(bare)
    assert "starts none" in train_tab.resume(bare, {"run": 1})["problem"]
