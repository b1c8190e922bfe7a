import pytest

from rmr1.benchmark.catalogue import BENCHMARKS
from rmr1.benchmark.paper import paper_tables


def number(table: str, model: str, column: str) -> float:
    (found,) = [
        one.share
        for one in paper_tables()[table].numbers()
        if (one.model, one.column) == (model, column)
    ]
    return found


@pytest.mark.parametrize(
    ("table", "model", "column", "share"),
    [
        ("main", "RM-R1-DeepSeek-Distilled-Qwen-32B", "Average", 0.815),
        ("reward_bench", "RM-R1-Instruct-32B", "Chat Hard", 0.831),
        ("rm_bench", "RM-R1-DeepSeek-Distilled-32B", "Math", 0.918),
        ("rmb", "RM-R1-Instruct-32B", "Harmlessness, pairs", 0.809),
        ("ablation", "Instruct (original)", "Mean of sections", 0.858),
        ("answer_only", "Instruct + Distilled", "RMB", 0.72),
        ("scaling_budget", "8192", "Mean of three benchmarks", 0.796),
        ("released_reward_bench", "RM-R1-Qwen2.5-Instruct-32B", "Micro", 0.9293),
    ],
)
def test_a_number_is_the_printed_one(table: str, model: str, column: str, share: float) -> None:
    assert number(table, model, column) == pytest.approx(share)


def test_every_number_names_its_source_version_and_table() -> None:
    for table in paper_tables().values():
        for one in table.numbers():
            assert all((one.source, one.version, one.table)), one
            assert 0 <= one.share <= 1, one


def test_a_number_that_is_not_there_is_left_out() -> None:
    columns = [
        one.column for one in paper_tables()["main"].numbers() if one.model == "DeepSeek-PairRM-27B"
    ]
    assert columns == ["RewardBench", "RMB"]


def test_a_remark_goes_with_its_number() -> None:
    remarks = {one.note for one in paper_tables()["rm_bench"].numbers() if one.model == "JudgeLRM"}
    assert remarks == {"", "printed 766.2"}
    approximate = {name for name, table in paper_tables().items() if table.approximate}
    assert approximate == {"scaling_size", "scaling_budget"}


def test_tables_of_a_benchmark_name_one_that_is_there() -> None:
    named = {table.benchmark for table in paper_tables().values()} - {""}
    assert named == {one.name for one in BENCHMARKS if one.name in named}


@pytest.mark.parametrize("table", ["main", "reward_bench", "rm_bench", "rmb"])
def test_the_last_column_is_the_mean_of_the_parts(table: str) -> None:
    """A guard against slips in copying; where the paper itself differs, a note says so."""
    found = paper_tables()[table]
    parts = slice(4, 7) if table == "rm_bench" else slice(0, -1)
    remarked = {note.model for note in found.notes}
    for _, model, *values in found.rows:
        known = [value for value in values[parts] if isinstance(value, float)]
        if model in remarked or "" in values:
            continue
        tolerance = 0.11 if found.unit == "percent" else 0.0011
        assert sum(known) / len(known) == pytest.approx(values[-1], abs=tolerance), model
