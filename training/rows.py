"""The rows of a data set folder, as the trainers read them, and the order they are read in."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from rmr1.errors import InputError

Split = Literal["train", "validation", "test"]
Row = dict[str, Any]

_BATCHES_SORTED = 50
"""Batches' worth of examples that are sorted by length together; as in transformers' sampler."""


def find_file(folder: Path, kind: str, split: Split) -> Path | None:
    """The file of one kind and split, if the folder has it: JSON Lines or Parquet."""
    paths = (folder / f"{kind}.{split}.{suffix}" for suffix in ("jsonl", "parquet"))
    return next((path for path in paths if path.is_file()), None)


def read_rows(folder: Path, kind: str, split: Split = "train") -> list[Row]:
    """All rows of one kind and split; none where a split other than `train` is missing.

    Raises:
        InputError: there is no file of training rows, or it cannot be read.
    """
    path = find_file(folder, kind, split)
    if path is None:
        if split != "train":
            return []
        raise InputError(f"{str(folder)!r} holds no {kind}.{split}.jsonl or .parquet to train on.")
    try:
        if path.suffix == ".parquet":
            import pyarrow.parquet as parquet

            rows: list[Row] = parquet.read_table(path).to_pylist()
        else:
            with path.open(encoding="utf-8") as lines:
                rows = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {error}.") from error
    if not rows and split == "train":
        raise InputError(f"{str(path)!r} holds no rows to train on.")
    return rows


def examples_of(
    folder: Path,
    kind: str,
    split: Split,
    make: Callable[[Row], Row | None],
) -> list[Row]:
    """What `make` makes of the rows; those that it leaves out (too long) are not there.

    Raises:
        InputError: as `read_rows`, or every row was left out.
    """
    rows = read_rows(folder, kind, split)
    examples = [example for row in rows if (example := make(row)) is not None]
    if rows and not examples:
        raise InputError(
            f"None of the {len(rows)} {split} rows of {kind} in {str(folder)!r} fits: "
            "raise the recipe's number of tokens."
        )
    return examples


def as_dataset(examples: Sequence[Row], order: Sequence[int] | None = None) -> Any:
    """A data set of the `datasets` library, in this order."""
    from datasets import Dataset

    made = Dataset.from_list(list(examples))
    return made if order is None else made.select(order)


def order_by_length(lengths: Sequence[int], batch: int, epochs: float, seed: int) -> list[int]:
    """Which example comes when, over all epochs: a matter of the arguments alone.

    Examples of like length stand together, so that little is padded; the batches stand in random
    order, so that length says nothing about when an example is seen.

    Args:
        batch: examples that are padded to one length.
    """

    def epoch(lot: random.Random) -> list[int]:
        shuffled = list(range(len(lengths)))
        lot.shuffle(shuffled)
        size = batch * _BATCHES_SORTED
        batches = []
        for start in range(0, len(shuffled), size):
            group = sorted(shuffled[start : start + size], key=lambda index: -lengths[index])
            batches += [group[at : at + batch] for at in range(0, len(group), batch)]
        lot.shuffle(batches)
        # A short batch anywhere but at the end would shift the borders of those behind it.
        batches.sort(key=lambda one: len(one) < batch)
        return [index for one in batches for index in one]

    return _epochs(len(lengths), epochs, seed, epoch)


def order_by_pair(pairs: Sequence[str], epochs: float, seed: int) -> list[int]:
    """Which example comes when, at random, but both orders of a pair side by side."""
    members: dict[str, list[int]] = {}
    for index, pair in enumerate(pairs):
        members.setdefault(pair, []).append(index)

    def epoch(lot: random.Random) -> list[int]:
        groups = list(members.values())
        lot.shuffle(groups)
        # Groups of one size first, so that a batch of an even number tears none of them apart.
        groups.sort(key=lambda group: -len(group))
        return [index for group in groups for index in group]

    return _epochs(len(pairs), epochs, seed, epoch)


def _epochs(
    examples: int, epochs: float, seed: int, epoch: Callable[[random.Random], list[int]]
) -> list[int]:
    wanted = max(1, round(examples * epochs))
    order: list[int] = []
    while len(order) < wanted:
        order += epoch(random.Random(f"{seed}:{len(order)}"))
    return order[:wanted]
