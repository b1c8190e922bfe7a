import json
import sys
from pathlib import Path

import pytest

from rmr1.errors import InputError, RecordNotFound
from rmr1.pair import Pair
from storage import adapters, pairs, snapshots
from storage.snapshots import LabelFilter
from ui import train_forms
from ui.trainer import TrainingCommand

FAKE = Path(__file__).parent / "fake_training.py"
FORM = {"snapshot": "first", "profile": "brief", "apart": True}


@pytest.fixture
def snapshot(database):
    with database.write() as session:
        for n in range(40):
            pair = Pair.of(f"Question {n}?", f"Right {n}.", f"Wrong {n}.", chosen="A")
            pairs.add(session, pair.model_copy(update={"source": "s"}))
    return snapshots.create(database, "first", LabelFilter(known=True))


@pytest.fixture
def command(tmp_path):
    return TrainingCommand((sys.executable, str(FAKE), str(tmp_path / "asked")), tmp_path)


def rows(view):
    return {kind["kind"]: sum(kind["rows"].values()) for kind in view["kinds"]}


def test_a_preview_counts_every_kind_and_says_why_pairs_give_no_row(database, tmp_path, snapshot):
    view = train_forms.preview(database, tmp_path, FORM)
    found = rows(view)
    assert found["sft"] == 0  # nobody has judged them, so there is no trace
    assert found["preference"] == 40
    assert 0 < found["rlvr"] < 40
    funnels = {kind["kind"]: dict(kind["funnel"]) for kind in view["kinds"]}
    assert funnels["rlvr"]["kept for distillation"] == 40 - found["rlvr"]
    assert not list(tmp_path.iterdir())


def test_both_stages_get_all_pairs_unless_they_are_kept_apart(database, tmp_path, snapshot):
    view = train_forms.preview(database, tmp_path, {**FORM, "apart": False})
    assert rows(view)["rlvr"] == 40


def test_prompts_of_benchmark_files_in_the_data_folder_are_refused(database, tmp_path, snapshot):
    (tmp_path / "benchmarks").mkdir()
    row = {"prompt": "Question 3?", "chosen": "x", "rejected": "y"}
    (tmp_path / "benchmarks" / "bench.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    view = train_forms.preview(database, tmp_path, FORM)
    assert view["refused"] == ["bench.jsonl"]
    assert rows(view)["preference"] == 39
    assert ["the prompt is a benchmark's", 1] in view["kinds"][2]["funnel"]


def test_a_data_set_is_made_once_and_is_there_to_choose(database, tmp_path, snapshot):
    made = train_forms.make(database, tmp_path, {**FORM, "name": "set-1"})
    assert rows(made) == {"rlvr": rows(made)["rlvr"], "preference": 40}
    assert (tmp_path / "datasets" / "set-1" / "rlvr.train.jsonl").is_file()
    assert [one["id"] for one in train_forms.datasets_view(tmp_path)] == ["datasets/set-1"]
    with pytest.raises(InputError, match="already"):
        train_forms.make(database, tmp_path, {**FORM, "name": "set-1"})


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 61, "a b"])
def test_a_name_that_is_no_folders_is_refused(database, tmp_path, snapshot, name):
    with pytest.raises(InputError, match="name is of letters"):
        train_forms.make(database, tmp_path, {**FORM, "name": name})


@pytest.mark.parametrize(
    ("form", "error", "words"),
    [
        ({"profile": "brief", "snapshot": "gone"}, RecordNotFound, "gone"),
        ({"profile": "/etc/passwd", "snapshot": "first"}, InputError, "no prompt profile"),
        ({"profile": "brief", "snapshot": "first", "seed": "x"}, InputError, "seed"),
    ],
)
def test_a_form_that_cannot_be_used_is_refused(database, tmp_path, snapshot, form, error, words):
    with pytest.raises(error, match=words):
        train_forms.preview(database, tmp_path, form)


def test_labels_of_now_are_frozen_under_a_name(database, snapshot):
    made = train_forms.freeze(database, {"freeze": "second", "known": True})
    assert made.counts.pairs == 40
    assert [one["name"] for one in train_forms.snapshots_view(database)] == ["second", "first"]


def test_a_folder_without_a_manifest_is_counted_by_its_lines(tmp_path):
    folder = tmp_path / "datasets" / "public"
    folder.mkdir(parents=True)
    (folder / "sft.train.jsonl").write_text('{"a": 1}\n{"a": 2}\n\n', encoding="utf-8")
    (folder / "sft.manifest.json").write_text("{broken", encoding="utf-8")
    (view,) = train_forms.datasets_view(tmp_path)
    assert view["kinds"][0]["rows"] == {"train": 2, "validation": 0, "test": 0}


def test_folders_without_rows_are_not_offered(tmp_path):
    (tmp_path / "datasets" / "empty").mkdir(parents=True)
    assert train_forms.datasets_view(tmp_path) == []


def test_a_page_can_name_no_folder_but_those_offered(tmp_path):
    (tmp_path / "secret").mkdir()
    for given in ("../secret", str(tmp_path / "secret"), None, "datasets/none"):
        with pytest.raises(InputError, match="Choose a data set"):
            train_forms.dataset_folder(tmp_path, given)


def test_a_run_starts_with_the_chosen_recipe_data_and_adapter(
    database, tmp_path, snapshot, command
):
    made = train_forms.make(database, tmp_path, {**FORM, "name": "one"})
    with database.write() as session:
        adapter = adapters.register(
            session, name="first", hash="a" * 64, folder="/adapters/first", base="b", profile="p"
        )
    form = {"recipe": "embedded-rl", "dataset": made["id"], "numbers": {"seed": "7", "steps": ""}}
    assert train_forms.start(command, database, form) == 1
    line = train_forms.start_line(
        command, database, {**form, "base": " /m ", "adapter": str(adapter)}
    )
    assert line.endswith("--set seed=7 --set base=/m --set adapter_from=/adapters/first")
    packaged = train_forms.start_line(command, database, {**form, "adapter": "packaged"})
    assert packaged.endswith("rmr1/weights/judge")
    offered = [one["title"] for one in train_forms.adapters_to_go_on_from(database)]
    assert offered[0] == "first@aaaaaaaa"
    assert offered[1].endswith("(packaged)")
    call = json.loads((tmp_path / "asked").read_text(encoding="utf-8").splitlines()[-1])
    assert call["rest"][:3] == ["embedded-rl", "--data", made["folder"]]


def test_recipes_say_which_rows_they_need(command):
    views = [train_forms.recipe_view(recipe) for recipe in command.recipes()]
    assert [(view["title"], view["needs"]) for view in views] == [
        ("Distil the embedded judge", "sft"),
        ("RL for the embedded judge", "rlvr"),
        ("broken", "sft"),
    ]
    assert ["steps", None] in views[0]["numbers"]
