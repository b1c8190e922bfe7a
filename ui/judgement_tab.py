"""The Judgement page: everything about one judgement, under its own link."""

import gradio as gr

from ui import inspecting, labelling
from ui.access import Role, name_for, require
from ui.context import Studio
from ui.panels import panel, payload, text
from ui.views import View


def build_judgement_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the script asks for the judgement that the address names."""
    database = studio.database
    with gr.Tab("Judgement", id="judgement", elem_id="tab-judgement"):
        shown = panel("judgement", ("open", "inspect"), elem_id="judgement-page")

    def open_judgement(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        whole = payload(event).get("whole") is True
        return inspecting.page_view(database, text(event, "key"), text(event, "query"), whole=whole)

    def inspect(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.ANNOTATOR)
        name = name_for(studio, who, payload(event).get("annotator"))
        receipt = labelling.inspect(database, event, name)
        return {"receipt": {**receipt, "judgement": text(event, "judgement")}}

    for listen, answer in ((shown.open, open_judgement), (shown.inspect, inspect)):
        listen(
            answer,
            None,
            shown,
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_limit=None,
            api_visibility="private",
        )
