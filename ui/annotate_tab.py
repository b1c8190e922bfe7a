"""The Annotate page."""

import gradio as gr

from ui.context import Studio


def build_annotate_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    with gr.Tab("Annotate", id="annotate", elem_id="tab-annotate"):
        gr.Markdown("")
