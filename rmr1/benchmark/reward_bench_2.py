"""RewardBench 2: the right response against three wrong ones, in five of its six domains.

The sixth, Ties, is scored by the margins between ratings, which verdicts on pairs do not have.

Source: arXiv 2506.01937; allenai/reward-bench, scripts/run_generative_v2.py.
"""

from rmr1.benchmark.contract import Benchmark, Place
from rmr1.benchmark.figure import Table
from rmr1.benchmark.tally import Tally, blend
from rmr1.cells import CellError, Cells, conversation, identifier, sequence, text
from rmr1.errors import InputError
from rmr1.pair import Pair
from rmr1.preference import preference

TITLE = "RewardBench 2"
DOMAINS = ("Factuality", "Precise IF", "Math", "Safety", "Focus")
TIES = "Ties"


def reward_bench_2_pairs(cells: Cells, _path: str = "") -> list[Pair]:
    """The right response of a record against each wrong one, the right one first.

    Raises:
        CellError: the record cannot be used, or is of the domain Ties.
    """
    subset = identifier(cells.get("subset")) or ""
    if subset == TIES:
        raise CellError("subset", "is Ties, which is scored by ratings and not by pairs")
    chosen, rejected = sequence(cells, "chosen"), sequence(cells, "rejected")
    if len(chosen) != 1:
        raise CellError("chosen", "holds more than one right response")
    prompt = conversation(cells.get("prompt"), "prompt")
    return [
        preference(
            prompt,
            text(chosen[0], "chosen"),
            text(worse, "rejected"),
            id=f"{identifier(cells.get('id'))}:{number}",
            source=TITLE,
            subset=subset,
            meta={"losers": len(rejected)},
        )
        for number, worse in enumerate(rejected)
    ]


def _locate(pair: Pair) -> Place:
    if pair.subset not in DOMAINS:
        raise InputError(f"{pair.subset!r} is no domain of RewardBench 2 that pairs can score.")
    losers = pair.meta.get("losers")
    prompt = pair.prompt_hash
    record = (pair.id or "").rpartition(":")[0]
    return Place(
        cell=pair.subset,
        slice=pair.subset,
        stratum=pair.subset,
        unit=prompt,
        query=f"{pair.subset}/{record}@{prompt[:16]}",
        losers=losers if isinstance(losers, int) else None,
    )


def _tables(tally: Tally) -> list[Table]:
    domains = tuple(tally.cell(domain) for domain in DOMAINS)
    mean, missing = blend((domain, 1.0, tally.only(domain)) for domain in DOMAINS)
    return [
        Table(
            "Domains",
            (*domains, tally.figure("Mean of domains", mean, [*missing, TIES])),
            "A prompt is right if its right response beats every wrong one in pairs; the "
            "published runs choose among four at once, or rate each alone.",
        )
    ]


REWARD_BENCH_2 = Benchmark(
    name="rewardbench-2",
    title=TITLE,
    size=3 * 1_763,
    origin="hub:allenai/reward-bench-2:test",
    patterns=("**/*.parquet", "**/*.json*"),
    pairs=reward_bench_2_pairs,
    locate=_locate,
    tables=_tables,
)
