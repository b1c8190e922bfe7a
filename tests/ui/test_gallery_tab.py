"""Who may look and play, and how often."""

from dataclasses import replace

import gradio as gr
import pytest

from storage import visitors
from storage.roles import Role
from ui import gallery, gallery_tab
from ui.gates import LocalGate

VISIT = "0123456789abcdef"


@pytest.fixture
def listeners(studio):
    """Makes the page's handlers, by the event that they answer."""

    def make(**changes):
        with gr.Blocks() as page, gr.Tabs():
            gallery_tab.build_gallery_tab(replace(studio, **changes))
        return dict(zip(("ask", "show", "deal", "answer"), page.fns.values(), strict=True))

    return make


def ask(listeners, event, **data):
    data = {"request": "a mark", **data}
    return listeners[event].fn(gr.EventData(None, data), gr.Request())


def answer(listeners, number=0, **changes):
    card = gallery.shipped().cards[0]["id"]
    said = {
        "item": card,
        "visit": VISIT,
        "value": "A",
        "seconds": 1,
        "key": f"a longer key {number}",
    }
    return ask(listeners, "answer", **{**said, "consent": visitors.CONSENT, **changes})


def test_a_visitor_may_look_and_play(listeners):
    page = listeners(gate=LocalGate(Role.VISITOR))
    assert ask(page, "ask")["cards"]
    assert ask(page, "deal", visit=VISIT)["item"]
    assert answer(page)["score"]["n"] == 1


def test_where_visitors_are_not_admitted_every_event_is_refused(listeners, database):
    page = listeners(gate=LocalGate(Role.VISITOR, admits_visitors=False))
    for event in ("ask", "show", "deal"):
        assert set(ask(page, event)) == {"request", "error"}
    assert "Sign in first" in answer(page)["error"]
    with database.read() as session:
        assert list(visitors.rows(session)) == []


def test_somebody_who_answers_too_often_is_told_when_to_go_on(listeners, monkeypatch):
    monkeypatch.setattr(gallery_tab, "ANSWERS", 2)
    page = listeners()
    assert "error" not in answer(page, 1)
    assert "error" not in answer(page, 2)
    assert "too many: go on in" in answer(page, 3)["error"]


@pytest.mark.parametrize("hostile", [None, "x", 5, [], {"a": 1}, ["x"] * 10_000])
def test_hostile_values_are_answered_in_a_sentence_or_passed_over(listeners, hostile):
    page = listeners()
    for event in ("ask", "show", "deal"):
        told = ask(page, event, run=hostile, card=hostile, visit=hostile, watched=hostile)
        assert told["request"] == "a mark"
    assert answer(page, item=hostile)["error"]
    assert answer(page, visit=hostile)["error"]
