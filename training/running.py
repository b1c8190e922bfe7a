"""The work of a run that is on record: train, report, keep the result, say how it ended."""

import os
import platform
import signal
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rmr1.errors import RMR1Error
from rmr1.settings import Settings
from storage import adapters, runs, trainings
from storage.database import Database
from training.launching import RECIPE, run_folder
from training.recipe import Recipe, load_recipe
from training.reporting import Reporter, ReportingCallback

_SOFTWARE = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "vllm")


def work(settings: Settings, database: Database, run_id: int) -> int:
    """Train what a run on record asks for, from its last whole checkpoint if it has one.

    With several processes each calls this; the first alone speaks to the store.

    Returns:
        The exit code: 0 for finished and stopped, 1 for failed.

    Raises:
        RecordNotFound: there is no such run.
    """
    with database.read() as session:
        params = trainings.get(session, run_id).run.params
    folder = run_folder(settings, run_id)
    if int(os.environ.get("RANK", "0")):
        _train(_recipe(folder), Path(params["data"]), folder, None)
        return 0
    with Reporter(database, run_id) as reporter:
        try:
            reporter.tell({"versions": versions()})
            callback = _train(_recipe(folder), Path(params["data"]), folder, reporter)
        except Exception as error:
            traceback.print_exc()
            kind = "" if isinstance(error, RMR1Error) else f"{type(error).__name__}: "
            with database.write() as session:
                runs.finish(session, run_id, state="failed", message=f"{kind}{error}"[:2_000])
            return 1
    _finish(database, run_id, folder, stopped=callback.stopped)
    return 0


def _recipe(folder: Path) -> Recipe:
    return load_recipe(folder / RECIPE)


def _train(
    recipe: Recipe, data: Path, folder: Path, reporter: Reporter | None
) -> ReportingCallback:
    """Train with the recipe's trainer; each is imported only when it is the one."""
    drawn = (recipe.grpo.prompts or recipe.batch) // recipe.batch if recipe.grpo else 1
    callback = ReportingCallback(reporter, stride=drawn)
    keep = reporter.samples if reporter else None
    common: dict[str, Any] = {"callbacks": [callback], "resume": True}
    if recipe.kind == "sft":
        from training.distil import distil

        distil(recipe, data, folder, keep=keep, **common)
    elif recipe.kind == "grpo":
        from training.rl import reinforce

        reinforce(recipe, data, folder, keep=keep, **common)
    else:
        from training.scalar import train_scalar

        train_scalar(recipe, data, folder, **common)
    return callback


def _finish(database: Database, run_id: int, folder: Path, *, stopped: bool) -> None:
    # From here on a signal would leave the record half told.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    result = folder / "adapter"
    is_adapter = (result / adapters.WEIGHTS).is_file()
    hash = adapters.weights_hash(result) if is_adapter else ""
    with database.write() as session:
        known = {(one.path, one.hash) for one in runs.artifacts(session, run_id)}
        if (str(result), hash) not in known:
            runs.add_artifact(
                session,
                run_id,
                kind="adapter" if is_adapter else "model",
                name=result.name,
                path=str(result),
                hash=hash,
            )
        runs.finish(session, run_id, state="stopped" if stopped else "finished")


def versions() -> dict[str, str]:
    """Of everything that a run's figures may hang on."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for name in _SOFTWARE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
