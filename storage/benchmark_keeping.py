"""Judgements on benchmarks brought into the store: out of files, and while they are being made."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.items import benchmark_files, read_items, select
from rmr1.benchmark.judged import JudgedRow, judged_rows
from rmr1.benchmark.manifest import Manifest
from rmr1.benchmark.outcome import outcome_of
from rmr1.benchmark.running import Chosen, identity, run_benchmark
from rmr1.errors import InputError, RMR1Error
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.results import opened_results
from rmr1.rollout import State
from storage import benchmark_runs, benchmarks, runs
from storage.benchmark_runs import Order
from storage.columns import JsonObject
from storage.database import Database
from storage.runs import Ending

LOT = 100
"""Judgements of a file that are stored in one transaction."""

BEAT_S = 5.0
_FLUSH_S = 1.0
"""Seconds between two looks of a page are longer: nobody waits for a judgement to be stored."""

_REASONS = 3


@dataclass(slots=True)
class Kept:
    """What became of some files.

    Attributes:
        runs: for each run that they hold, its id and how many judgements are new to it.
        unusable: rows that are no judgement on a benchmark.
        reasons: why the first of them are not.
    """

    runs: dict[int, int] = field(default_factory=dict)
    unusable: int = 0
    reasons: list[str] = field(default_factory=list)


def keep_files(
    database: Database, paths: Iterable[Path], benchmark: Benchmark | None = None
) -> Kept:
    """Bring in what has been judged: a run for each judge, plan and benchmark.

    The same files again add nothing; a file that has grown adds what is new.

    Args:
        paths: files that `rmr1 bench run` wrote, or released logs, or folders of such.
        benchmark: count every pair as one of it; by default the pair's source tells.

    Raises:
        InputError: a path is missing, or holds no judgement on a benchmark.
    """
    kept = Kept()
    opened: dict[tuple[str, str, str], int] = {}
    for path in paths:
        lot: list[tuple[Path, JudgedRow]] = []
        for file, row in judged_rows([path], benchmark):
            if isinstance(row, str):
                kept.unusable += 1
                kept.reasons.extend([row] if len(kept.reasons) < _REASONS else [])
                continue
            lot.append((file, row))
            if len(lot) >= LOT:
                _keep_lot(database, path, lot, opened, kept)
                lot = []
        _keep_lot(database, path, lot, opened, kept)
    if not kept.runs:
        why = f": {kept.reasons[0]}" if kept.reasons else ""
        raise InputError(f"No judgement on a benchmark is there{why}.")
    for run_id in kept.runs:
        with database.write() as session:
            benchmarks.remember_scores(session, run_id)
            done = benchmarks.count(session, run_id)
            manifest = benchmark_runs.get(session, run_id).run.params.get("manifest")
            total = manifest["pairs"] if manifest else done
            state: Ending = "finished" if done >= total else "stopped"
            runs.finish(session, run_id, {"done": done, "total": total}, state)
    return kept


def _keep_lot(
    database: Database,
    path: Path,
    lot: Iterable[tuple[Path, JudgedRow]],
    opened: dict[tuple[str, str, str], int],
    kept: Kept,
) -> None:
    with database.write() as session:
        for file, row in lot:
            judgement = row.judgement
            group = (row.benchmark.name, judgement.version.hash, judgement.plan.hash)
            if group not in opened:
                opened[group] = benchmark_runs.open_kept(
                    session, row.benchmark, judgement, path, Manifest.beside(file)
                )
            run_id = opened[group]
            kept.runs[run_id] = kept.runs.get(run_id, 0) + benchmarks.keep(session, run_id, row)


def work(
    database: Database, run_id: int, open_judge: Callable[[str], Judge], data_dir: Path
) -> None:
    """Judge what a run was opened for, from where it stands to its end or until it is stopped.

    Whatever goes wrong is noted on the run.

    Args:
        open_judge: the judge of a title.
    """
    with database.read() as session:
        order = Order.model_validate(benchmark_runs.get(session, run_id).run.params)
    state: Ending = "failed"
    message = "The process that judged ended unexpectedly."
    try:
        with _beating(database, run_id) as stopped:
            state, message = _judge(database, run_id, order, open_judge, data_dir, stopped)
    except RMR1Error as error:
        message = str(error)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"[:500]
        raise
    finally:
        with database.write() as session:
            benchmarks.remember_scores(session, run_id)
            runs.finish(session, run_id, state=state, message=message)


@contextmanager
def _beating(database: Database, run_id: int) -> Iterator[Event]:
    """Give signs of life, and set the event once somebody asks to stop."""
    stopped, ended = Event(), Event()

    def go_on() -> None:
        while True:
            with database.write() as session:
                if benchmark_runs.beat(session, run_id):
                    stopped.set()
            if ended.wait(BEAT_S):
                return

    thread = Thread(target=go_on, name="beat", daemon=True)
    thread.start()
    try:
        yield stopped
    finally:
        ended.set()
        thread.join()


def _judge(
    database: Database,
    run_id: int,
    order: Order,
    open_judge: Callable[[str], Judge],
    data_dir: Path,
    stopped: Event,
) -> tuple[Ending, str]:
    """How it ended, and what there is to say."""
    chosen = _choose(order, stopped)
    if chosen is None:
        return "stopped", ""
    out = benchmark_runs.folder_of(data_dir, run_id) / benchmark_runs.RESULTS
    out.parent.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(chosen, order)
    judge = open_judge(order.judge)
    with opened_results(out, identity) as results:
        manifest.save(out)
        with database.write() as session:
            benchmark_runs.recognise(session, run_id, judge.version)
            benchmark_runs.note(session, run_id, {"manifest": manifest.model_dump()})
        keeper = _Keeper(database, run_id, judge.profile.model_dump_json(), manifest.pairs)
        keeper.catch_up(out)
        for judgement in run_benchmark(judge, order.plan, chosen, results):
            keeper.take(judgement, chosen.benchmark)
            if stopped.is_set():
                break
        keeper.flush()
    if keeper.failed:
        return "failed", (
            f"The judge failed on {keeper.failed:,} pairs, which count as wrong: go on to try "
            "them again."
        )
    if keeper.done < manifest.pairs:
        return "stopped", ""
    said = f"Rows of the data that cannot be used: {manifest.unusable:,}."
    return "finished", said if manifest.unusable else ""


def _choose(order: Order, stopped: Event) -> Chosen | None:
    """The items to judge; None if the run is stopped while they are read."""
    benchmark = by_name(order.benchmark)
    files = benchmark_files(benchmark, order.data)

    def items() -> Iterator[Pair | str]:
        for item in read_items(benchmark, files, order.seed):
            if stopped.is_set():
                return
            yield item

    try:
        found = select(benchmark, items(), order.sample, order.seed)
    except InputError:
        if stopped.is_set():
            return None
        raise
    return None if stopped.is_set() else Chosen(benchmark, files, found, order.seed)


def _manifest(chosen: Chosen, order: Order) -> Manifest:
    found = chosen.selection
    return Manifest(
        benchmark=chosen.benchmark.name,
        data=order.data,
        sample=order.sample,
        seed=order.seed,
        prompts=found.prompts,
        pairs=found.pairs,
        all_prompts=found.all_prompts,
        all_pairs=found.all_pairs,
        unusable=found.unusable,
    )


class _Keeper:
    """Stores judgements as they come, several at once, and says how far a run is."""

    def __init__(self, database: Database, run_id: int, profile_text: str, total: int) -> None:
        self._database = database
        self._run_id = run_id
        self._profile_text = profile_text
        self._waiting: list[JudgedRow] = []
        self._flushed = time.monotonic()
        self._began = time.time()
        self._total = total
        self._counts = {"judged": 0, "read": 0, "written": 0}
        self.done = 0
        self.failed = 0

    def catch_up(self, out: Path) -> None:
        """Store what the file holds and the store lacks: a kill may have come between the two."""
        for _, row in judged_rows([out]):
            if not isinstance(row, str):
                self._waiting.append(row)
                if len(self._waiting) >= LOT:
                    self.flush()
        self.flush()

    def take(self, judgement: Judgement, benchmark: Benchmark) -> None:
        """Take a new judgement."""
        outcome = outcome_of(judgement, benchmark.locate(judgement.pair))
        self._waiting.append(JudgedRow(judgement, benchmark, outcome))
        self.failed += judgement.state is State.FAILED
        self._counts["judged"] += 1
        for rollout in judgement.rollouts:
            self._counts["read"] += rollout.prompt_tokens or 0
            self._counts["written"] += rollout.completion_tokens or 0
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Store what waits."""
        with self._database.write() as session:
            for row in self._waiting:
                benchmarks.keep(session, self._run_id, row, self._profile_text)
            self.done = benchmarks.count(session, self._run_id)
            counts: JsonObject = {
                "total": self._total,
                "done": self.done,
                "failed": self.failed,
                "began": self._began,
                "now": time.time(),
                **self._counts,
            }
            runs.report(session, self._run_id, counts)
        self._waiting.clear()
        self._flushed = time.monotonic()
