from datetime import timedelta

import pytest

from storage import assigning, hidden, judgements, labels, pairs, people, queues
from storage.cube import cells
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.hidden import Scope, Seen
from storage.lead_events import LeadEntry
from storage.lead_events import record as say_as_lead
from storage.roles import VISITOR, Person, Role
from storage.terms import Terms

ADA, LEA = Person("ada", Role.ANNOTATOR), Person("lea", Role.LEAD)


@pytest.fixture
def now(database, stored):
    """How much somebody sees of the stored pair at this moment."""

    def look(who=ADA):
        with database.read() as session:
            return hidden.seen(session, who, stored[0])

    return look


@pytest.fixture
def serve(database, stored):
    def put(name="ada", **terms):
        with database.write() as session:
            queue = queues.create(session, f"of {name} {terms}", terms=Terms(**terms))
            assert assigning.hold(session, queue, stored[0], people.annotator_id(session, name))
        return queue

    return put


@pytest.fixture
def say(database, stored):
    numbers = iter(range(100))

    def entry(name="ada", stage="blind", action="commit", value="B", **rest):
        made = LabelEntry(
            key=f"key-{next(numbers):06}",
            annotator=name,
            pair_id=stored[0],
            stage=stage,
            action=action,
            value=value,
            **rest,
        )
        return labels.record(database, made)

    return entry


def test_others_are_hidden_until_one_has_said_something_oneself(now, say):
    say("bob")
    assert now() is Seen.JUDGES
    say("ada")
    assert now() is Seen.PEOPLE


def test_a_label_that_is_taken_back_hides_again(database, now, say):
    say("ada")
    labels.undo_last(database, "ada", "key of the undo")
    assert now() is Seen.JUDGES


def test_of_a_pair_that_was_served_not_even_a_judge_is_shown(now, serve, say):
    serve()
    assert now() is Seen.PAIR
    say("ada", stage="blind", action="skip", value=None)
    assert now() is Seen.PAIR
    say("ada")
    assert now() is Seen.PEOPLE


def test_what_was_served_to_another_person_is_not_hidden_from_this_one(now, serve):
    serve("bob")
    assert now() is Seen.JUDGES


@pytest.mark.parametrize(
    ("state", "seen"),
    [("open", Seen.PAIR), ("paused", Seen.PAIR), ("archived", Seen.JUDGES)],
)
def test_a_queue_that_is_over_hides_no_judge(database, now, serve, state, seen):
    queue = serve()
    queues.settle(database, queue.id, queue.terms.model_copy(update={"state": state}))
    assert now() is seen


def test_a_pair_that_others_filled_meanwhile_waits_no_longer(database, now, serve, say, stored):
    queue = serve(overlap=1)
    with database.write() as session:
        ada = people.annotator_id(session, "ada")
        assert assigning.hold(session, queue, stored[0], ada, time=timedelta(minutes=-1))
    assert now() is Seen.PAIR
    say("bob", queue_id=queue.id)
    assert now() is Seen.JUDGES


def test_a_gold_pair_is_never_full(database, now, serve, say, stored):
    queue = serve(overlap=1)
    gold = LeadEntry(
        key="key of the gold",
        by="lea",
        action="gold",
        pair_id=stored[0],
        queue_id=queue.id,
        value="A",
    )
    say_as_lead(database, gold)
    with database.write() as session:
        ada = people.annotator_id(session, "ada")
        assert assigning.hold(session, queue, stored[0], ada, time=timedelta(minutes=-1))
    say("bob", queue_id=queue.id)
    assert now() is Seen.PAIR


def test_a_pair_that_was_sent_back_is_to_be_decided_again(database, now, say, stored):
    say("ada")
    back = LeadEntry(
        key="key of the lead", by="lea", action="send_back", pair_id=stored[0], note="Read it again"
    )
    say_as_lead(database, back)
    assert now() is Seen.PAIR
    say("ada")
    assert now() is Seen.PEOPLE


def test_the_same_pair_the_other_way_round_waits_too(database, serve, stored, make_judgement):
    serve()
    with database.write() as session:
        key = judgements.add(session, make_judgement(pairs.get(session, stored[0]).pair.swapped()))
        twin = judgements.get(session, key).pair_id
        assert twin != stored[0]
        assert hidden.seen(session, ADA, twin) is Seen.PAIR
        assert hidden.pair_of(session, key) == twin


@pytest.mark.parametrize(
    ("who", "seen"),
    [(LEA, Seen.PEOPLE), (Person("adi", Role.ADMIN), Seen.PEOPLE), (VISITOR, Seen.JUDGES)],
)
def test_leads_see_everything_and_visitors_no_labels(now, serve, say, who, seen):
    serve(who.name)
    say("bob")
    assert now(who) is seen


def test_a_label_under_the_name_that_all_visitors_share_shows_them_nothing(now, say):
    say(VISITOR.name)
    assert now(VISITOR) is Seen.JUDGES


def test_lists_leave_out_what_waits_and_go_by_nobody_elses_answers(database, stored, serve):
    serve()
    with database.read() as session:
        assert hidden.scope(session, ADA) == Scope(frozenset({stored[0]}), people=False)
        assert hidden.scope(session, LEA) == Scope()
        assert hidden.scope(session, VISITOR) == Scope(people=False)


def test_left_out_pairs_are_in_no_count_of_one_person_and_in_those_of_others(
    database, stored, make_judgement
):
    with database.write() as session:
        judgements.add(session, make_judgement(letter="B"))
        everybody = judgements.facets(session, JudgementFilter())
        without = JudgementFilter(without=frozenset({stored[0]}))
        mine = judgements.facets(session, without)
        assert (everybody.total, mine.total) == (2, 1)
        assert everybody.counts["verdict"] == {"A": 1, "B": 1}
        assert mine.counts["verdict"] == {"B": 1}
        assert judgements.facets(session, JudgementFilter()) == everybody
        assert judgements.count(session, without) == 1
        assert [row.verdict for row in judgements.page(session, without).items] == ["B"]
        assert sum(cell.quotes_exact for cell in cells(session, without)) == 1


def test_no_address_says_what_is_left_out():
    assert JudgementFilter.from_query("without=1").is_empty
    assert JudgementFilter(without=frozenset({1})).to_query() == ""
