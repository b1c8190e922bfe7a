"""Parity with RM-R1-Qwen2.5-Instruct-32B's released run, counted right by domain and styles."""

import pytest

from rmr1.benchmark.rm_bench import RM_BENCH, rm_bench_pairs
from rmr1.benchmark.tally import Mark, Tally
from rmr1.errors import InputError
from rmr1.pair import Pair

RIGHT = {
    "chat": (129, [[115, 58, 51], [123, 101, 84], [128, 114, 96]]),
    "math": (529, [[421, 422, 369], [436, 433, 365], [474, 471, 429]]),
    "code": (228, [[148, 140, 118], [165, 150, 130], [177, 170, 152]]),
    "safety-refuse": (284, [[273, 270, 279], [283, 282, 283], [281, 281, 282]]),
    "safety-response": (157, [[146, 109, 110], [146, 133, 133], [150, 136, 138]]),
}
NAMES = ("Chat", "Math", "Code", "Safety", "Hard", "Normal", "Easy", "Overall")
CORRECTED = (0.7494, 0.8024, 0.6579, 0.9360, 0.6723, 0.8051, 0.8818, 0.7864)
PUBLISHED = (0.7649, 0.8055, 0.6608, 0.9383, 0.7049, 0.8051, 0.8671, 0.7924)


def marks(domains=RIGHT):
    for domain in domains:
        n, matrix = RIGHT[domain]
        for i, row in enumerate(matrix):
            for j, right in enumerate(row):
                cell = f"{domain.partition('-')[0]}:{i}-{j}"
                for number in range(n):
                    yield Mark(cell, domain, f"{domain}/{number}", float(number < right))


@pytest.fixture(scope="module")
def tables():
    return RM_BENCH.tables(Tally(marks()))


@pytest.mark.parametrize(("table", "values"), [(0, CORRECTED), (1, PUBLISHED)])
def test_the_fixture_gives_the_corrected_and_the_published_table(tables, table, values) -> None:
    for name, value in zip(NAMES, values, strict=True):
        assert tables[table][name].value == pytest.approx(value, abs=5.1e-5), name


def test_the_overall_score_is_the_mean_of_domains_and_of_difficulties(tables) -> None:
    corrected = tables[0]
    for names in (NAMES[:4], NAMES[4:7]):
        mean = sum(corrected[name].value for name in names) / len(names)
        assert corrected["Overall"].value == pytest.approx(mean)
    assert corrected["Overall"].n == RM_BENCH.size == 11_943
    assert corrected["Normal"].n == 3 * 1_327


def test_safety_is_pooled_over_its_prompts(tables) -> None:
    refuse, respond = (sum(map(sum, RIGHT[f"safety-{half}"][1])) for half in ("refuse", "response"))
    pooled = (refuse + respond) / (9 * 441)
    assert tables[0]["Safety"].value == pytest.approx(pooled)
    assert tables[0]["Safety"].value != pytest.approx(
        (refuse / (9 * 284) + respond / (9 * 157)) / 2, abs=0.01
    )


def test_intervals_know_that_nine_pairs_share_a_prompt(tables) -> None:
    overall = tables[0]["Overall"]
    assert overall.interval == "bootstrap"
    assert overall.low < overall.value < overall.high
    assert tables[2]["concise against detailed"].interval == "wilson"


def test_a_missing_domain_is_named() -> None:
    overall = RM_BENCH.tables(Tally(marks(["chat", "code", "safety-refuse"])))[0]["Overall"]
    assert overall.missing == ("math",)
    assert overall.value == pytest.approx(
        (0.7494 + 0.6579 + sum(map(sum, RIGHT["safety-refuse"][1])) / (9 * 284)) / 3, abs=1e-4
    )


def test_a_missing_cell_is_named() -> None:
    chat = [mark for mark in marks(["chat"]) if mark.cell != "chat:0-2"]
    found = RM_BENCH.tables(Tally(chat))[0]
    assert found["Chat"].missing == ("chat:0-2",)
    assert found["Hard"].value == pytest.approx((58 + 84) / 2 / 129)


ROW = {
    "id": 7,
    "subset": "xstest-should-respond",
    "prompt": "p",
    "chosen": ["c0", "c1", "c2"],
    "rejected": ["r0", "r1", "r2"],
}


def test_a_pair_says_its_domain_and_styles() -> None:
    places = [RM_BENCH.locate(pair) for pair in rm_bench_pairs(ROW)]
    assert [place.cell for place in places] == [
        f"safety:{i}-{j}" for i in range(3) for j in range(3)
    ]
    assert {place.slice for place in places} == {"safety-response"}
    assert len({place.unit for place in places}) == 1


def test_the_file_names_the_domain_where_the_record_does_not() -> None:
    pair, *_ = rm_bench_pairs({**ROW, "subset": "prm800k"}, "data/math_filtered.json")
    assert RM_BENCH.locate(pair).slice == "math"
    pair, *_ = rm_bench_pairs({**ROW, "domain": "code"}, "data/math_filtered.json")
    assert RM_BENCH.locate(pair).slice == "code"


@pytest.mark.parametrize(("id", "subset"), [("7", "chat"), ("7:0-3", "chat"), ("7:0-1", "poems")])
def test_a_pair_of_something_else_is_refused(id: str, subset: str) -> None:
    with pytest.raises(InputError, match="no domain and styles"):
        RM_BENCH.locate(Pair.of("p", "a", "b", id=id, subset=subset))
