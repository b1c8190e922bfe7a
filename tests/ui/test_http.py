import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from ui import http


@pytest.fixture
def client(studio):
    app = Starlette(
        routes=http.routes(studio),
        middleware=[Middleware(http.Guard, allowed_hosts=frozenset({"friend.test"}))],
    )
    return TestClient(app, base_url="http://studio.test")


def test_it_is_alive_and_ready_and_every_answer_carries_the_headers(client):
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "object-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://studio.test", 200),
        ("https://friend.test", 200),
        ("https://evil.test", 403),
        ("null", 403),
    ],
)
def test_pages_of_other_origins_are_refused(client, origin, status):
    headers = {"origin": origin} if origin else {}
    assert client.get("/healthz", headers=headers).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://example.org/x",
        "/gradio_api/proxy=x",
        "/monitoring/summary",
        "/gradio_api/run-history/list",
    ],
)
def test_paths_that_tell_or_fetch_too_much_are_closed(client, path):
    assert client.get(path).status_code == 404
