"""The Data page."""

import gradio as gr

from ui.context import Studio


def build_data_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    with gr.Tab("Data", id="data", elem_id="tab-data"):
        gr.Markdown("")
