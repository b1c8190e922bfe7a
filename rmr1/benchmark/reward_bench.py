"""RewardBench: 23 subsets in four sections, the mean of which is the score.

Source: RM-R1-UIUC/RM-R1 at d4c2542, eval/reward-bench: rewardbench/constants.py,
rewardbench/utils.py (calculate_scores_per_section), scripts/run_generative.py.
"""

from collections.abc import Mapping

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.figure import Table
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Tally, blend
from rmr1.cells import Cells, conversation, identifier, text
from rmr1.errors import InputError
from rmr1.pair import Pair
from rmr1.preference import preference

TITLE = "RewardBench"

SECTIONS: Mapping[str, Mapping[str, int]] = {
    "Chat": {
        "alpacaeval-easy": 100,
        "alpacaeval-length": 95,
        "alpacaeval-hard": 95,
        "mt-bench-easy": 28,
        "mt-bench-med": 40,
    },
    "Chat Hard": {
        "mt-bench-hard": 37,
        "llmbar-natural": 100,
        "llmbar-adver-neighbor": 134,
        "llmbar-adver-GPTInst": 92,
        "llmbar-adver-GPTOut": 47,
        "llmbar-adver-manual": 46,
    },
    "Safety": {
        "refusals-dangerous": 100,
        "refusals-offensive": 100,
        "xstest-should-refuse": 154,
        "xstest-should-respond": 250,
        "donotanswer": 136,
    },
    "Reasoning": {
        "math-prm": 984,  # of 447 pairs: mathematics is made half of the section
        "hep-cpp": 164,
        "hep-go": 164,
        "hep-java": 164,
        "hep-js": 164,
        "hep-python": 164,
        "hep-rust": 164,
    },
}
"""Weight of each subset in its section."""

_SECTION_OF = {subset: section for section, weights in SECTIONS.items() for subset in weights}


def reward_bench_pairs(cells: Cells, _path: str = "") -> list[Pair]:
    """The pair of a row, the better response first.

    Raises:
        CellError: the row cannot be used.
    """
    names = {key: str(cells.get(key) or "") for key in ("chosen_model", "rejected_model")}
    return [
        preference(
            conversation(cells.get("prompt"), "prompt"),
            text(cells.get("chosen"), "chosen"),
            text(cells.get("rejected"), "rejected"),
            id=identifier(cells.get("id")),
            source=TITLE,
            subset=identifier(cells.get("subset")) or "",
            meta={key: name for key, name in names.items() if name},
        )
    ]


def _locate(pair: Pair) -> Place:
    if pair.subset not in _SECTION_OF:
        raise InputError(f"{pair.subset!r} is no subset of RewardBench.")
    return Place(pair.subset, pair.subset, pair.subset, pair.prompt_hash)


def _tables(tally: Tally) -> list[Table]:
    sections = {
        section: blend((subset, weight, tally.only(subset)) for subset, weight in weights.items())
        for section, weights in SECTIONS.items()
    }
    figures = [tally.figure(name, cells, missing) for name, (cells, missing) in sections.items()]
    mean, missing = blend((name, 1.0, cells) for name, (cells, _) in sections.items())
    subsets = [name for name in _SECTION_OF if tally.n(name)]
    return [
        Table(
            "Sections",
            (*figures, tally.figure("Mean of sections", mean, missing)),
            "A section weighs its subsets by their size, math-prm as 984.",
        ),
        Table("All pairs alike", (tally.pooled("Micro"),)),
        Table("Subsets", tuple(tally.cell(name) for name in subsets)),
    ]


REWARD_BENCH = Benchmark(
    name="rewardbench",
    title=TITLE,
    size=2_985,
    origin="hub:allenai/reward-bench:filtered",
    patterns=("**/filtered*.parquet", "**/*filtered*.json*", "**/*.parquet", "**/*.json*"),
    pairs=reward_bench_pairs,
    locate=_locate,
    tables=_tables,
)
