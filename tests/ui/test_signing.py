"""Signing in and out, and who gets in at all."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from storage import accounts
from storage.roles import Role
from ui import doors, http, signing
from ui.gates import COOKIE, AccountsGate, HeaderGate, LocalGate, RoleBook

GOOD = "correct horse battery"
HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))


def client_of(studio, base_url="http://studio.test", **options):
    def page(_):
        return PlainTextResponse("the page")

    everything = [Route("/", page), Route("/gradio_api/{rest:path}", page, methods=["GET", "POST"])]
    app = Starlette(
        routes=[*http.routes(studio), *everything],
        middleware=[Middleware(http.Guard), Middleware(doors.Doors, studio=studio)],
    )
    return TestClient(app, base_url=base_url, follow_redirects=False, **options)


@pytest.fixture
def closed(studio):
    with studio.database.write() as session:
        accounts.add(session, "ada", Role.LEAD, GOOD)
    return replace(studio, gate=AccountsGate(studio.database))


def sign_in(client, name="ada", password=GOOD, path="/sign-in"):
    return client.post(path, data={"name": name, "password": password})


def test_a_closed_studio_shows_nothing_before_signing_in(closed):
    client = client_of(closed)
    to = client.get("/?judgement=7", headers=HTML)
    assert (to.status_code, to.headers["location"]) == (303, "/sign-in?judgement=7")
    assert client.get("/gradio_api/config").status_code == 401
    assert client.post("/gradio_api/queue/join").status_code == 401
    assert client.get("/judgements/x.json").status_code == 401
    for path in ("/healthz", "/readyz", "/sign-in", "/welcome", "/whoami"):
        assert client.get(path).status_code == 200


def test_signing_in_leads_to_the_page_that_was_asked_for(closed):
    client = client_of(closed)
    answer = sign_in(client, path="/sign-in?judgement=7")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?judgement=7")
    assert client.get("/", headers=HTML).text == "the page"
    told = client.get("/whoami").json()
    assert (told["name"], told["role"], told["names"], told["hidden"]) == (
        "ada",
        "lead",
        False,
        ["people"],
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(closed, scheme):
    answer = sign_in(client_of(closed, f"{scheme}://studio.test"))
    flags = {flag.strip().lower() for flag in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert ("secure" in flags) == (scheme == "https")
    assert answer.headers["cache-control"] == "no-store"


def test_signing_out_ends_the_token_and_not_the_cookie_alone(closed):
    client = client_of(closed)
    sign_in(client)
    token = client.cookies[COOKIE]
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    client.cookies.set(COOKIE, token)
    assert client.get("/whoami").json()["role"] == "visitor"


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong password"), ("nobody", GOOD), ("", ""), ('"><script>', GOOD)],
)
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(closed, name, password):
    answer = sign_in(client_of(closed), name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "><script>" not in answer.text
    assert "set-cookie" not in answer.headers


def test_passwords_cannot_be_tried_without_end(closed, monkeypatch):
    monkeypatch.setattr(accounts, "check", lambda *_: None)
    client = client_of(closed)
    states = [sign_in(client, password=f"guess {i} of many").status_code for i in range(12)]
    assert states == [401] * 10 + [429] * 2


def test_a_form_of_another_site_signs_nobody_in(closed):
    client = client_of(closed)
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post("/sign-in", data={"name": "ada", "password": GOOD}, headers=headers)
        assert answer.status_code in (401, 403)
        assert "set-cookie" not in answer.headers


def test_a_form_too_long_is_not_read(closed):
    assert sign_in(client_of(closed), password="x" * 20_000).status_code == 401
    fields = {f"name{i}": "x" for i in range(50)}
    assert client_of(closed).post("/sign-in", data=fields).status_code == 401


def test_an_invitation_is_answered_with_a_password(closed):
    with closed.database.write() as session:
        token = accounts.invite(session, "bob", Role.ANNOTATOR)
    client = client_of(closed)
    short = client.post("/welcome", data={"token": token, "password": "short"})
    assert (short.status_code, "at least 10" in short.text) == (422, True)
    assert client.post("/welcome", data={"token": token, "password": GOOD}).status_code == 303
    told = client.get("/whoami").json()
    assert (told["name"], told["role"]) == ("bob", "annotator")
    assert {"train", "data"} <= set(told["hidden"])
    again = client.post("/welcome", data={"token": token, "password": GOOD + "!"})
    assert again.status_code == 422


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/file=/tmp/x"])
def test_files_are_for_leads(closed, path):
    open_to_all = replace(closed, gate=AccountsGate(closed.database, admits_visitors=True))
    client = client_of(open_to_all)
    assert client.get("/").status_code == 200
    assert client.post(path).status_code == 403
    sign_in(client)
    assert client.post(path).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:7860", 200),
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("evil.test:7860", 403),
        ("localhost.evil.test", 403),
        ("127.0.0.1.evil.test", 403),
        ("", 403),
    ],
)
def test_a_page_of_this_machine_answers_under_its_names_alone(studio, host, status):
    answer = client_of(studio).get("/", headers={"host": host, "origin": f"http://{host}"})
    assert answer.status_code == status


def test_a_public_page_without_accounts_takes_visitors_alone(studio):
    public = replace(studio, gate=LocalGate(Role.VISITOR))
    told = client_of(public).get("/whoami").json()
    assert (told["name"], told["role"], told["names"]) == ("visitor", "visitor", False)
    assert client_of(public).get("/sign-in").status_code == 404


def test_behind_a_proxy_its_header_says_who_it_is(studio):
    roles = RoleBook({"ada": Role.ADMIN}, Role.ANNOTATOR)
    gate = HeaderGate("Remote-User", (ip_network("10.0.0.0/8"),), roles)
    behind = replace(studio, gate=gate)

    def told(address, headers):
        client = client_of(behind, client=(address, 50_000))
        return client.get("/whoami", headers=headers).json()

    assert told("10.1.2.3", {"remote-user": "Ada"})["role"] == "admin"
    assert told("10.1.2.3", {"remote-user": "bob"})["role"] == "annotator"
    assert told("10.1.2.3", {})["role"] == "visitor"
    assert told("192.0.2.1", {"remote-user": "ada"})["role"] == "visitor"
    forged = {"remote-user": "ada", "x-forwarded-for": "10.1.2.3"}
    assert told("192.0.2.1", forged)["role"] == "visitor"
    assert told("10.1.2.3", [("remote-user", "bob"), ("remote-user", "ada")])["role"] == "visitor"
    assert client_of(behind, client=("10.1.2.3", 1)).get("/", headers=HTML).status_code == 401


def test_attempts_are_counted_by_name_and_by_address():
    attempts = signing.Attempts()
    assert all(attempts.may("ada", "192.0.2.1") for _ in range(10))
    assert not attempts.may("ADA ", "192.0.2.1")
    assert attempts.may("ada", "192.0.2.2")
    assert attempts.may("bob", "192.0.2.1")
    assert sum(attempts.may(f"n{i}", "192.0.2.3") for i in range(100)) == 60
