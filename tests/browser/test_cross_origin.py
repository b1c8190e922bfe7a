"""A page of another origin, in the browser of somebody who is signed in, acts for nobody."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page
from sqlalchemy import func, select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import accounts, judgements
from storage.database import Database
from storage.roles import Role
from storage.tables import LabelEventRow
from tests.browser.conftest import ADMIN, PASSWORD, sign_in
from tests.replies import CHAT, PAIR
from ui.context import Studio
from ui.gates import AccountsGate
from ui.studio import build_page, launch

pytestmark = pytest.mark.browser

REFUSED = {"refused", "read 403: Cross-origin request refused"}

ASK = """async ([address, method, path, body]) => {
  const signal = AbortSignal.timeout(5_000);
  const options = { method, credentials: "include", mode: "cors", signal };
  if (method !== "GET" && method !== "HEAD")
    Object.assign(options, { body, headers: { "content-type": "application/json" } });
  try {
    const answer = await fetch(address + path, options);
    return `read ${answer.status}: ${(await answer.text()).slice(0, 80)}`;
  } catch (error) { return error.name === "TimeoutError" ? "an endless answer" : "refused"; }
}"""
"""A request with the visitor's cookies, whose answer is to be read."""

BLINDLY = """async ([address, method, path, body]) => {
  const signal = AbortSignal.timeout(5_000);
  const options = { method, credentials: "include", mode: "no-cors", signal };
  if (body) options.body = body;
  try { await fetch(address + path, options); } catch {}
}"""
"""A request that a browser sends without asking first; nobody can read its answer."""

FORM = """([address, path, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: address + path, target: "inside" });
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("input");
    Object.assign(field, { name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}"""


class Evil(BaseHTTPRequestHandler):
    """A page of somebody else; its frame is where forms lead."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><iframe name=inside></iframe>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another port of this machine: for cookies the same site, for origins another one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        with database.write() as session:
            judgements.add(session, judge.judge(PAIR, Plan()))
            accounts.add(session, ADMIN, Role.ADMIN, PASSWORD)
        gate = AccountsGate(database)
        yield Studio(database, {"scripted": judge}, Plan(), folder, gate=gate)


@pytest.fixture(scope="module")
def built(studio):
    page = build_page(studio)
    address = launch(page, studio, host="127.0.0.1", port=0, block=False)
    yield page, address.rstrip("/")
    page.close()


@pytest.fixture
def evil(context, built, elsewhere) -> Page:
    """Somebody else's page in the browser of an admin who is signed in."""
    _, address = built
    sign_in(context, f"{address}/", ADMIN)
    page = context.new_page()
    page.goto(elsewhere)
    return page


def flat(routes) -> Iterator:
    """Routes with those of the routers among them."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from flat(router.routes) if router else [route]


def routes(page) -> list[tuple[str, str]]:
    """Each method and path that the server answers, Gradio's and our own."""
    found = set()
    for route in flat(page.app.router.routes):
        path = re.sub(r"{\w+:int}", "1", route.path)
        for method in getattr(route, "methods", None) or {"GET", "POST"}:
            found.add((method, re.sub(r"{[^}]+}", "x", path)))
    return sorted(one for one in found if one[0] not in ("HEAD", "OPTIONS"))


def said(studio) -> int:
    with studio.database.read() as session:
        return session.scalar(select(func.count()).select_from(LabelEventRow)) or 0


def test_the_cookie_counts_where_it_should(context, built, evil):
    _, address = built
    assert context.request.get(f"{address}/whoami").json()["name"] == ADMIN


def test_no_route_can_be_read_by_a_page_of_another_origin(built, evil):
    page, address = built
    asked = routes(page)
    assert {("GET", "/whoami"), ("POST", "/sign-out"), ("POST", "/gradio_api/queue/join")} <= {
        *asked
    }
    told = {one: evil.evaluate(ASK, [address, *one, "{}"]) for one in asked}
    assert {one: answer for one, answer in told.items() if answer not in REFUSED} == {}


def test_nothing_that_a_link_or_picture_can_ask_for_changes_who_is_signed_in(context, built, evil):
    page, address = built
    for method, path in routes(page):
        if method == "GET" and not re.search("heartbeat|queue/data", path):
            evil.evaluate(BLINDLY, [address, method, path, None])
    assert context.request.get(f"{address}/whoami").json()["name"] == ADMIN


def test_no_event_is_heard_from_a_page_of_another_origin(context, built, evil, studio):
    page, address = built
    heard: list[int] = []
    context.on("response", lambda answer: heard.append(answer.status))
    for index, fn in page.fns.items():
        body = f'{{"fn_index": {index}, "data": [], "session_hash": "x", "event_data": {{}}}}'
        ways = ["queue/join", "run/predict", f"call/{fn.api_name}"]
        for way in ways[: 3 if index < 5 else 2]:
            evil.evaluate(BLINDLY, [address, "POST", f"/gradio_api/{way}", body])
    assert set(heard) == {403}
    assert len(heard) >= 2 * len(page.fns)
    assert said(studio) == 0


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-out", {}),
        ("/sign-in", {"name": ADMIN, "password": PASSWORD}),
        ("/welcome", {"token": "x", "password": PASSWORD}),
        ("/gradio_api/upload", {"files": "x"}),
    ],
)
def test_a_form_of_another_origin_is_refused(context, built, evil, path, fields):
    _, address = built
    with evil.expect_response(f"{address}{path}") as answer:
        evil.evaluate(FORM, [address, path, fields])
    assert answer.value.status == 403
    assert context.request.get(f"{address}/whoami").json()["name"] == ADMIN


def test_the_studio_shows_itself_in_no_frame_of_another_origin(built, evil):
    _, address = built
    evil.evaluate("(address) => (document.querySelector('iframe').src = address)", address)
    evil.wait_for_timeout(1_000)
    (frame,) = [one for one in evil.frames if one is not evil.main_frame]
    assert frame.locator("#masthead, form").count() == 0
