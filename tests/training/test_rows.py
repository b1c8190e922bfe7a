import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError
from training.rows import examples_of, find_file, order_by_length, order_by_pair, read_rows

LENGTHS = st.lists(st.integers(1, 500), min_size=1, max_size=80)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(LENGTHS, st.integers(1, 8), st.integers(1, 3), st.integers(0, 9))
def test_every_epoch_holds_every_example_once(
    lengths: list[int], batch: int, epochs: int, seed: int
) -> None:
    order = order_by_length(lengths, batch, epochs, seed)
    n = len(lengths)
    assert order == order_by_length(lengths, batch, epochs, seed)
    for epoch in range(epochs):
        assert sorted(order[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_batches_hold_examples_of_like_length_in_random_order() -> None:
    lengths = [number * 37 % 400 for number in range(400)]
    order = order_by_length(lengths, 8, 1, 1)
    batches = [[lengths[i] for i in order[at : at + 8]] for at in range(0, 400, 8)]
    assert max(max(batch) - min(batch) for batch in batches) < 20
    firsts = [batch[0] for batch in batches]
    assert firsts != sorted(firsts)
    assert firsts != sorted(firsts, reverse=True)


def test_epochs_and_seeds_differ() -> None:
    lengths = list(range(40))
    order = order_by_length(lengths, 4, 2, 1)
    assert order[:40] != order[40:]
    assert order_by_length(lengths, 4, 1, 2) != order[:40]


def test_part_of_an_epoch_is_its_beginning() -> None:
    whole = order_by_length(list(range(40)), 4, 1, 1)
    assert order_by_length(list(range(40)), 4, 0.25, 1) == whole[:10]
    assert len(order_by_length([1, 2], 4, 0.001, 1)) == 1


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(1, 20), st.integers(0, 20), st.integers(0, 9))
def test_both_orders_of_a_pair_are_never_torn_apart(doubles: int, singles: int, seed: int) -> None:
    pairs = [f"d{n}" for n in range(doubles)] * 2 + [f"s{n}" for n in range(singles)]
    order = order_by_pair(pairs, 1, seed)
    assert sorted(order) == list(range(len(pairs)))
    for at in range(0, len(order), 2):
        together = Counter(pairs[index] for index in order[at : at + 2])
        assert list(together.values()) == [2] or all(name.startswith("s") for name in together)


def test_rows_are_read_from_either_format(tmp_path: Path) -> None:
    rows = [{"prompt": [{"role": "user", "content": "é"}], "winner": "model_a"}]
    (tmp_path / "rlvr.train.jsonl").write_text(json.dumps(rows[0]) + "\n\n", encoding="utf-8")
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "rlvr.validation.parquet")
    assert read_rows(tmp_path, "rlvr") == rows
    assert read_rows(tmp_path, "rlvr", "validation") == rows
    assert read_rows(tmp_path, "rlvr", "test") == []
    assert find_file(tmp_path, "sft", "train") is None


def test_what_cannot_be_trained_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sft\.train"):
        read_rows(tmp_path, "sft")
    (tmp_path / "sft.train.jsonl").write_text("")
    with pytest.raises(InputError, match="no rows"):
        read_rows(tmp_path, "sft")
    (tmp_path / "sft.train.jsonl").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path, "sft")
    (tmp_path / "sft.train.parquet").write_text("no parquet")
    (tmp_path / "sft.train.jsonl").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read_rows(tmp_path, "sft")


def test_rows_may_be_left_out_but_not_all(tmp_path: Path) -> None:
    (tmp_path / "sft.train.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    assert examples_of(tmp_path, "sft", "train", lambda r: r if r["n"] > 1 else None) == [{"n": 2}]
    with pytest.raises(InputError, match="None of the 2"):
        examples_of(tmp_path, "sft", "train", lambda row: None)
    assert examples_of(tmp_path, "sft", "test", lambda row: None) == []
