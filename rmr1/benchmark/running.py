"""A benchmark judged: what is chosen and not judged yet, one judgement after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rmr1.batch import by_prompt, judge_many
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.items import Selection, prompt_of, read_items
from rmr1.benchmark.outcome import key_of
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.results import Results


def identity(pair: Pair) -> tuple[object, ...]:
    """What makes two items of a benchmark the same: where it stands in it, and on which sides."""
    return (*key_of(pair), pair.hash)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The items to judge, read from the files each time they are wanted.

    Attributes:
        seed: of the sides.
    """

    benchmark: Benchmark
    files: Sequence[Path]
    selection: Selection
    seed: int

    def pairs(self) -> Iterator[Pair]:
        """The chosen items, in the order of the files."""
        for item in read_items(self.benchmark, self.files, self.seed):
            if not isinstance(item, str) and self.selection.holds(prompt_of(self.benchmark, item)):
                yield item


def run_benchmark(
    judge: Judge, plan: Plan, chosen: Chosen, results: Results, *, workers: int | None = None
) -> Iterator[Judgement]:
    """Judge the chosen items that the results do not hold, and add each as it is done.

    Pairs are read while they are judged, so that few of them are in memory at once, and those of
    a prompt are judged one after the other.

    Args:
        workers: pairs judged at once, as in `judge_many`.

    Yields:
        The new judgements, each when it has been written.
    """
    same = (plan.hash, judge.version.hash)
    todo = (pair for pair in chosen.pairs() if not results.hold(pair, *same))
    for judgement in judge_many(judge, by_prompt(todo), plan, workers=workers):
        results.add(judgement)
        yield judgement
