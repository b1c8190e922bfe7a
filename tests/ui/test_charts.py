import pytest

from storage.database import Database
from storage.overview import ConfidenceBin, CriterionUse, Tally
from ui import charts


def tally(judgements=1, correct="yes", **rest):
    fields = {"source": "s", "subset": "x", "judge_version": "v", "state": "complete"}
    quotes = {"quotes_exact": 0, "quotes_near": 0, "quotes_absent": 0}
    return Tally(**fields | quotes | rest, correct=correct, judgements=judgements)


def test_a_missing_verdict_counts_as_not_correct_and_is_said():
    line = charts.accuracy_line(
        [tally(8), tally(1, "no"), tally(1, "no verdict"), tally(9, "unknown")]
    )
    assert line.startswith("Accuracy 80 % (49 % to 94 %), n = 10; 95 % Wilson interval.")
    assert "1 without a verdict" in line


@pytest.mark.parametrize(
    ("tallies", "words"),
    [
        ([tally(), tally(source="t")], "mix 2 sources"),
        ([tally(), tally(judge_version="w")], "mix 2 judges"),
        ([tally(), tally(source="t", judge_version="w")], "mix 2 sources and 2 judges"),
        ([tally(correct="unknown")], "not on record"),
        ([], "not on record"),
    ],
)
def test_there_is_no_single_accuracy_over_a_mixture(tallies, words):
    line = charts.accuracy_line(tallies)
    assert line.startswith("No ")
    assert words in line
    assert "%" not in line


def test_what_is_not_known_does_not_make_a_mixture():
    assert charts.accuracy_line([tally(), tally(source="t", correct="unknown")]).startswith("Acc")


def test_outcomes_are_split_and_each_mark_filters():
    found = [tally(3), tally(1, "no"), tally(2, "no verdict", source="t")]
    chart = charts.outcome_chart(found, "source", {})
    assert chart["names"] == ["s", "t"]
    assert {s["name"]: s["values"] for s in chart["series"]} == {
        "correct": [3, 0],
        "wrong": [1, 0],
        "no verdict": [0, 2],
    }
    assert chart["series"][1]["narrow"][0] == {"source": "s", "correct": "no"}
    assert "n = 6 judgements" in chart["title"]
    assert chart["summary"] == (
        "Outcomes by source, 6 judgements. s: 3 correct, 1 wrong; t: 2 no verdict."
    )
    assert [aside.startswith("75 %") for aside in chart["asides"]] == [True, False]


def test_a_bar_over_several_judges_has_no_accuracy():
    chart = charts.outcome_chart([tally(), tally(judge_version="w")], "source", {})
    assert chart["asides"] == ["2 judges mixed"]


def test_many_groups_are_added_up_and_the_rest_filters_nothing():
    found = [tally(100 - i, subset=f"x{i}") for i in range(20)]
    chart = charts.outcome_chart(found, "subset", {})
    assert len(chart["names"]) == charts.SHOWN + 1
    assert chart["names"][-1] == "8 others"
    assert chart["series"][0]["narrow"][-1] == {"correct": "yes"}
    assert chart["asides"][-1] == ""
    assert sum(chart["series"][0]["values"]) == sum(t.judgements for t in found)


def test_judges_are_named_by_their_titles():
    chart = charts.outcome_chart([tally()], "judge_version", {"v": "tiny · cor"})
    assert chart["names"] == ["tiny · cor"]


@pytest.mark.parametrize(
    ("found", "split"),
    [
        ([tally(), tally(source="t")], "source"),
        ([tally(), tally(subset="y")], "subset"),
        ([tally()], "judge_version"),
        ([], "judge_version"),
    ],
)
def test_the_split_is_the_first_that_tells_something(found, split):
    assert charts._split("", found) == split
    assert charts._split("subset", found) == "subset"
    assert charts._split("nonsense", found) == split


def test_a_confidence_mark_filters_its_own_bin_only():
    chart = charts.confidence_chart([ConfidenceBin(0.9, 0.95, "yes", 4)])
    place = chart["names"].index("90–95 %")
    narrow = chart["series"][0]["narrow"][place]
    assert float(narrow["confidence_min"]) == 0.9
    assert 0.9499 < float(narrow["confidence_max"]) < 0.95
    assert chart["series"][0]["narrow"][-1]["confidence_max"] == "1"
    assert chart["names"][0] == "50–55 %"


def test_a_confidence_below_a_half_has_a_bin_too():
    chart = charts.confidence_chart([ConfidenceBin(0.4, 0.45, "no", 1)])
    assert chart["names"][0] == "40–45 %"


def test_quotations_are_counted_by_how_they_stand_in_the_response():
    chart = charts.quote_chart([tally(quotes_exact=90, quotes_near=7, quotes_absent=3)])
    assert chart["asides"] == ["90.0 %", "7.0 %", "3.0 %"]
    assert chart["title"].endswith("(n = 100 quotations)")
    assert [s["narrow"][0] for s in chart["series"]] == [
        {"quotes": "all exact"},
        {"quotes": "near"},
        {"quotes": "absent"},
    ]
    assert "invented: 3 % (1 % to 8 %), n = 100." in chart["note"]


def test_no_chart_is_drawn_of_nothing():
    assert charts.outcome_chart([], "source", {}) is None
    assert charts.state_chart([]) is None
    assert charts.quote_chart([tally()]) is None
    assert charts.confidence_chart([]) is None
    assert charts.criteria_chart([]) is None


def test_colour_is_never_the_only_difference():
    tones = [tone for _, tone, _ in charts.OUTCOMES.values()]
    patterns = [pattern for _, _, pattern in charts.OUTCOMES.values()]
    assert len(set(tones)) == len(set(patterns)) == 4


def test_criteria_show_their_mean_weight_and_search_for_their_name():
    chart = charts.criteria_chart([CriterionUse("clarity", 5, 0.4), CriterionUse("x", 1, None)])
    assert chart["asides"] == ["mean weight 40 %", ""]
    assert chart["series"][0]["narrow"][0] == {"text": "clarity"}


def test_charts_of_an_empty_database_say_that_there_is_nothing():
    with Database.open() as database:
        view = charts.charts_view(database, "type=Poem")
    assert (view["charts"], view["total"]) == ([], 0)


def test_subsets_name_their_source_only_where_there_are_several():
    one = [tally(2), tally(subset="y")]
    two = [*one, tally(source="t")]
    assert charts.outcome_chart(one, "subset", {})["names"] == ["x", "y"]
    assert charts.outcome_chart(two, "subset", {})["names"][0] == "s · x"
