"""Training runs as processes of their own: opened on record, started, gone on with.

A run's folder, `runs/<id>` in the data folder, holds its recipe, log, checkpoints and result.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmr1.errors import ConfigurationError, InputError
from rmr1.settings import Settings
from storage import runs, trainings
from storage.database import Database
from storage.exporting import software
from training.recipe import Recipe
from training.rows import find_file

LOG = "log.txt"
RECIPE = "recipe.toml"

ROWS = {"sft": "sft", "grpo": "rlvr", "reward": "preference"}
"""Kind of rows that a kind of recipe is trained on."""

_LAUNCHERS = {
    "accelerate launch": "accelerate.commands.launch",
    "torchrun": "torch.distributed.run",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A run and the process that works on it."""

    run_id: int
    process: "subprocess.Popen[bytes]"


def run_folder(settings: Settings, run_id: int) -> Path:
    """Where a run keeps its recipe, log, checkpoints and result."""
    return settings.data_dir.resolve() / "runs" / str(run_id)


def database_url(settings: Settings) -> str:
    """The database of the settings."""
    return settings.database_url or f"sqlite:///{settings.data_dir.resolve() / 'rmr1.db'}"


def start(
    settings: Settings, database: Database, recipe: Recipe, data: Path, launcher: str = ""
) -> Started:
    """Open a run and start its process, which goes on when this one ends.

    Args:
        data: a data set folder.
        launcher: `accelerate launch ...` or `torchrun ...`, for several processes.

    Raises:
        ConfigurationError: the recipe has no base, or the launcher or Python cannot be used.
        InputError: the folder holds no rows for the recipe, or rows of another prompt profile.
    """
    if not recipe.base:
        raise ConfigurationError(
            f"The recipe {recipe.name!r} needs a base model: give --set base=FOLDER."
        )
    _check_profile(recipe, data)
    argv = _argv(settings, launcher)
    params = {
        "recipe": recipe.model_dump(mode="json"),
        "base": recipe.base_name,
        "profile": recipe.profile,
        "seed": recipe.seed,
        "data": str(data.resolve()),
        "data_hash": data_hash(recipe, data),
        "software": software(),
        "launcher": launcher,
    }
    with database.write() as session:
        run_id = trainings.open_run(session, recipe.name, params)
    folder = run_folder(settings, run_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE).write_text(to_toml(recipe), encoding="utf-8")
        return Started(run_id, _spawn(settings, folder, [*argv, "run", str(run_id)]))
    except OSError as error:
        with database.write() as session:
            runs.finish(session, run_id, state="failed", message=str(error))
        raise ConfigurationError(f"Run {run_id} cannot be started: {error}.") from error


def resume(settings: Settings, database: Database, run_id: int) -> Started:
    """Let a run that was stopped, failed or lost go on from its last whole checkpoint.

    Raises:
        RecordNotFound: there is no such run.
        InputError: it still runs or has reached its end, or its data are not what they were.
        ConfigurationError: the process cannot be started.
    """
    with database.read() as session:
        params = trainings.get(session, run_id).run.params
    recipe = Recipe.model_validate(params["recipe"])
    if data_hash(recipe, Path(params["data"])) != params["data_hash"]:
        raise InputError(
            f"The data of run {run_id} in {params['data']!r} are not what they were: start anew."
        )
    argv = _argv(settings, str(params.get("launcher") or ""))
    with database.write() as session:
        trainings.reopen(session, run_id)
    try:
        folder = run_folder(settings, run_id)
        return Started(run_id, _spawn(settings, folder, [*argv, "run", str(run_id)]))
    except OSError as error:
        with database.write() as session:
            runs.finish(session, run_id, state="failed", message=str(error))
        raise ConfigurationError(f"Run {run_id} cannot go on: {error}.") from error


def _check_profile(recipe: Recipe, data: Path) -> None:
    """A judge that learnt one wording is asked under the recipe's: they had better be the same."""
    if recipe.kind == "reward":
        return  # a scalar model reads no profile
    try:
        manifest = json.loads((data / f"{ROWS[recipe.kind]}.manifest.json").read_bytes())
        written = manifest["options"]["profile"]
    except (OSError, ValueError, LookupError, TypeError):
        return  # a folder that another program made says nothing
    if written != recipe.profile:
        raise InputError(
            f"The rows in {str(data)!r} were written under the profile {written!r}, the recipe"
            f" {recipe.name!r} trains for {recipe.profile!r}: make the data set under that one,"
            f" or give --set profile={written}."
        )


def data_hash(recipe: Recipe, data: Path) -> str:
    """SHA-256 (hex) over the rows that a run trains on and looks at.

    Raises:
        InputError: there are none, or they cannot be read.
    """
    kind = ROWS[recipe.kind]
    if find_file(data, kind, "train") is None:
        raise InputError(f"{str(data)!r} holds no {kind}.train.jsonl or .parquet to train on.")
    digest = hashlib.sha256()
    try:
        for split in ("train", "validation"):
            if path := find_file(data, kind, split):
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise InputError(f"{str(data)!r} cannot be read: {error}.") from error
    return digest.hexdigest()


def to_toml(recipe: Recipe) -> str:
    """A recipe as a file that `load_recipe` reads."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    return "\n".join(_lines(values, "")) + "\n"


def _lines(values: dict[str, Any], table: str) -> list[str]:
    # What JSON spells TOML spells alike: texts, numbers, truth values and lists of them.
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, dict):
            name = f"{table}{key}"
            lines += ["", f"[{name}]", *_lines(value, f"{name}.")]
    return lines


def _argv(settings: Settings, launcher: str) -> list[str]:
    """The command that works on runs, without its arguments."""
    python = str(settings.training_python or sys.executable)
    if not launcher:
        return [python, "-m", "training"]
    for name, module in _LAUNCHERS.items():
        if launcher == name or launcher.startswith(f"{name} "):
            options = shlex.split(launcher.removeprefix(name))
            return [python, "-m", module, *options, "-m", "training"]
    raise ConfigurationError(
        f"{launcher!r} must begin with one of: {', '.join(_LAUNCHERS)}; its options follow."
    )


def _spawn(settings: Settings, folder: Path, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
    root = str(Path(__file__).resolve().parent.parent)
    paths = filter(None, [root, os.environ.get("PYTHONPATH")])
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "RMR1_DATA_DIR": str(settings.data_dir.resolve()),
        "RMR1_DATABASE_URL": database_url(settings),
    }
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C in a terminal is for whoever watches, not for the run
        )
