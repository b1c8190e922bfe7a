"""What this project adds to a training step: its distillation against TRL's SFTTrainer alone.

python -m benchmarks.training_overhead --base FOLDER --data FOLDER --steps 20

Both train the same rows in the same order with the same arguments. They take turns, a step each,
in one process, so that what else the machine does falls on both; the ratio is that of the median
step times. A step of ours has its figures written to a database and its signs of life. The target
is a ratio of at most 1.03.
"""

import argparse
import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from storage import trainings
from storage.database import Database
from training.distil import build_distiller
from training.model import common_arguments, load_model, load_tokenizer
from training.recipe import load_recipe, read_overrides
from training.reporting import Reporter, ReportingCallback
from training.rows import as_dataset

TARGET = 1.03
WARM_UP = 2
"""Steps of each that are not counted."""


class Turns:
    """Lets two trainers step in turns; times are from one turn's start to its end."""

    def __init__(self, names: tuple[str, str]) -> None:
        self._next = names[0]
        self._names = names
        self._changed = threading.Condition()
        self._left: set[str] = set()

    def take(self, name: str) -> None:
        """Wait until it is this one's turn."""
        other = self._names[self._names[0] == name]
        with self._changed:
            self._changed.wait_for(lambda: self._next == name or other in self._left)

    def give(self, name: str, *, for_good: bool = False) -> None:
        """Let the other one step."""
        with self._changed:
            self._next = self._names[self._names[0] == name]
            if for_good:
                self._left.add(name)
            self._changed.notify_all()


@dataclass
class Clock(TrainerCallback):
    """Times whole steps, everything between two step ends included; last of the callbacks."""

    name: str
    turns: Turns
    times: list[float] = field(default_factory=list)
    started: float = 0.0

    def _begin(self) -> None:
        self.turns.take(self.name)
        self.started = time.perf_counter()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Wait for the first turn."""
        self._begin()

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A step has ended with the writing of its figures: hand over, and wait."""
        if state.global_step > len(self.times) and state.global_step < state.max_steps:
            self.times.append(time.perf_counter() - self.started)
            self.turns.give(self.name)
            self._begin()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let the other one go on alone."""
        self.turns.give(self.name, for_good=True)


def main() -> None:
    """Train with both in turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="embedded-distil")
    parser.add_argument("--base", help="model folder; by default the recipe's")
    parser.add_argument("--data", type=Path, required=True, help="folder with sft rows")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the recipe")
    asked = parser.parse_args()
    overrides = {"steps": asked.steps + WARM_UP + 1, "save_every": 10**6}
    overrides |= read_overrides(asked.set) | ({"base": asked.base} if asked.base else {})
    recipe = load_recipe(asked.recipe, overrides)
    turns = Turns(("ours", "bare"))
    ours, bare = Clock("ours", turns), Clock("bare", turns)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        with Database.open(f"sqlite:///{out / 'database.sqlite'}") as database:
            with database.write() as session:
                run_id = trainings.open_run(session, recipe.name)
            with Reporter(database, run_id) as reporter:
                callbacks = [ReportingCallback(reporter), ours]
                first = build_distiller(recipe, asked.data, out / "ours", callbacks=callbacks)
                second = bare_trainer(recipe, first.train_dataset, out / "bare", bare)
                _both(first, second)
    times = [statistics.median(clock.times[WARM_UP:]) for clock in (ours, bare)]
    print(f"{len(ours.times) - WARM_UP} steps of each, batch {recipe.batch}, {recipe.base_name}")
    print(f"ours {times[0]:.3f} s   TRL alone {times[1]:.3f} s   (medians)")
    print(f"ratio {times[0] / times[1]:.3f}   target at most {TARGET}")


def bare_trainer(recipe: Any, rows: Any, out: Path, clock: Clock) -> Any:
    """TRL's trainer with the same rows, order and arguments, and nothing of ours."""
    arguments = common_arguments(recipe, out, has_held_out=False)
    rows = as_dataset([{key: row[key] for key in ("input_ids", "labels")} for row in rows])
    return SFTTrainer(
        model=load_model(recipe),
        args=SFTConfig(
            **arguments,
            num_train_epochs=1,
            train_sampling_strategy="sequential",
            max_length=None,
        ),
        train_dataset=rows,
        processing_class=load_tokenizer(recipe),
        callbacks=[clock],
    )


def _both(first: Any, second: Any) -> None:
    threads = [threading.Thread(target=trainer.train) for trainer in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
