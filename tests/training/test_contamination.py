import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError
from rmr1.pair import Message, Pair
from training.contamination import Benchmarks, read_benchmarks

SHARED = Path(__file__).parents[3] / "shared" / "data"
LONG = (
    "A train leaves the station at noon and travels east at sixty kilometres an hour while another "
    "one follows an hour later at ninety; when do they meet, and how far from the station is that?"
)
FOX = "How do I keep a fox from digging up my flower beds?"


def user(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


@pytest.fixture
def benchmarks() -> Benchmarks:
    known = Benchmarks()
    known.add("Trains", user(LONG))
    known.add("Foxes", user(FOX))
    known.add("Sums", user("What is 17 + 26?"))
    known.add("Signs", user("?!"))
    for number in range(200):
        known.add("Others", user(f"Tell me about the number {number * 7919} and its divisors."))
    return known


@pytest.mark.parametrize(
    ("prompt", "benchmark", "rule"),
    [
        (LONG, "Trains", "exact"),
        (LONG.upper().replace(",", ""), "Trains", "exact"),
        ("  How do I keep a fox from digging up my flower beds", "Foxes", "exact"),
        ("what is 17+26", "Sums", "exact"),
        (
            "Solve this, please. A train leaves the station at noon and travels east at sixty "
            "kilometres an hour. Where is it at one?",
            "Trains",
            "13 words",
        ),
        ("How do I keep a fox from diging up my flower beds?", "Foxes", "near"),
        ("How can I keep a fox from digging up my flower bed?", "Foxes", "near"),
        ("How do I keep the fox from digging up my flower beds?", "Foxes", "near"),
        ("?!", "Signs", "exact"),
        ("What is 17 + 27?", "", ""),
        ("How do I keep a cat from scratching my sofa?", "", ""),
        ("A train leaves the station at noon.", "", ""),
        ("Tell me about the number 7918 and its divisors.", "", ""),
    ],
)
def test_a_prompt_is_refused_by_the_first_rule_that_it_breaks(
    benchmarks: Benchmarks, prompt: str, benchmark: str, rule: str
) -> None:
    hit = benchmarks.find(user(prompt))
    assert ((hit and hit.benchmark) or "", (hit and hit.rule) or "") == (benchmark, rule)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from(["alpha", "beta", "gamma", "delta", "kappa", "sigma"]),
        min_size=13,
        max_size=30,
    ),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_thirteen_words_in_a_row_are_found_wherever_they_stand(
    words: list[str], before: int, after: int
) -> None:
    known = Benchmarks()
    known.add("B", user(" ".join(words)))
    run = words[len(words) // 2 - 6 :][:13] if len(words) > 20 else words[:13]
    said = ["x"] * before + run + ["y"] * after
    assert (known.find(user(" ".join(said))) is not None) == (len(run) == 13)


def test_the_opening_of_a_dialogue_counts_and_so_does_all_of_it(benchmarks: Benchmarks) -> None:
    asked = [Message(role="assistant", content="Which fox?"), *user("The red one.")]
    hit = benchmarks.find([*user(FOX), *asked])
    assert hit is not None
    assert hit.rule == "exact"
    greeted = [*user("Hi"), Message(role="assistant", content="Hello!"), *user(LONG)]
    hit = benchmarks.find(greeted)
    assert hit is not None
    assert hit.rule == "13 words"
    benchmarks.add("Talk", [*user("Hi"), Message(role="assistant", content="Yo"), *user("Bye now")])
    assert (
        benchmarks.find([*user("Hi"), Message(role="assistant", content="Hm"), *user("So")]) is None
    )


def test_refusals_are_counted_with_examples(benchmarks: Benchmarks) -> None:
    for prompt in [LONG] * 7 + [FOX, "Something else altogether"]:
        benchmarks.check(Pair.of(prompt, "yes", "no"))
    report = benchmarks.report()
    assert report.checked == 9
    assert report.refused == {"Trains": {"exact": 7}, "Foxes": {"exact": 1}}
    assert [one.benchmark for one in report.examples] == ["Trains"] * 5 + ["Foxes"]
    assert report.examples[-1].benchmark_prompt == FOX
    assert report.benchmarks["Others"] == 200


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_benchmarks_are_read_from_files_and_folders_of_pairs_and_of_prompts(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    write(folder / "pairs.jsonl", {"prompt": FOX, "chosen": "x", "rejected": "y"})
    write(folder / "deep" / "prompts.jsonl", {"question": LONG}, {"question": ""})
    known = read_benchmarks([folder])
    assert known.report().benchmarks == {"prompts": 1, "pairs": 1}
    assert known.unread == 1
    assert known.find(user(LONG))
    assert known.find(user(FOX))


def test_a_check_that_would_check_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no benchmark file"):
        read_benchmarks([tmp_path])
    with pytest.raises(InputError, match="no prompt that could be read"):
        read_benchmarks([write(tmp_path / "x.jsonl", {"colour": "red"})])
    empty = write(tmp_path / "y.jsonl", {"prompt": "", "chosen": "x", "rejected": "y"})
    good = write(tmp_path / "z.jsonl", {"prompt": FOX, "chosen": "x", "rejected": "y"})
    with pytest.raises(InputError, match="no prompt that could be read"):
        read_benchmarks([good, empty])
    assert read_benchmarks([good, good]).find(user(FOX))


def test_without_benchmarks_nothing_is_refused() -> None:
    assert read_benchmarks([]).check(Pair.of(FOX, "a", "b")) is None


def test_the_benchmarks_samples_are_read_and_refuse_their_own_prompts() -> None:
    folder = SHARED / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the benchmarks' samples are not there")
    known = read_benchmarks([folder])
    report = known.report()
    assert set(report.benchmarks) == {"RewardBench", "RM-Bench", "RMB"}
    assert report.unread == 0
    one = read_benchmarks([folder / "reward_bench_filtered_sample.jsonl"])
    assert one.report().benchmarks["RewardBench"] > 200
