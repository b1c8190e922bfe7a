"""The Queues page: what is labelled on which terms, who is how far, and who decides conflicts."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from rmr1.errors import RMR1Error
from storage import gold
from ui import adjudicating, queues_views
from ui.access import Person, Role, name_for, require
from ui.context import Studio
from ui.panels import panel, payload, text, wire
from ui.views import View

Doing = Callable[[str, Mapping[str, Any]], View]


def build_queues_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    changes = {
        "make": _make,
        "settle": _settle,
        "gold": _gold,
        "foretell": _foretell,
        "regret": _regret,
        "ungold": _ungold,
        "admit": _admit,
    }
    verdicts = {
        "decide": adjudicating.decide,
        "back": adjudicating.send_back,
        "withdraw": adjudicating.withdraw,
    }
    with (
        gr.Tab("Queues", id="queues", elem_id="tab-queues"),
        gr.Column(elem_id="queues-page"),
    ):
        listed = panel("queues", ("ask", *changes), elem_id="queues-list")
        conflicts = panel("adjudicate", ("show", *verdicts), elem_id="queues-conflicts")

    def ask(event: gr.EventData, request: gr.Request) -> View:
        who, name = _asker(studio, event, request, Role.ANNOTATOR)
        return queues_views.page_view(studio.database, Person(name, who.role), text(event, "query"))

    def show(event: gr.EventData, request: gr.Request) -> View:
        _, name = _asker(studio, event, request, Role.LEAD)
        return _answered(
            lambda: adjudicating.list_view(
                studio.database, name, text(event, "queue"), text(event, "pair")
            )
        )

    wire(listed.ask, ask, listed)
    wire(conflicts.show, show, conflicts)
    for name, change in changes.items():
        wire(getattr(listed, name), _changing(studio, change), listed)
    for name, verdict in verdicts.items():
        wire(getattr(conflicts, name), _deciding(studio, verdict), conflicts)


def _changing(
    studio: Studio, change: Callable[[Studio, str, Mapping[str, Any]], View]
) -> Callable[[gr.EventData, gr.Request], View]:
    """A listener that changes something and shows the page as it then is."""

    def listener(event: gr.EventData, request: gr.Request) -> View:
        who, name = _asker(studio, event, request, Role.LEAD)
        data = payload(event)
        told = _answered(lambda: change(studio, name, data))
        query = f"queue={told['made']}" if "made" in told else text(event, "query")
        page = queues_views.page_view(studio.database, Person(name, who.role), query)
        return {**page, "told": {**told, "mark": str(data.get("mark"))[:64]}}

    return listener


def _deciding(
    studio: Studio, verdict: Callable[..., View]
) -> Callable[[gr.EventData, gr.Request], View]:
    """A listener that puts a decision on record and shows what waits then."""

    def listener(event: gr.EventData, request: gr.Request) -> View:
        _, name = _asker(studio, event, request, Role.LEAD)
        data = payload(event)
        told = _answered(lambda: verdict(studio.database, name, data))
        if verdict is adjudicating.send_back:
            told.pop("case", None)  # it waits for others now: on to the next
        pair = str(data.get("pair_id")) if "case" in told else ""
        shown = adjudicating.list_view(studio.database, name, text(event, "queue"), pair)
        return {**shown, **told, "mark": str(data.get("mark"))[:64]}

    return listener


def _asker(
    studio: Studio, event: gr.EventData, request: gr.Request, role: Role
) -> tuple[Person, str]:
    """Who asks, and the name that what they do is stored under."""
    who = require(studio, request, role)
    return who, name_for(studio, who, payload(event).get("annotator"))


def _answered(do: Callable[[], View]) -> View:
    try:
        return do()
    except RMR1Error as error:
        return queues_views.said(error)


def _make(studio: Studio, by: str, form: Mapping[str, Any]) -> View:
    return {"made": queues_views.make(studio.database, by, form)}


def _settle(studio: Studio, _: str, form: Mapping[str, Any]) -> View:
    queues_views.settle(studio.database, _id(form, "queue_id"), form)
    return {"settled": True}


def _gold(studio: Studio, by: str, form: Mapping[str, Any]) -> View:
    return queues_views.mark(studio.database, by, _id(form, "queue_id"), form)


def _foretell(studio: Studio, _: str, form: Mapping[str, Any]) -> View:
    return queues_views.foretell(studio.database, _id(form, "queue_id"), form)


def _regret(studio: Studio, by: str, form: Mapping[str, Any]) -> View:
    queue_id, batch = _id(form, "queue_id"), str(form.get("batch") or "")[:64]
    return {"unmarked": gold.undo(studio.database, queue_id, by, batch)}


def _ungold(studio: Studio, by: str, form: Mapping[str, Any]) -> View:
    queues_views.unmark(studio.database, by, _id(form, "queue_id"), _id(form, "pair_id"))
    return {"unmarked": 1}


def _admit(studio: Studio, by: str, form: Mapping[str, Any]) -> View:
    queues_views.let_in(studio.database, by, _id(form, "queue_id"), str(form.get("name"))[:200])
    return {"admitted": True}


def _id(form: Mapping[str, Any], name: str) -> int:
    value = form.get(name)
    return value if isinstance(value, int) and 0 < value < 2**31 else 0
