import pytest

from rmr1.benchmark.tally import Mark, Tally, blend
from rmr1.share import Share


def marks(cell: str, right: int, n: int, *, per_prompt: int = 1) -> list[Mark]:
    return [
        Mark(cell, "s", f"{cell if per_prompt == 1 else 'p'}{number // per_prompt}", float(x))
        for number, x in enumerate([1] * right + [0] * (n - right))
    ]


def test_a_plain_share_has_the_interval_of_wilson() -> None:
    figure = Tally(marks("x", 7, 10)).cell("x")
    share = Share.of(7, 10)
    assert (figure.value, figure.low, figure.high) == (0.7, share.low, share.high)
    assert (figure.n, figure.interval) == (10, "wilson")


def test_a_pool_of_cells_is_a_plain_share_too() -> None:
    figure = Tally([*marks("x", 7, 10), *marks("y", 1, 2)]).pooled("both")
    assert (figure.value, figure.low) == (8 / 12, Share.of(8, 12).low)


def test_a_weighted_mean_of_shares_is_as_wide_as_its_parts_together() -> None:
    tally = Tally([*marks("x", 40, 50), *marks("y", 20, 50)])
    mean = tally.figure("mean", {"x": 0.25, "y": 0.75})
    assert mean.value == pytest.approx(0.25 * 0.8 + 0.75 * 0.4)
    assert mean.interval == "mover"
    x, y = tally.cell("x"), tally.cell("y")
    below = ((0.25 * (0.8 - x.low)) ** 2 + (0.75 * (0.4 - y.low)) ** 2) ** 0.5
    assert mean.low == pytest.approx(mean.value - below)


def test_pairs_that_share_prompts_count_as_the_prompts_that_they_are() -> None:
    alone = Tally(marks("x", 60, 100)).cell("x")
    shared = Tally(marks("x", 60, 100, per_prompt=10)).cell("x")
    assert shared.interval == "bootstrap"
    assert shared.value == alone.value
    assert shared.high - shared.low > 2 * (alone.high - alone.low)
    assert shared == Tally(marks("x", 60, 100, per_prompt=10)).cell("x")


def test_a_single_prompt_has_no_interval() -> None:
    figure = Tally(marks("x", 1, 2, per_prompt=2)).cell("x")
    assert (figure.value, figure.low, figure.interval) == (0.5, None, "none")


def test_half_credit_is_no_count_for_wilson() -> None:
    halves = [Mark("x", "s", str(n), 0.5 if n else 1.0, failed=bool(n)) for n in range(4)]
    figure = Tally(halves).cell("x")
    assert (figure.value, figure.failures, figure.failure_rate) == (0.625, 3, 0.75)
    assert figure.interval == "bootstrap"


def test_nothing_judged_is_no_figure() -> None:
    figure = Tally([]).pooled("all")
    assert (figure.value, figure.n, figure.failure_rate) == (None, 0, None)


def test_a_blend_is_over_the_parts_that_are_there() -> None:
    weights, missing = blend([("a", 1, {"x": 1.0}), ("b", 3, {"y": 0.5, "x": 0.5}), ("c", 9, {})])
    assert weights == {"x": 0.625, "y": 0.375}
    assert missing == ["c"]
    assert blend([("c", 1, {})]) == ({}, ["c"])
