"""Pairs in Parquet files judged on a Ray cluster: Parquet in, Parquet out, resumable by the part.

A part is a few hundred rows of one row group. An actor reads its part, judges it with a judge of
its own, and writes the part's file whole or not at all, so that a run that was killed goes on with
the parts that are not there. Rows that hold no pair get their reason instead of a judgement.
"""

import json
import logging
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from rmr1.backends.loading import load_backend
from rmr1.batch import by_prompt, judge_many
from rmr1.errors import BackendError, ConfigurationError, InputError, RMR1Error
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.judges import default_judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.record import judgement_record, pair_from_record
from rmr1.rollout import State
from rmr1.settings import BackendSettings

MANIFEST = "_run.json"
"""Says what a folder of parts is the result of; readers of Parquet folders pass it by."""

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("verdict", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("confidence", pa.float64()),
        ("swap_consistent", pa.bool_()),
        ("tokens", pa.int64()),
        ("seconds", pa.float64()),
        ("text", pa.string()),
        ("judgement", pa.string()),
    ]
)
"""A row of the result: `row` is its number in the row group; of a row without a pair, `state` is
null and `reason` says what is wrong; `judgement` is the line that `rmr1 judge` would have written.
"""


@dataclass(frozen=True, slots=True)
class Work:
    """Who judges, and how.

    Attributes:
        profile: prompt profile, as for `rmr1.judges.default_judge`.
        adapter: likewise.
        rows: rows of a part.
    """

    backend: BackendSettings
    plan: Plan
    profile: str | None = None
    adapter: str | None = None
    rows: int = 512


@dataclass(frozen=True, slots=True)
class Cluster:
    """What of a cluster is used.

    Attributes:
        address: of a running cluster; "" starts one on this machine for the time of the run.
        actors: judges at work at once.
        cpus, gpus: that each of them holds.
    """

    address: str = ""
    actors: int = 1
    cpus: float = 1.0
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a row group, from `number * rows` on."""

    file: str
    group: int
    number: int
    rows: int

    def target(self, out: Path) -> Path:
        """The file of its judgements."""
        return out / f"{Path(self.file).stem}-{self.group:05d}-{self.number:05d}.parquet"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of rows.

    Attributes:
        judged: rows with a judgement, made now or in an earlier run.
        failed: those of them whose backend failed; the next run judges them again.
        unusable: rows that hold no pair.
        error: why a part could not be judged at all.
    """

    judged: int = 0
    failed: int = 0
    unusable: int = 0
    error: str = ""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.judged + other.judged,
            self.failed + other.failed,
            self.unusable + other.unusable,
            self.error or other.error,
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of parts is the result of.

    Attributes:
        plan, version: hashes of the plan and of the judge version.
        rows: rows of a part.
    """

    plan: str
    version: str
    rows: int

    @classmethod
    def kept(cls, out: Path, wanted: "Manifest") -> Self:
        """The manifest of a folder, written there if it has none.

        Raises:
            InputError: the folder cannot be used, or holds judgements of another judge or plan.
        """
        path = out / MANIFEST
        try:
            out.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(json.dumps(asdict(wanted)), encoding="utf-8")
            found = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: cannot be used: {error}.") from error
        if (found.plan, found.version) != (wanted.plan, wanted.version):
            raise InputError(
                f"{out}: holds judgements of another judge or under another plan: name another "
                "folder."
            )
        return found


def judge_parquet(
    source: Path, out: Path, work: Work, cluster: Cluster = Cluster()
) -> Iterator[tuple[int, Tally]]:
    """Judge the pairs of a Parquet file or folder, each part as soon as an actor is free.

    Files are read and written by the actors: on a cluster of several machines both paths must lead
    to the same place on all of them.

    Yields:
        How many parts there are to do, and what became of the one that was just done; at first,
        of all those that an earlier run had finished.

    Raises:
        ConfigurationError: Ray is not installed, or the settings make no judge.
        InputError: there is nothing to read, or the folder holds something else.
        BackendError: a part could not be judged at all.
    """
    data = _ray_data()
    with closing(load_backend(work.backend)) as backend:
        judge = default_judge(backend, work.profile, work.adapter)
        wanted = Manifest(work.plan.hash, judge.version.hash, work.rows)
    manifest = Manifest.kept(out, wanted)
    parts = list(_parts(source, manifest.rows))
    before = {part: _tally(part.target(out)) for part in parts if part.target(out).exists()}
    whole = {part: tally for part, tally in before.items() if not tally.failed}
    todo = [part for part in parts if part not in whole]
    yield len(todo), sum(whole.values(), Tally())
    if not todo:
        return
    with _session(cluster):
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        data.DataContext.get_current().enable_progress_bars = False
        items = [{"part": json.dumps(asdict(part))} for part in todo]
        done = data.from_items(items, override_num_blocks=len(todo)).map_batches(
            JudgeParts,
            fn_constructor_args=(work, str(out.resolve())),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=min(cluster.actors, len(todo))),
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
        )
        for row in done.iter_rows():
            tally = Tally(**json.loads(row["tally"]))
            if tally.error:
                raise BackendError(f"the run stopped: {tally.error}")
            yield len(todo), tally


class JudgeParts:
    """What an actor does: judges parts, with one judge for all of them."""

    def __init__(self, work: Work, out: str) -> None:
        """Make the judge; its backend starts with the first request."""
        self._work, self._out = work, Path(out)
        self._judge = default_judge(load_backend(work.backend), work.profile, work.adapter)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[str]]:
        """Judge the parts of a batch; what went wrong is told, not raised."""
        tallies = [self._judged(Part(**json.loads(text))) for text in batch["part"]]
        return {"tally": [json.dumps(asdict(tally)) for tally in tallies]}

    def _judged(self, part: Part) -> Tally:
        try:
            return judge_part(self._judge, self._work.plan, part, self._out)
        except RMR1Error as error:
            return Tally(error=str(error))


def judge_part(judge: Judge, plan: Plan, part: Part, out: Path) -> Tally:
    """Judge one part and write its file; rows that an earlier run judged stay as they are.

    Raises:
        InputError: the part cannot be read, or its file not be written.
    """
    target = part.target(out)
    rows = {row["row"]: row for row in _judged(target) if row["state"] != State.FAILED}
    pairs: dict[str, list[int]] = {}
    todo: dict[str, Pair] = {}
    for number, record in _records(part):
        if number in rows:
            continue
        try:
            pair = pair_from_record(record)
        except InputError as error:
            rows[number] = {"row": number, "id": _id(record), "reason": str(error)}
            continue
        pairs.setdefault(pair.hash, []).append(number)
        todo[pair.hash] = pair
    with closing(judge_many(judge, by_prompt(todo.values()), plan)) as judged:
        for judgement in judged:
            for number in pairs[judgement.pair.hash]:
                rows[number] = _row(number, judgement)
    _write([rows[number] for number in sorted(rows)], target)
    return _count(rows.values())


def _parts(source: Path, rows: int) -> Iterator[Part]:
    """The parts of a file, or of all files of a folder in the order of their names."""
    files = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    stems = [file.stem for file in files]
    if len(set(stems)) < len(stems) or not files:
        raise InputError(f"{source}: expected a Parquet file, or a folder of some.")
    for file in files:
        try:
            found = pq.ParquetFile(file).metadata
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{file}: cannot be read as Parquet: {error}") from error
        for group in range(found.num_row_groups):
            for number in range(-(-found.row_group(group).num_rows // rows)):
                yield Part(str(file.resolve()), group, number, rows)


def _records(part: Part) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a part with their numbers in the row group."""
    try:
        file = pq.ParquetFile(part.file)
        number, begin = 0, part.number * part.rows
        for batch in file.iter_batches(batch_size=part.rows, row_groups=[part.group]):
            shown = batch[max(0, begin - number) : max(0, begin + part.rows - number)]
            yield from enumerate(shown.to_pylist(), start=max(number, begin))
            number += batch.num_rows
            if number >= begin + part.rows:
                return
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{part.file}: cannot be read as Parquet: {error}") from error


def _id(record: Mapping[str, Any]) -> str | None:
    return str(record["id"]) if record.get("id") is not None else None


def _row(number: int, judgement: Judgement) -> dict[str, Any]:
    record = judgement_record(judgement)
    columns = {name: record[name] for name in SCHEMA.names if name in record}
    return {"row": number, **columns, "judgement": json.dumps(record, ensure_ascii=False)}


def _judged(target: Path) -> list[dict[str, Any]]:
    if not target.exists():
        return []
    rows: list[dict[str, Any]] = pq.read_table(target).to_pylist()
    return rows


def _write(rows: Sequence[Mapping[str, Any]], target: Path) -> None:
    draft = target.with_name(f"_{target.stem}.{os.getpid()}.tmp")
    try:
        pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), draft)
        draft.replace(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}.") from error


def _tally(target: Path) -> Tally:
    return _count(pq.read_table(target, columns=["state"]).to_pylist())


def _count(rows: Iterable[Mapping[str, Any]]) -> Tally:
    states = [row.get("state") for row in rows]
    unusable = states.count(None)
    return Tally(len(states) - unusable, states.count(State.FAILED), unusable)


@contextmanager
def _session(cluster: Cluster) -> Iterator[None]:
    """A connection to the cluster, or a cluster on this machine for the time of the run."""
    import ray

    if ray.is_initialized():
        yield
        return
    if cluster.address:
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
        needed = math.ceil(cluster.actors * cluster.cpus)
        ray.init(
            address="local",
            num_cpus=max(needed, os.cpu_count() or 1),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    try:
        yield
    finally:
        ray.shutdown()


def _ray_data() -> Any:
    """Ray's data library.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import ray.data
    except ImportError as error:
        raise ConfigurationError(
            "judging on a cluster needs Ray: pip install -e '.[ray]'."
        ) from error
    return ray.data
