import threading
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rmr1.errors import InputError, RecordNotFound, StorageError
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import judgements, labels, queues
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter


@pytest.fixture
def say(database, stored, make_entry):
    """Records an entry on the stored pair; gives the receipt."""
    pair_id, key = stored

    def say(stage, action, value=None, **rest):
        on = {"pair_id": pair_id, "judgement_key": None if stage == "blind" else key}
        return labels.record(database, make_entry(stage, action, value, **on | rest))

    return say


def current(database, **wanted):
    with database.read() as session:
        return labels.current(session, **wanted)


def test_a_label_has_a_receipt_and_is_on_record(database, stored, say):
    receipt = say("blind", "commit", "A", strength=2, why="random", seconds=4.5)
    (label,) = current(database, annotator="Ada")
    assert not receipt.duplicate
    assert (receipt.id, receipt.at) == (label.event_id, label.created_at)
    assert (label.value, label.blind_value, label.strength) == ("A", "A", 2)
    assert (label.stage, label.inspection, label.blind_commits) == ("blind", False, 1)
    assert (label.why, label.seconds, label.pair_id) == ("random", 4.5, stored[0])


def test_the_same_key_again_gives_the_first_receipt(database, say):
    first = say("blind", "commit", "A", key="one-and-the-same")
    again = say("blind", "commit", "B", key="one-and-the-same")
    assert again.duplicate
    assert (again.id, again.at) == (first.id, first.at)
    assert [label.value for label in current(database)] == ["A"]


def test_a_key_that_somebody_else_used_is_refused(say):
    say("blind", "commit", "A", key="one-and-the-same")
    with pytest.raises(InputError, match="somebody else"):
        say("blind", "commit", "A", key="one-and-the-same", annotator="Bob")


def test_a_change_after_the_verdict_keeps_the_blind_value(database, say, stored):
    say("blind", "commit", "B", strength=1)
    say("verdict", "change", "A", strength=3)
    say("reasoning", "wrong", tags=["invented quote"], note="It never said that.")
    (label,) = current(database)
    assert (label.value, label.blind_value, label.strength) == ("A", "B", 3)
    assert (label.stage, label.reasoning) == ("verdict", "wrong")
    assert (label.tags, label.note) == (("invented quote",), "It never said that.")
    assert label.judgement_key == stored[1]


def test_keeping_repeats_the_value_and_its_strength(database, say):
    say("blind", "commit", "tie", strength=2)
    say("verdict", "keep")
    (label,) = current(database)
    assert (label.value, label.strength, label.stage) == ("tie", 2, "verdict")


def test_nothing_can_be_kept_before_a_commit(say):
    with pytest.raises(InputError, match="no value to keep"):
        say("verdict", "keep")


def test_what_was_wrong_is_forgotten_once_the_reasoning_is_called_sound(database, say):
    say("blind", "commit", "A")
    say("reasoning", "repair", sections={"justify": "better"}, tags=["weights wrong"])
    assert current(database)[0].sections == {"justify": "better"}
    say("reasoning", "sound")
    (label,) = current(database)
    assert (label.reasoning, label.tags, label.sections) == ("sound", (), None)


def test_undo_takes_back_one_step_at_a_time(database, say):
    say("blind", "commit", "B")
    say("verdict", "change", "A")
    labels.undo_last(database, "Ada", "undo-one")
    assert [(label.value, label.stage) for label in current(database)] == [("B", "blind")]
    labels.undo_last(database, "Ada", "undo-two")
    assert current(database) == []
    with pytest.raises(InputError, match="nothing to undo"):
        labels.undo_last(database, "Ada", "undo-three")


def test_an_undo_sent_twice_undoes_once(database, say):
    say("blind", "commit", "B")
    say("verdict", "change", "A")
    first = labels.undo_last(database, "Ada", "undo-one")
    again = labels.undo_last(database, "Ada", "undo-one")
    assert again.duplicate
    assert again.id == first.id
    assert current(database)[0].value == "B"


def test_only_ones_own_last_event_on_a_pair_can_be_undone(say):
    first = say("blind", "commit", "B")
    say("verdict", "change", "A")
    with pytest.raises(InputError, match="cannot be undone"):
        say("blind", "undo", undoes=first.id)
    other = say("blind", "commit", "A", annotator="Bob")
    with pytest.raises(InputError, match="cannot be undone"):
        say("blind", "undo", undoes=other.id)


def test_a_blind_commit_after_an_undo_is_known_to_be_the_second(database, say):
    say("blind", "commit", "B")
    labels.undo_last(database, "Ada", "undo-one")
    say("blind", "commit", "A")
    (label,) = current(database)
    assert (label.blind_value, label.blind_commits) == ("A", 2)


@pytest.mark.parametrize(
    ("steps", "inspection"),
    [
        ([("inspection", "commit", "A")], True),
        ([("inspection", "commit", "A"), ("blind", "commit", "A")], True),
        ([("blind", "commit", "A"), ("inspection", "change", "B")], False),
        ([("blind", "commit", "A")], False),
    ],
)
def test_labels_made_with_the_verdict_in_view_are_marked(database, say, steps, inspection):
    for step in steps:
        say(*step)
    (label,) = current(database)
    assert label.inspection is inspection
    assert len(current(database, inspection=False)) == (0 if inspection else 1)


def test_each_person_has_a_label_of_their_own(database, say):
    say("blind", "commit", "A")
    say("blind", "commit", "B", annotator="Bob")
    assert [(label.annotator, label.value) for label in current(database)] == [
        ("Ada", "A"),
        ("Bob", "B"),
    ]


def test_the_history_shows_everything_and_what_was_undone(database, stored, say):
    say("blind", "commit", "A")
    say("blind", "skip", annotator="Bob")
    labels.undo_last(database, "Ada", "undo-one")
    with database.read() as session:
        events = labels.history(session, stored[0])
    assert [(event.annotator, event.action, event.undone) for event in events] == [
        ("Ada", "commit", True),
        ("Bob", "skip", False),
        ("Ada", "undo", False),
    ]
    assert events[2].undoes == events[0].id


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"value": "C"}, "value"),
        ({"value": None}, "needs a value"),
        ({"action": "win"}, "action"),
        ({"action": "keep"}, "stage `blind`"),
        ({"action": "skip"}, "takes no value"),
        ({"strength": 4}, "strength"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": float("inf")}, "seconds"),
        ({"annotator": ""}, "annotator"),
        ({"key": "short"}, "key"),
        ({"sections": {"justify": "x"}}, "only a repair"),
        ({"undoes": 1}, "an undo names"),
        ({"pair_id": None}, "pair_id, pair_hash"),
        ({"stage": "verdict", "action": "change"}, "needs the judgement"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_entry_that_does_not_hang_together_is_refused_in_one_sentence(change, sentence):
    good = {
        "key": "a-good-key",
        "annotator": "Ada",
        "pair_id": 1,
        "stage": "blind",
        "action": "commit",
        "value": "A",
    }
    assert LabelEntry(**good).value == "A"
    with pytest.raises(InputError, match=sentence):
        LabelEntry(**good | change)


def test_what_is_not_on_record_cannot_be_labelled(database, say, make_judgement):
    with database.write() as session:
        elsewhere = judgements.add(session, make_judgement())
    with pytest.raises(RecordNotFound, match="no pair 99"):
        say("blind", "commit", "A", pair_id=99)
    with pytest.raises(RecordNotFound, match="has no judgement"):
        say("verdict", "change", "A", judgement_key=elsewhere)
    with pytest.raises(RecordNotFound, match="no queue 5"):
        say("blind", "commit", "A", queue_id=5)


def test_events_are_never_changed(database, say):
    say("blind", "commit", "A")
    for statement in ("UPDATE label_event SET value = 'B'", "DELETE FROM label_event"):
        with pytest.raises(Exception, match="never changed"), database.write() as session:
            session.execute(text(statement))
    assert current(database)[0].value == "A"


def test_a_label_that_the_journal_cannot_take_is_not_acknowledged(database, journal_path, say):
    journal_path.unlink(missing_ok=True)
    journal_path.mkdir()
    with pytest.raises(StorageError, match="journal"):
        say("blind", "commit", "A", key="first-try")
    assert current(database) == []
    journal_path.rmdir()
    assert not say("blind", "commit", "A", key="first-try").duplicate


def test_labels_against_the_verdict_are_found(database, say, stored):
    def keys(**wanted):
        with database.read() as session:
            page = judgements.page(session, JudgementFilter(**wanted))
        return [summary.key for summary in page.items]

    assert keys(labelled="no") == [stored[1]]
    say("blind", "commit", "B")
    assert keys(labelled="yes") == keys(agreement="disagrees") == [stored[1]]
    say("blind", "commit", "A", annotator="Bob")
    assert keys(agreement="split") == [stored[1]]
    assert keys(agreement="disagrees") == keys(agreement="agrees") == []


def test_a_list_shows_the_current_labels(database, say):
    say("blind", "commit", "B")
    say("blind", "commit", "tie", annotator="Bob")
    with database.read() as session:
        (summary,) = judgements.page(session, JudgementFilter()).items
    assert summary.labels == ("B", "tie")


def test_threads_that_label_at_once_lose_nothing(database, stored, make_entry):
    def work(name):
        for _ in range(10):
            entry = make_entry("blind", "commit", "A", annotator=name, pair_id=stored[0])
            receipts.append(labels.record(database, entry))

    receipts = []
    threads = [threading.Thread(target=work, args=(f"person {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        ids = [event.id for event in labels.history(session, stored[0])]
    assert sorted(receipt.id for receipt in receipts) == ids == list(range(1, 61))


def test_the_queue_stands_in_the_label(database, say):
    with database.write() as session:
        queue = queues.everything(session)
    say("blind", "commit", "A", queue_id=queue.id)
    assert current(database)[0].queue_id == queue.id


STEPS = st.lists(
    st.sampled_from(
        [
            ("blind", "commit", "A"),
            ("blind", "commit", "B"),
            ("verdict", "change", "tie"),
            ("blind", "skip", None),
            ("blind", "flag", None),
            ("undo", "undo", None),
        ]
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared():
    with Database.open() as database:
        yield database


@settings(max_examples=25, derandomize=True, deadline=None)
@given(steps=STEPS)
def test_the_current_value_is_the_last_that_was_not_taken_back(shared, steps):
    name = f"person {uuid.uuid4()}"
    pair = Pair.of(name, "a", "b")
    judgement = Judgement(pair, JudgeVersion("x", "y"), Plan(), (), Side.A, State.COMPLETE)
    with shared.write() as session:
        key = judgements.add(session, judgement)
    said = []
    for stage, action, value in steps:
        event = str(uuid.uuid4())
        if action == "undo":
            if said:
                labels.undo_last(shared, name, event)
                said.pop()
            continue
        entry = LabelEntry(
            key=event,
            annotator=name,
            pair_hash=pair.hash,
            judgement_key=key,
            stage=stage,
            action=action,
            value=value,
        )
        labels.record(shared, entry)
        said.append(value)
    values = [value for value in said if value]
    assert [label.value for label in current(shared, annotator=name)] == values[-1:]
