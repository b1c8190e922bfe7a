"""The Annotate page: pairs to label, one after the other, by keyboard."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from rmr1.errors import BackendError, InputError, RMR1Error
from rmr1.rollout import State
from storage import pairs
from ui import answering, serving
from ui.access import NotAllowed, Role, admit
from ui.answering import Ask, Asked, JudgeNow, More, Open, Say, Undo
from ui.context import Studio
from ui.judging import judge_pair
from ui.panels import panel, payload
from ui.views import View

EVENTS = ("open", "more", "say", "undo", "judge", "examples")


def answer(
    studio: Studio,
    handler: Callable[[Asked], View],
    model: type[Asked],
    role: Role = Role.ANNOTATOR,
) -> Callable[[gr.EventData, gr.Request], View]:
    """A listener that answers a payload; what can be mended comes back as one sentence.

    The page waits for the answer that carries its mark, so a refusal must be an answer too.
    """

    def listener(event: gr.EventData, request: gr.Request) -> View:
        data = payload(event)
        try:
            who = admit(studio, request, role)
        except NotAllowed as error:
            return {"request": _mark(data), "error": str(error)}
        if not studio.gate.takes_names:
            data["annotator"] = who.name
        data["named"] = studio.gate.takes_names or who.role >= Role.LEAD
        return respond(handler, model, data)

    return listener


def respond(handler: Callable[[Asked], View], model: type[Asked], data: dict[str, Any]) -> View:
    """The answer to one payload, with the payload's own mark in `request`."""
    mark = _mark(data)
    try:
        return {"request": mark, **handler(answering.read(model, data))}
    except RMR1Error as error:
        return {"request": mark, "error": str(error)}


def _mark(data: dict[str, Any]) -> str:
    return str(data.get("request"))[:64]


def judge_now(studio: Studio, asked: JudgeNow) -> View:
    """Judge a pair that has no judgement, with the default judge, and show what came out.

    Raises:
        RMR1Error: the judge failed, or no blind answer is on record.
    """
    judge = next(iter(studio.judges.values()), None)
    if judge is None:
        raise InputError("No judge is set up: choose a backend in the settings.")
    with studio.database.read() as session:
        answering.check_committed(session, asked)
        pair = pairs.get(session, asked.pair_id).pair
    *_, last = judge_pair(studio.database, judge, pair, studio.plan, anew=False)
    if last["state"] == State.FAILED:
        raise BackendError(f"The judge failed: {last['reason']}")
    return answering.judged(studio.database, asked, str(last["key"]))


def build_annotate_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    database = studio.database

    def open_page(asked: Open) -> View:
        first = asked.first.model_dump() if asked.first else None
        return serving.open_page(
            database, asked.annotator, asked.queue_id, first, named=asked.named
        )

    def load_examples(asked: Ask) -> View:
        serving.load_examples(database)
        return serving.open_page(database, asked.annotator)

    def more(asked: More) -> View:
        return serving.more(database, asked.annotator, asked.queue_id, asked.exclude)

    with gr.Tab("Annotate", id="annotate", elem_id="tab-annotate"):
        page = panel("annotate", EVENTS, elem_id="annotate")
        listeners = {
            page.open: answer(studio, open_page, Open),
            page.more: answer(studio, more, More),
            page.say: answer(studio, lambda asked: answering.say(database, asked), Say),
            page.undo: answer(studio, lambda asked: answering.undo(database, asked), Undo),
            page.examples: answer(studio, load_examples, Ask, Role.LEAD),
        }
        for on, listener in listeners.items():
            on(
                listener,
                None,
                page,
                queue=False,
                show_progress="hidden",
                trigger_mode="multiple",
                api_visibility="private",
            )
        page.judge(
            answer(studio, lambda asked: judge_now(studio, asked), JudgeNow),
            None,
            page,
            show_progress="hidden",
            trigger_mode="multiple",
            concurrency_id="model",
            concurrency_limit=2,
            api_visibility="private",
        )
