"""The Judgement page: everything about one judgement, under its own link."""

import gradio as gr

from ui import evidence_views, exploring, inspecting, labelling
from ui.access import Role, name_for, require
from ui.context import Studio
from ui.panels import panel, payload, text
from ui.views import View


def build_judgement_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the script asks for the judgement that the address names."""
    database = studio.database
    with gr.Tab("Judgement", id="judgement", elem_id="tab-judgement"):
        shown = panel("judgement", ("open", "inspect", "check", "weigh"), elem_id="judgement-page")

    def open_judgement(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.VISITOR)
        whole = payload(event).get("whole") is True
        query = text(event, "query")
        if who.role < Role.LEAD:
            query = exploring.without_people(query)
        return inspecting.page_view(database, text(event, "key"), query, whole=whole)

    def inspect(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.ANNOTATOR)
        name = name_for(studio, who, payload(event).get("annotator"))
        receipt = labelling.inspect(database, event, name)
        return {"receipt": {**receipt, "judgement": text(event, "judgement")}}

    def check(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        key = text(event, "judgement")
        return {"part": key, **inspecting.checked(database, key)}

    def weigh(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        sent = payload(event)
        weighed = evidence_views.reweighed(sent.get("rows"))
        return {"part": text(event, "judgement"), "weighed": weighed, "round": sent.get("round")}

    for listen, answer in (
        (shown.open, open_judgement),
        (shown.inspect, inspect),
        (shown.check, check),
        (shown.weigh, weigh),
    ):
        listen(
            answer,
            None,
            shown,
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
            api_visibility="private",
        )
