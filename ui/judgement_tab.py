"""The Judgement page."""

import gradio as gr

from ui.context import Studio


def build_judgement_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    with gr.Tab("Judgement", id="judgement", elem_id="tab-judgement"):
        gr.Markdown("")
