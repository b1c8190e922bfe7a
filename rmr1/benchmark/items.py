"""The items of a benchmark, read from a file, a folder or the Hub, and a sample of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import floor
from pathlib import Path

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.outcome import Key, key_of
from rmr1.cells import CellError
from rmr1.errors import InputError
from rmr1.hub import fetch
from rmr1.pair import Pair
from rmr1.readers import RowError, read_rows

Prompt = tuple[str, str]
"""A slice and a prompt in it: what a sample takes whole or leaves."""


def benchmark_files(benchmark: Benchmark, data: str) -> list[Path]:
    """The files that hold a benchmark.

    Args:
        data: a file or a folder as published, or `hub:OWNER/NAME` with or without `:SPLIT`.

    Raises:
        InputError: nothing of it is there.
    """
    if data.startswith("hub:"):
        return fetch(data)
    try:
        return _local_files(benchmark, data)
    except OSError as error:
        raise InputError(f"{data[:200]!r} cannot be read: {error.strerror}.") from error


def _local_files(benchmark: Benchmark, data: str) -> list[Path]:
    path = Path(data)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(
            f"{data[:200]!r} is neither a file, a folder nor hub:OWNER/NAME: {benchmark.title} is "
            f"to be had from {benchmark.origin}."
        )
    for pattern in benchmark.patterns:
        if found := sorted(file for file in path.glob(pattern) if file.is_file()):
            return found
    raise InputError(f"No file of {benchmark.title} is in the folder {data!r}.")


def read_items(benchmark: Benchmark, files: Sequence[Path], seed: int = 0) -> Iterator[Pair | str]:
    """The pairs of a benchmark, each on its sides; in the place of an unusable row, why it is so.

    Args:
        seed: of the sides, as in `Pair.placed`.

    Raises:
        InputError: a file as a whole cannot be read.
    """
    alike: Counter[Key] = Counter()
    for file in files:
        for row in read_rows(file):
            if isinstance(row, RowError):
                yield f"{file.name}, {row}"
                continue
            try:
                pairs = benchmark.pairs(row.cells, file.as_posix())
                for pair in pairs:
                    benchmark.locate(pair)
            except (CellError, InputError) as error:
                yield f"{file.name}, line {row.line}: {error}"
                continue
            for pair in pairs:
                alike[key_of(pair)] += 1
                repeat = alike[key_of(pair)]
                if repeat > 1:
                    pair.meta["repeat"] = repeat
                yield pair.placed(seed)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items of a benchmark are to be judged.

    Attributes:
        chosen: the prompts, by slice; None for all of them.
        prompts, pairs: how many are chosen.
        all_prompts, all_pairs: how many there are.
        unusable: rows that cannot be used.
        reasons: why the first of them cannot.
    """

    chosen: frozenset[Prompt] | None
    prompts: int
    pairs: int
    all_prompts: int
    all_pairs: int
    unusable: int
    reasons: tuple[str, ...]

    def holds(self, prompt: Prompt) -> bool:
        """Whether a prompt's pairs are to be judged."""
        return self.chosen is None or prompt in self.chosen


def prompt_of(benchmark: Benchmark, pair: Pair) -> Prompt:
    """The slice and the prompt of a pair."""
    place = benchmark.locate(pair)
    return place.slice, place.unit


def select(
    benchmark: Benchmark, items: Iterator[Pair | str], size: int | None = None, seed: int = 0
) -> Selection:
    """Choose prompts, from each slice in proportion, each slice at least once where there is room.

    A larger sample with the same seed holds most of a smaller one.

    Args:
        size: prompts to choose, with all of their pairs; None for all.
        seed: of the choice.

    Raises:
        InputError: there is nothing to choose from.
    """
    counts: Counter[Prompt] = Counter()
    reasons: list[str] = []
    for item in items:
        if isinstance(item, str):
            reasons.append(item)
        else:
            counts[prompt_of(benchmark, item)] += 1
    if not counts:
        why = f": {reasons[0]}" if reasons else ""
        raise InputError(f"The data hold no item of {benchmark.title}{why}.")
    chosen = None if size is None or size >= len(counts) else _sample(counts, size, seed)
    return Selection(
        chosen=chosen,
        prompts=len(counts if chosen is None else chosen),
        pairs=sum(counts[prompt] for prompt in (counts if chosen is None else chosen)),
        all_prompts=len(counts),
        all_pairs=counts.total(),
        unusable=len(reasons),
        reasons=tuple(reasons[:20]),
    )


def _sample(counts: Mapping[Prompt, int], size: int, seed: int) -> frozenset[Prompt]:
    slices: dict[str, list[Prompt]] = {}
    for prompt in counts:
        slices.setdefault(prompt[0], []).append(prompt)
    least = 1 if size >= len(slices) else 0
    sizes = {name: len(prompts) - least for name, prompts in slices.items()}
    seats = _apportioned(sizes, size - least * len(slices))

    def drawn(prompt: Prompt) -> str:
        return sha256(f"{seed}\n{prompt[0]}\n{prompt[1]}".encode()).hexdigest()

    return frozenset(
        prompt
        for name, prompts in slices.items()
        for prompt in sorted(prompts, key=drawn)[: seats[name] + least]
    )


def _apportioned(sizes: Mapping[str, int], seats: int) -> dict[str, int]:
    """Seats in proportion to the sizes, what is left by the largest remainder."""
    total = sum(sizes.values())
    exact = {name: seats * size / total for name, size in sizes.items()}
    given = {name: floor(share) for name, share in exact.items()}
    rest = sorted(exact, key=lambda name: (given[name] - exact[name], name))
    for name in rest[: seats - sum(given.values())]:
        given[name] += 1
    return given
