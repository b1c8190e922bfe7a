"""What axe-core finds on every page, light and dark: nothing serious, nothing critical."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage import accounts
from storage.roles import Role
from tests.browser.conftest import ADMIN, closed, served, sign_in
from tests.browser.furnishing import PAGES, furnished
from ui.studio import TABS

pytestmark = pytest.mark.browser

TEXT = "Which of the two is **better**, and why?\nSay it in two lines."
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    with furnished(tmp_path_factory.mktemp("axe"), TEXT) as made:
        yield made


@pytest.fixture(scope="module")
def studio(everything):
    return everything.studio


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def faults(page: Page) -> list[str]:
    """What is grave, as lines that say where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def check(page: Page):
    """The page as it stands, in the light and in the dark."""
    assert faults(page) == []
    page.get_by_role("button", name="Light / dark").click()
    page.wait_for_timeout(250)  # colours that fade have arrived
    assert faults(page) == []


def test_every_page_is_looked_at(everything):
    assert set(everything.pages) == set(PAGES)
    assert {*PAGES, "judge", "rank"} >= set(TABS)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_grave(page, url, everything, name):
    query, there = everything.pages[name]
    page.goto(f"{url}?{query}")
    page.locator(there).first.wait_for()
    check(page)


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_grave_on_a_first_visit_and_after_judging(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    check(page)
    page.get_by_role("button", name="Two trains").first.click()
    expect(page.get_by_text("Done. Response A is better.")).to_be_attached()
    page.locator("#judge-options button").first.click()
    page.get_by_label("Votes").first.wait_for()
    check(page)


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_grave_on_a_ranking(page, url, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{url}?tab=rank")
    form = page.get_by_role("region", name="What is ranked")
    form.get_by_role("textbox", name="Prompt").fill("Which?")
    for number in (1, 2, 3):
        form.get_by_role("textbox", name=f"Response {number}").fill(f"This one, number {number}.")
    form.get_by_role("button", name="Rank", exact=True).click()
    expect(page.get_by_role("heading", name="Matches")).to_be_visible()
    check(page)


@pytest.fixture(scope="module")
def address(studio):
    """Where only those come in who have an account."""
    yield from served(closed(studio))


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_where_people_sign_in(browser, studio, address, scheme, width):
    with studio.database.write() as session:
        token = accounts.invite(session, f"{scheme}.{width}", Role.ANNOTATOR)
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{address}sign-in")
    page.get_by_role("textbox", name="Name").fill("nobody")
    page.get_by_role("textbox", name="Password").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    assert faults(page) == []
    page.goto(f"{address}welcome#{token}")
    assert faults(page) == []
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_grave_where_people_are_looked_after(context, studio, address, width):
    with studio.database.write() as session:
        accounts.invite(session, f"guest.{width}", Role.LEAD)
    sign_in(context, address, ADMIN)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{address}?tab=people")
    page.get_by_text("What was done").click()
    page.locator(".people-event").first.wait_for()
    check(page)
    page.locator("[data-person]").first.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").wait_for()
    assert faults(page) == []
