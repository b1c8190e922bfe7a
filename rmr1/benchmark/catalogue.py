"""The benchmarks that there are: the only place that knows them all."""

from typing import Final

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.judge_bench import JUDGE_BENCH
from rmr1.benchmark.reward_bench import REWARD_BENCH
from rmr1.benchmark.reward_bench_2 import REWARD_BENCH_2
from rmr1.benchmark.rm_bench import RM_BENCH
from rmr1.benchmark.rmb import RMB
from rmr1.errors import InputError

BENCHMARKS: Final = (REWARD_BENCH, RM_BENCH, RMB, REWARD_BENCH_2, JUDGE_BENCH)


def by_name(name: str) -> Benchmark:
    """The benchmark of a name on the command line.

    Raises:
        InputError: there is none.
    """
    for benchmark in BENCHMARKS:
        if benchmark.name == name:
            return benchmark
    names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
    raise InputError(f"There is no benchmark {name!r}: choose one of {names}.")


def by_title(title: str) -> Benchmark:
    """The benchmark that a pair names as its source.

    Raises:
        InputError: it is none.
    """
    for benchmark in BENCHMARKS:
        if benchmark.title == title:
            return benchmark
    raise InputError(f"the pair's source {title[:80]!r} is no benchmark")
