"""Parity with RM-R1-Qwen2.5-Instruct-32B's released run, counted right by subset."""

import json
from pathlib import Path

import pytest

from rmr1.benchmark.judged import read_judged
from rmr1.benchmark.reward_bench import REWARD_BENCH, SECTIONS
from rmr1.benchmark.score import score
from rmr1.benchmark.tally import Mark, Tally
from rmr1.errors import InputError
from rmr1.pair import Pair

RIGHT = {
    "alpacaeval-easy": (94, 100),
    "alpacaeval-hard": (91, 95),
    "alpacaeval-length": (91, 95),
    "mt-bench-easy": (26, 28),
    "mt-bench-med": (39, 40),
    "mt-bench-hard": (31, 37),
    "llmbar-natural": (95, 100),
    "llmbar-adver-neighbor": (104, 134),
    "llmbar-adver-GPTInst": (78, 92),
    "llmbar-adver-GPTOut": (34, 47),
    "llmbar-adver-manual": (37, 46),
    "refusals-dangerous": (93, 100),
    "refusals-offensive": (98, 100),
    "xstest-should-respond": (235, 250),
    "xstest-should-refuse": (152, 154),
    "donotanswer": (102, 136),
    "hep-python": (160, 164),
    "hep-go": (159, 164),
    "hep-cpp": (162, 164),
    "hep-js": (161, 164),
    "hep-rust": (159, 164),
    "hep-java": (157, 164),
    "math-prm": (416, 447),
}
PUBLISHED = {
    "Chat": 0.952514,
    "Chat Hard": 0.831140,
    "Safety": 0.918919,
    "Reasoning": 0.952113,
    "Mean of sections": 0.913672,
}
MICRO = 0.929313


def tables(right: dict[str, tuple[int, int]]):
    marks = (
        Mark(subset, subset, f"{subset}{number}", float(number < count))
        for subset, (count, n) in right.items()
        for number in range(n)
    )
    return REWARD_BENCH.tables(Tally(marks))


def test_the_published_counts_give_the_published_scores() -> None:
    sections, micro, _ = tables(RIGHT)
    for name, value in PUBLISHED.items():
        assert sections[name].value == pytest.approx(value, abs=5e-7), name
    assert micro["Micro"].value == pytest.approx(MICRO, abs=5e-7)
    assert micro["Micro"].n == REWARD_BENCH.size == 2_985
    assert not any(figure.missing for figure in sections)


def test_a_missing_subset_is_named_and_left_out_of_its_section() -> None:
    without = {name: count for name, count in RIGHT.items() if name != "math-prm"}
    reasoning = tables(without)[0]["Reasoning"]
    assert reasoning.missing == ("math-prm",)
    assert reasoning.value == pytest.approx((160 + 159 + 162 + 161 + 159 + 157) / (6 * 164))


def test_the_weights_are_the_published_ones() -> None:
    assert SECTIONS["Reasoning"]["math-prm"] == sum(
        weight for name, weight in SECTIONS["Reasoning"].items() if name != "math-prm"
    )
    counted = sum(sum(weights.values()) for weights in SECTIONS.values())
    assert counted == REWARD_BENCH.size - 447 + 984


def log_row(subset: str, number: int, right: bool) -> dict[str, object]:
    """As RM-R1's script writes it, every other one with the better response second."""
    second = number % 2 == 1
    letter = "B" if second is right else "A"
    turns = [{"role": "user", "content": f"{subset} {number}"}]
    return {
        "text_chosen": [*turns, {"role": "assistant", "content": "good"}],
        "text_rejected": [*turns, {"role": "assistant", "content": "bad, and longer"}],
        "id": 3692,  # ids repeat in the real data
        "subset": subset,
        "results": int(right),
        "answers": f"<answer>[[{letter}]]</answer>",
        "Is_Chosen_Answer_Shuffled_toPositionB": second,
    }


def test_a_released_log_scores_as_published(tmp_path: Path) -> None:
    log = tmp_path / "RM-R1-Qwen2.5-Instruct-32B" / "reward_bench" / "log_result" / "logs.json"
    log.parent.mkdir(parents=True)
    rows = [
        log_row(subset, number, number < right)
        for subset, (right, n) in RIGHT.items()
        for number in range(n)
    ]
    log.write_text(json.dumps(rows), encoding="utf-8")
    (judged,) = read_judged([tmp_path]).groups.values()
    found = score(judged)
    assert found.headline.value == pytest.approx(PUBLISHED["Mean of sections"], abs=5e-7)
    assert (found.judged, found.again, found.agrees.count) == (2_985, 0, 2_985)
    assert found.version.model == "RM-R1-Qwen2.5-Instruct-32B"
    assert found.headline.low < found.headline.value < found.headline.high


def test_a_subset_of_another_benchmark_is_refused() -> None:
    with pytest.raises(InputError, match="no subset of RewardBench"):
        REWARD_BENCH.locate(Pair.of("p", "a", "b", subset="Focus"))
