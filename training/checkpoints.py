"""What a run leaves on disk: checkpoints, which of them are whole, and its result."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from training.recipe import Recipe

try:
    from transformers import TrainerCallback
except ImportError:  # the app's environment has no trainers, and imports this all the same
    TrainerCallback = object

ADAPTER = "adapter"
"""Folder in a run's folder that holds what it made: an adapter, or all weights."""

FOLDER = "checkpoints"
_MARK = "whole"
_NAME = re.compile(r"checkpoint-(\d+)")


def mark_whole(checkpoint: Path) -> None:
    """Note that everything of a checkpoint is written."""
    (checkpoint / _MARK).touch()


class _Marks(TrainerCallback):  # type: ignore[misc, unused-ignore]
    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")


def last_whole(run_folder: Path) -> Path | None:
    """The newest checkpoint that is whole; what a kill left half written is removed."""
    found = []
    for path in (run_folder / FOLDER).glob("checkpoint-*"):
        if not (path / _MARK).exists():
            shutil.rmtree(path)
        elif match := _NAME.fullmatch(path.name):
            found.append((int(match[1]), path))
    return max(found, default=(0, None))[1]


def train(trainer: Any, recipe: Recipe, out: Path, *, resume: bool) -> Path:
    """Let a trainer run and keep what it made; the result's folder.

    Args:
        resume: go on from the last whole checkpoint in `out`, if there is one.
    """
    checkpoint = last_whole(out) if resume else None
    trainer.add_callback(_Marks())
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    result = out / ADAPTER
    trainer.save_model(str(result))
    if trainer.is_world_process_zero():
        _tidy(result, recipe)
    return result


def _tidy(result: Path, recipe: Recipe) -> None:
    """Leave what others need of a result, and nothing of the machine that it was made on."""
    # GRPO holds a copy of an adapter that it goes on from, to measure the distance from it.
    shutil.rmtree(result / "ref", ignore_errors=True)
    for name in ("training_args.bin", "README.md"):  # a pickle, and a form that nobody filled in
        (result / name).unlink(missing_ok=True)
    config = result / "adapter_config.json"
    if config.is_file():
        values = json.loads(config.read_text(encoding="utf-8"))
        values["base_model_name_or_path"] = recipe.base_name
        config.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
