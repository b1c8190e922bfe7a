"""The custom panels: a static skeleton that our scripts fill from one JSON value with text nodes.

Nothing that a model, a file or a person wrote ever becomes part of a template: Gradio evaluates
templates as code, so they are constants here.
"""

from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    *("dom", "masthead", "pair", "chain", "case"),
    *("judge", "annotate", "explore", "judgement", "data"),
)


class Panel(gr.HTML):
    """A panel painted by `RMR.<painter>`; its value is a JSON object and its events are named."""

    def __init__(self, painter: str, events: tuple[str, ...] = (), **options: Any) -> None:
        """Make a panel.

        Args:
            painter: name of the function in `assets/*.js` that mounts it: a constant.
            events: names that its script may trigger; each becomes a method such as `panel.label`.
        """
        # Gradio allows an event only if its name stands in quotes in the script.
        names = ", ".join(f'"{name}"' for name in events)
        script = f'RMR.mount("{painter}", {{element, props, trigger, watch, events: [{names}]}});'
        options.setdefault("value", {})
        super().__init__(
            html_template="<div data-root></div>",
            js_on_load=script,
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: Any) -> Any:
        """Pass the JSON value on as it is."""
        return value

    def api_info(self) -> dict[str, Any]:
        """The value is a JSON object."""
        return {"type": "object"}


def head() -> str:
    """What stands in the page's head: our scripts, whole, so that panels find them when mounted."""
    sources = [(ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(f"<script>{source}</script>" for source in sources)
