"""A trainer let run, whichever it is: from the last whole checkpoint to a result for others."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from training.checkpoints import ADAPTER, last_whole, mark_whole
from training.recipe import Recipe


class _Marks(TrainerCallback):  # type: ignore[misc]  # no types where mypy runs
    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            mark_whole(Path(args.output_dir) / f"checkpoint-{state.global_step}")


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
