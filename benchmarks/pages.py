"""How long the server takes for each page with many judgements on record, and why.

python -m benchmarks.pages --judgements 1000000 --keep large.db

For each page the first call on a new connection, then p50 and p95 of warm ones, the CPU time of
one, and the ratio to the same page over 500 judgements; then the slowest statement of the slowest
pages with how SQLite runs it.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

from benchmarks.filling import filled
from benchmarks.furnishing import furnish
from benchmarks.page_works import Work, works
from benchmarks.statements import Statement, recorded, slowest
from storage.database import Database

BUDGET_MS = 500
_SMALL = 500
_SLOWEST = 10
_LONG_S = 5
_FEW = 5
"""Repeats of what takes longer than `_LONG_S` at first."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a page took, in milliseconds of wall time; CPU time is of this process."""

    first: float
    first_cpu: float
    p50: float
    p95: float
    cpu: float


def main() -> None:
    """Fill a database, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=50_000)
    parser.add_argument("--keep", type=Path, help="a database to make once and measure again")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--only", default="", help="pages whose name holds these words")
    parser.add_argument("--plans", type=int, default=_SLOWEST, help="statements to explain")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = _opened(Path(folder) / "small.db", _SMALL)
        large = _opened(options.keep or Path(folder) / "large.db", options.judgements)
        _head(options.judgements)
        found: dict[str, tuple[Times, list[Statement]]] = {}
        for name, work in works(large).items():
            if options.only in name:
                found[name] = _measured(name, work, small, large, options.repeats)
        _say_plans(large, found, options.plans)
        small.close()
        large.close()
    slow = sum(times.p95 > BUDGET_MS for times, _ in found.values())
    print(f"{slow} of {len(found)} over the budget" if slow else f"all within {BUDGET_MS} ms")


def _opened(path: Path, judgements: int) -> Database:
    database = filled(path, judgements)
    furnish(database)
    return database


def _head(judgements: int) -> None:
    columns = ("first", "CPU", "p50", "p95", "CPU")
    shown = "".join(f"{name:>11}" for name in columns)
    print(f"{f'{judgements:,} judgements':38}{shown}{'500 rows':>11}{'ratio':>8}", flush=True)


def _measured(
    name: str, work: Work, small: Database, large: Database, repeats: int
) -> tuple[Times, list[Statement]]:
    before = _times(partial(work, small), 5)
    with recorded() as statements:
        first = _seconds(partial(work, large))
    once = list(statements)
    now = _times(partial(work, large), repeats if first[0] < _LONG_S else _FEW, first)
    mark = f"  over {BUDGET_MS} ms" if now.p95 > BUDGET_MS else ""
    cells = "".join(f"{value:>8.1f} ms" for value in astuple(now))
    print(f"{name:38}{cells}{before.p50:>8.1f} ms{now.p50 / before.p50:>8.1f}{mark}", flush=True)
    return now, once


def _times(
    work: Callable[[], object], repeats: int, first: tuple[float, float] | None = None
) -> Times:
    wall, cpu = first or _seconds(work)
    taken = [_seconds(work) for _ in range(repeats)]
    walls = sorted(1000 * wall for wall, _ in taken)
    p95 = walls[min(len(walls) - 1, int(0.95 * len(walls)))]
    usual = 1000 * statistics.median(one for _, one in taken)
    return Times(1000 * wall, 1000 * cpu, statistics.median(walls), p95, usual)


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _say_plans(
    database: Database, found: dict[str, tuple[Times, list[Statement]]], count: int
) -> None:
    """How the slowest statement of each of the slowest pages is run."""
    ranked = sorted(found.items(), key=lambda one: -one[1][0].p50)
    for name, (times, statements) in ranked[:count]:
        one = slowest(database, statements)
        print(f"\n{name}: {times.p50:,.0f} ms, {len(statements)} statements", flush=True)
        if one is not None:
            print(f"  {1000 * one.seconds:,.0f} ms: {' '.join(one.text.split())[:600]}")
            print("\n".join(f"    {line}" for line in one.plan))


if __name__ == "__main__":
    main()
