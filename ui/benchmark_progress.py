"""How far a benchmark run is, and what it has cost so far."""

from collections.abc import Mapping
from typing import Any

from storage.benchmark_runs import BenchmarkRun
from ui.views import View


def progress_view(one: BenchmarkRun, now: float) -> View:
    """Share done, and a line of facts.

    Args:
        now: seconds since the epoch.
    """
    counts = one.run.counts
    done, total = counts.get("done", 0), counts.get("total", 0)
    if one.state() == "running" and not total:
        return {"share": None, "line": ["Reading the data and opening the judge …"]}
    line = [f"{done:,} of {total:,} pairs"] if total else []
    if counts.get("failed"):
        line.append(f"the backend failed on {counts['failed']:,}")
    if counts.get("written"):
        line.append(f"{counts['read']:,} tokens read, {counts['written']:,} written")
    if one.state() == "running" and (left := remaining_s(counts, now)) is not None:
        line.append(f"about {duration(left)} left")
    return {"share": done / total if total else None, "line": line}


def remaining_s(counts: Mapping[str, Any], now: float) -> float | None:
    """Seconds that the rest will take at the pace since the process began; None if unknown."""
    judged, began = counts.get("judged", 0), counts.get("began")
    left = counts.get("total", 0) - counts.get("done", 0)
    if not judged or began is None or left <= 0:
        return None
    last = float(counts.get("now", now))
    pace = (last - float(began)) / int(judged)
    return max(0.0, pace * int(left) - (now - last))


def duration(seconds: float) -> str:
    """A time in words, no more exact than it is known."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def can_resume(one: BenchmarkRun) -> bool:
    """Whether a process can go on with it: it ended early, and did not come from files."""
    return one.state() in {"stopped", "failed", "lost"} and not one.run.params.get("kept")
