"""The Gallery page: judgements that open without a model, and a game of judging first."""

from collections.abc import Callable

import gradio as gr
from starlette.requests import HTTPConnection

from rmr1.errors import InputError, RMR1Error
from ui import gallery_views, hiding
from ui.access import Person, Role, admit, network_of
from ui.context import Studio
from ui.limits import Buckets
from ui.panels import panel, payload, text, wire
from ui.views import View

ANSWERS = 60
"""Answers that somebody may give in an hour; the same again is given at once."""

_MOST_WATCHED = 500


def build_gallery_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the script asks for what the address says."""
    database = studio.database
    buckets = Buckets(ANSWERS, ANSWERS)
    with gr.Tab("Gallery", id="gallery", elem_id="tab-gallery"):
        page = panel("gallery", ("ask", "show", "deal", "answer"), elem_id="gallery-page")

    def ask(event: gr.EventData, _: gr.Request, who: Person) -> View:
        return gallery_views.list_view(database, text(event, "run"), hiding.hashes(database, who))

    def show(event: gr.EventData, _: gr.Request, who: Person) -> View:
        run, card = text(event, "run"), text(event, "card")
        hiding.refuse(database, who, card)
        return gallery_views.case_view(database, run, card, hiding.hashes(database, who))

    def deal(event: gr.EventData, _: gr.Request, who: Person) -> View:
        watched = payload(event).get("watched")
        listed = watched[:_MOST_WATCHED] if isinstance(watched, list) else []
        known = {one for one in listed if isinstance(one, str)}
        return gallery_views.deal(
            database,
            text(event, "run"),
            text(event, "visit"),
            known,
            hiding.hashes(database, who),
        )

    def answer(event: gr.EventData, request: gr.Request, who: Person) -> View:
        wait_s = buckets.take(_whose(request, who))
        if wait_s:
            raise InputError(f"So many answers at once are too many: go on in {wait_s:.0f} s.")
        gone = hiding.hashes(database, who)
        return gallery_views.answer(database, text(event, "run"), payload(event), gone)

    for listen, handler in (
        (page.ask, ask),
        (page.show, show),
        (page.deal, deal),
        (page.answer, answer),
    ):
        wire(listen, _answering(studio, handler), page)


def _answering(
    studio: Studio, handler: Callable[[gr.EventData, gr.Request, Person], View]
) -> Callable[[gr.EventData, gr.Request], View]:
    """A listener whose answer carries the request's mark, also where it is a refusal."""

    def listener(event: gr.EventData, request: gr.Request) -> View:
        mark = text(event, "request")[:64]
        try:
            who = admit(studio, request, Role.VISITOR)
            return {"request": mark, **handler(event, request, who)}
        except RMR1Error as error:
            return {"request": mark, "error": str(error)}

    return listener


def _whose(request: gr.Request, who: Person) -> str:
    """The bucket of somebody: of their name where they have one, else of their address."""
    if who.is_known:
        return who.name
    connection = request.request
    return "from " + network_of(connection if isinstance(connection, HTTPConnection) else None)
