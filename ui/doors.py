"""Who gets in at all: before any page, event or file is looked at."""

import ipaddress
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from storage.roles import Role
from ui.context import Studio
from ui.gates import LocalGate

SIGN_IN = "/sign-in"

# What somebody must reach to sign in, or what asks for a token of its own.
_OPEN = ("/sign-in", "/welcome", "/sign-out", "/whoami", "/healthz", "/readyz", "/favicon.ico")
_OPEN_BELOW = ("/v1/", "/login/", "/logout")
_STARTING = "/gradio_api/startup-events"

# Gradio takes files from everybody, and hands out those of everybody.
_FILES = (
    "/gradio_api/upload",
    "/gradio_api/file",
    "/gradio_api/process_recording",
    "/upload",
    "/file",
)


class Doors:
    """Refuses those who have not signed in where they must, and files from or for visitors.

    A page that has no accounts answers under the names of this machine alone: else a page of
    elsewhere whose name leads here could act as its admin.
    """

    def __init__(
        self, app: ASGIApp, studio: Studio, allowed_hosts: frozenset[str] = frozenset()
    ) -> None:
        """Wrap `app`.

        Args:
            allowed_hosts: further hosts, lower case, under which the page may be called.
        """
        self.app = app
        self.studio = studio
        self.allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = None
        if scope["type"] in ("http", "websocket"):
            refusal = await self._refusal(HTTPConnection(scope))
        await (refusal or self.app)(scope, receive, send)

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        gate = self.studio.gate
        is_own = isinstance(gate, LocalGate) and gate.role > Role.VISITOR
        if is_own and not self._is_local_name(connection.headers.get("host", "")):
            return PlainTextResponse(
                "This page is for its own machine: open it as http://localhost, or name this host "
                "in RMR1_ALLOWED_HOSTS.",
                403,
            )
        path = connection.scope["path"]
        if path in _OPEN or path == _STARTING or path.startswith(_OPEN_BELOW):
            return None
        needs_lead = path.startswith(_FILES)
        if gate.admits_visitors and not needs_lead:
            return None
        person = await to_thread.run_sync(gate.person, connection)
        if person.role is Role.VISITOR and not gate.admits_visitors:
            return self._sign_in_first(connection)
        if needs_lead and person.role < Role.LEAD:
            return PlainTextResponse("Files are for leads.", 403)
        return None

    def _is_local_name(self, host: str) -> bool:
        if host.lower() in self.allowed_hosts:
            return True
        name = urlsplit(f"//{host}").hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost") or name in self.allowed_hosts

    def _sign_in_first(self, connection: HTTPConnection) -> Response:
        wants_page = "text/html" in connection.headers.get("accept", "")
        if wants_page and connection.url.path == "/" and self.studio.gate.mode != "header":
            to = "/login/huggingface" if self.studio.gate.mode == "oauth" else SIGN_IN
            query = connection.url.query
            return RedirectResponse(f"{to}?{query}" if query else to, 303)
        return PlainTextResponse("Sign in first: this studio is open to its people alone.", 401)
