"""The Queues page in a browser: a queue made, labelled by two, decided by keyboard, sent back."""

import uuid

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from storage import adjudication, labels, queues
from storage.entries import LabelEntry
from storage.tables import PairRow
from ui import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def divided(studio):
    """Two pairs on which Ada and Bob disagree; Bob's note is hostile."""
    serving.load_examples(studio.database)
    with studio.database.read() as session:
        ids = list(session.scalars(select(PairRow.id).order_by(PairRow.id).limit(2)))
    for pair_id in ids:
        for name, value in (("Ada", "A"), ("Bob", "B")):
            labels.record(
                studio.database,
                LabelEntry(
                    key=uuid.uuid4().hex,
                    annotator=name,
                    pair_id=pair_id,
                    stage="blind",
                    action="commit",
                    value=value,
                    note="<img src=x onerror='window.__pwned=1'>" if name == "Bob" else None,
                ),
            )
    return ids


def test_a_lead_makes_a_queue_and_changes_its_terms(page, url, studio):
    page.goto(f"{url}?tab=queues&queue=new")
    name = f"Team {uuid.uuid4().hex[:6]}"
    page.fill("[data-name]", name)
    page.select_option("[data-order]", "swap flips")
    page.click("text=Make the queue")
    expect(page.locator(".queue-body h2").first).to_have_text(name)
    assert "queue=new" not in page.url
    page.click("[data-state=paused]")
    expect(page.locator(".queue-body .chip").first).to_contain_text("paused")
    with studio.database.read() as session:
        (made,) = [one for one in queues.all_queues(session) if one.name == name]
    assert (made.order, made.terms.overlap, made.terms.state) == ("swap flips", 1, "paused")


def test_conflicts_are_decided_by_keyboard_alone(page, url, studio, divided):
    page.goto(f"{url}?tab=queues&adjudicate=all")
    side = page.locator(".adjudicate-side")
    expect(side.locator(".sayings li")).to_have_count(2)
    assert "Ada" not in side.inner_text()
    first = int(page.locator(".conflict-list [aria-current=true]").get_attribute("data-pair"))
    page.keyboard.press("b")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(side).to_contain_text("Decided")
    expect(side).to_contain_text("Ada")
    with studio.database.read() as session:
        assert adjudication.decision(session, first).reason == "slip"
    page.keyboard.press("Enter")
    expect(side.locator(".reasons")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("look again")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".adjudicate-bar")).to_contain_text("1 sent back")
    with studio.database.read() as session:
        assert adjudication.conflicts(session).returned == 1
