"""Who asks, and whether they may: what every event and every route calls first."""

import math
from ipaddress import IPv6Address, ip_address

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from storage.roles import NotAllowed, Person, Role
from ui.context import Studio

__all__ = [
    "TAB_ROLES",
    "NotAllowed",
    "Person",
    "Role",
    "admit",
    "name_for",
    "person",
    "require",
    "require_on_route",
    "spend",
]

TAB_ROLES = {
    "annotate": Role.ANNOTATOR,
    "queues": Role.ANNOTATOR,
    "agreement": Role.ANNOTATOR,
    "train": Role.LEAD,
    "data": Role.LEAD,
    "people": Role.ADMIN,
}
"""Tabs that are of no use to those below a role, who are not shown them."""

_LONGEST_NAME = 80
_PLURALS = {Role.ANNOTATOR: "annotators", Role.LEAD: "leads", Role.ADMIN: "admins"}


def person(studio: Studio, request: gr.Request) -> Person:
    """Who sent this event; a visitor where nothing says more."""
    return studio.gate.person(_connection(request))


def admit(studio: Studio, request: gr.Request, role: Role) -> Person:
    """Who sent this event, who has this role or a higher one.

    Raises:
        NotAllowed: they have not; the sentence says what to do.
    """
    return _checked(studio, person(studio, request), role)


def require(studio: Studio, request: gr.Request, role: Role) -> Person:
    """As `admit`, for handlers that answer a refusal with Gradio's own notice.

    Raises:
        gr.Error: they have not this role.
    """
    try:
        return admit(studio, request, role)
    except NotAllowed as error:
        raise gr.Error(str(error), print_exception=False) from error


def require_on_route(studio: Studio, connection: HTTPConnection, role: Role) -> Person:
    """Who sent this request to a route beside the page, who has this role or a higher one.

    Raises:
        HTTPException: they have not (403).
    """
    try:
        return _checked(studio, studio.gate.person(connection), role)
    except NotAllowed as error:
        raise HTTPException(403, str(error)) from error


def name_for(studio: Studio, who: Person, given: object) -> str:
    """The name to store a label under.

    Args:
        given: what the page calls the person; it counts only where there are no accounts.
    """
    if not studio.gate.takes_names:
        return who.name
    return str(given or "").strip()[:_LONGEST_NAME] or who.name


def spend(studio: Studio, request: gr.Request, who: Person, rollouts: int) -> None:
    """Count rollouts that a visitor is about to ask a judge for; others have no limit.

    Raises:
        NotAllowed: they have asked for as many as a visitor may.
    """
    if who.role > Role.VISITOR:
        return
    wait_s = studio.visitor_rollouts.take(_whose(studio, request, who), rollouts)
    if math.isinf(wait_s):
        raise NotAllowed(
            f"This needs {rollouts} rollouts, more than a visitor may ask for at once: take fewer "
            "votes, one order, or sign in."
        )
    if wait_s:
        minutes = math.ceil(wait_s / 60)
        raise NotAllowed(
            "A visitor may ask for so much in an hour and no more: try again in "
            f"{minutes} minute{'' if minutes == 1 else 's'}, or sign in."
        )


def _connection(request: gr.Request) -> HTTPConnection | None:
    # Gradio hands on the request itself, save to handlers that are called by hand.
    connection = request.request
    return connection if isinstance(connection, HTTPConnection) else None


def _checked(studio: Studio, who: Person, role: Role) -> Person:
    if who.role is Role.VISITOR and not studio.gate.admits_visitors:
        raise NotAllowed("Sign in first: this studio is open to its people alone.")
    if who.role >= role:
        return who
    if who.role is Role.VISITOR:
        raise NotAllowed(f"This is for {_PLURALS[role]}: sign in first.")
    raise NotAllowed(f"This is for {_PLURALS[role]}, and {who.name} is a {who.role.title}.")


def _whose(studio: Studio, request: gr.Request, who: Person) -> str:
    """The bucket of a visitor: of their name where they have one, else of their address."""
    if who.is_known:
        return who.name
    return "from " + network_of(_connection(request))


def network_of(connection: HTTPConnection | None) -> str:
    """The address that a request comes from; of IPv6 the network, as a machine has many."""
    host = connection.client.host if connection and connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return address.exploded[:19]
    return str(address)
