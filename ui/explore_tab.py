"""The Explore page: filters and list on the left, charts or one judgement on the right."""

import gradio as gr

from rmr1.errors import RMR1Error
from storage.hidden import Scope
from ui import charts, exploring, hiding, inspecting
from ui.access import Role, require
from ui.context import Studio
from ui.panels import panel, text, wire
from ui.views import View


def build_explore_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    database = studio.database
    with (
        gr.Tab("Explore", id="explore", elem_id="tab-explore"),
        gr.Column(elem_id="explore-page"),
    ):
        found = panel("explore", ("ask", "queue"), elem_id="explore-found")
        with gr.Column(elem_classes="explore-side"):
            drawn = panel("charts", ("draw",), elem_id="explore-charts")
            case = panel("preview", ("show",), elem_id="explore-case")

    def allowed(event: gr.EventData, request: gr.Request) -> tuple[str, Scope]:
        who = require(studio, request, Role.VISITOR)
        query, shown = text(event, "query"), hiding.scope(database, who)
        return query if shown.people else exploring.without_people(query, who.name), shown

    def ask(event: gr.EventData, request: gr.Request) -> View:
        view = exploring.list_view(database, *allowed(event, request))
        return {**view, "query": text(event, "query")}

    def queue(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        try:
            return exploring.make_queue(database, text(event, "query"), text(event, "name"))
        except RMR1Error as error:
            raise gr.Error(str(error), print_exception=False) from error

    def draw(event: gr.EventData, request: gr.Request) -> View:
        query, shown = allowed(event, request)
        view = charts.charts_view(database, query, text(event, "by"), shown)
        return {**view, "query": text(event, "query")}

    def show(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.VISITOR)
        key = text(event, "key")
        return hiding.closed(database, who, key) or inspecting.preview(database, key)

    for listen, answer, output in (
        (found.ask, ask, found),
        (found.queue, queue, found),
        (drawn.draw, draw, drawn),
        (case.show, show, case),
    ):
        wire(listen, answer, output)
