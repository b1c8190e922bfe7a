"""Runs, curves, rollouts and logs as the dictionaries that the Train page paints; no Gradio."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rmr1.errors import RecordNotFound
from storage import trainings
from storage.columns import utc_now
from storage.database import Database
from storage.trainings import Point, Sample, Training
from ui.views import View

CURVES: tuple[View, ...] = (
    {
        "id": "loss",
        "title": "Loss",
        "unit": "nats a token",
        "metrics": [["loss", "training"], ["eval_loss", "held out"]],
    },
    {
        "id": "reward",
        "title": "Reward",
        "unit": "mean of a rollout",
        "metrics": [["reward", "training"], ["eval_reward", "held out"]],
    },
    {
        "id": "parts",
        "title": "Parts of the reward",
        "unit": "mean, unweighted",
        "metrics": [],
        "prefix": "reward/",
    },
    {
        "id": "accuracy",
        "title": "Better response preferred",
        "unit": "share of pairs",
        "metrics": [["accuracy", "training"], ["eval_accuracy", "held out"]],
        "range": [-0.03, 1.03],
    },
    {
        "id": "verdicts",
        "title": "Spoilt rollouts",
        "unit": "share",
        "metrics": [
            ["no_verdict", "without verdict"],
            ["clipped", "cut at the limit"],
            ["eval_no_verdict", "without verdict, held out"],
        ],
        "range": [-0.03, 1.03],
    },
    {
        "id": "length",
        "title": "Length",
        "unit": "tokens of a rollout",
        "metrics": [["length", "training"], ["eval_length", "held out"]],
    },
    {
        "id": "kl",
        "title": "KL to the start",
        "unit": "nats a token",
        "metrics": [["kl", "training"]],
    },
    *(
        {"id": name, "title": title, "unit": unit, "aside": True}
        | {"metrics": [[name, "training"], [f"eval_{name}", "held out"]]}
        for name, title, unit in (
            ("reward_std", "Spread of the reward", "standard deviation"),
            ("token_accuracy", "Tokens guessed right", "share"),
            ("entropy", "Entropy", "nats a token"),
            ("margin", "Margin between scores", ""),
            ("learning_rate", "Learning rate", ""),
            ("grad_norm", "Norm of the gradient", ""),
            ("tokens_per_second", "Speed", "tokens a second"),
            ("tokens", "Tokens so far", ""),
        )
    ),
)
"""Charts in the order of the page; one is drawn where a metric of it has figures."""

MOST_POINTS = 600
"""Points of a curve that a page is sent at once."""

SAMPLES = 120
"""Rollouts that a page is sent at once, of the newest steps."""

LOG_BYTES = 32_000
_TEXTS = ("text", "completion", "rollout")
_REWARDS = ("scores", "rewards")
_NOT_SCORES = (*_TEXTS, "prompt", "winner", "order", "pair_hash", "step")


def runs_view(found: Sequence[Training], now: datetime | None = None) -> list[View]:
    """The list of runs."""
    return [
        {
            "id": training.run.id,
            "name": training.run.name,
            "state": shown_state(training, now),
            "at": f"{training.run.created_at:%Y-%m-%d %H:%M}",
            "figure": _key_figure(training.run.counts),
        }
        for training in found
    ]


def shown_state(training: Training, now: datetime | None = None) -> str:
    """The state in a word: a running one may be `stopping`, or `lost`."""
    state = training.state(now)
    return "stopping" if state == "running" and training.stop_asked_at else state


def _key_figure(counts: Mapping[str, Any]) -> str:
    for name in ("reward", "eval_loss", "loss"):
        if isinstance(counts.get(name), int | float):
            return f"{name.replace('_', ' ')} {counts[name]:.3g}"
    return ""


def run_view(training: Training, last_step: int, folder: Path, now: datetime | None = None) -> View:
    """One run: how it stands, and what can be done.

    Args:
        last_step: of the figures on record; -1 for none.
        folder: the run's own.
    """
    now = now or utc_now()
    run, state = training.run, shown_state(training, now)
    step, steps = _progress(training, last_step)
    return {
        "id": run.id,
        "name": run.name,
        "state": state,
        "step": step,
        "share": min(1.0, step / steps) if steps else None,
        "line": _line(training, state, step, steps, now),
        "message": run.message,
        "can_stop": state in ("running", "stopping"),
        "can_resume": state in ("stopped", "failed", "lost"),
        "facts": [*_facts(run.params), ["Folder", str(folder)]],
    }


def _progress(training: Training, last_step: int) -> tuple[int, int]:
    counts, params = training.run.counts, training.run.params
    step = counts["step"] if isinstance(counts.get("step"), int) else max(last_step, 0)
    return step, _whole(counts.get("steps")) or _whole(params.get("steps"))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _line(training: Training, state: str, step: int, steps: int, now: datetime) -> list[str]:
    """Where a run is, in words."""
    run = training.run
    parts = [f"step {step:,} of {steps:,}" if steps else f"step {step:,}"]
    ended = run.finished_at or (training.beat_at if state == "lost" else now)
    elapsed = ended - run.created_at
    parts.append(f"{words_for(elapsed)} so far" if state == "running" else words_for(elapsed))
    if state == "running":
        if 0 < step < steps:
            parts.append(f"about {words_for(elapsed * (steps - step) / step)} left")
        silent = max(0, round((now - training.beat_at).total_seconds()))
        parts.append(
            f"last sign of life {silent} s ago" if training.pid else "its process is starting"
        )
    elif state == "lost":
        parts.append(f"no sign of life since {training.beat_at:%Y-%m-%d %H:%M:%S} UTC")
    elif state == "stopping":
        parts.append("asked to stop: it ends with the next step, and keeps a checkpoint")
    return parts


def words_for(span: timedelta) -> str:
    """A duration: `42 s`, `12 min`, `3 h 20 min`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 100:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def _facts(params: Mapping[str, Any], before: str = "") -> list[list[str]]:
    """Nested parameters as rows of a name and a value."""
    rows: list[list[str]] = []
    for name, value in params.items():
        if isinstance(value, Mapping):
            rows += _facts(value, f"{before}{name}.")
        elif value not in (None, "", [], {}):
            rows.append([f"{before}{name}", str(value)[:2000]])
    return rows


def points_view(points: Iterable[Point]) -> dict[str, list[list[float | None]]]:
    """Figures by metric, thinned to what a chart can show; the last one always stays."""
    by_name: defaultdict[str, list[list[float | None]]] = defaultdict(list)
    for point in points:
        by_name[point.name].append([point.step, point.value])
    return {name: _thinned(found) for name, found in by_name.items()}


def _thinned(found: list[list[float | None]]) -> list[list[float | None]]:
    if len(found) <= MOST_POINTS:
        return found
    stride = -(-len(found) // MOST_POINTS)
    return [*found[:-1:stride], found[-1]]


def samples_view(samples: Iterable[Sample], after_step: int = -1) -> list[View]:
    """Rollouts by step, oldest step first.

    Args:
        after_step: steps up to this one are passed over.
    """
    steps: defaultdict[int, list[View]] = defaultdict(list)
    for sample in samples:
        if sample.step > after_step:
            steps[sample.step].append(_rollout(sample.content))
    return [{"step": step, "items": steps[step]} for step in sorted(steps)]


def _rollout(content: Mapping[str, Any]) -> View:
    scores = [
        _score(name, value, is_reward="reward" in name)
        for name, value in content.items()
        if name not in _NOT_SCORES and name not in _REWARDS
    ]
    for group in _REWARDS:
        inner = content.get(group)
        if isinstance(inner, Mapping):
            scores += [_score(name, value, is_reward=True) for name, value in inner.items()]
    return {
        "prompt": _text(content.get("prompt")),
        "text": next((_text(content[name]) for name in _TEXTS if content.get(name)), ""),
        "scores": scores,
    }


def _text(value: object) -> str:
    """A text, or the turns of a chat under each other."""
    if isinstance(value, str):
        return value[:40_000]
    if isinstance(value, list):
        turns = [turn for turn in value if isinstance(turn, Mapping)]
        return "\n\n".join(f"[{turn.get('role')}]\n{turn.get('content')}" for turn in turns)[
            :40_000
        ]
    return "" if value is None else str(value)[:40_000]


def _score(name: str, value: object, *, is_reward: bool) -> list[str]:
    """A score's name, its value in words, and the look of its chip."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [name, "–" if value is None else str(value)[:80], "is-plain"]
    if not is_reward:
        return [name, f"{value:,.4g}", "is-plain"]
    tone = "is-exact" if value > 0 else "is-absent" if value < 0 else "is-plain"
    return [name, f"{value:+.3g}" if value else "0", tone]


def log_view(path: Path, at: int) -> View:
    """What a log has grown by.

    Args:
        at: bytes that the page has seen; a page that is far behind is sent the end alone.
    """
    try:
        size = path.stat().st_size
        start = at if size - LOG_BYTES <= at <= size else max(0, size - LOG_BYTES)
        with path.open("rb") as file:
            file.seek(start)
            read = file.read(size - start)
    except OSError:
        return {"start": 0, "end": 0, "text": ""}
    text = read.decode("utf-8", "replace").replace("\r\n", "\n")
    # A progress bar writes over its own line: what stands in the end counts.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return {"start": start, "end": start + len(read), "text": "\n".join(lines)}


def page_view(
    database: Database, data_dir: Path, asked: Mapping[str, object], problem: str = ""
) -> View:
    """The list of runs and, of the chosen one, what the page has not seen yet.

    Args:
        asked: `run`, and how far the page is: `after` (step), `samples` (step), `log` (bytes);
            `fresh` where it has nothing.
    """
    run_id = asked.get("run")
    now = utc_now()
    view: View = {"asked": run_id, "fresh": bool(asked.get("fresh")), "problem": problem}
    with database.read() as session:
        found = trainings.recent(session)
        view["runs"] = runs_view(found, now)
        view["live"] = any(one["state"] in ("running", "stopping") for one in view["runs"])
        if not isinstance(run_id, int):
            return view | {"run": None}
        try:
            training = trainings.get(session, run_id)
        except RecordNotFound as error:
            return view | {"run": None, "problem": problem or str(error)}
        points = trainings.metrics(session, run_id, _step(asked.get("after")))
        samples = trainings.samples(session, run_id, SAMPLES if view["fresh"] else 24)
    folder = run_folder(data_dir, run_id)
    last_step = max((point.step for point in points), default=_step(asked.get("after")))
    return view | {
        "run": run_view(training, last_step, folder, now),
        "curves": list(CURVES),
        "points": points_view(points),
        "samples": samples_view(samples, _step(asked.get("samples"))),
        "log": log_view(folder / "log.txt", max(0, _step(asked.get("log")))),
    }


def _step(value: object) -> int:
    return value if isinstance(value, int) else -1


def run_folder(data_dir: Path, run_id: int) -> Path:
    """Where a run keeps its recipe, log, checkpoints and adapter."""
    return data_dir / "runs" / str(run_id)
