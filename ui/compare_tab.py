"""The Compare page: two judge versions on the same pairs, and the pairs on which they differ."""

import gradio as gr

from ui import compare_views, hiding
from ui.access import Role, require
from ui.context import Studio
from ui.panels import panel, text, wire
from ui.views import View


def build_compare_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    database = studio.database
    with (
        gr.Tab("Compare", id="compare", elem_id="tab-compare"),
        gr.Column(elem_id="compare-page"),
    ):
        found = panel("compare", ("ask",), elem_id="compare-found")
        both = panel("compareBoth", ("show",), elem_id="compare-both")

    def ask(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.VISITOR)
        shown = hiding.scope(database, who)
        return compare_views.page_view(database, text(event, "query"), shown)

    def show(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.VISITOR)
        old, new = text(event, "old"), text(event, "new")
        view = compare_views.both_view(database, old, new)
        if closed := hiding.closed(database, who, old, new):
            return {**view, "old": closed, "new": closed}
        return view

    for listen, answer, output in ((found.ask, ask, found), (both.show, show, both)):
        wire(listen, answer, output)
