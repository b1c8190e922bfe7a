"""What a training run tells the store while it runs: figures, samples, signs of life."""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from sqlalchemy.orm import Session
from transformers import TrainerCallback

from rmr1.errors import StorageError
from storage import runs, trainings
from storage.database import Database

BEAT_S = 2.0
"""Seconds between signs of life, with what there is to say and a look for a request to stop."""

# What TRL and transformers call a figure, and what the store does.
_NAMES = {
    "loss": "loss",
    "eval_loss": "eval_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "num_tokens": "tokens",
    "reward": "reward",
    "reward_std": "reward_std",
    "completions/mean_length": "length",
    "completions/clipped_ratio": "clipped",
    "kl": "kl",
    "no_verdict": "no_verdict",
    "entropy": "entropy",
    "mean_token_accuracy": "token_accuracy",
    "letter_accuracy": "letter_accuracy",
    "accuracy": "accuracy",
    "margin": "margin",
}


def figures_of(logs: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a trainer's log line under the store's names; the rest is left out.

    Figures of the validation split have `eval_` before their name.
    """
    found = {}
    for key, value in logs.items():
        stem = key.removeprefix("eval_")
        name = _NAMES.get(key) or _NAMES.get(stem)
        if stem.startswith("rewards/") and stem.endswith("/mean"):
            name = f"reward/{stem.removeprefix('rewards/').removesuffix('/mean')}"
        if name is None or value is None:
            continue
        if key != stem and not name.startswith("eval_"):
            name = f"eval_{name}"
        found[name] = float(value)
    return found


class Reporter:
    """One run's line to the store; a database that is busy or gone never stops a run.

    What there is to say is written from a thread of its own, so that no step waits for a disk.
    """

    def __init__(self, database: Database, run_id: int) -> None:
        self.stop_asked = threading.Event()
        """Set by a request in the store, or by a signal."""
        self._database = database
        self._run_id = run_id
        self._pending: deque[Callable[[Session], None]] = deque()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="reporter", daemon=True)

    def __enter__(self) -> "Reporter":
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked.set()

    def _work(self) -> None:
        self.flush()
        while not self._done.wait(BEAT_S):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what there is to say, with a sign of life; hear whether to stop."""
        said = list(self._pending)
        try:
            with self._database.write() as session:
                for say in said:
                    say(session)
                trainings.beat(session, self._run_id, os.getpid())
                if trainings.is_asked_to_stop(session, self._run_id):
                    self.stop_asked.set()
        except StorageError as error:  # what was not written is tried again
            sys.stderr.write(f"The store could not be told: {error}\n")
            return
        for _ in said:
            self._pending.popleft()

    def tell(self, facts: dict[str, Any]) -> None:
        """Facts that only the run's own process knows."""
        self._pending.append(lambda session: runs.report(session, self._run_id, facts))

    def begin(self, step: int, steps: int) -> None:
        """The run begins, or goes on, after `step` of `steps`; later figures are forgotten."""

        def say(session: Session) -> None:
            trainings.forget_metrics_after(session, self._run_id, step)
            trainings.forget_samples_after(session, self._run_id, step)
            runs.report(session, self._run_id, {"step": step, "steps": steps})

        self._pending.append(say)

    def figures(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of a step."""

        def say(session: Session) -> None:
            trainings.log_metrics(session, self._run_id, step, figures)
            runs.report(session, self._run_id, {"step": step})

        self._pending.append(say)

    def samples(self, step: int, samples: Sequence[dict[str, Any]]) -> None:
        """Rollouts of a step."""
        self._pending.append(
            lambda session: trainings.log_samples(session, self._run_id, step, samples)
        )


class ReportingCallback(TrainerCallback):  # type: ignore[misc]  # no types where mypy runs
    """Between a trainer and the store: figures out, the request to stop in, checkpoints marked.

    Only the first of several processes talks to the store; all of them stop at the same step.
    """

    def __init__(self, reporter: Reporter | None, stride: int = 1) -> None:
        """Begin.

        Args:
            reporter: None in every process but the first.
            stride: steps after which the trainer can be left without losing rollouts.
        """
        self.stopped = False
        self._reporter = reporter
        self._stride = stride
        self._tokens: tuple[float, float] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Tell the store where the run begins."""
        if self._reporter:
            self._reporter.begin(state.global_step, state.max_steps)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Pass figures on."""
        figures = figures_of(logs or {})
        if self._reporter and figures:
            self._reporter.figures(state.global_step, figures | self._speed(figures))

    def _speed(self, figures: Mapping[str, float]) -> dict[str, float]:
        if "tokens" not in figures:
            return {}
        now, tokens = time.monotonic(), figures["tokens"]
        before, self._tokens = self._tokens, (now, tokens)
        if before is None or now <= before[0]:
            return {}
        return {"tokens_per_second": (tokens - before[1]) / (now - before[0])}

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Stop with a checkpoint where somebody asked for it."""
        if state.global_step % self._stride == 0 and self._is_asked_to_stop():
            self.stopped = True
            control.should_save = True
            control.should_training_stop = True
        return control

    def _is_asked_to_stop(self) -> bool:
        asked = self._reporter is not None and self._reporter.stop_asked.is_set()
        import torch.distributed as processes

        if not (processes.is_available() and processes.is_initialized()):
            return asked
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        votes = torch.tensor(int(asked), device=device)
        processes.all_reduce(votes, op=processes.ReduceOp.MAX)
        return bool(votes.item())
