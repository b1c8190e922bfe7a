import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from rmr1.benchmark.released import Released, read_record
from rmr1.cells import CellError
from rmr1.pair import Side

LOG = "result/RM-R1-Qwen2.5-Instruct-32B/reward_bench/log_result/logs.json"
DATA = Path("../shared/data/rm_r1_released_traces.jsonl.gz")
FLAG = "Is_Chosen_Answer_Shuffled_toPositionB"


def turns(answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": "p"}, {"role": "assistant", "content": answer}]


def record(**changes: Any) -> dict[str, Any]:
    return {
        "text_chosen": turns("good"),
        "text_rejected": turns("bad"),
        "answers": "<type>Chat</type> … <answer>[[B]]</answer>",
        "results": 1,
        FLAG: True,
        "subset": "xstest",
        "id": 3692,
        **changes,
    }


def one(**changes: Any) -> Released:
    (released,) = read_record(record(**changes), LOG)
    return released


def test_the_pair_comes_in_the_order_that_the_judge_saw() -> None:
    pair = one().judgement.pair
    assert (pair.response_a, pair.response_b, pair.chosen) == ("bad", "good", Side.B)
    assert (pair.source, pair.subset, pair.id) == ("RewardBench", "xstest", "3692")
    assert one(**{FLAG: False}).judgement.pair.response_a == "good"


def test_the_log_names_the_judge() -> None:
    version = one().judgement.version
    assert version.model == "RM-R1-Qwen2.5-Instruct-32B"
    assert (version.backend, version.profile) == ("released log", "published")
    own = record(_log="RM-R1-DeepSeek-Distilled-Qwen-7B/reward_bench/log_result/logs.json")
    (other,) = read_record(own, "logs.json")
    assert other.judgement.version.model == "RM-R1-DeepSeek-Distilled-Qwen-7B"


@pytest.mark.parametrize(
    ("answer", "result", "agrees"),
    [
        ("[[B]]", 1, True),
        ("[[B]]", 0, False),
        ("[[A]]", 0, True),
        ("[[A]] or [[B]]", 0, True),
        ("[[A]] or [[B]]", 1, False),
        ("nothing", 0, True),
        ("", 0, True),
    ],
)
def test_the_logged_result_is_compared_with_our_reading(
    answer: str, result: int, agrees: bool
) -> None:
    assert one(answers=answer, results=result).agrees is agrees


def test_an_rm_bench_record_gives_three_judgements_on_three_pairs() -> None:
    row = {
        "id": "chat/215",
        "domain": "chat",
        "prompt": "p",
        "chosen": ["c0", "c1", "c2"],
        "rejected": ["r1", "r2", "r0"],
        "output": ["[[A]]", "[[A]]", "[[B]]"],
        "result": [1, 0, 0],
        FLAG: [False, True, False],
    }
    log = "RM-R1-Qwen2.5-Instruct-32B/RM-Bench/logs/total_dataset_2_RM-R1.json"
    found = list(read_record(row, log))
    pairs = [released.judgement.pair for released in found]
    assert [pair.id for pair in pairs] == ["chat/215:0-1", "chat/215:1-2", "chat/215:2-0"]
    assert [(pair.response_a, pair.response_b) for pair in pairs] == [
        ("c0", "r1"),
        ("r2", "c1"),
        ("c2", "r0"),
    ]
    assert all(released.agrees for released in found)


def test_a_best_of_n_record_is_known_by_its_id() -> None:
    pair = one(bon_uid="77", category_path="BoN_set/Harmlessness/S1").judgement.pair
    assert (pair.source, pair.subset, pair.id) == ("RMB", "BoN_set/Harmlessness/S1", "77")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"answers": None}, "answers"),
        ({FLAG: 1}, FLAG),
        ({"text_rejected": [{"role": "user", "content": "q"}, *turns("x")[1:]]}, "text_rejected"),
        ({"text_chosen": turns("x")[:1]}, "text_chosen"),
        ({"_log": "elsewhere/logs.json"}, "_log"),
    ],
)
def test_a_record_that_cannot_be_used_names_its_column(
    changes: dict[str, Any], column: str
) -> None:
    with pytest.raises(CellError) as caught:
        one(**changes)
    assert caught.value.column == column


@pytest.mark.skipif(not DATA.exists(), reason="the released logs are not here")
def test_every_logged_result_is_what_we_read() -> None:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        found = [one for line in lines for one in read_record(json.loads(line), "")]
    assert len(found) == 428
    assert all(released.agrees for released in found)
