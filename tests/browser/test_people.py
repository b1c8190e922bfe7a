"""An admin lets people in by the page alone; whoever comes in sees what they may."""

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import expect

from rmr1.plan import Plan
from storage import accounts, assigning, judgements, labels, people, queues
from storage.entries import LabelEntry
from storage.roles import Role
from tests.browser.conftest import ADMIN, PASSWORD, Trouble, closed, served, sign_in
from tests.replies import PAIR


@pytest.fixture(scope="module")
def address(studio):
    """The page where people sign in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
        yield from served(closed(studio))


@pytest.fixture
def admin(context, address):
    sign_in(context, address, ADMIN)
    page = context.new_page()
    trouble = Trouble(page, address)
    page.goto(f"{address}?tab=people")
    page.wait_for_selector(f"#people-page [data-person={ADMIN}]")
    yield page
    assert trouble.lines == []


def take_up(browser, link):
    """A browser of somebody who was handed a link."""
    context = browser.new_context()
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(link)
    page.locator("form:not([hidden]) [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#judge-go")
    return page


def test_somebody_is_invited_comes_in_becomes_a_lead_and_is_removed(admin, browser):
    admin.locator("#people-page [data-name]").fill("Newcomer")
    admin.get_by_role("button", name="Make a link").click()
    link = admin.get_by_label("Link to hand over").locator("input").input_value()
    assert "/welcome?name=newcomer#" in link
    newcomer = take_up(browser, link)
    assert "#" not in newcomer.url
    assert "?" not in newcomer.url
    assert newcomer.locator("#tab-people-button").is_hidden()
    row = admin.locator("[data-person=newcomer]")
    row.get_by_label("Role of newcomer").select_option("lead")
    row.get_by_role("button", name="Set").click()
    admin.get_by_text("newcomer is a lead from their next click on").wait_for()
    newcomer.reload()
    newcomer.locator(".masthead .role", has_text="lead").wait_for()
    row.get_by_role("button", name="Remove").click()
    admin.keyboard.press("Escape")
    assert admin.evaluate("document.activeElement.dataset.do") == "remove"
    row.get_by_role("button", name="Remove").click()
    admin.get_by_role("dialog").get_by_role("button", name="Remove").click()
    row.wait_for(state="detached")
    admin.get_by_text("What was done").click()
    events = admin.locator(".people-event")
    expect(events.first).to_contain_text("newcomer: account closed · by adi")
    expect(events.nth(2)).to_contain_text("newcomer: chose a password")
    newcomer.reload()
    newcomer.wait_for_url("**/sign-in*")
    newcomer.context.close()


def test_the_only_admin_stays(admin):
    admin.locator("[data-person=adi]").get_by_role("button", name="Remove").click()
    admin.get_by_role("dialog").get_by_role("button", name="Remove").click()
    admin.get_by_role("alert").filter(has_text="adi is the only admin").wait_for()
    assert admin.locator("[data-person=adi]").is_visible()


def test_a_pair_that_waits_says_so_and_opens_once_it_is_labelled(address, admin, browser, studio):
    with studio.database.write() as session:
        token = accounts.invite(session, "ann", Role.ANNOTATOR)
        key = judgements.add(session, studio.judges["scripted"].judge(PAIR, Plan()))
        pair_id = judgements.get(session, key).pair_id
        queue = queues.create(session, "What waits for ann")
        ann = people.annotator_id(session, "ann")
        assert assigning.hold(session, queue, pair_id, ann)
    said = {"pair_id": pair_id, "stage": "blind", "action": "commit", "value": "A"}
    labels.record(studio.database, LabelEntry(key="key of bob", annotator="bob", **said))
    page = take_up(browser, f"{address}{accounts.welcome_path('ann', token).lstrip('/')}")
    page.goto(f"{address}?tab=judgement&judgement={key}")
    page.get_by_text("This pair waits for your own label").wait_for()
    page.goto(f"{address}?tab=explore")
    page.get_by_text("hidden until you have labelled it").wait_for()
    assert page.locator(f"[data-key='{key}']").count() == 0
    labels.record(studio.database, LabelEntry(key="key of ann", annotator="ann", **said))
    page.goto(f"{address}?tab=judgement&judgement={key}")
    page.get_by_text("Show labels that people gave this pair").click()
    page.locator(".history").get_by_text("bob").wait_for()
    page.context.close()
