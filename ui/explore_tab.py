"""The Explore page."""

import gradio as gr

from ui.context import Studio


def build_explore_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    with gr.Tab("Explore", id="explore", elem_id="tab-explore"):
        gr.Markdown("")
