"""What the page is told of where labels are stored."""

from types import SimpleNamespace

from starlette.applications import Starlette
from starlette.testclient import TestClient

from storage.columns import utc_now
from storage.offsite import OffsiteStatus
from ui import http
from ui.context import Studio


def ask(studio):
    return TestClient(Starlette(routes=http.routes(studio))).get("/offsite").json()


def test_without_an_offsite_copy_the_page_is_told_of_none(studio):
    assert ask(studio) == {"title": ""}


def test_the_page_is_told_through_which_event_labels_are_offsite(studio):
    now = utc_now()
    status = OffsiteStatus("datasets/team/labels", now, {"label": 7}, 2, "")
    kept = SimpleNamespace(status=lambda: status)
    told = ask(Studio(studio.database, studio.judges, studio.plan, studio.data_dir, offsite=kept))
    assert told == {
        "title": "datasets/team/labels",
        "at": now.isoformat(),
        "through": {"label": 7},
        "waiting": 2,
        "problem": "",
    }
