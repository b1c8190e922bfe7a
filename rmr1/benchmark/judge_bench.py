"""JudgeBench: pairs of one model's right and wrong answers, in four kinds of task.

Source: ScalerLab/JudgeBench at 12a499c, README and utils/metrics.py: each pair is judged in both
orders, and is right where more verdicts name the right answer than the wrong one.
"""

from collections.abc import Mapping

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.figure import Table
from rmr1.benchmark.place import Place
from rmr1.benchmark.tally import Tally
from rmr1.cells import CellError, Cells, identifier, text
from rmr1.errors import InputError
from rmr1.pair import Message, Pair
from rmr1.preference import preference

TITLE = "JudgeBench"

_KINDS: Mapping[str, str] = {
    "mmlu-pro": "Knowledge",
    "livebench-reasoning": "Reasoning",
    "livebench-math": "Math",
    "livecodebench": "Coding",
}
"""Kinds of task, by how the name of a question's source begins."""


def judge_bench_pairs(cells: Cells, _path: str = "") -> list[Pair]:
    """The pair of a record, the right answer first.

    Raises:
        CellError: the record cannot be used.
    """
    answers = [text(cells.get(column), column) for column in ("response_A", "response_B")]
    label = cells.get("label")
    if label not in {"A>B", "B>A"}:
        raise CellError("label", f"is {str(label)[:20]!r} where A>B or B>A is wanted")
    better, worse = answers if label == "A>B" else reversed(answers)
    return [
        preference(
            [Message(role="user", content=text(cells.get("question"), "question"))],
            better,
            worse,
            id=identifier(cells.get("pair_id")),
            source=TITLE,
            subset=identifier(cells.get("source")) or "",
            meta={"response_model": str(cells.get("response_model") or "")},
        )
    ]


def _locate(pair: Pair) -> Place:
    kind = next((kind for start, kind in _KINDS.items() if pair.subset.startswith(start)), None)
    if kind is None:
        raise InputError(f"{pair.subset!r} is no source of JudgeBench's questions.")
    return Place(cell=kind, slice=pair.subset, stratum=kind, unit=pair.prompt_hash)


def _tables(tally: Tally) -> list[Table]:
    kinds = tuple(tally.cell(kind) for kind in _KINDS.values())
    return [
        Table(
            "Kinds of task",
            (*kinds, tally.pooled("Overall")),
            "All pairs count alike; the published runs judge each pair in both orders.",
        )
    ]


JUDGE_BENCH = Benchmark(
    name="judgebench",
    title=TITLE,
    size=350,  # of GPT-4o's answers; 270 more are of Claude 3.5 Sonnet's, apart
    origin="hub:ScalerLab/JudgeBench:gpt",
    patterns=("**/*gpt-4o*.jsonl", "**/gpt*.parquet", "**/*.json*"),
    pairs=judge_bench_pairs,
    locate=_locate,
    tables=_tables,
)
