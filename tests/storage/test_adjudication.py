import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from rmr1.errors import InputError, RecordNotFound
from storage import (
    adjudication,
    assigning,
    journal,
    labels,
    lead_events,
    pairs,
    people,
    queues,
    snapshots,
)
from storage.database import Database
from storage.decisions import decisions
from storage.entries import LabelEntry
from storage.lead_events import LeadEntry
from storage.snapshots import LabelFilter
from storage.terms import Terms

SAID = {0: "AB", 1: "AAB", 2: "AAAB", 3: "AA", 4: "A"}
"""What people said of each pair: the first three are divided."""


@pytest.fixture
def ids(database, make_pair):
    with database.write() as session:
        made = [pairs.add(session, make_pair()) for _ in range(5)]
    for number, values in SAID.items():
        for name, value in zip(("Ada", "Bob", "Cy", "Di"), values, strict=False):
            say(database, name, made[number], value)
    return made


def say(database, name, pair_id, value, **rest):
    entry = dict(stage="blind", action="commit", key=uuid.uuid4().hex)
    labels.record(
        database,
        LabelEntry.model_validate(
            {**entry, "annotator": name, "pair_id": pair_id, "value": value, **rest}
        ),
    )


def lead(database, action, pair_id, **rest):
    values = {"key": uuid.uuid4().hex, "by": "Lea", "action": action, "pair_id": pair_id}
    return lead_events.record(database, LeadEntry.read({**values, **rest}))[0]


def conflicts(database):
    with database.read() as session:
        return adjudication.conflicts(session)


def test_conflicts_come_most_split_first(database, ids):
    found = conflicts(database)
    assert [(one.pair_id, one.labels, one.most) for one in found.items] == [
        (ids[0], 2, 1),
        (ids[1], 3, 2),
        (ids[2], 4, 3),
    ]
    assert (found.open, found.returned, found.decided) == (3, 0, 0)


def test_labels_of_visitors_and_in_view_of_the_verdict_make_no_conflict(database, ids):
    with database.write() as session:
        people.annotator_id(session, "Guest", "visitor")
    say(database, "Guest", ids[4], "B")
    say(database, "Eve", ids[4], "B", stage="inspection")
    assert conflicts(database).open == 3
    with database.read() as session:
        said = adjudication.sayings(session, ids[4], "hash")
    assert [one.annotator for one in said] == ["Ada"]


def test_a_decision_is_kept_beside_the_labels(database, ids):
    with database.read() as session:
        before = labels.current(session)
    lead(database, "decide", ids[0], value="B", reason="slip", note="units")
    with database.read() as session:
        decided = adjudication.decision(session, ids[0])
        assert labels.current(session) == before
        assert adjudication.reasons(session) == {"slip": 1}
    assert (decided.value, decided.reason, decided.note, decided.by) == (
        "B",
        "slip",
        "units",
        "Lea",
    )
    found = conflicts(database)
    assert (found.open, found.decided, found.items[0].pair_id) == (2, 1, ids[1])
    lead(database, "withdraw", ids[0])
    with database.read() as session:
        assert adjudication.decision(session, ids[0]) is None
    assert conflicts(database).open == 3


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"action": "decide", "value": "A"}, "needs its reason"),
        ({"action": "decide", "reason": "slip"}, "needs its value"),
        ({"action": "decide", "value": "A", "reason": "other"}, "in a note"),
        ({"action": "decide", "value": "C", "reason": "slip"}, "value"),
        ({"action": "send_back"}, "needs its note"),
        ({"action": "erase"}, "action"),
    ],
)
def test_half_a_decision_is_refused(database, ids, values, words):
    with pytest.raises(InputError, match=words):
        lead(database, **{"pair_id": ids[0], **values})


def test_a_decision_on_nothing_is_refused(database, ids):
    with pytest.raises(RecordNotFound, match="no pair 4711"):
        lead(database, "decide", 4711, value="A", reason="slip")


def test_the_same_key_is_one_decision(database, ids):
    first = lead(database, "decide", ids[0], value="B", reason="slip", key="one-and-only")
    again = lead(database, "decide", ids[0], value="B", reason="slip", key="one-and-only")
    assert (first.id, first.duplicate, again.id, again.duplicate) == (
        first.id,
        False,
        first.id,
        True,
    )
    with pytest.raises(InputError, match="somebody else"):
        lead(database, "decide", ids[0], value="A", reason="slip", key="one-and-only", by="Bob")


def test_what_leads_said_cannot_be_changed(database, ids):
    lead(database, "decide", ids[0], value="B", reason="slip")
    for statement in ("UPDATE lead_event SET value = 'A'", "DELETE FROM lead_event"):
        with pytest.raises(DBAPIError, match="never changed"), database.write() as session:
            session.execute(text(statement))


def test_what_is_sent_back_comes_first_to_those_who_labelled_it(database, ids):
    with database.write() as session:
        queue = queues.everything(session)
    lead(database, "send_back", ids[1], note="look at the units")
    found = conflicts(database)
    assert (found.open, found.returned) == (2, 1)

    def first(name):
        with database.read() as session:
            return next(iter(assigning.next_items(session, queue, name, 1)), None)

    for name in ("Ada", "Bob", "Cy"):
        item = first(name)
        assert (item.pair_id, item.why, item.returned) == (ids[1], "sent back", "look at the units")
    assert first("Di").why == "random"
    for name, value in (("Ada", "A"), ("Bob", "A"), ("Cy", "B")):
        say(database, name, ids[1], value)
        assert first(name) is None or first(name).returned is None
    found = conflicts(database)
    assert (found.open, found.returned) == (3, 0)


def test_a_decided_value_wins_where_the_filter_asks_for_it(database, ids):
    lead(database, "decide", ids[1], value="B", reason="fact")
    lead(database, "decide", ids[2], value="cannot_tell", reason="ambiguous")

    def decided(name, **wanted):
        made = snapshots.create(database, name, LabelFilter(**wanted))
        with database.read() as session:
            found = list(decisions(snapshots.labels(session, made)))
        return made, {one.pair_id: (one.value, one.adjudicated) for one in found}

    _, plain = decided("plain")
    frozen, ruled = decided("ruled", adjudicated=True)
    _, dropped = decided("dropped", adjudicated=True, ties="drop")
    assert plain[ids[1]] == ("A", False)
    assert ruled[ids[1]] == ("B", True)
    assert ruled[ids[2]] == ("cannot_tell", True)
    assert dropped[ids[2]] == ("A", False)
    assert frozen.counts.decided == 2
    assert frozen.counts.labels == sum(len(values) for values in SAID.values())


def test_the_journal_brings_back_what_people_and_leads_decided(database, ids, journal_path):
    with database.write() as session:
        made = queues.create(session, "Team")
    queue = queues.settle(database, made.id, Terms(overlap=3, gold_share=0.1, made_by="Lea"))
    lead(database, "decide", ids[0], value="B", reason="other", note="naïve \ud800")
    lead(database, "send_back", ids[1], note="again")
    lead(database, "gold", ids[3], value="A", queue_id=queue.id)
    lead(database, "admit", None, queue_id=queue.id, about="Ada")
    assert journal.check(database, journal_path).agree
    with Database.open() as rebuilt:
        report = journal.replay(rebuilt, journal_path)
        again = journal.replay(rebuilt, journal_path)
        assert (report.unreadable, again.added) == ([], 0)
        assert journal.check(rebuilt, journal_path).agree
        with rebuilt.read() as session, database.read() as old:
            (team,) = [one for one in queues.all_queues(session) if one.name == "Team"]
            assert team.terms == queue.terms
            pair = pairs.find(session, pairs.get(old, ids[0]).pair.hash)
            decided = adjudication.decision(session, pair.id)
            assert (decided.value, decided.by) == ("B", "Lea")
            assert adjudication.conflicts(session).returned == 1


def test_an_older_line_of_a_queue_does_not_undo_its_terms(database, journal_path):
    with database.write() as session:
        made = queues.create(session, "Team")
    queues.settle(database, made.id, Terms(overlap=3))
    newest = queues.settle(database, made.id, Terms(overlap=5))
    journal.replay(database, journal_path)
    with database.read() as session:
        assert queues.get(session, made.id).terms == newest.terms
