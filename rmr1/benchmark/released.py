"""The evaluation logs that RM-R1's authors released, read as judgements of RM-R1 itself.

Source: RM-R1-UIUC/RM-R1 at d4c2542, eval/result/<model>/{reward_bench,RM-Bench,RMB}/**, one record
for each item in the shape that its evaluation scripts wrote.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rmr1.benchmark.rm_bench import rm_bench_pair
from rmr1.cells import CellError, Cells, conversation, identifier, judge_text, text
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.preference import preference
from rmr1.prompt import Layout
from rmr1.rollout import read_rollout
from rmr1.verdict import evaluation_verdict

PLAN = Plan(orders="AB", votes=1, temperature=0.0, max_tokens=50_000)
"""What the released runs used. Source: eval/eval_one_command.sh at d4c2542."""

_SHUFFLED = "Is_Chosen_Answer_Shuffled_toPositionB"
_MODEL = re.compile(r"RM-R1-[\w.\-]*?-\d+(?:\.\d+)?B", re.IGNORECASE)
_FILE_NUMBER = re.compile(r"total_dataset_([123])")


@dataclass(frozen=True, slots=True)
class Released:
    """One judgement out of a log.

    Attributes:
        agrees: whether the log's own result is what our reading of the same text gives, under the
            rule of the published evaluation.
    """

    judgement: Judgement
    agrees: bool


def read_record(cells: Cells, log: str) -> Iterator[Released]:
    """Read the judgements of one record: one, or three in RM-Bench's logs.

    The pair comes in the order that the judge saw.

    Args:
        log: the path of the log, which names the model and RM-Bench's file; a record's own `_log`
            goes before it.

    Raises:
        CellError: the record is not in one of the released shapes.
    """
    log = identifier(cells.get("_log")) or log
    records = _rm_bench(cells, log) if "output" in cells else [_single(cells, log)]
    version = _version(log)
    layout: Layout = "reasoning" if "DeepSeek" in version.model else "cor"
    for pair, output, result in records:
        rollout = read_rollout(pair, Order.AB, output, finish_reason="stop", layout=layout)
        right = evaluation_verdict(output) is pair.chosen
        yield Released(conclude(pair, version, PLAN, [rollout]), agrees=right is (result == 1))


@lru_cache(maxsize=64)
def _version(log: str) -> JudgeVersion:
    model = _MODEL.search(log)
    if model is None:
        raise CellError(
            "_log",
            "names no RM-R1 model: keep the log in the folder that it was released in, or give "
            "the import the model's name",
        )
    return JudgeVersion(backend="released log", model=model[0], profile="published")


def _single(cells: Cells, log: str) -> tuple[Pair, str, object]:
    """A record of RewardBench or RMB: two conversations that differ in their last turn."""
    before, better = _split(cells, "text_chosen")
    other, worse = _split(cells, "text_rejected")
    if before != other:
        raise CellError("text_rejected", "the conversations differ before their last turn")
    uid = cells.get("bon_uid") or cells.get("pair_uid") or cells.get("id")
    position = cells.get("_index")
    pair = preference(
        before,
        better,
        worse,
        id=identifier(uid),
        source="RMB" if "category_path" in cells else "RewardBench",
        subset=identifier(cells.get("category_path") or cells.get("subset")) or "",
        meta={"log": log} | ({"log_index": position} if isinstance(position, int) else {}),
    )
    answer = judge_text(cells.get("answers"), "answers")
    return _as_seen(pair, cells.get(_SHUFFLED)), answer, cells.get("results")


def _rm_bench(cells: Cells, log: str) -> list[tuple[Pair, str, object]]:
    """A record of RM-Bench: chosen style i against rejected style (i + file number - 1) mod 3."""
    number = _FILE_NUMBER.search(log)
    if number is None:
        raise CellError("_log", "does not say which of RM-Bench's three files this is")
    turn = int(number[1]) - 1
    columns = [
        _three(cells, name) for name in ("chosen", "rejected", "output", "result", _SHUFFLED)
    ]
    records = []
    for i, (better, worse, output, result, shuffled) in enumerate(zip(*columns, strict=True)):
        pair = rm_bench_pair(
            cells, (i, text(better, "chosen")), ((i + turn) % 3, text(worse, "rejected"))
        )
        pair.meta["log"] = log
        records.append((_as_seen(pair, shuffled), judge_text(output, "output"), result))
    return records


def _three(cells: Cells, column: str) -> Sequence[object]:
    value = cells.get(column)
    if not isinstance(value, list) or len(value) != 3:
        raise CellError(column, "is not a list of three")
    return value


def _split(cells: Mapping[str, object], column: str) -> tuple[list[Message], str]:
    turns = conversation(cells.get(column), column)
    if turns[-1].role != "assistant":
        raise CellError(column, "does not end with the assistant's turn")
    return turns[:-1], text(turns[-1].content, column)


def _as_seen(pair: Pair, shuffled: object) -> Pair:
    """The pair in the order that the judge saw; `shuffled` says that chosen was put second."""
    if not isinstance(shuffled, bool):
        raise CellError(_SHUFFLED, "is not true or false")
    assert pair.chosen is Side.A
    return pair.swapped() if shuffled else pair
