import json
import uuid

import pytest

from rmr1.errors import InputError
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import adjudication, judgements, labels, pairs, queues
from storage.entries import LabelEntry
from storage.roles import Person, Role
from storage.tables import LabelEventRow
from storage.terms import Terms
from ui import adjudicating, answering, queues_views, serving
from ui.annotating import is_swapped, turned
from ui.judge_tab import examples

LEA = Person("Lea", Role.LEAD)
ADA = Person("Ada", Role.ANNOTATOR)


@pytest.fixture
def ids(database, studio):
    """Pairs of the examples; the first two are judged."""
    serving.load_examples(database)
    judge = next(iter(studio.judges.values()))
    with database.read() as session:
        found = [row[0] for row in session.execute(pairs_in_order())]
    for pair_id in found[:2]:
        with database.read() as session:
            pair = pairs.get(session, pair_id).pair
        judgement = judge.judge(pair, Plan())
        assert judgement.state is not State.FAILED
        with database.write() as session:
            judgements.add(session, judgement)
    return found


def pairs_in_order():
    from sqlalchemy import select

    from storage.tables import PairRow

    return select(PairRow.id).order_by(PairRow.id)


def make(database, **form):
    return queues_views.make(database, "Lea", {"name": "Team", "overlap": 2, **form})


def say(database, name, pair_id, value, **rest):
    labels.record(
        database,
        LabelEntry(
            key=uuid.uuid4().hex,
            annotator=name,
            pair_id=pair_id,
            stage="blind",
            action="commit",
            value=value,
            **rest,
        ),
    )


def test_a_queue_is_made_of_a_link_to_explore(database, ids):
    link = "http://127.0.0.1:7860/?tab=explore&verdict=A&quotes=absent&sort=newest"
    made = make(database, link=link, order="swap flips", screening=3, hold_minutes=7)
    with database.read() as session:
        queue = queues.get(session, made)
    assert (queue.filter.verdict, queue.filter.quotes, queue.order) == ("A", "absent", "swap flips")
    assert (queue.terms.overlap, queue.terms.screening, queue.terms.made_by) == (2, 3, "Lea")
    page = queues_views.page_view(database, LEA, f"queue={made}")
    assert page["chosen"]["filter"] == [["verdict", "A"], ["quotes", "absent"]]
    assert "3 gold pairs and the queue has 0" in page["chosen"]["waiting"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"order": "by name"}, "no such order"),
        ({"link": "?verdict=C"}, "verdict"),
        ({"overlap": "many"}, "overlap"),
        ({"gold_share": 2}, "gold share"),
        ({"seed": "x"}, "seed"),
    ],
)
def test_a_form_that_cannot_be_used_gets_one_sentence(database, form, words):
    with pytest.raises(InputError, match=words):
        make(database, **form)


def test_changed_terms_leave_the_others_as_they_were(database):
    made = make(database, overlap="", pass_mark=0.9)
    queues_views.settle(database, made, {"state": "paused"})
    with database.read() as session:
        terms = queues.get(session, made).terms
    assert (terms.overlap, terms.pass_mark, terms.state) == (None, 0.9, "paused")


def test_an_annotator_sees_open_queues_and_their_own_figures(database, ids):
    made, shut = make(database), make(database, name="Shut")
    queues_views.settle(database, shut, {"state": "paused"})
    queues_views.mark(database, "Lea", made, {"n": 3})
    for name in ("Ada", "Bob"):
        say(database, name, ids[0], "A", queue_id=made)
    view = queues_views.page_view(database, ADA, f"queue={made}")
    assert {one["name"] for one in view["queues"]} == {"Everything", "Team"}
    assert [one["name"] for one in view["chosen"]["people"]] == ["Ada"]
    text = json.dumps(view)
    for secret in ("Bob", '"gold"', 'screening": {', 'conflicts": 1'):
        assert secret not in text
    lead = queues_views.page_view(database, LEA, f"queue={made}")
    assert [one["name"] for one in lead["chosen"]["people"]] == ["Ada", "Bob"]
    assert lead["chosen"]["gold"]["total"] == 3


def opened(database, queue_id, name="Ada"):
    return serving.open_page(database, name, queue_id)


def test_what_the_page_holds_before_the_answer_tells_nothing(database, ids):
    """The JSON itself, whatever the page shows of it."""
    made = make(database, overlap=5, gold_share=0.5)
    queues_views.mark(database, "Lea", made, {"n": 6})
    for pair_id in ids:
        say(database, "Bob", pair_id, "B", queue_id=made, note="bobs-note")
    view = opened(database, made)
    text = json.dumps(view["items"])
    with database.read() as session:
        keys = [key for pair in ids if (key := judgements.newest(session, pair))]
    assert len(keys) == 2
    for secret in ("Bob", "bobs-note", "gold", "scripted", "verdict", *keys):
        assert secret not in text
    for item in view["items"]:
        assert item["judgement_key"] is None
        assert item["why"] == "random"
        assert not any(item["pair"][side]["chosen"] for side in ("a", "b"))
        assert item["pair"]["origin"] == ""


def told(database, item, value="A", queue_id=None):
    return answering.say(
        database,
        answering.Say(
            request="r",
            annotator="Ada",
            key=uuid.uuid4().hex,
            pair_id=item["pair_id"],
            queue_id=queue_id or item["queue_id"],
            stage="blind",
            action="commit",
            value=value,
        ),
    )


def stored_why(database):
    with database.read() as session:
        return session.query(LabelEventRow).order_by(LabelEventRow.id.desc()).first().why


def test_a_gold_pair_is_stored_as_one_and_shown_as_any_other(database, ids):
    made = make(database, overlap=1, gold_share=0.5, screening=2)
    queues_views.mark(database, "Lea", made, {"n": 12})
    item = opened(database, made)["items"][0]
    answer = told(database, item)
    assert stored_why(database) == "gold"
    assert "gold" not in json.dumps(answer)


def test_random_is_kept_for_what_was_served_at_random(database, ids):
    made = make(database)
    items = opened(database, made)["items"]
    told(database, items[0])
    assert stored_why(database) == "random"
    chosen = next(pair for pair in ids if pair not in [item["pair_id"] for item in items])
    told(database, {"pair_id": chosen, "queue_id": made})
    assert stored_why(database) == "link"


def test_the_judgement_comes_with_the_receipt(database, ids):
    made = make(database)
    with database.read() as session:
        key = judgements.newest(session, ids[0])
    answer = told(database, {"pair_id": ids[0], "queue_id": made})
    assert (answer["judgement_key"], answer["reveal"]["key"]) == (key, key)


def test_who_fails_the_screening_is_told_so_politely(database, ids):
    made = make(database, screening=1, pass_mark=1)
    queues_views.mark(database, "Lea", made, {"n": 2})
    item = opened(database, made)["items"][0]
    told(database, item, "cannot_tell")
    view = serving.more(database, "Ada", made, [item["pair_id"]])
    assert view["items"] == []
    assert "talk to the lead" in view["closed"]
    queues_views.let_in(database, "Lea", made, "Ada")
    assert serving.more(database, "Ada", made, [item["pair_id"]])["items"]


@pytest.fixture
def divided(database, ids):
    for name, value in (("Ada", "A"), ("Bob", "B"), ("Cy", "A")):
        say(database, name, ids[0], value, note="a note")
    return ids[0]


def shown(database, pair=""):
    return adjudicating.list_view(database, "Lea", "all", str(pair))


def test_conflicts_are_blind_to_names_and_judge(database, divided):
    view = shown(database)
    assert [item["pair"] for item in view["items"]] == [divided]
    case = view["case"]
    assert [one["name"] for one in case["people"]] == ["Person 1", "Person 2", "Person 3"]
    with database.read() as session:
        key = judgements.newest(session, divided)
    text = json.dumps(view)
    for secret in ("Ada", "Bob", "Cy", key, "scripted"):
        assert secret not in text
    assert shown(database)["case"] == case


def test_a_decision_shows_names_and_judge_and_is_turned_back(database, divided):
    with database.read() as session:
        swapped = is_swapped("Lea", pairs.get(session, divided).pair.hash)
    said = {"pair_id": divided, "key": "decision-1", "value": "A", "reason": "slip"}
    view = adjudicating.decide(database, "Lea", said)
    assert set(view["case"]["decided"]["names"]) == {"Ada", "Bob", "Cy"}
    assert view["case"]["decided"]["value"] == "A"
    assert view["case"]["decided"]["judgement"]
    with database.read() as session:
        assert adjudication.decision(session, divided).value == turned("A", swapped)
    assert shown(database)["open"] == 0
    adjudicating.withdraw(database, "Lea", {"pair_id": divided, "key": "take-it-back"})
    assert shown(database)["open"] == 1


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "which pair"),
        ({"pair_id": "1"}, "which pair"),
        ({"pair_id": 1, "key": "k" * 9, "value": "A", "reason": "whim"}, "reason"),
        ({"pair_id": 1, "key": "k" * 9, "value": {}, "reason": "slip"}, "value"),
        ({"pair_id": 1, "value": "A", "reason": "slip"}, "key"),
    ],
)
def test_a_hostile_decision_gets_one_sentence(database, divided, said, words):
    with pytest.raises(InputError, match=words):
        adjudicating.decide(database, "Lea", said)


def test_a_pair_sent_back_comes_first_blind_and_with_the_note(database, divided):
    said = {"pair_id": divided, "key": "send-back-1", "note": "mind the units"}
    adjudicating.send_back(database, "Lea", said)
    with database.write() as session:
        queue = queues.everything(session)
    first = opened(database, queue.id)["items"][0]
    assert (first["pair_id"], first["step"], first["why"]) == (divided, "blind", "sent back")
    assert first["returned"] == "mind the units"
    answer = told(database, first, "B")
    assert stored_why(database) == "sent back"
    assert answer["reveal"]
    assert opened(database, queue.id)["items"][0]["pair_id"] != divided


def test_terms_read_from_the_page_are_those_of_storage():
    assert queues_views.read_terms({}) == Terms()


def test_a_draw_of_gold_is_counted_before_and_says_what_undoes_it(database, ids):
    made = make(database)
    form = {"n": "1", "link": "?tab=explore&source=example", "seed": "3"}
    told = queues_views.foretell(database, made, form)
    assert told == {"qualify": 2, "would": 1}  # a filter means judged pairs
    known = sum(pair.chosen is not None for pair in examples().values())
    assert queues_views.foretell(database, made, {"n": ""}) == {"qualify": known, "would": known}
    marked = queues_views.mark(database, "Lea", made, form)
    assert (marked["marked"], len(marked["batch"])) == (1, 32)
    assert queues_views.foretell(database, made, form) == {"qualify": 1, "would": 1}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"n": 0}, "from 1 to 1,000"),
        ({"n": 1001}, "from 1 to 1,000"),
        ({"n": "many"}, "whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"link": "type=Poem"}, "Poem"),
    ],
)
def test_a_draw_that_cannot_be_made_is_refused(database, ids, form, sentence):
    made = make(database)
    for act in (queues_views.foretell, lambda *a: queues_views.mark(a[0], "Lea", *a[1:])):
        with pytest.raises(InputError, match=sentence):
            act(database, made, form)
