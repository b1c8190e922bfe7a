"""The Agreement page: figures, one click to their items, filters in the address, a phone."""

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels
from storage.entries import LabelEntry
from tests.replies import CHAT

pytestmark = pytest.mark.browser

SOURCE = "<b>agreement</b> story"
QUERY = "tab=agreement&source=%3Cb%3Eagreement%3C%2Fb%3E+story"


@pytest.fixture(scope="module")
def told(studio):
    """Twelve random pairs: Ada differs from the judge on four and goes over to it on two."""
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    for number in range(12):
        pair = Pair.of(f"Agreement question {number}?", "Canberra.", "It is Sydney", chosen="A")
        said = judge.judge(pair.model_copy(update={"source": SOURCE}), Plan())
        with studio.database.write() as session:
            key = judgements.add(session, said)
            pair_id = judgements.get(session, key).pair_id
        steps = [("blind", "commit", "B" if number < 4 else "A")]
        steps.append(("verdict", "change", "A") if number < 2 else ("verdict", "keep", None))
        for stage, action, value in steps:
            fields = {"key": f"agreement-{number}-{stage}", "annotator": "Ada", "why": "random"}
            fields |= {"pair_id": pair_id, "judgement_key": key, "value": value}
            entry = LabelEntry.model_validate({"stage": stage, "action": action, **fields})
            labels.record(studio.database, entry)


def ready(page):
    for name in ("judge", "people", "pull", "calibration", "consensus"):
        page.wait_for_selector(f"#agreement-{name} [data-painted]", timeout=60_000)


def test_figures_lead_to_their_items_and_the_address_holds_the_filters(page, url, told):
    page.goto(f"{url}?{QUERY}")
    ready(page)
    judge = page.locator("#agreement-judge")
    expect(judge).to_contain_text("in 67 % of 12 answers (blind, before the verdict)")
    expect(page.locator("#agreement-pull")).to_contain_text("2 towards the judge and 0 away")
    page.get_by_label("Answers given").select_option("verdict")
    expect(judge).to_contain_text("in 83 % of 12 answers")
    assert "stage=verdict" in page.url
    judge.get_by_role("link", name="do not: the items of Agreement").click()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")
    expect(page.locator(".chips")).to_contain_text("Source: <b>agreement</b> story")
    page.go_back()
    expect(judge).to_contain_text("in 83 % of 12 answers")


def test_help_opens_by_key_and_the_mirror_of_a_person_is_there(page, url, told):
    page.goto(f"{url}?{QUERY}&annotator=Ada")
    ready(page)
    mark = page.get_by_label("What this means: Does the machine pull people?")
    mark.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#agreement-pull details.help")).to_contain_text("McNemar's exact test")
    expect(page.locator("#agreement-mirror")).to_contain_text("Ada: 12 answers")


def test_a_phone_shows_it_without_scrolling_sideways(context, url, told):
    phone = context.browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(f"{url}?{QUERY}")
    ready(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()
