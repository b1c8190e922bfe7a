"""The part of the Benchmarks page on test-time scaling: votes, orders, budgets, early stop."""

import gradio as gr

from ui.access import Role, require
from ui.context import Studio
from ui.panels import panel, text
from ui.scaling_pages import pools_view, scaling_view
from ui.views import View


def build_scaling_section(studio: Studio) -> None:
    """Lay the section out and wire it; nothing is worked out before somebody asks."""
    section = panel("scaling", ("look", "work"), elem_id="benchmark-scaling")

    def look(request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        return pools_view(studio.database)

    def work(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.VISITOR)
        return scaling_view(studio.database, text(event, "pool"))

    for listen, answer in ((section.look, look), (section.work, work)):
        listen(
            answer,
            None,
            section,
            show_progress="hidden",
            trigger_mode="multiple",
            api_visibility="private",
        )
