"""The People page: who has an account, as what, and the links that let them in; for admins."""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from sqlalchemy.orm import Session

from rmr1.errors import RMR1Error
from ui import people_views
from ui.access import Person, Role, require
from ui.context import Studio
from ui.gates import AccountsGate
from ui.panels import panel, payload, wire
from ui.views import View

Change = Callable[[Session, Mapping[str, Any], str], View]

CHANGES: dict[str, Change] = {
    "invite": people_views.invite,
    "role": people_views.change_role,
    "renew": people_views.renew,
    "remove": people_views.remove,
}


def build_people_tab(studio: Studio) -> None:
    """Lay the page out and wire it."""
    with gr.Tab("People", id="people", elem_id="tab-people"):
        page = panel("people", ("ask", *CHANGES), elem_id="people-page")

    def ask(request: gr.Request) -> View:
        return shown(studio, require(studio, request, Role.ADMIN))

    listeners = {"ask": ask} | {name: changing(studio, do) for name, do in CHANGES.items()}
    for name, listener in listeners.items():
        wire(getattr(page, name), listener, page)


def shown(studio: Studio, who: Person) -> View:
    """The page, or why there is nothing on it."""
    if not isinstance(studio.gate, AccountsGate):
        return {"problem": people_views.NO_ACCOUNTS}
    return people_views.page_view(studio.database, who)


def changing(studio: Studio, change: Change) -> Callable[[gr.EventData, gr.Request], View]:
    """A listener that changes an account and shows the page as it then is."""

    def listener(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.ADMIN)
        if not isinstance(studio.gate, AccountsGate):
            return shown(studio, who)
        data = payload(event)
        try:
            with studio.database.write() as session:
                told = change(session, data, who.name)
        except RMR1Error as error:
            told = {"refused": str(error)}
        # Whoever gave their own role away sees the list no more with the next click.
        return {**shown(studio, who), "told": {**told, "mark": str(data.get("mark"))[:64]}}

    return listener
