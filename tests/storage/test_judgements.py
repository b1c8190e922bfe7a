from dataclasses import replace

import pytest
from sqlalchemy import select, text

from rmr1.errors import RecordNotFound
from rmr1.pair import Message, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import judgements, pairs
from storage.filters import JudgementFilter
from storage.tables import CriterionRow, PairRow, QuoteRow


def test_a_judgement_comes_back_as_it_went_in(database, make_judgement):
    judgement = make_judgement(plan=Plan(orders="both"), probability_a=0.75)
    first = judgement.rollouts[0]
    judgement = replace(
        judgement,
        rollouts=(
            replace(first, completion_tokens=7, prompt_tokens=5, seconds=1.5, injected=("x",)),
            *judgement.rollouts[1:],
        ),
    )
    with database.write() as session:
        key = judgements.add(session, judgement, profile_text="the profile")
    with database.read() as session:
        stored = judgements.get(session, key)
    assert stored.judgement == judgement
    assert stored.origin == "live"
    assert stored.created_at.tzinfo is not None
    assert len(key) == 32


def test_criteria_and_quotes_are_rows(database, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement(quote="never said"))
    with database.read() as session:
        assert [row.name for row in session.scalars(select(CriterionRow))] == ["Clarity", "Depth"]
        assert [row.match for row in session.scalars(select(QuoteRow))] == ["absent"]


def test_the_newest_judgement_of_the_same_pair_judge_and_plan_is_found(database, make_judgement):
    judgement = make_judgement()
    same = (judgement.pair.hash, judgement.version.hash, judgement.plan.hash)
    with database.write() as session:
        assert judgements.find_same(session, *same) is None
        judgements.add(session, judgement)
        newest = judgements.add(session, judgement)
        judgements.add(session, make_judgement(judgement.pair, plan=Plan(seed=1)))
        judgements.add(session, make_judgement(judgement.pair, model="other"))
        assert judgements.find_same(session, *same) == newest


def test_an_unknown_key_is_said_to_be_unknown(database):
    with database.read() as session, pytest.raises(RecordNotFound, match="no judgement 'x'"):
        judgements.get(session, "x")


def test_a_pair_is_on_record_once(database, make_pair):
    pair, other = make_pair(), make_pair()
    with database.write() as session:
        added = pairs.add_many(session, [pair, other, pair])
        again = pairs.add_many(session, [other])
    assert added.ids[0] == added.ids[2] != added.ids[1]
    assert (added.new, again.new) == (2, 0)


def test_a_pair_that_is_met_again_gains_what_it_lacked(database, make_judgement):
    judgement = make_judgement(letter="B")
    known = judgement.pair.model_copy(update={"chosen": Side.A, "source": "set"})
    with database.write() as session:
        key = judgements.add(session, judgement)
        pair_id = pairs.add(session, known)
        pairs.add(session, known.model_copy(update={"chosen": Side.B, "source": "other"}))
    with database.read() as session:
        assert pairs.get(session, pair_id).pair.source == "set"
        assert judgements.get(session, key).judgement.correct is False
        assert judgements.page(session, JudgementFilter(correct="no")).total == 1


def test_a_conversation_comes_back_whole(database):
    turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Why?")]
    pair = Pair(
        conversation=tuple(Message(role=role, content=content) for role, content in turns),
        response_a="a",
        response_b="b",
        id="7",
        meta={"level": 3},
    )
    with database.write() as session:
        pairs.add(session, pair)
    with database.read() as session:
        stored = pairs.find(session, pair.hash)
    assert stored is not None
    assert stored.pair == pair


def test_half_a_surrogate_in_a_judges_text_is_replaced(database, make_judgement):
    with database.write() as session:
        key = judgements.add(session, make_judgement(text="odd \ud800\0 text"))
    with database.read() as session:
        rollout = judgements.get(session, key).judgement.rollouts[0]
    assert rollout.trace.text == "odd \ufffd\ufffd text"


@pytest.fixture
def shelf(database, make_pair, make_judgement):
    """Five judgements, each odd in its own way; keys by name."""
    both = Plan(orders="both")
    with database.write() as session:
        return {
            "plain": judgements.add(session, make_judgement(make_pair(source="s1", subset="x"))),
            "wrong": judgements.add(
                session, make_judgement(make_pair(source="s1", chosen="B"), probability_a=0.9)
            ),
            "swapped": judgements.add(
                session, make_judgement(make_pair(source="s2"), plan=both, model="other")
            ),
            "invented": judgements.add(
                session, make_judgement(letter="B", quote="never said", probability_a=0.4)
            ),
            "silent": judgements.add(session, make_judgement(text="I would rather not say.")),
        }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["silent", "invented", "swapped", "wrong", "plain"]),
        ({"source": "s1"}, ["wrong", "plain"]),
        ({"source": "s1", "subset": "x"}, ["plain"]),
        ({"verdict": "B"}, ["invented"]),
        ({"verdict": "none"}, ["silent"]),
        ({"type": "none"}, ["silent"]),
        ({"quotes": "absent"}, ["invented"]),
        ({"quotes": "none"}, ["silent"]),
        ({"correct": "no"}, ["wrong"]),
        ({"swap": "consistent"}, ["swapped"]),
        ({"confidence_min": 0.8}, ["swapped", "wrong"]),
        ({"confidence_max": 0.8}, ["invented"]),
        ({"labelled": "yes"}, []),
        ({"multi_turn": "yes"}, []),
        ({"text": "never said"}, ["invented"]),
        ({"run_id": 4}, []),
    ],
)
def test_a_filter_lets_through_what_it_names(database, shelf, wanted, names):
    with database.read() as session:
        page = judgements.page(session, JudgementFilter(**wanted))
    assert [summary.key for summary in page.items] == [shelf[name] for name in names]
    assert page.total == len(names)


def test_pages_are_cut_and_a_number_past_the_end_gives_the_last(database, shelf):
    with database.read() as session:
        second = judgements.page(session, JudgementFilter(), number=2, size=2)
        last = judgements.page(session, JudgementFilter(), number=99, size=2)
    assert [s.key for s in second.items] == [shelf["swapped"], shelf["wrong"]]
    assert [s.key for s in last.items] == [shelf["plain"]]
    assert (last.number, last.pages, last.total) == (3, 3, 5)


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("oldest", "plain"),
        ("most confident", "swapped"),
        ("least confident", "invented"),
        ("most absent quotes", "invented"),
    ],
)
def test_lists_are_sorted(database, shelf, sort, first):
    with database.read() as session:
        page = judgements.page(session, JudgementFilter(), sort)
        assert page.items[0].key == shelf[first]
        walked = [page.items[0].key]
        while following := judgements.neighbours(
            session, JudgementFilter(), walked[-1], sort
        ).following:
            walked.append(following)
        back = judgements.neighbours(session, JudgementFilter(), walked[-1], sort)
    assert walked == [summary.key for summary in page.items]
    assert back == (walked[-2], None)


def test_a_list_shows_a_beginning_of_the_prompt_only(database, make_pair, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement(make_pair("long " * 1000)))
    statements = []
    with database.read() as session:
        session.connection().connection.driver_connection.set_trace_callback(statements.append)
        page = judgements.page(session, JudgementFilter())
    assert page.items[0].prompt == ("long " * 1000)[:160]
    whole = [s for s in statements if "response_a" in s or "rollout.text" in s]
    assert not whole


def test_a_facets_own_choice_does_not_narrow_it(database, shelf):
    with database.read() as session:
        facets = judgements.facets(session, JudgementFilter(source="s1"))
    assert facets.total == 2
    assert facets.counts["source"] == {"s1": 2, "": 2, "s2": 1}
    assert facets.counts["verdict"] == {"A": 2}
    assert facets.counts["correct"] == {"unknown": 1, "no": 1}


def test_facets_count_a_state_without_verdict_on_its_own(database, shelf):
    with database.read() as session:
        facets = judgements.facets(session, JudgementFilter())
        silent = judgements.get(session, shelf["silent"]).judgement
    assert silent.verdict is None
    assert silent.state is not State.COMPLETE
    assert facets.counts["verdict"] == {"A": 3, "B": 1, "none": 1}
    assert sum(facets.counts["state"].values()) == facets.total == 5


def test_the_read_side_cannot_change_a_row(database, make_pair):
    with database.write() as session:
        pairs.add(session, make_pair())
    with pytest.raises(Exception, match="readonly"), database.read() as session:
        session.execute(text("DELETE FROM pair"))
    with database.read() as session:
        assert session.scalar(select(PairRow.id)) == 1
