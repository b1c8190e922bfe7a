"""Data efficiency: how right a judge is after so many distilled traces."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rmr1.errors import InputError
from rmr1.evaluation import evaluate
from rmr1.judgement import Judgement
from storage.splits import draw
from training.rows import Row, find_file, read_rows

_KIND = "sft"


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One size of a sweep.

    Attributes:
        traces: training rows; fewer than asked for where the data set has no more.
        adapter: folder of what they made.
        right: share of right verdicts of all pairs, `low` and `high` its 95 % interval (Wilson).
        complete: share of complete judgements.
    """

    traces: int
    adapter: str
    pairs: int
    right: float | None
    low: float | None
    high: float | None
    complete: float | None
    seconds: float | None


def sweep(
    data: Path,
    sizes: Sequence[int],
    out: Path,
    train: Callable[[Path], Path],
    judge: Callable[[Path], Iterable[Judgement]],
    *,
    seed: int = 0,
) -> Iterator[SweepPoint]:
    """Train on the first traces of a fixed random order, more each time, and judge the same pairs.

    Sizes that `out/sweep.jsonl` has are not done again. Every size holds the traces of the smaller
    ones, so that what differs between two points is what was added.

    Args:
        train: trains on a data set folder and gives the folder of what it made.
        judge: judges the held-out pairs with an adapter.

    Raises:
        InputError: the data set cannot be used, or `out` cannot be written.
    """
    rows = sorted(read_rows(data, _KIND), key=lambda row: draw(f"{seed}:sweep", row["pair_hash"]))
    book = out / "sweep.jsonl"
    done = _done(book)
    for size in sorted({min(size, len(rows)) for size in sizes}):
        if size in done:
            yield done[size]
            continue
        folder = out / f"traces-{size}"
        _write_subset(data, rows[:size], folder)
        adapter = train(folder)
        found = evaluate(judge(adapter))
        whole = found.whole
        point = SweepPoint(
            traces=size,
            adapter=str(adapter),
            pairs=whole.right.n,
            right=whole.right.share,
            low=whole.right.low,
            high=whole.right.high,
            complete=whole.complete.share,
            seconds=found.seconds,
        )
        with book.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(point)) + "\n")
        yield point


def _done(book: Path) -> dict[int, SweepPoint]:
    if not book.is_file():
        return {}
    lines = book.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if len(whole) < len(lines):  # a kill cut the last one short
        book.write_text("".join(whole), encoding="utf-8")
    points = [SweepPoint(**json.loads(line)) for line in whole]
    return {point.traces: point for point in points}


def _write_subset(data: Path, rows: Sequence[Row], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{_KIND}.train.jsonl", rows)
        if find_file(data, _KIND, "validation"):
            _write(folder / f"{_KIND}.validation.jsonl", read_rows(data, _KIND, "validation"))
    except OSError as error:
        raise InputError(f"{str(folder)!r} cannot be written: {error.strerror}.") from error


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
