"""A run that is killed ten times on its way: prints what it did as JSON.

Called as `python kill_driver.py BASE DATA OUT KILLS`. Every attempt is a fork, which is quick, and
ends itself with SIGKILL: nothing is flushed, closed or said.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
import trl  # noqa: F401  # imported once, before the forks

from tests.train import tiny
from training import checkpoints, fitting
from training.distil import build_distiller
from training.reporting import ReportingCallback

STEPS = 24


def attempt(base: Path, data: Path, out: Path, kill_at: int | None, inside_save: bool) -> None:
    """Train from the last checkpoint; note the pairs of each step; die at a step if asked to."""
    torch.set_num_threads(1)
    recipe = tiny.recipe(base, steps=STEPS, batch=4, micro_batch=2, save_every=3)
    trainer = build_distiller(recipe, data, out, callbacks=[ReportingCallback(None)])
    names = {tuple(row["input_ids"]): row["pair_hash"] for row in trainer.train_dataset}
    train_step, save = trainer.training_step, trainer._save_optimizer_and_scheduler

    def noted(model: Any, inputs: Any, *rest: Any) -> Any:
        padding = trainer.processing_class.pad_token_id
        rows = [[t for t in row if t != padding] for row in inputs["input_ids"].tolist()]
        line = {"step": trainer.state.global_step, "pairs": [names[tuple(row)] for row in rows]}
        with (out / "seen.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        if not inside_save and trainer.state.global_step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return train_step(model, inputs, *rest)

    def cut_short(folder: str) -> None:
        if inside_save and kill_at is not None and trainer.state.global_step >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        save(folder)

    with (out / "seen.jsonl").open("a") as file:
        file.write(json.dumps({"step": -1, "pairs": []}) + "\n")
    trainer.training_step = noted
    trainer._save_optimizer_and_scheduler = cut_short
    fitting.train(trainer, recipe, out, resume=True)
    (out / "done").write_text(str(trainer.state.global_step))


def forked(work: Callable[[], None]) -> int:
    """Do the work in a fork; its wait status."""
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def main() -> None:
    base, data, out = (Path(path) for path in sys.argv[1:4])
    transformers.utils.logging.set_verbosity_error()
    lot = random.Random(7)
    ends = []
    out.mkdir()
    for _ in range(int(sys.argv[4])):
        last = checkpoints.last_whole(out)
        done = int(last.name.rpartition("-")[2]) if last else 0
        kill_at = lot.randint(done, min(done + 5, STEPS - 1))
        inside_save = lot.random() < 0.3
        status = forked(lambda: attempt(base, data, out, kill_at, inside_save))  # noqa: B023
        ends.append(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1)
    status = forked(lambda: attempt(base, data, out, None, False))
    sys.stdout.write(f"RESULT {json.dumps({'kills': ends, 'last': status})}\n")


if __name__ == "__main__":
    main()
