"""The training room, spoken to as a process: recipes listed, runs started and resumed."""

import math
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from rmr1.errors import ConfigurationError, InputError

PATIENCE_S = 120.0
"""Seconds that a call may take; the run itself goes on in a process of its own."""

Number = int | float


class RecipeCard(BaseModel):
    """What the form shows of a recipe.

    Attributes:
        kind: `sft`, `grpo` or `reward`; it says which rows of a data set are needed.
        numbers: the recipe's main numbers, by the name that an override has.
    """

    name: str
    title: str = ""
    description: str = ""
    kind: str = ""
    numbers: dict[str, Number | str | bool | None] = {}


class _Started(BaseModel):
    run: int


@dataclass(frozen=True, slots=True)
class TrainingCommand:
    """How the training room is called.

    Attributes:
        argv: program and first arguments, such as `("python", "-m", "training")`.
        data_dir: the studio's data folder, which a run must write into too.
    """

    argv: tuple[str, ...]
    data_dir: Path

    @classmethod
    def of_python(cls, python: Path | None, data_dir: Path) -> "TrainingCommand":
        """Call the training room with a Python that has the trainers.

        Args:
            python: by default the one that runs now.
        """
        return cls((str(python or sys.executable), "-m", "training"), data_dir)

    def recipes(self) -> tuple[RecipeCard, ...]:
        """The recipes there are; asked once, as they come with the package.

        Raises:
            InputError: the training room refused.
            ConfigurationError: it cannot be run, or says nothing that can be read.
        """
        return _recipes(self)

    def start(self, recipe: str, data: Path, numbers: Mapping[str, Number | str]) -> int:
        """Start a run in a process of its own; its id.

        Args:
            data: a data set folder.
            numbers: what differs from the recipe.

        Raises:
            InputError: the training room refused.
            ConfigurationError: it cannot be run, or says nothing that can be read.
        """
        return self._run_id([*self._start(recipe, data, numbers)])

    def resume(self, run_id: int) -> None:
        """Let a run go on from its last checkpoint.

        Raises:
            InputError: the training room refused.
            ConfigurationError: it cannot be run, or says nothing that can be read.
        """
        self._call(["resume", str(run_id)])

    def start_line(self, recipe: str, data: Path, numbers: Mapping[str, Number | str]) -> str:
        """The same as a command line, for a terminal."""
        return shlex.join([*self.argv, *self._start(recipe, data, numbers)])

    @staticmethod
    def _start(recipe: str, data: Path, numbers: Mapping[str, Number | str]) -> list[str]:
        sets = [part for name, value in numbers.items() for part in ("--set", f"{name}={value}")]
        return ["start", recipe, "--data", str(data), *sets]

    def _run_id(self, arguments: list[str]) -> int:
        said = self._call(arguments)
        try:
            return _Started.model_validate_json(said.strip().splitlines()[-1]).run
        except (ValidationError, IndexError) as error:
            raise ConfigurationError(
                f"The training room did not say which run it started: {said[-200:]!r}."
            ) from error

    def _call(self, arguments: list[str]) -> str:
        """What a call prints.

        Raises:
            InputError: it refused.
            ConfigurationError: it cannot be started, or gives no answer.
        """
        # Our packages are found where the studio found them, whichever Python it is.
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "RMR1_DATA_DIR": str(self.data_dir.resolve()),
        }
        try:
            ended = subprocess.run(
                [*self.argv, *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ConfigurationError(
                f"The training room gave no answer within {PATIENCE_S:.0f} s."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"{self.argv[0]!r} cannot be started: {error.strerror}; "
                "set RMR1_TRAINING_PYTHON to a Python that has the trainers."
            ) from error
        if ended.returncode:
            lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
            said = lines[-1].removeprefix("rmr1: ")[:500]
            raise InputError(f"The training room refused: {said}")
        return ended.stdout


@lru_cache(maxsize=8)
def _recipes(command: TrainingCommand) -> tuple[RecipeCard, ...]:
    said = command._call(["recipes", "--json"])
    try:
        return tuple(TypeAdapter(list[RecipeCard]).validate_json(said))
    except ValidationError as error:
        raise ConfigurationError("The training room's list of recipes cannot be read.") from error


def changed_numbers(recipe: RecipeCard, given: Mapping[str, object]) -> dict[str, Number | str]:
    """What a form's fields change about a recipe.

    Args:
        given: texts by the names of the recipe's numbers; an empty one leaves the recipe's.

    Raises:
        InputError: a field is no number, or the recipe has no such number.
    """
    changed: dict[str, Number | str] = {}
    for name, text in given.items():
        if name not in recipe.numbers:
            raise InputError(f"The recipe {recipe.name!r} has no number {name!r}.")
        text = str(text if text is not None else "").strip().replace(",", "")
        if not text:
            continue
        value = _number(name, text)
        if value != recipe.numbers[name]:
            changed[name] = value
    return changed


def _number(name: str, text: str) -> Number:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{name}: {text[:40]!r} is no number.") from error
    if not math.isfinite(value):
        raise InputError(f"{name}: {text[:40]!r} is no number.")
    return int(text) if re.fullmatch(r"-?\d{1,15}", text) else value


def recipe_named(recipes: tuple[RecipeCard, ...], name: str) -> RecipeCard:
    """The recipe of this name.

    Raises:
        ConfigurationError: there is none.
    """
    for recipe in recipes:
        if recipe.name == name:
            return recipe
    raise ConfigurationError(f"There is no recipe {name!r}: choose one of the list.")
