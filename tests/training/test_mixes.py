"""A mix of files as a data set folder."""

import json
from pathlib import Path

import pytest

from rmr1.errors import InputError
from training.mixes import Mix, Share, load_mix, write_mix


def words(prompt: list[dict[str, str]], text: str) -> int:
    return sum(len(turn["content"].split()) for turn in prompt) + len(text.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"q-{number}",
            "prompt": f"Is {number} odd?",
            "chosen": f"{number} is what it is. Look at its last digit.",
            "rejected": "Who knows?",
            "source": "hh-rlhf",
            "subset": "helpful-base",
        }
        for number in range(40)
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def mix(**share: int) -> Mix:
    shares = (Share(file="pairs.jsonl", **share),)
    return Mix(name="small", profile="brief", validation=4, shares=shares)


def rows_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_distillation_and_rl_get_different_pairs_and_both_keep_some_back(
    folder: Path, tmp_path: Path
) -> None:
    files = write_mix(mix(traces=20, verdicts=10), folder, tmp_path / "out", words)
    assert {file.name: file.rows for file in files} == {
        "sft.train.jsonl": 16,
        "sft.validation.jsonl": 4,
        "rlvr.train.jsonl": 6,
        "rlvr.validation.jsonl": 4,
    }
    everything = [row for file in files for row in rows_of(tmp_path / "out" / file.name)]
    assert len({row["pair_hash"] for row in everything}) == 30


def test_easy_pairs_come_from_pairs_that_nothing_else_takes(folder: Path, tmp_path: Path) -> None:
    files = write_mix(mix(traces=12, easy=8, verdicts=10), folder, tmp_path / "out", words)
    rows = {
        file.name.split(".")[0]: rows_of(tmp_path / "out" / file.name)
        for file in files
        if file.split == "train"
    }
    easy = {str(row["pair_id"]) for row in rows["sft"] if ":" in row["pair_id"]}
    assert easy
    assert {name.split(":")[1] for name in easy} <= {"other", "cut", "loop"}
    assert not {name.split(":")[0] for name in easy} & {
        row["pair_id"] for kind in rows.values() for row in kind
    }


def test_the_same_mix_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    once = write_mix(mix(traces=20), folder, tmp_path / "one", words)
    again = write_mix(mix(traces=20), folder, tmp_path / "two", words)
    assert [file.sha256 for file in once] == [file.sha256 for file in again]


def test_rows_longer_than_the_mix_allows_are_left_out(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row"):
        write_mix(mix(traces=20, tokens=10), folder, tmp_path / "out", words)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pairs\.jsonl"):
        write_mix(mix(traces=1), tmp_path, tmp_path / "out", words)


def test_the_packaged_mix_is_one_and_an_unknown_one_is_refused() -> None:
    assert load_mix("embedded").profile == "brief"
    with pytest.raises(InputError, match="no mix"):
        load_mix("nothing")
