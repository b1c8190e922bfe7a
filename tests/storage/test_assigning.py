import threading
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from rmr1.errors import InputError
from storage import (
    assigning,
    gold,
    judgements,
    labels,
    lead_events,
    pairs,
    people,
    queue_progress,
    queues,
)
from storage.courses import ORDERS
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.lead_events import LeadEntry
from storage.tables import AssignmentRow
from storage.terms import Terms


@pytest.fixture
def open_queue(database):
    def make(name="Team", wanted=None, order="random", **terms):
        with database.write() as session:
            made = queues.create(session, name, wanted, order)
        return queues.settle(database, made.id, Terms.read({"overlap": 1, **terms}))

    return make


@pytest.fixture
def ids(database, make_pair):
    with database.write() as session:
        return [pairs.add(session, make_pair(chosen="A")) for _ in range(12)]


@pytest.fixture
def say(database):
    def saying(queue, annotator, pair_id, value="A", action="commit"):
        entry = LabelEntry(
            key=uuid.uuid4().hex,
            annotator=annotator,
            pair_id=pair_id,
            stage="blind",
            action=action,
            value=value if action == "commit" else None,
            queue_id=queue.id,
        )
        return labels.record(database, entry)

    return saying


def reserved(database, queue, annotator, n=1, exclude=()):
    return [item.pair_id for item in assigning.reserve(database, queue, annotator, n, exclude)]


def listed(database, queue, annotator, n=99):
    with database.read() as session:
        items = assigning.next_items(session, queue, annotator, n)
    return [item.pair_id for item in items]


@pytest.mark.parametrize(("overlap", "people_there"), [(1, 20), (2, 20), (3, 7)])
def test_no_pair_is_given_to_more_people_than_its_overlap(
    database, open_queue, ids, say, overlap, people_there
):
    queue = open_queue(overlap=overlap)
    start = threading.Barrier(people_there)
    trouble = []

    def work(name):
        try:
            start.wait()
            while got := assigning.reserve(database, queue, name, 1):
                say(queue, name, got[0].pair_id)
        except Exception as error:
            trouble.append(error)

    threads = [threading.Thread(target=work, args=(f"P{n}",)) for n in range(people_there)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trouble == []
    with database.read() as session:
        said = labels.current(session)
        served = Counter(session.scalars(select(AssignmentRow.pair_id)))
    assert Counter(one.pair_id for one in said) == dict.fromkeys(ids, overlap)
    assert max(served.values()) == overlap


def test_a_reservation_counts_until_it_expires(database, open_queue, ids):
    queue = open_queue(overlap=1)
    (first,) = reserved(database, queue, "Ada")
    assert first not in listed(database, queue, "Bob")
    assert first in listed(database, queue, "Ada")
    with database.write() as session:
        ada = people.annotator_id(session, "Ada")
        assert assigning.hold(session, queue, first, ada, timedelta(seconds=-1))
    assert first in listed(database, queue, "Bob")


def test_what_was_passed_over_is_free_for_others_at_once(database, open_queue, ids, say):
    queue = open_queue(overlap=1)
    (first,) = reserved(database, queue, "Ada")
    say(queue, "Ada", first, action="skip")
    assert first in listed(database, queue, "Bob")


def test_a_pair_leaves_when_its_overlap_is_reached_and_returns_with_an_undo(
    database, open_queue, ids, say
):
    queue = open_queue(overlap=2)
    say(queue, "Ada", ids[0])
    assert ids[0] in listed(database, queue, "Cy")
    say(queue, "Bob", ids[0])
    assert ids[0] not in listed(database, queue, "Cy")
    labels.undo_last(database, "Bob", "undo-of-bob")
    assert ids[0] in listed(database, queue, "Cy")


def test_labels_from_another_queue_do_not_thin_out_a_random_stream(database, open_queue, ids, say):
    stream, hard = open_queue("Stream"), open_queue("Hard", order="newest")
    say(hard, "Ada", ids[0])
    assert ids[0] in listed(database, stream, "Bob")
    assert ids[0] not in listed(database, stream, "Ada")


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_a_queue_that_is_not_open_gives_nothing(database, open_queue, ids, state):
    assert listed(database, open_queue(state=state), "Ada") == []


def test_every_order_holds_all_pairs(database, ids, make_judgement, open_queue):
    with database.write() as session:
        judgements.add(session, make_judgement(pairs.get(session, ids[3]).pair))
    for order in ORDERS:
        assert sorted(listed(database, open_queue(order, order=order), "Ada")) == ids
        filtered = open_queue(f"{order} A", JudgementFilter(verdict="A"), order=order)
        assert listed(database, filtered, "Ada") == [ids[3]]


def test_each_order_puts_first_what_it_is_about(database, ids, make_judgement, open_queue, say):
    def judge(pair_id, **rest):
        with database.write() as session:
            found = make_judgement(pairs.get(session, pair_id).pair, **rest)
            return judgements.add(session, found)

    unlike = dict(letter="B", model="other")
    key = judge(ids[0])
    judge(ids[1], quote="nowhere to be found")
    judge(ids[2])
    judge(ids[2], **unlike)
    judge(ids[3], text="<eval>x</eval> [[A]] and [[B]]")
    entry = dict(annotator="Ada", stage="blind", action="commit", value="A")
    labels.record(
        database, LabelEntry(key="labelled-old", pair_id=ids[0], judgement_key=key, **entry)
    )
    judge(ids[0], **unlike)
    queue = open_queue("For labels", overlap=9)
    for name, value in (("Bob", "A"), ("Cy", "B")):
        say(queue, name, ids[4], value)
    firsts = {
        order: set(listed(database, open_queue(order, order=order), "Zoe")[:n])
        for order, n in (
            ("invented quotations", 1),
            ("judges disagree", 2),
            ("verdict changed", 1),
            ("people disagree", 1),
        )
    }
    assert firsts == {
        "invented quotations": {ids[1]},
        "judges disagree": {ids[0], ids[2]},
        "verdict changed": {ids[0]},
        "people disagree": {ids[4]},
    }


def test_why_is_random_only_for_what_the_random_stream_served(database, open_queue, ids):
    stream, part = open_queue("Stream"), open_queue("Part", order="newest")
    (mine,) = reserved(database, stream, "Ada")
    other = next(pair for pair in ids if pair != mine)
    with database.read() as session:
        assert assigning.why_served(session, stream, mine, "Ada") == "random"
        assert assigning.why_served(session, stream, other, "Ada") is None
        assert part.why == "order:newest"


@pytest.fixture
def checked(database, open_queue, ids):
    """A queue with four gold pairs (answer A), two of them a screening."""
    queue = open_queue(overlap=1, gold_share=0.5, screening=2, pass_mark=1.0)
    assert gold.mark(database, queue.id, "Lea", gold.Draw("chosen", 4)).pairs == 4
    with database.read() as session:
        return queue, gold.of_queue(session, queue.id)


def test_new_people_get_gold_pairs_first(database, checked):
    queue, marks = checked
    assert set(marks.values()) == {"A"}
    for name in ("Ada", "Bob", "Cy"):
        items = assigning.reserve(database, queue, name, 2)
        assert {item.why for item in items} == {"gold"}
        assert {item.pair_id for item in items} <= set(marks)


def test_who_passes_goes_on_and_gold_pairs_stay_mixed_in(database, checked, say, ids):
    queue, _ = checked
    whys, total = [], []
    while items := assigning.reserve(database, queue, "Ada", 1):
        say(queue, "Ada", items[0].pair_id)
        whys.append(items[0].why)
        with database.read() as session:
            total.append(queue_progress.progress(session, queue, "Ada").total)
    assert Counter(whys) == {"gold": 4, "random": 8}
    assert set(total) == {12}  # it moves for no gold pair
    with database.read() as session:
        found = gold.check_one(session, queue, "Ada")
    assert (found.passed, found.accuracy.count, found.accuracy.n) == (True, 4, 4)
    assert found.accuracy.low == pytest.approx(0.510, abs=0.001)


def test_who_fails_gets_nothing_until_a_lead_lets_them_in(database, checked, say):
    queue, _ = checked
    for item in assigning.reserve(database, queue, "Ada", 2):
        say(queue, "Ada", item.pair_id, "B")
    assert listed(database, queue, "Ada") == []
    assert listed(database, queue, "Bob") != []
    entry = dict(key="let-ada-in", by="Lea", action="admit", queue_id=queue.id, about="Ada")
    lead_events.record(database, lead_events.LeadEntry.read(entry))
    assert listed(database, queue, "Ada") != []


def test_screening_cannot_be_skipped(database, checked, say):
    queue, marks = checked
    passed = []
    while got := reserved(database, queue, "Ada", 1, passed):
        say(queue, "Ada", got[0], action="skip")
        passed += got
    assert set(passed) == set(marks)


def test_the_first_answer_to_a_gold_pair_counts(database, checked, say):
    queue, _ = checked
    (item, _) = assigning.reserve(database, queue, "Ada", 2)
    say(queue, "Ada", item.pair_id, "B")
    labels.undo_last(database, "Ada", "undo-first")
    say(queue, "Ada", item.pair_id, "A")
    with database.read() as session:
        assert gold.check_one(session, queue, "Ada").accuracy.count == 0


def test_ones_own_figure_moves_in_blocks(database, open_queue, ids, say):
    queue = open_queue(overlap=1)
    gold.mark(database, queue.id, "Lea", gold.Draw("chosen", 7))
    with database.read() as session:
        marks = list(gold.of_queue(session, queue.id))
    seen = []
    for pair_id in marks:
        say(queue, "Ada", pair_id)
        with database.read() as session:
            seen.append(gold.mirror(session, queue, "Ada").n)
    assert seen == [0, 0, 0, 0, 5, 5, 5]


def test_gold_comes_of_a_filter_counted_first_drawn_by_seed_and_undone(
    database, open_queue, make_pair, make_judgement
):
    queue = open_queue(overlap=1)
    with database.write() as session:
        for number in range(6):
            pair = make_pair(source="quiz", chosen="B" if number < 5 else None)
            judgements.add(session, make_judgement(pair))
    quiz = JudgementFilter(source="quiz")

    def now():
        with database.read() as session:
            return gold.of_queue(session, queue.id)

    with database.read() as session:
        assert gold.count(session, queue.id, gold.Draw(wanted=quiz)) == 5
        assert gold.count(session, queue.id, gold.Draw("decided", wanted=quiz)) == 0
    drawn = []
    for seed in (1, 1, 2):
        made = gold.mark(database, queue.id, "Lea", gold.Draw(n=2, wanted=quiz, seed=seed))
        drawn.append(frozenset(now()))
        assert made.pairs == len(now()) == 2
        assert set(now().values()) == {"B"}
        assert gold.undo(database, queue.id, "Lea", made.batch) == 2
        assert now() == {}
    assert drawn[0] == drawn[1] != drawn[2]
    every = gold.mark(database, queue.id, "Lea", gold.Draw(wanted=quiz))
    assert every.pairs == 5
    with pytest.raises(InputError, match="The filter holds no further pair"):
        gold.mark(database, queue.id, "Lea", gold.Draw(wanted=quiz))
    for batch in ("", "%", "_" * 32, made.batch):
        with pytest.raises(InputError, match="nothing to undo"):
            gold.undo(database, queue.id, "Lea", batch)
    assert len(now()) == 5


def test_an_undone_draw_leaves_what_was_marked_anew(database, open_queue, ids):
    queue = open_queue(overlap=1)
    first = gold.mark(database, queue.id, "Lea", gold.Draw(n=2))
    with database.read() as session:
        kept, *_ = gold.of_queue(session, queue.id)
    for action, value in (("ungold", None), ("gold", "A")):
        entry = LeadEntry(
            key=uuid.uuid4().hex,
            by="Lea",
            action=action,
            pair_id=kept,
            queue_id=queue.id,
            value=value,
        )
        lead_events.record(database, entry)
    assert gold.undo(database, queue.id, "Lea", first.batch) == 1
    with database.read() as session:
        assert list(gold.of_queue(session, queue.id)) == [kept]


def test_a_queue_without_known_answers_has_no_gold(database, open_queue, ids):
    queue = open_queue()
    with pytest.raises(InputError, match="whose answer a lead decided"):
        gold.mark(database, queue.id, "Lea", gold.Draw("decided", 3))


def test_progress_of_a_queue_and_of_its_people(database, open_queue, ids, say):
    queue = open_queue(overlap=2)
    for name, number in (("Ada", 3), ("Bob", 1)):
        for pair_id in ids[:number]:
            say(queue, name, pair_id)
    with database.read() as session:
        whole = queue_progress.whole(session, queue)
        by_person = queue_progress.by_person(session, queue)
        assert queue_progress.label_counts(session) == {queue.id: 4}
    assert (whole.total, whole.full, whole.begun, whole.labels) == (12, 1, 3, 4)
    assert [(one.annotator, one.labels, one.hour) for one in by_person] == [
        ("Ada", 3, 3),
        ("Bob", 1, 1),
    ]


@pytest.mark.parametrize(
    ("terms", "words"),
    [({"overlap": 0}, "overlap"), ({"gold_share": 0.9}, "gold share"), ({"state": "x"}, "state")],
)
def test_terms_that_make_no_sense_are_refused(terms, words):
    with pytest.raises(InputError, match=words):
        Terms.read(terms)
