from contextlib import ExitStack

import httpx
import pytest

from app import open_service
from rmr1.serving import api_routes
from rmr1.settings import Settings
from tests.replies import PAIR
from ui.studio import build_page, launch

ASKED = {"prompt": PAIR.prompt, "response_a": PAIR.response_a, "response_b": PAIR.response_b}


@pytest.fixture
def address(studio):
    page = build_page(studio)
    with ExitStack() as stack:
        stack.callback(page.close)
        routes = api_routes(open_service(Settings(), studio.judges, stack))
        yield launch(page, studio, host="127.0.0.1", port=0, routes=routes, block=False)


def test_page_and_endpoints_share_a_server(address):
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/").status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/health").json()["status"] == "ok"
        record = client.post("/v1/judge", json=ASKED).json()
        assert record["pair"]["response_a"] == PAIR.response_a
        assert record["state"]
        foreign = client.post("/v1/judge", json=ASKED, headers={"origin": "https://evil.test"})
        assert foreign.status_code == 403
        refused = client.post("/v1/reward", json={})
        assert (refused.status_code, set(refused.json())) == (422, {"error"})
        assert "object-src 'none'" in refused.headers["content-security-policy"]
