"""Loaders on the sample files, and samples of what they give."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.items import benchmark_files, prompt_of, read_items, select
from rmr1.benchmark.outcome import key_of
from rmr1.benchmark.reward_bench import REWARD_BENCH, SECTIONS
from rmr1.errors import InputError
from rmr1.pair import Pair, Side

FILES = Path("../shared/data/benchmarks")
SUBSETS = [subset for weights in SECTIONS.values() for subset in weights]

published = pytest.mark.skipif(not FILES.exists(), reason="the benchmarks' samples are not here")


def items(name: str, data: Path) -> list[Pair]:
    benchmark = by_name(name)
    found = list(read_items(benchmark, benchmark_files(benchmark, str(data))))
    assert not [one for one in found if isinstance(one, str)]
    return [one for one in found if isinstance(one, Pair)]


@published
@pytest.mark.parametrize(
    ("name", "data", "pairs", "slices"),
    [
        ("rewardbench", "reward_bench_filtered_sample.jsonl", 230, 23),
        ("rm-bench", "rm_bench", 64 * 9, 4),
        ("rmb", "RMB_dataset", None, 12),
    ],
)
def test_the_published_files_are_read_whole(
    name: str, data: str, pairs: int | None, slices: int
) -> None:
    found = items(name, FILES / data)
    benchmark = by_name(name)
    assert pairs in {None, len(found)}
    assert len({key_of(pair) for pair in found}) == len(found)
    assert len({benchmark.locate(pair).slice for pair in found}) == slices
    assert {pair.source for pair in found} == {benchmark.title}
    first = sum(pair.chosen is Side.A for pair in found)
    assert 0.4 < first / len(found) < 0.6
    again = items(name, FILES / data)
    assert [pair.hash for pair in again] == [pair.hash for pair in found]


@published
def test_rmb_has_pairs_queries_and_dialogues() -> None:
    found = items("rmb", FILES / "RMB_dataset")
    places = [by_name("rmb").locate(pair) for pair in found]
    assert len({place.cell for place in places}) == 4
    queries = Counter(place.query for place in places if place.query)
    sizes = {place.query: place.losers for place in places if place.query}
    assert queries == sizes
    assert any(pair.is_multi_turn for pair in found)


def rows(tmp_path: Path, count: int) -> list[Path]:
    path = tmp_path / "rows.jsonl"
    line = '{"id": 1, "subset": "donotanswer", "prompt": "p", "chosen": "x", "rejected": "y"}\n'
    path.write_text(line * count + "{}\nno JSON\n", encoding="utf-8")
    return [path]


def test_items_that_are_alike_are_told_apart_and_unusable_rows_named(tmp_path: Path) -> None:
    found = list(read_items(REWARD_BENCH, rows(tmp_path, 3)))
    pairs, reasons = found[:3], found[3:]
    assert {key_of(pair)[2] for pair in pairs if isinstance(pair, Pair)} == {1, 2, 3}
    assert [reason.partition(":")[0] for reason in reasons if isinstance(reason, str)] == [
        "rows.jsonl, line 4",
        "rows.jsonl, line 5",
    ]
    assert select(REWARD_BENCH, iter(found)).unusable == 2


def test_a_seed_lays_about_half_of_the_pairs_the_other_way() -> None:
    pairs = [Pair.of(f"p{n}", "x", "y", chosen=Side.A) for n in range(400)]
    same = sum(pair.placed(0) == pair.placed(1) for pair in pairs)
    assert 150 < same < 250
    assert all(pair.placed(7) == pair.swapped().placed(7) for pair in pairs)


def test_only_the_whole_file_of_rm_bench_is_read(tmp_path: Path) -> None:
    for name in ("total_dataset.json", "total_dataset_2.json", "chat_filtered.json"):
        (tmp_path / name).write_text("[]", encoding="utf-8")
    benchmark = by_name("rm-bench")
    assert [one.name for one in benchmark_files(benchmark, str(tmp_path))] == ["total_dataset.json"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="No file of RM-Bench"):
        benchmark_files(benchmark, str(empty))


@settings(max_examples=20, derandomize=True, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    size=st.integers(1, 60),
    seed=st.integers(0, 5),
)
def test_a_sample_has_its_size_and_every_slice_its_share(
    sizes: list[int], size: int, seed: int
) -> None:
    subsets = SUBSETS[: len(sizes)]
    pairs = [
        Pair.of(f"{subset} {n}", "x", "y", chosen=Side.A, subset=subset)
        for subset, count in zip(subsets, sizes, strict=True)
        for n in range(count)
    ]
    found = select(REWARD_BENCH, iter(pairs), size, seed)
    total = len(pairs)
    assert found.prompts == min(size, total)
    counts = Counter(
        subset
        for subset, prompt in (prompt_of(REWARD_BENCH, pair) for pair in pairs)
        if found.holds((subset, prompt))
    )
    assert counts.total() == found.prompts == found.pairs
    for subset, count in zip(subsets, sizes, strict=True):
        assert counts[subset] >= (size >= len(sizes))
        if size < total:
            assert abs(counts[subset] - size * count / total) <= len(sizes)
    assert found == select(REWARD_BENCH, iter(pairs), size, seed)
