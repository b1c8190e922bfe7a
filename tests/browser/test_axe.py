"""What axe-core finds on every page, light and dark: nothing serious, nothing critical."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from storage import accounts
from storage.roles import Role
from tests.browser.conftest import served
from tests.browser.furnishing import PAGES, furnished
from ui.gates import AccountsGate
from ui.studio import TABS, build_page, launch

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


def test_axe_finds_nothing_grave_on_a_first_visit_and_after_judging(page):
    check(page)
    page.get_by_role("button", name="Two trains").first.click()
    expect(page.get_by_text("Done. Response A is better.")).to_be_attached()
    page.locator("#judge-options button").first.click()
    page.get_by_label("Votes").first.wait_for()
    check(page)


def test_axe_finds_nothing_grave_on_a_ranking(page, url):
    page.goto(f"{url}?tab=rank")
    form = page.get_by_role("region", name="What is ranked")
    form.get_by_role("textbox", name="Prompt").fill("Which?")
    for number in (1, 2, 3):
        form.get_by_role("textbox", name=f"Response {number}").fill(f"This one, number {number}.")
    form.get_by_role("button", name="Rank", exact=True).click()
    expect(page.get_by_role("heading", name="Matches")).to_be_visible()
    check(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_where_people_sign_in(browser, studio, scheme):
    with ExitStack() as stack:
        with studio.database.write() as session:
            token = accounts.invite(session, f"{scheme}.guest", Role.ANNOTATOR)
        closed = replace(studio, gate=AccountsGate(studio.database))
        built = build_page(closed)
        stack.callback(built.close)
        address = launch(built, closed, host="127.0.0.1", port=0, block=False)
        context = stack.enter_context(browser.new_context(color_scheme=scheme))
        page = context.new_page()
        page.goto(f"{address}sign-in")
        page.get_by_role("textbox", name="Name").fill("nobody")
        page.get_by_role("textbox", name="Password").fill("wrong password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("wrong")
        assert faults(page) == []
        page.goto(f"{address}welcome#{token}")
        assert faults(page) == []
