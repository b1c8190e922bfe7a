import json
import sys
from pathlib import Path

import pytest

from rmr1.errors import ConfigurationError, InputError
from ui.trainer import RecipeCard, TrainingCommand, changed_numbers, recipe_named

FAKE = Path(__file__).parent / "fake_training.py"
RECIPE = RecipeCard(
    name="r", numbers={"epochs": 2, "learning_rate": 8e-4, "lora.rank": 16, "steps": None}
)


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "asked.jsonl"


@pytest.fixture
def command(tmp_path, notes):
    return TrainingCommand((sys.executable, str(FAKE), str(notes)), tmp_path)


def asked(notes):
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def test_recipes_are_asked_for_once(command, notes):
    assert [recipe.name for recipe in command.recipes()] == [
        "embedded-distil",
        "embedded-rl",
        "broken",
    ]
    command.recipes()
    assert [one["command"] for one in asked(notes)] == ["recipes"]


def test_a_run_is_started_with_its_data_and_what_differs(command, notes, tmp_path):
    assert command.start("embedded-distil", tmp_path / "set", {"epochs": 3}) == 1
    (call,) = asked(notes)
    assert call["rest"] == ["embedded-distil", "--data", str(tmp_path / "set"), "--set", "epochs=3"]
    assert call["data_dir"] == str(tmp_path.resolve())


def test_a_refusal_is_told_in_the_training_rooms_own_last_words(command, tmp_path):
    with pytest.raises(InputError, match="recipe 'broken': seed: it is broken"):
        command.start("broken", tmp_path, {})


def test_a_run_goes_on_by_its_number(command, notes):
    command.resume(7)
    assert asked(notes)[0] == {**asked(notes)[0], "command": "resume", "rest": ["7"]}


def test_the_line_for_a_terminal_quotes_what_needs_it(command, tmp_path):
    line = command.start_line("r", Path("/my data"), {"adapter_from": "/a b"})
    assert line.endswith("start r --data '/my data' --set 'adapter_from=/a b'")


def test_a_python_that_is_not_there_is_said_in_a_sentence(tmp_path):
    gone = TrainingCommand.of_python(tmp_path / "no-python", tmp_path)
    with pytest.raises(ConfigurationError, match="set RMR1_TRAINING_PYTHON"):
        gone.recipes()


def test_an_answer_that_is_none_is_said_in_a_sentence(tmp_path):
    silent = TrainingCommand((sys.executable, "-c", "print('hello')"), tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        silent.recipes()
    with pytest.raises(ConfigurationError, match="which run it started: 'hello"):
        silent.start("r", tmp_path, {})


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {}),
        ({"epochs": "", "steps": None}, {}),
        ({"epochs": "2"}, {}),
        ({"epochs": "3"}, {"epochs": 3}),
        ({"epochs": " 2.5 "}, {"epochs": 2.5}),
        ({"learning_rate": "1e-4"}, {"learning_rate": 1e-4}),
        ({"steps": "1,200", "lora.rank": "8"}, {"steps": 1200, "lora.rank": 8}),
    ],
)
def test_only_what_differs_from_the_recipe_is_passed_on(given, changed):
    assert changed_numbers(RECIPE, given) == changed


@pytest.mark.parametrize("text", ["two", "nan", "inf", "1; rm -rf /", "0x10", "--set"])
def test_what_is_no_number_is_refused_by_its_field(text):
    with pytest.raises(InputError, match=r"epochs: .* is no number"):
        changed_numbers(RECIPE, {"epochs": text})


def test_a_number_that_the_recipe_does_not_have_is_refused():
    with pytest.raises(InputError, match="no number 'base'"):
        changed_numbers(RECIPE, {"base": "1"})


def test_a_recipe_that_does_not_exist_is_refused():
    assert recipe_named((RECIPE,), "r") is RECIPE
    with pytest.raises(ConfigurationError, match=r"no recipe '\.\./r'"):
        recipe_named((RECIPE,), "../r")
