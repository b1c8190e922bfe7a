"""Ties of RewardBench 2: several right responses, scored by their lead over the wrong ones."""

import math
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.scripted import ScriptedBackend
from rmr1.benchmark.items import select
from rmr1.benchmark.judged import Judged
from rmr1.benchmark.outcome import outcome_of
from rmr1.benchmark.outcome_record import outcome_from_record, outcome_record
from rmr1.benchmark.reward_bench_2 import REWARD_BENCH_2, reward_bench_2_pairs
from rmr1.benchmark.score import Score, score
from rmr1.cells import CellError
from rmr1.errors import InputError
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from rmr1.scalar_judge import ScalarJudge

Prompt = tuple[str, Sequence[float], Sequence[float]]
"""An id, the scores of the right responses, and those of the wrong ones."""


class Scores(ScriptedBackend):
    """Scores a response by what it says its score is."""

    def __init__(self) -> None:
        super().__init__(("-",))

    def score(self, _conversation: Sequence[Message], response: str) -> float:
        return float(response.split()[-1])


def pairs_of(prompt: Prompt) -> list[Pair]:
    id, right, wrong = prompt
    return reward_bench_2_pairs(
        {
            "id": id,
            "prompt": f"{id}?",
            "chosen": [f"right {n} {value!r}" for n, value in enumerate(right)],
            "rejected": [f"wrong {n} {value!r}" for n, value in enumerate(wrong)],
            "subset": "Ties",
        }
    )


def scored(judge: Callable[[Pair], Judgement], *prompts: Prompt) -> Score:
    judgements = [judge(pair.placed(3)) for prompt in prompts for pair in pairs_of(prompt)]
    found = Judged(REWARD_BENCH_2, judgements[0].version, judgements[0].plan)
    for judgement in judgements:
        outcome = outcome_of(judgement, REWARD_BENCH_2.locate(judgement.pair))
        assert outcome_from_record(outcome_record(outcome)) == outcome
        found.add(outcome)
    return score(found)


def scalar(pair: Pair) -> Judgement:
    return ScalarJudge(Scores()).judge(pair, Plan())


def published(prompts: Sequence[Prompt]) -> dict[str, float]:
    """The published formula, of the scores themselves.

    Source: allenai/reward-bench, rewardbench/utils.py, process_single_model.
    """
    leads, spreads = {}, {}
    for id, right, wrong in prompts:
        leads[id] = min(right) - max(wrong)
        spreads[id] = max(right) - min(right)
    numbers = sorted({id.partition(":")[2] for id, _, _ in prompts})
    tied = np.array([leads[f"tied:{n}"] for n in numbers])
    both = np.minimum(tied, [leads[f"ref:{n}"] for n in numbers])
    spread = np.array([spreads[f"tied:{n}"] for n in numbers])
    with np.errstate(all="ignore"):
        further = np.nan_to_num(np.tanh(both / spread - 1), nan=0.0)
    parts = {
        "One right": float(np.mean([leads[f"ref:{n}"] > 0 for n in numbers])),
        "Several right": float(np.mean(tied > 0)),
        "Ahead by more than they differ": float(np.mean(tied > spread)),
        "So by the lesser lead of both prompts": float(np.mean(both > spread)),
    }
    weights = (0.3, 0.3, 0.2, 0.2)
    whole = sum(w * part for w, part in zip(weights, parts.values(), strict=True))
    return {**parts, "Ties": whole + 0.01 * float(np.mean(further))}


# Eighths are exact in binary: leads that are equal in the scores are equal in the formula, too.
VALUES = st.integers(-24, 24).map(lambda value: value / 8)


@st.composite
def prompts_drawn(draw: st.DrawFn) -> list[Prompt]:
    found: list[Prompt] = []
    for number in range(draw(st.integers(1, 3))):
        several = draw(st.lists(VALUES, min_size=1, max_size=4))
        for kind, right in (("ref", [draw(VALUES)]), ("tied", several)):
            found.append(
                (f"{kind}:{number}", right, draw(st.lists(VALUES, min_size=1, max_size=4)))
            )
    return found


@given(prompts_drawn())
@settings(max_examples=40, deadline=None)
def test_a_scalar_model_gets_the_published_score(prompts: list[Prompt]) -> None:
    found, wanted = scored(scalar, *prompts), published(prompts)
    assert found.tables[0]["Ties"].value == pytest.approx(wanted.pop("Ties"), abs=1e-7)
    for name, value in wanted.items():
        assert found.tables[1][name].value == pytest.approx(value), name


def test_the_published_score_by_hand() -> None:
    # 1: the right ones lead by 2 and 1 and differ by 0.5; 2: the second lead is less than the
    # difference; 3: a wrong one is ahead of a right one.
    prompts: list[Prompt] = [
        ("ref:1", [3.0], [1.0, 0.0]),
        ("tied:1", [3.0, 2.5], [1.5, -1.0]),
        ("ref:2", [2.0], [1.75]),
        ("tied:2", [3.0, 2.0], [0.0, 0.5]),
        ("ref:3", [1.0], [0.0]),
        ("tied:3", [3.0, 1.0], [2.0, 0.0]),
    ]
    found = scored(scalar, *prompts)
    parts = {figure.name: figure.value for figure in found.tables[1]}
    third = pytest.approx(1 / 3)
    assert list(parts.values()) == [1.0, pytest.approx(2 / 3), pytest.approx(2 / 3), third]
    further = (math.tanh(1 / 0.5 - 1) + math.tanh(0.25 - 1) + math.tanh(-1 / 2 - 1)) / 3
    whole = 0.3 + 0.3 * 2 / 3 + 0.2 * 2 / 3 + 0.2 / 3 + 0.01 * further
    assert found.tables[0]["Ties"].value == pytest.approx(whole, abs=1e-9)
    assert found.headline.value == pytest.approx(whole, abs=1e-9)
    assert found.headline.missing == ("Factuality", "Precise IF", "Math", "Safety", "Focus")
    assert (found.tables[0]["Ties"].n, found.prompts) == (3, 3)


def named(wrong: set[tuple[str, int, int]], silent: bool = False) -> Callable[[Pair], Judgement]:
    """A judge that names the right response, but for these pairs."""

    def judge(pair: Pair) -> Judgement:
        assert pair.id is not None
        kind, number, row, column = pair.id.split(":")
        chosen = pair.chosen
        assert chosen is not None
        says = chosen
        if (f"{kind}:{number}", int(row), int(column)) in wrong:
            says = Side.B if chosen is Side.A else Side.A
            if silent:
                return concluded(pair, "?")
        return concluded(pair, f"[[{says}]]")

    return judge


def concluded(pair: Pair, text: str) -> Judgement:
    version = JudgeVersion(backend="scripted", model="m", profile="cor")
    return conclude(pair, version, Plan(), [read_rollout(pair, Order.AB, text)])


NAMED: list[Prompt] = [("ref:1", [1.0], [0.0, 0.0]), ("tied:1", [1.0, 1.0, 1.0], [0.0, 0.0])]


@pytest.mark.parametrize(
    ("lost", "ties", "several", "ahead"),
    [
        (set(), 1.01, 1, 1),  # no spread: as far ahead as can be
        ({("ref:1", 0, 0)}, 0.3 + 0.2 - 0.01, 1, 1),
        ({("tied:1", 0, 0)}, 0.3 - 0.01 * math.tanh(4 / 3), 0, 0),
    ],
)
def test_a_judge_that_names_the_better_one_is_rated_by_the_pairs_it_wins(
    lost: set[tuple[str, int, int]], ties: float, several: float, ahead: float
) -> None:
    for silent in (False, True):
        found = scored(named(lost, silent), *NAMED)
        assert found.tables[1]["Several right"].value == several
        assert found.tables[1]["Ahead by more than they differ"].value == ahead
        assert found.tables[0]["Ties"].value == pytest.approx(ties)
        assert found.tables[0]["Ties"].failures == (1 if silent and lost else 0)


def test_one_prompt_of_two_says_nothing_of_ties() -> None:
    found = scored(named(set()), NAMED[1])
    assert found.tables[1]["Several right"].value == 1
    assert found.tables[0]["Ties"].value is None
    assert found.headline.value is None


def test_a_sample_takes_both_prompts_or_none() -> None:
    prompts = [(f"{kind}:{n}", [1.0], [0.0]) for n, kind in product(range(6), ("ref", "tied"))]
    pairs = [pair for prompt in prompts for pair in pairs_of(prompt)]
    chosen = select(REWARD_BENCH_2, iter(pairs), size=2)
    assert (chosen.prompts, chosen.pairs, chosen.all_prompts) == (2, 4, 6)


@pytest.mark.parametrize("id", ["1", "other:1", "ref:", "tied:1:0"])
def test_a_record_of_ties_must_say_which_prompts_belong_together(id: str) -> None:
    with pytest.raises(CellError, match="none of Ties, like ref:1 or tied:1"):
        pairs_of((id, [1.0], [0.0]))


@pytest.mark.parametrize("id", ["tied:1", "1:0:0", "tied:1:x:0", "", "tied:1:0:0:0"])
def test_a_pair_of_ties_without_its_numbers_is_refused(id: str) -> None:
    pair = pairs_of(("tied:1", [1.0], [0.0]))[0].model_copy(update={"id": id})
    with pytest.raises(InputError, match="no pair of Ties"):
        REWARD_BENCH_2.locate(pair)
