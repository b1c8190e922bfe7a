"""Who asks, and whether they may: what every event and every route calls first."""

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from storage.roles import Person, Role
from ui.context import Studio

__all__ = ["Person", "Role", "name_for", "person", "require", "require_on_route"]

_LONGEST_NAME = 80


def person(studio: Studio, request: gr.Request) -> Person:
    """Who sent this event; a visitor where nothing says more."""
    # Gradio hands on the request itself, save to handlers that are called by hand.
    connection = request.request
    return studio.gate.person(connection if isinstance(connection, HTTPConnection) else None)


def require(studio: Studio, request: gr.Request, role: Role) -> Person:
    """Who sent this event, who has this role or a higher one.

    Raises:
        gr.Error: they have not.
    """
    found = person(studio, request)
    if found.role < role:
        raise gr.Error(_refusal(found, role), print_exception=False)
    return found


def require_on_route(studio: Studio, connection: HTTPConnection, role: Role) -> Person:
    """Who sent this request to a route beside the page, who has this role or a higher one.

    Raises:
        HTTPException: they have not (403).
    """
    found = studio.gate.person(connection)
    if found.role < role:
        raise HTTPException(403, _refusal(found, role))
    return found


def name_for(studio: Studio, who: Person, given: object) -> str:
    """The name to store a label under.

    Args:
        given: what the page calls the person; it counts only where there are no accounts.
    """
    if not studio.gate.takes_names:
        return who.name
    return str(given or "").strip()[:_LONGEST_NAME] or who.name


def _refusal(who: Person, role: Role) -> str:
    kinds = {Role.ANNOTATOR: "annotators", Role.LEAD: "leads", Role.ADMIN: "admins"}
    if who.role is Role.VISITOR:
        return f"This is for {kinds[role]}: sign in first."
    return f"This is for {kinds[role]}, and {who.name} is a {who.role.title}."
