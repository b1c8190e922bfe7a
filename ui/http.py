"""What every HTTP answer carries, what is refused, and the few routes beside the page."""

import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import downloads, signing
from ui.access import Role, require_on_route
from ui.context import Studio

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's own bootstrap needs both
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co",
    )
)

_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]

# Gradio would fetch any public address for a visitor, and tell of its insides.
_CLOSED = re.compile(r"/(monitoring(/|$)|gradio_api/(file=https?:|proxy=|vibe-|run-history/))")


class Guard:
    """Adds the headers, refuses foreign origins (Gradio accepts all of them) and closed paths."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str] = frozenset()) -> None:
        """Wrap `app`.

        Args:
            allowed_hosts: further hosts, lower case, whose pages may call this server.
        """
        self.app = app
        self.allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._is_foreign(scope):
            await PlainTextResponse("Cross-origin request refused", 403)(scope, receive, send)
        elif _CLOSED.search(scope["path"]):
            await PlainTextResponse("Not found", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))

    def _is_foreign(self, scope: Scope) -> bool:
        headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
        if b"origin" not in headers:
            return False  # a plain navigation, or a client that is no browser
        origin = urlsplit(headers[b"origin"]).netloc
        return origin != headers.get(b"host") and origin not in self.allowed_hosts


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", []).extend(_HEADERS)
        await send(message)

    return wrapped


def offsite_view(studio: Studio) -> dict[str, object]:
    """How far labels are kept off-site; an empty title where nothing keeps them there."""
    if studio.offsite is None:
        return {"title": ""}
    status = studio.offsite.status()
    return {
        "title": status.title,
        "at": status.at and status.at.isoformat(),
        "through": status.through,
        "waiting": status.waiting,
        "problem": status.problem,
    }


def routes(studio: Studio) -> list[Route]:
    """Routes beside the page: liveness, readiness, where labels are, downloads, and signing in."""

    def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def ready(_: Request) -> Response:
        with studio.database.read() as session:
            session.connection()
        return JSONResponse({"status": "ready"})

    def offsite(request: Request) -> Response:
        require_on_route(studio, request, Role.VISITOR)
        return JSONResponse(offsite_view(studio))

    return [
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/offsite", offsite),
        *downloads.routes(studio),
        *signing.routes(studio),
    ]
