"""The Judgement page: everything about one judgement, under its own link."""

from collections.abc import Iterator

import gradio as gr

from ui import evidence_views, exploring, hiding, inspecting, labelling, probing
from ui.access import NotAllowed, Person, Role, name_for, require
from ui.context import Studio
from ui.panels import panel, payload, text, wire
from ui.views import View

_PROBES_AT_ONCE = 2
"""People whose probes are judged at once; the others wait their turn."""


def build_judgement_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the script asks for the judgement that the address names."""
    database = studio.database
    with gr.Tab("Judgement", id="judgement", elem_id="tab-judgement"):
        events = ("open", "inspect", "check", "weigh", "probe", "reread")
        shown = panel("judgement", events, elem_id="judgement-page")

    def open_judgement(event: gr.EventData, request: gr.Request) -> View:
        return open_view(studio, require(studio, request, Role.VISITOR), event)

    def inspect(event: gr.EventData, request: gr.Request) -> View:
        who = _shown_to(studio, event, request, Role.ANNOTATOR, "judgement")
        name = name_for(studio, who, payload(event).get("annotator"))
        receipt = labelling.inspect(database, event, name)
        return {"receipt": {**receipt, "judgement": text(event, "judgement")}}

    def check(event: gr.EventData, request: gr.Request) -> View:
        _shown_to(studio, event, request, Role.VISITOR, "judgement")
        key = text(event, "judgement")
        return {"part": key, **inspecting.checked(database, key)}

    def weigh(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        sent = payload(event)
        weighed = evidence_views.reweighed(sent.get("rows"))
        return {"part": text(event, "judgement"), "weighed": weighed, "round": sent.get("round")}

    def probe(event: gr.EventData, request: gr.Request) -> Iterator[View]:
        who = _shown_to(studio, event, request, Role.ANNOTATOR, "judgement")
        key = text(event, "judgement")
        name = name_for(studio, who, payload(event).get("annotator"))
        for view in probing.run_probes(studio, key, name):
            yield {"part": key, **view}

    def reread(event: gr.EventData, request: gr.Request) -> View:
        _shown_to(studio, event, request, Role.VISITOR, "probe")
        shown_probe = probing.probe_view(studio, text(event, "probe"))
        cut, _ = inspecting.shortened(shown_probe, inspecting.LONG_TEXT)
        return {"part": text(event, "judgement"), "reread": cut}

    for listen, answer in (
        (shown.open, open_judgement),
        (shown.inspect, inspect),
        (shown.check, check),
        (shown.weigh, weigh),
        (shown.reread, reread),
    ):
        wire(listen, answer, shown)
    shown.probe(
        probe,
        None,
        shown,
        show_progress="hidden",
        trigger_mode="once",
        concurrency_limit=_PROBES_AT_ONCE,
        api_visibility="private",
    )


def open_view(studio: Studio, who: Person, event: gr.EventData) -> View:
    """The judgement that an event names, as far as this person may see it."""
    database = studio.database
    key, query, shown = text(event, "key"), text(event, "query"), hiding.scope(database, who)
    if closed := hiding.closed(database, who, key):
        return closed
    if not shown.people:
        query = exploring.without_people(query)
    whole = payload(event).get("whole") is True
    view = inspecting.page_view(database, key, query, whole=whole, shown=shown)
    if "problem" in view:
        return view
    return {**hiding.with_history(database, who, view), **probing.around(studio, key)}


def _shown_to(
    studio: Studio, event: gr.EventData, request: gr.Request, role: Role, name: str
) -> Person:
    """Who asks, who may see the judgement or probe that the event has under a name."""
    who = require(studio, request, role)
    try:
        hiding.refuse(studio.database, who, text(event, name))
    except NotAllowed as error:
        raise gr.Error(str(error), print_exception=False) from error
    return who
