import pytest

from rmr1.errors import InputError
from rmr1.plan import Plan
from rmr1.tournament import Method
from storage import judgements
from storage.filters import JudgementFilter
from tests.scripted_judges import preferring
from ui import ranking


def last(views):
    return list(views)[-1]


def rank(database, better, n=3, method: Method = "round-robin", prompt="Which?"):
    group = ranking.read_group(prompt, False, [f"r{at}" for at in range(n)])
    return list(ranking.rank_group(database, preferring(better), group, Plan(), method))


def test_the_highest_number_wins_every_match_and_comes_first(database):
    views = rank(database, max)
    done = views[-1]
    assert [one["index"] for one in done["standings"]] == [2, 1, 0]
    assert done["sentence"] == "Response 3 comes first."
    assert [view["judged"] for view in views[:-1]] == [0, 1, 2, 3]


def test_every_match_opens_a_judgement_on_record(database):
    done = rank(database, max)[-1]
    with database.read() as session:
        for match in done["matches"]:
            pair = judgements.get(session, match["key"]).judgement.pair
            assert (pair.response_a, pair.response_b) == (
                f"r{match['first']}",
                f"r{match['second']}",
            )
            assert (pair.id, pair.source) == (None, "rank page")


def test_a_second_ranking_judges_nothing_twice(database):
    first = rank(database, max)[-1]
    again = rank(database, lambda i, j: RuntimeError("asked again"))[-1]
    assert [m["key"] for m in again["matches"]] == [m["key"] for m in first["matches"]]
    assert [one["index"] for one in again["standings"]] == [2, 1, 0]


def test_a_match_without_a_verdict_is_named_and_counts_for_nobody(database):
    done = rank(database, lambda i, j: None)[-1]
    assert done["sentence"] == "All responses tie. 3 of 3 matches have no verdict."
    assert all(one["win_rate"] is None for one in done["standings"])
    assert all(match["winner"] is None and match["key"] for match in done["matches"])


def test_closing_the_view_stops_the_judging(database):
    group = ranking.read_group("Which?", False, [f"r{at}" for at in range(8)])
    views = ranking.rank_group(database, preferring(max), group, Plan(), "round-robin")
    next(views)
    views.close()
    with database.read() as session:
        assert judgements.facets(session, JudgementFilter()).total < 28


@pytest.mark.parametrize(
    ("prompt", "responses", "said"),
    [
        ("", ["a", "b"], "prompt is empty"),
        ("p", ["a", " "], "1 responses"),
        ("p", list("abcdefghi"), "9 responses"),
    ],
)
def test_a_form_that_cannot_be_ranked_is_refused_with_a_sentence(prompt, responses, said):
    with pytest.raises(InputError, match=said):
        ranking.read_group(prompt, False, responses)


@pytest.mark.parametrize("sent", [{}, {"judge": 3}, {"judge": "scripted", "responses": "no list"}])
def test_a_forged_form_is_refused(studio, sent):
    plans = {title: studio.plan for title in studio.judges}
    with pytest.raises(InputError):
        last(ranking.rank_form(studio.database, studio.judges, plans, sent))
