"""The part of the Data page that judges what is on record, in the background."""

import gradio as gr

from rmr1.errors import RMR1Error
from ui.access import Role, require
from ui.batches import Batches, batch_form, batches_view
from ui.context import Studio
from ui.panels import panel, payload, wire
from ui.views import View


def build_batch_section(studio: Studio) -> None:
    """Lay the section out and wire it; its script asks how far the batch is."""
    work = Batches(studio.database)
    gr.Markdown("## Judge what is on record")
    section = panel("batches", ("look", "start", "stop"), elem_id="data-batches")

    def look(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        return batches_view(studio, work, payload(event))

    def start(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        said = ""
        try:
            work.start(*batch_form(studio, payload(event)))
        except RMR1Error as error:
            said = str(error)
        return {**batches_view(studio, work, payload(event)), "said": said}

    def stop(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        work.stop(wait_s=2.0)
        return batches_view(studio, work, payload(event))

    for listen, answer in ((section.look, look), (section.start, start), (section.stop, stop)):
        wire(listen, answer, section)
