"""RewardBench 2 and JudgeBench, which the same contract carries."""

import pytest

from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.judge_bench import JUDGE_BENCH, judge_bench_pairs
from rmr1.benchmark.judged import Judged
from rmr1.benchmark.outcome import outcome_of
from rmr1.benchmark.reward_bench_2 import REWARD_BENCH_2, reward_bench_2_pairs
from rmr1.benchmark.score import Score, score
from rmr1.cells import CellError
from rmr1.judgement import JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout

VERSION = JudgeVersion(backend="scripted", model="m")
FIRST, SECOND, NONE = "[[A]]", "[[B]]", "?"


def scored(benchmark: Benchmark, *said: tuple[Pair, tuple[str, ...]]) -> Score:
    plan = Plan(orders="both" if len(said[0][1]) == 2 else "AB")
    found = Judged(benchmark, VERSION, plan)
    for pair, texts in said:
        rollouts = [
            read_rollout(pair, order, text) for order, text in zip(Order, texts, strict=False)
        ]
        judgement = conclude(pair, VERSION, plan, rollouts)
        found.add(outcome_of(judgement, benchmark.locate(pair)))
    return score(found)


def four(id: str, subset: str) -> list[Pair]:
    return reward_bench_2_pairs(
        {
            "id": id,
            "prompt": f"{id}?",
            "chosen": ["right"],
            "rejected": ["wrong", "worse", "worst"],
            "subset": subset,
        }
    )


def test_the_right_one_of_four_must_beat_the_other_three() -> None:
    pairs = [*four("1", "Math"), *four("2", "Math"), *four("3", "Focus")]
    texts = [FIRST] * 3 + [FIRST, SECOND, FIRST] + [FIRST, FIRST, NONE]
    found = scored(REWARD_BENCH_2, *((p, (t,)) for p, t in zip(pairs, texts, strict=True)))
    assert found.tables[0]["Math"].value == 0.5
    assert (found.tables[0]["Focus"].value, found.tables[0]["Focus"].failures) == (0, 1)
    assert found.headline.value == 0.25
    assert found.headline.missing == ("Factuality", "Precise IF", "Safety", "Ties")


def test_several_right_ones_belong_to_ties_alone() -> None:
    with pytest.raises(CellError, match="more than one right"):
        reward_bench_2_pairs(
            {"id": "1", "prompt": "q", "chosen": ["a", "b"], "rejected": ["c"], "subset": "Math"}
        )


ROW = {
    "pair_id": "81ec",
    "source": "mmlu-pro-computer science",
    "question": "q",
    "response_A": "wrong",
    "response_B": "right",
    "label": "B>A",
    "response_model": "m",
}


@pytest.mark.parametrize(
    ("texts", "right"),
    [
        ((FIRST, SECOND), 1),  # the right answer in both orders
        ((FIRST, FIRST), 0),  # a draw
        ((FIRST, NONE), 1),  # one for, none against
        ((SECOND, NONE), 0),
        ((NONE, NONE), 0),
    ],
)
def test_a_pair_in_both_orders_is_right_by_more_verdicts(
    texts: tuple[str, str], right: int
) -> None:
    (pair,) = judge_bench_pairs(ROW)
    assert (pair.response_a, pair.chosen) == ("right", Side.A)
    found = scored(JUDGE_BENCH, (pair, texts))
    assert found.headline.value == right
    assert found.tables[0]["Knowledge"].value == right


def test_a_label_without_a_winner_is_refused() -> None:
    with pytest.raises(CellError, match="A>B or B>A"):
        judge_bench_pairs({**ROW, "label": "A=B"})
