"""The theme: Gradio's base with our type and colours."""

import gradio as gr


def theme() -> gr.themes.Base:
    """The studio's theme."""
    # Gradio's bundled semi-bold files lack Latin letters: regular and bold only.
    sans = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    mono = gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700))
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="lg",
        font=[sans, "ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=[mono, "ui-monospace", "monospace"],
    ).set(
        # One shade darker than Gradio's: letters need a contrast of 4.5.
        body_text_color_subdued="*neutral_500",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )
