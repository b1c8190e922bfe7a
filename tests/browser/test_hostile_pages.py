"""Every page of a studio in which all that somebody wrote is hostile: shown to the letter."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ADMIN, closed, served, sign_in
from tests.browser.furnishing import PAGES, furnished
from tests.browser.hostile import MADE_FROM_TEXT, SHOWN, TEXT

pytestmark = pytest.mark.browser

HUGE = "W" * 5_000
NAMELESS = {"game", "people"}
"""Pages that show no text of others when they open: before consent, and without accounts."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    text = f"{TEXT}\n{HUGE}".replace("\x00", "")
    with furnished(tmp_path_factory.mktemp("hostile"), text) as made:
        yield made


@pytest.fixture(scope="module")
def studio(everything):
    return everything.studio


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def check(page):
    """Nothing was made from a text, and the page is as wide as the window."""
    assert page.locator(MADE_FROM_TEXT).count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", PAGES)
def test_hostile_texts_are_inert(page, url, everything, name):
    query, there = everything.pages[name]
    page.goto(f"{url}?{query}")
    page.locator(there).first.wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
    if name not in NAMELESS:
        expect(page.get_by_role("tabpanel")).to_contain_text(SHOWN)
    page.wait_for_timeout(300)
    check(page)


def test_hostile_names_without_an_account_are_inert(context, studio):
    for address in served(closed(studio)):
        sign_in(context, address, ADMIN)
        page = context.new_page()
        page.goto(f"{address}?tab=people")
        expect(page.locator("#people-page .hint")).to_contain_text(SHOWN)
        check(page)
        assert page.evaluate("window.__pwned") is None


def test_a_hostile_gallery_is_opened_and_played(page, url, everything):
    query, _ = everything.pages["gallery"]
    page.goto(f"{url}?{query}")
    page.locator("[data-card]").first.click()
    page.locator("#gallery-page [data-shown]").wait_for()
    expect(page.locator(".gallery-whole .case-pair")).to_contain_text("${window.__pwned=3}")
    check(page)
    query, _ = everything.pages["game"]
    page.goto(f"{url}?{query}")
    page.locator(".game-ask input[type=checkbox]").check()
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Response A is better").or_(
        page.locator("[data-value=A]")
    ).first.click()
    page.locator(".game-told").wait_for()
    expect(page.locator(".gallery-play")).to_contain_text("${window.__pwned=3}")
    check(page)


def test_hostile_responses_are_ranked(page, url):
    page.goto(f"{url}?tab=rank")
    form = page.get_by_role("region", name="What is ranked")
    form.get_by_role("textbox", name="Prompt").fill(TEXT)
    for number in (1, 2, 3):
        form.get_by_role("textbox", name=f"Response {number}").fill(f"{TEXT} {HUGE} {number}")
    form.get_by_role("button", name="Rank", exact=True).click()
    expect(page.get_by_role("heading", name="Matches")).to_be_visible()
    page.locator(".standings summary").first.click()
    expect(page.locator(".standings")).to_contain_text("${window.__pwned=3}")
    check(page)


def test_a_second_judge_says_hostile_things_beside_the_first(page):
    page.locator("#judge-options button").first.click()
    page.get_by_label("Beside it").click()
    page.get_by_role("option", name="second").click()
    for field, number in (("prompt", 0), ("a", 1), ("b", 2)):
        page.locator(f"#judge-{field} textarea").fill(f"{TEXT} {number}")
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.locator(".beside")).to_contain_text("same verdict")
    expect(page.locator("#judge-case .case-chain")).to_contain_text("${window.__pwned=3}")
    check(page)
