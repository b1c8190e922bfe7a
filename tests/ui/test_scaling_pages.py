import json

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, pools
from ui.scaling_pages import pools_view, scaling_view

VOTES = Plan(votes=3, temperature=1.0, max_tokens=256)


def put(database, n=8, plan=VOTES, known=True):
    replies = [f"<type>Chat</type><eval>-</eval><answer>[[{side}]]</answer>" for side in "AAB"]
    judge = Judge(ScriptedBackend(replies * n), load_profile("cor"))
    for at in range(n):
        pair = Pair.of(f"Question {at}?", "yes", "no")
        pair = pair.model_copy(update={"chosen": Side.A if known else None})
        with database.write() as session:
            judgements.add(session, judge.judge(pair, plan))


def test_votes_of_pairs_with_a_known_better_side_are_a_pool(database):
    put(database)
    (one,) = pools_view(database)["pools"]
    assert "AB, 3 votes, 256 tokens, temperature 1 · 8 pairs" in one["title"]


@pytest.mark.parametrize(
    ("plan", "known"),
    [
        (Plan(), True),
        (Plan(orders="both"), True),
        (VOTES, False),
        (VOTES.model_copy(update={"stop_at": 0.9}), True),
    ],
    ids=["one vote", "two orders of one vote", "no better side", "stopped early"],
)
def test_without_votes_to_replay_there_is_no_pool(database, plan, known):
    put(database, plan=plan, known=known)
    assert pools_view(database)["pools"] == []


def test_curves_and_tables_say_the_same_and_are_plain_json(database):
    put(database)
    (one,) = pools_view(database)["pools"]
    view = scaling_view(database, one["id"])
    json.dumps(view, allow_nan=False)
    by_votes = next(table for table in view["tables"] if table["title"].startswith("By votes"))
    line = next(t for t in view["figures"][0]["data"] if t["name"].startswith("By votes"))
    assert by_votes["rows"][-1][1].startswith("100.0 %")
    assert line["y"][-1] == 1.0
    assert len(by_votes["rows"]) == len(line["y"])
    assert "8 pairs with 8 prompts" in view["sentence"]


def test_a_pair_judged_again_counts_once(database):
    put(database)
    put(database)
    with database.read() as session:
        (pool,) = pools.pools(session)
        assert len(pools.judgements_of(session, pool)) == 8 == pool.pairs


def test_votes_that_are_gone_are_named_in_a_sentence(database):
    assert "not on record any more" in scaling_view(database, "<script>")["problem"]
