import math
from dataclasses import replace

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendError
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels, pairs
from tests.replies import PAIR, SUM
from ui import answering
from ui.annotate_tab import judge_now, respond
from ui.annotating import is_swapped
from ui.answering import JudgeNow, More, Open, Say, Undo

ANN = next(f"ann{i}" for i in range(99) if is_swapped(f"ann{i}", PAIR.hash))
BOB = next(f"bob{i}" for i in range(99) if not is_swapped(f"bob{i}", PAIR.hash))


@pytest.fixture
def place(studio):
    made = studio.judges["scripted"].judge(PAIR, Plan())
    with studio.database.write() as session:
        key = judgements.add(session, made)
        pair_id = judgements.get(session, key).pair_id
    return {"pair_id": pair_id, "judgement_key": key}


@pytest.fixture
def say(database, place):
    count = iter(range(1000))

    def saying(action, stage="blind", annotator=ANN, **more):
        payload = {
            "request": "r1",
            "annotator": annotator,
            "key": f"idempotency {next(count)}",
            **place,
            "stage": stage,
            "action": action,
            **more,
        }
        return respond(lambda asked: answering.say(database, asked), Say, payload)

    return saying


def history(database, place):
    with database.read() as session:
        return labels.history(session, place["pair_id"])


@pytest.mark.parametrize(("person", "own"), [(ANN, "B"), (BOB, "A")])
def test_a_side_as_shown_is_stored_as_the_pairs_own(database, place, say, person, own):
    answer = say("commit", annotator=person, value="A", strength=2, seconds=3.5)
    assert answer["request"] == "r1"
    assert answer["receipt"]["id"] == 1
    (event,) = history(database, place)
    assert (event.value, event.strength, event.seconds, event.why) == (own, 2, 3.5, "link")
    assert answer["reveal"]["verdict"] == ("B" if person == ANN else "A")


@pytest.mark.parametrize(("person", "own"), [(ANN, "A"), (BOB, "B")])
def test_the_whole_path_keeps_to_the_sides_shown(database, place, say, person, own):
    say("commit", annotator=person, value="A")
    changed = say("change", "verdict", annotator=person, value="B")
    assert "error" not in changed
    say("wrong", "reasoning", annotator=person, tags=["invented_quote"])
    *_, change, wrong = history(database, place)
    assert change.value == own
    assert wrong.tags == ("invented_quote",)


def test_a_repeated_key_gets_the_first_receipt_and_the_judgement_again(database, place, say):
    first = say("commit", value="A", key="the same key")
    again = say("commit", value="A", key="the same key")
    assert again["receipt"]["duplicate"]
    assert again["receipt"]["id"] == first["receipt"]["id"]
    assert again["reveal"] == first["reveal"]
    assert len(history(database, place)) == 1


@pytest.mark.parametrize("person", [ANN, BOB])
def test_a_repair_is_checked_against_the_side_that_was_chosen(say, person):
    good = "B" if person == ANN else "A"
    say("commit", annotator=person, value=good)
    say("keep", "verdict", annotator=person)
    fine = say("repair", "reasoning", annotator=person, sections={"justify": "A fact is asked."})
    assert fine["check"] == {"ready": True, "faults": []}
    other = "A" if good == "B" else "B"
    turned = say("repair", "reasoning", annotator=person, sections={"answer": other})
    assert turned["sections"] == {"answer": "B"}
    assert turned["check"]["faults"] == [f"its verdict is {other}, the label {good}"]


def test_a_repair_after_a_tie_is_no_target(say):
    say("commit", value="tie")
    say("keep", "verdict")
    check = say("repair", "reasoning", sections={"justify": "So."})["check"]
    assert check == {"ready": False, "faults": ["your answer names no better response"]}


def test_undo_takes_back_what_was_said_and_hides_the_judgement_again(database, place, say):
    receipt = say("commit", value="A")["receipt"]
    payload = {"request": "r", "annotator": ANN, "key": "undo it now", **place}

    def undo(**more):
        return respond(lambda asked: answering.undo(database, asked), Undo, {**payload, **more})

    answer = undo(undoes=receipt["id"])
    assert answer["item"]["step"] == "blind"
    assert "reveal" not in answer["item"]
    assert "cannot be undone" in undo(undoes=receipt["id"], key="undo it twice")["error"]


HOSTILE = [
    ({"pair_id": "1; DROP TABLE pair"}, "pair_id"),
    ({"pair_id": True}, "pair_id"),
    ({"pair_id": 2**70}, "pair_id"),
    ({"pair_id": 4711}, "no pair 4711"),
    ({"pair_id": None}, "pair_id"),
    ({"action": "flag", "value": None, "judgement_key": "nope"}, "no judgement 'nope'"),
    ({"queue_id": 4711}, "no queue 4711"),
    ({"annotator": "   "}, "annotator"),
    ({"annotator": "x" * 81}, "annotator"),
    ({"annotator": ["root"]}, "annotator"),
    ({"key": "short"}, "key"),
    ({"value": "C"}, "value"),
    ({"value": None}, "value"),
    ({"strength": 4}, "strength"),
    ({"value": None, "action": "skip", "strength": 2}, "strength"),
    ({"tags": ["<img src=x onerror=alert(1)>"]}, "pick from the list"),
    ({"tags": "all"}, "tags"),
    ({"note": "\ud800"}, "note"),
    ({"sections": {"__class__": "x"}}, "sections"),
    ({"stage": "inspection"}, "stage"),
    ({"action": "undo"}, "action"),
    ({"stage": "verdict", "action": "keep", "value": None}, "blind answer first"),
    ({"stage": "reasoning", "action": "sound", "value": None}, "blind answer first"),
]


@pytest.mark.parametrize(("changes", "words"), HOSTILE)
def test_a_hostile_payload_gets_one_sentence(database, place, say, changes, words):
    answer = say(**{"action": "commit", "value": "A", **changes})
    assert words in answer["error"]
    assert "\n" not in answer["error"]
    assert history(database, place) == []


@pytest.mark.parametrize("model", [Open, More, Say, Undo, JudgeNow])
def test_an_empty_payload_is_refused_in_words(model):
    answer = respond(lambda asked: {}, model, {})
    assert "something unusable" in answer["error"]


@pytest.mark.parametrize("seconds", [-5, math.inf, math.nan, 1e12])
def test_time_in_view_is_kept_within_reason(database, place, say, seconds):
    say("commit", value="A", seconds=seconds)
    (event,) = history(database, place)
    assert 0 <= event.seconds <= 86_400


def test_a_pair_without_a_judgement_is_judged_on_request_after_the_answer(studio, say):
    with studio.database.write() as session:
        pair_id = pairs.add(session, SUM)
    payload = {"request": "r", "annotator": ANN, "pair_id": pair_id}

    def ask():
        return respond(lambda asked: judge_now(studio, asked), JudgeNow, payload)

    assert "blind answer first" in ask()["error"]
    assert say("commit", value="A", pair_id=pair_id, judgement_key=None)["reveal"] is None
    answer = ask()
    assert answer["reveal"]["phase"] == "done"
    assert answer["judgement_key"] == answer["reveal"]["key"]


def test_a_judge_that_fails_is_an_error_and_no_judgement_to_react_to(studio, say):
    pair = PAIR.model_copy(update={"response_a": "not judged yet"})
    with studio.database.write() as session:
        pair_id = pairs.add(session, pair)
    say("commit", value="A", pair_id=pair_id, judgement_key=None)
    judge = Judge(ScriptedBackend([BackendError("it died")]), load_profile("cor"))
    payload = {"request": "r", "annotator": ANN, "pair_id": pair_id}
    failing = replace(studio, judges={"failing": judge})
    answer = respond(lambda asked: judge_now(failing, asked), JudgeNow, payload)
    assert answer == {"request": "r", "error": "The judge failed: it died"}
