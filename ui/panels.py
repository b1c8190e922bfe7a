"""The custom panels: a static skeleton that our scripts fill from one JSON value with text nodes.

Nothing that a model, a file or a person wrote ever becomes part of a template: Gradio evaluates
templates as code, so they are constants here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    *("dom", "words", "help", "offsite", "masthead", "pair", "chain", "case"),
    *("annotate-wire", "annotate-actions", "annotate-view", "annotate-edit"),
    *("gallery", "gallery-game"),
    *("judge", "annotate", "explore", "chart", "judgement", "data"),
    *("evidence", "what-if", "orders", "probes", "passport"),
    *("train", "train-run", "train-adapters", "compare", "agreement"),
    *("queues", "adjudicate"),
    *("people", "rank", "batches", "benchmarks", "benchmark-form", "scaling"),
)


def wire(on: Callable[..., object], listener: Callable[..., object], output: gr.HTML) -> None:
    """Have a listener answer an event of a panel, however many are asked for at once.

    Args:
        on: the event, such as `panel.ask`.
        output: the panel that its answer goes to.
    """
    on(
        listener,
        None,
        output,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=None,
        api_visibility="private",
    )


def panel(painter: str, events: tuple[str, ...] = (), **options: Any) -> gr.HTML:
    """A panel painted by `RMR.<painter>` from a JSON object; each event becomes a method of it.

    A function, because Gradio writes a stub file beside every module that subclasses a component.

    Args:
        painter: name of the function in `assets/*.js` that mounts it: a constant.
        events: names that its script may trigger, such as `label` for `panel.label(...)`.
    """
    # Gradio allows an event only if its name stands in quotes in the script.
    names = ", ".join(f'"{name}"' for name in events)
    given = f"{{element, props, trigger, watch, events: [{names}]}}"
    options.setdefault("value", {})
    return gr.HTML(
        html_template="<div data-root></div>",
        js_on_load=f'RMR.mount("{painter}", {given});',
        apply_default_css=False,
        **options,
    )


def payload(event: gr.EventData) -> dict[str, Any]:
    """What a panel sent with an event; anything but an object is an empty one."""
    data = event._data
    return dict(data) if isinstance(data, dict) else {}


def text(event: gr.EventData, name: str) -> str:
    """A text that a panel sent with an event; anything else is an empty one."""
    value = payload(event).get(name)
    return value[:4000] if isinstance(value, str) else ""


def head() -> str:
    """What stands in the page's head: our scripts, whole, so that panels find them when mounted."""
    sources = [(ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(f"<script>{source}</script>" for source in sources)
