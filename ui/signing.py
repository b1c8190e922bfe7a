"""The routes of signing in and out, and of who somebody is."""

import html
from collections.abc import Callable
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, parse_qsl, urlencode

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from rmr1.errors import InputError, RMR1Error
from storage import accounts, signing_in
from ui.access import TAB_ROLES, Person, network_of
from ui.context import Studio
from ui.gates import COOKIE, LOCAL_NAME, AccountsGate, Gate
from ui.limits import Buckets

_ASSETS = Path(__file__).parent / "assets"
_LONGEST_FORM = 16_384
_HEADERS = {"cache-control": "no-store"}
_WRONG = "The name or the password is wrong."
_SLOWLY = "Too many attempts: wait a few minutes and try again."
_A_DAY_S = 86_400


class Attempts:
    """How often somebody may try a password: by name and address, by address, by name."""

    def __init__(self) -> None:
        self._by_both = Buckets(10, 60)
        self._by_address = Buckets(60, 240)
        self._by_name = Buckets(100, 600)

    def may(self, name: str, address: str) -> bool:
        """Whether another attempt may be made; it counts as one."""
        try:
            name = accounts.normalised(name)
        except InputError:
            name = ""
        return not (
            self._by_address.take(address)
            or self._by_both.take((name, address))
            or self._by_name.take(name)
        )


def routes(studio: Studio) -> list[Route]:
    """`/whoami`; `/sign-in`, `/welcome` and `/sign-out` where the studio has its own accounts."""
    every = [Route("/whoami", _whoami(studio))]
    if not isinstance(studio.gate, AccountsGate):
        return every
    signing = _Signing(studio, studio.gate.days)
    return [
        *every,
        Route("/sign-in", signing.show_sign_in, methods=["GET"]),
        Route("/sign-in", signing.sign_in, methods=["POST"]),
        Route("/welcome", signing.show_welcome, methods=["GET"]),
        Route("/welcome", signing.welcome, methods=["POST"]),
        Route("/sign-out", signing.sign_out, methods=["POST"]),
    ]


def _whoami(studio: Studio) -> Callable[[Request], Response]:
    def whoami(request: Request) -> Response:
        person = studio.gate.person(request)
        told = {
            "name": person.name,
            "role": person.role.title,
            "mode": studio.gate.mode,
            "hidden": hidden_tabs(studio.gate, person),
            "names": studio.gate.takes_names and person.name == LOCAL_NAME,
        }
        return JSONResponse(told, headers=_HEADERS)

    return whoami


def hidden_tabs(gate: Gate, person: Person) -> list[str]:
    """Tabs that are of no use to somebody; that of accounts is none where others keep them."""
    return [
        tab
        for tab, role in TAB_ROLES.items()
        if person.role < role or (tab == "people" and not isinstance(gate, AccountsGate))
    ]


class _Signing:
    """What the routes do."""

    def __init__(self, studio: Studio, days: float) -> None:
        self._studio = studio
        self._days = days
        self._attempts = Attempts()

    def show_sign_in(self, request: Request) -> Response:
        """The form for name and password."""
        return _page("sign_in")

    def show_welcome(self, request: Request) -> Response:
        """The form that an invitation leads to; the token stands behind its #."""
        return _page("welcome", name=request.query_params.get("name", ""))

    async def sign_in(self, request: Request) -> Response:
        """Sign in with name and password."""
        form = await _form(request)
        name, password = form.get("name", ""), form.get("password", "")
        if not self._attempts.may(name, network_of(request)):
            return _page("sign_in", _SLOWLY, name, 429)
        return await to_thread.run_sync(self._open, request, name, password)

    async def welcome(self, request: Request) -> Response:
        """Answer an invitation with a password, and sign in."""
        form = await _form(request)
        name, token = form.get("name", ""), form.get("token", "")
        if not self._attempts.may("", network_of(request)):
            return _page("welcome", _SLOWLY, token, 429, name)
        password = form.get("password", "")
        return await to_thread.run_sync(self._accept, request, name, token, password)

    def sign_out(self, request: Request) -> Response:
        """Let the browser's token count no longer."""
        token = request.cookies.get(COOKIE)
        if token:
            with self._studio.database.write() as session:
                signing_in.sign_out(session, token)
        answer = RedirectResponse("/", 303, headers=_HEADERS)
        answer.delete_cookie(COOKIE)
        return answer

    def _open(self, request: Request, name: str, password: str) -> Response:
        try:
            with self._studio.database.read() as session:
                account = accounts.check(session, name, password)
        except RMR1Error as error:
            return _page("sign_in", str(error), name, 503)
        if account is None:
            return _page("sign_in", _WRONG, name, 401)
        return self._signed_in(request, account.id)

    def _accept(self, request: Request, name: str, token: str, password: str) -> Response:
        try:
            with self._studio.database.write() as session:
                account = accounts.accept(session, token, password)
        except RMR1Error as error:
            return _page("welcome", str(error), token, 422, name)
        return self._signed_in(request, account.id)

    def _signed_in(self, request: Request, account_id: int) -> Response:
        former = request.cookies.get(COOKIE)
        with self._studio.database.write() as session:
            if former:
                signing_in.sign_out(session, former)
            token = signing_in.sign_in(session, account_id, self._days)
        asked = urlencode([one for one in parse_qsl(request.url.query) if one[0] != "name"])
        to = "/" + (f"?{asked}" if asked else "")
        answer = RedirectResponse(to, 303, headers=_HEADERS)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=round(self._days * _A_DAY_S),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer


async def _form(request: Request) -> dict[str, str]:
    """The fields of a short form; none of a long one, or of one that came from another site."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return {}
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_FORM:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[-1] for name, values in fields.items()}


def _page(
    form: str, problem: str = "", given: str = "", status: int = 200, name: str = ""
) -> Response:
    """A form; what was given is written into it as text.

    Args:
        name: whom an invitation is for, as its link says.
    """
    template = Template((_ASSETS / "signing.html").read_text(encoding="utf-8"))
    told = {"problem": html.escape(problem), "given": html.escape(given[:200], quote=True)}
    told["name"] = html.escape(name[:80], quote=True)
    hidden = {one: "" if one == form else "hidden" for one in ("sign_in", "welcome")}
    return HTMLResponse(template.substitute(told, **hidden), status, headers=_HEADERS)
