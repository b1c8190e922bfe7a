import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import RecordNotFound
from rmr1.judge import Judge
from rmr1.pair import Side
from rmr1.plan import Plan
from storage import judgements, labels, pairs, queues
from tests.replies import PAIR, SUM
from ui.annotating import is_swapped, item_as_it_stands, reveal, standing, turned
from ui.judge_tab import examples
from ui.serving import load_examples, more, open_page

CHOSEN = PAIR.model_copy(update={"chosen": Side.A, "source": "RewardBench", "subset": "refusals"})


@pytest.fixture
def judged(studio):
    """A pair with a known better side and a judgement; its id and the judgement's key."""
    judge: Judge = studio.judges["scripted"]
    made = judge.judge(CHOSEN, Plan())
    with studio.database.write() as session:
        key = judgements.add(session, made)
        return judgements.get(session, key).pair_id, key


def name_that_sees(pair, swapped):
    return next(f"p{i}" for i in range(99) if is_swapped(f"p{i}", pair.hash) is swapped)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_the_order_shown_is_the_same_every_time(name):
    assert is_swapped(name, PAIR.hash) is is_swapped(name, PAIR.hash)


def test_each_order_is_shown_about_equally_often():
    swapped = sum(is_swapped(f"person {i}", SUM.hash) for i in range(1000))
    assert 430 < swapped < 570


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("value", ["A", "B", "tie", "both_bad", "cannot_tell", None])
def test_turning_a_value_twice_leaves_it_as_it_was(value, swapped):
    assert turned(turned(value, swapped), swapped) == value
    assert turned("tie", swapped) == "tie"


def test_what_is_served_tells_nothing_of_the_judge_or_the_better_side(database, judged):
    _, key = judged
    with database.read() as session:
        judgement = judgements.get(session, key).judgement
    sent = json.dumps(open_page(database, "ann")["items"])
    trace = judgement.rollouts[0].trace
    assert PAIR.response_a in sent
    for secret in (trace.justify, trace.criteria[0].text, "refusals", "RewardBench", "verdict"):
        assert secret not in sent
    assert '"chosen": true' not in sent


def test_a_queue_chosen_by_verdict_does_not_say_so_beforehand(database, judged):
    with database.write() as session:
        found = queues.create(session, "verdict A", queues.JudgementFilter(verdict="A"))
    view = open_page(database, "ann", found.id)
    (item,) = view["items"]
    assert item["why"] == "chosen"
    assert "verdict=A" not in json.dumps(item)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_revealed_verdict_names_the_response_that_is_shown(database, judged, swapped):
    pair_id, key = judged
    name = name_that_sees(CHOSEN, swapped)
    with database.read() as session:
        stored = judgements.get(session, key)
        item = item_as_it_stands(session, name, pair_id, None, key)
    view = reveal(stored, swapped, "random")
    texts = {side: item["pair"][side.lower()]["text"] for side in "AB"}
    own = stored.judgement.verdict
    assert texts[view["verdict"]] == CHOSEN.response(own)
    assert [view["calls"][side] for side in "AB"] == (["B", "A"] if swapped else ["A", "B"])
    for rollout in view["rollouts"]:
        for side in "AB":
            marked = {texts[side][start:end] for start, end, *_ in rollout["spans"][side]}
            assert marked <= {"Canberra", "It is Sydney"}
            assert marked


def test_an_item_without_an_answer_shows_no_judgement(database, judged):
    pair_id, key = judged
    with database.read() as session:
        item = item_as_it_stands(session, "ann", pair_id, None, key)
    assert item["step"] == "blind"
    assert "reveal" not in item


def test_a_person_stands_where_their_last_answers_lead(database, judged):
    pair_id, key = judged

    def say(stage, action, **more):
        entry = {"annotator": "ann", "pair_id": pair_id, "judgement_key": key, **more}
        labels.record(
            database,
            labels.LabelEntry(key=f"key {stage} {action}", stage=stage, action=action, **entry),
        )
        with database.read() as session:
            return standing(session, "ann", pair_id)

    assert say("blind", "commit", value="A", strength=3).step == "verdict"
    changed = say("verdict", "change", value="B")
    assert (changed.step, changed.value, changed.blind_value) == ("reasoning", "B", "A")
    assert say("reasoning", "flag").flagged
    assert say("reasoning", "sound").step == "done"
    labels.undo_last(database, "ann", "undo number 1")
    with database.read() as session:
        assert standing(session, "ann", pair_id).step == "reasoning"
        assert standing(session, "bob", pair_id).step == "blind"


def test_the_examples_are_loaded_once(database):
    assert load_examples(database) == len(examples())
    assert load_examples(database) == 0
    assert len(open_page(database, "ann")["items"]) == 2


def test_examples_are_offered_where_nothing_is_left_to_label(database):
    assert open_page(database, "ann")["examples"] == len(examples())
    with database.write() as session:
        pairs.add(session, PAIR)
    view = open_page(database, "ann")
    assert view["examples"] == 0
    assert more(database, "ann", view["queue"], [view["items"][0]["pair_id"]])["examples"] == len(
        examples()
    )
    load_examples(database)
    everything = [view["items"][0]["pair_id"], *range(100)]
    assert more(database, "ann", view["queue"], everything)["examples"] == 0


def test_a_link_comes_first_and_a_dead_one_is_passed_over(database):
    with database.write() as session:
        wanted = pairs.add(session, SUM)
        pairs.add(session, PAIR)
    first, second = open_page(database, "ann", None, {"pair_id": wanted})["items"]
    assert (first["pair_id"], first["why"]) == (wanted, "link")
    assert second["pair_id"] != wanted
    assert len(open_page(database, "ann", 999, {"pair_id": 12345})["items"]) == 2


def test_what_one_person_has_before_them_is_not_served_to_another(database):
    with database.write() as session:
        pairs.add(session, PAIR)
    assert len(open_page(database, "ann")["items"]) == 1
    assert open_page(database, "bob")["items"] == []


def test_more_leaves_out_what_the_person_has(database):
    load_examples(database)
    view = open_page(database, "ann")
    known = [item["pair_id"] for item in view["items"]]
    (next_one,) = more(database, "ann", view["queue"], known)["items"]
    assert next_one["pair_id"] not in known
    with pytest.raises(RecordNotFound, match="no queue 77"):
        more(database, "ann", 77, [])
