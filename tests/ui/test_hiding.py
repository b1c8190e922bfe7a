"""What people and judges said of a pair stays hidden from whoever still has to label it."""

import json
import uuid

import pytest

from rmr1.errors import RecordNotFound
from rmr1.plan import Plan
from storage import assigning, judgements, labels, people, probes, queues
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.tables import LabelEventRow
from tests.replies import PAIR
from tests.ui.forging import client_of, forge, handlers
from ui.hiding import FOR_THOSE_WHO_LABEL, PEOPLE_HIDDEN, WAITS

REMARK = "remark of bob"


@pytest.fixture
def pair(studio):
    """Key of a judgement whose pair bob labelled, and the pair's id."""
    judge = studio.judges["scripted"]
    known = PAIR.model_copy(update={"chosen": "B", "source": "quiz"})
    with studio.database.write() as session:
        key = judgements.add(session, judge.judge(known, Plan()))
        pair_id = judgements.get(session, key).pair_id
    say(studio, "bob", pair_id, "tie", note=REMARK)
    return key, pair_id


def say(studio, name, pair_id, value, **rest):
    labels.record(
        studio.database,
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


def serve(studio, name, pair_id):
    with studio.database.write() as session:
        queue = queues.create(session, "Blind", JudgementFilter(verdict="A"))
        assert assigning.hold(session, queue, pair_id, people.annotator_id(session, name))
    return queue


@pytest.fixture
def told(served):
    """What an event answers to somebody who forges it."""
    page, address = served
    index = {name: number for number, name in handlers(page).items()}

    def ask(who, event, **sent):
        with client_of(address, who) as client:
            return forge(page, client, [index[event]], sent)[index[event]]

    return ask


def test_others_labels_are_shown_once_ones_own_is_in(told, studio, pair):
    key, pair_id = pair
    before = told("ann", "judgement-page.open", key=key)
    assert PEOPLE_HIDDEN in before
    assert REMARK not in before
    assert '"who": "bob"' not in before
    stranger = told(None, "judgement-page.open", key=key)
    assert FOR_THOSE_WHO_LABEL in stranger
    assert REMARK not in stranger
    for who in ("lea", "adi"):
        assert REMARK in told(who, "judgement-page.open", key=key)
    say(studio, "ann", pair_id, "A")
    after = told("ann", "judgement-page.open", key=key)
    assert REMARK in after
    assert PEOPLE_HIDDEN not in after


def test_nothing_is_told_of_a_pair_that_waits_for_a_label(told, served, studio, pair):
    key, pair_id = pair
    judgement = studio.judges["scripted"].judge(PAIR.swapped(), Plan())
    with studio.database.write() as session:
        probe = probes.add(session, key, "swap", judgement, by="lea")
    serve(studio, "ann", pair_id)
    asked = [
        ("judgement-page.open", {"key": key}),
        ("judgement-page.check", {"judgement": key}),
        ("judgement-page.probe", {"judgement": key}),
        ("judgement-page.reread", {"judgement": "another", "probe": probe}),
        ("judgement-page.inspect", {"judgement": key, "value": "A", "key": "forged key"}),
        ("judge-case.inspect", {"judgement": key, "value": "A", "key": "forged key 2"}),
        ("explore-case.show", {"key": key}),
        ("compare-both.show", {"old": key, "new": key}),
        ("gallery-page.show", {"card": key, "run": "1"}),
    ]
    with studio.database.read() as session:
        labelled = session.query(LabelEventRow).count()
    for event, sent in asked:
        answer = told("ann", event, **sent)
        assert WAITS in json.loads(f"[{answer}]")[0].__repr__(), event
        assert "Canberra" not in answer, event
    with studio.database.read() as session:
        assert session.query(LabelEventRow).count() == labelled
    assert "Canberra" in told("lea", "explore-case.show", key=key)
    _, address = served
    for who, status in (("ann", 403), ("lea", 200), (None, 200)):
        with client_of(address, who) as client:
            assert client.get(f"/judgements/{key}.json").status_code == status


def test_lists_and_charts_leave_out_what_waits(told, studio, pair):
    key, pair_id = pair
    serve(studio, "ann", pair_id)
    for query in ("", "verdict=A", "correct=no", "text=Canberra", "sort=nonsense"):
        found = told("ann", "explore-found.ask", query=query)
        assert key not in found, query
        assert '"total": 0' in found, query
        assert "1 pair that waits for your label is left out" in found
        assert '"total": 0' in told("ann", "explore-charts.draw", query=query)
        assert key in told("lea", "explore-found.ask", query=query)


def test_nobody_below_lead_looks_by_what_others_said(told, studio, pair):
    key, _ = pair
    say(studio, "bob", pair[1], "A")
    say(studio, "ann", pair[1], "B")
    for who in ("ann", None):
        for query in ("agreement=disagrees", "label=tie", "annotator=bob", "people=differ"):
            found = told(who, "explore-found.ask", query=query)
            assert key in found, query  # as if nothing had been asked
            assert '"name": "agreement"' not in found
            assert "hidden until you have labelled" in found
    own = "annotator=ann&agreement=agrees"  # bob and ann are split on it
    assert key in told("ann", "explore-found.ask", query=own)
    assert key not in told("lea", "explore-found.ask", query=own)
    assert key not in told("ann", "explore-found.ask", query="annotator=ann&label=A")
    assert '"name": "agreement"' in told("lea", "explore-found.ask", query="")


def test_compare_takes_nobodys_labels_for_the_truth_below_lead(told):
    for who, has in ((None, False), ("ann", False), ("lea", True)):
        found = told(who, "compare-found.ask", query="truth=labels&old=&new=")
        assert ('"truth": "labels"' in found) is has
        assert ("hidden until you have labelled" in found) is not has


def test_by_what_a_queue_was_chosen_is_for_leads(told, studio, pair):
    queue = serve(studio, "ann", pair[1])
    for who, has in (("ann", False), ("lea", True)):
        found = told(who, "queues-list.ask", query=f"queue={queue.id}")
        assert ('["verdict", "A"]' in found) is has
        assert ("is hidden from those who label" in found) is not has


@pytest.mark.parametrize("asked", [PAIR, PAIR.swapped()])
def test_a_pair_that_waits_is_not_judged_or_ranked_before(told, served, studio, pair, asked):
    page, _ = served
    serve(studio, "ann", pair[1])
    go = next(fn for n, fn in page.fns.items() if handlers(page).get(n) == "judge-go.click")
    for field, value in ((0, asked.prompt), (2, asked.response_a), (3, asked.response_b)):
        go.inputs[field].value = value
    responses = ["Something else", asked.response_a, asked.response_b]
    ranked = {"prompt": asked.prompt, "responses": responses, "judge": "scripted"}
    ranked["method"] = "knockout"
    for who, is_refused in (("ann", True), ("lea", False)):
        assert (WAITS in told(who, "judge-go.click")) is is_refused
        assert (WAITS in told(who, "rank-form.rank", **ranked)) is is_refused


@pytest.mark.parametrize(("who", "is_named"), [("ann", False), ("lea", True)])
def test_whoever_labels_is_not_told_which_judge_it_was(told, studio, pair, who, is_named):
    said = {
        "request": "r",
        "annotator": who,
        "named": True,  # the page may say what it likes
        "pair_id": pair[1],
        "stage": "blind",
        "action": "commit",
        "value": "A",
        "key": f"key of {who}",
    }
    answer = told(who, "annotate.say", **said)
    assert '"verdict"' in answer
    title = json.dumps(studio.judges["scripted"].version.title).strip('"')
    assert (title in answer) is is_named
    again = {"request": "r", "annotator": who, "first": {"pair_id": pair[1]}}
    assert (title in told(who, "annotate.open", **again)) is is_named


def test_a_gallery_leaves_out_what_waits(studio):
    from ui import gallery

    whole = gallery.shipped()
    gone = whole.cards[0]["pair"]
    left = gallery.open_gallery(studio.database, "", frozenset({gone}))
    assert gone not in {card["pair"] for card in left.cards}
    assert left.total == len(left.cards) < whole.total
    with pytest.raises(RecordNotFound):
        left.card(whole.cards[0]["id"])
