"""The gallery, its game, help by a key, where labels are stored, and text from right to left."""

import re

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, visitors

pytestmark = pytest.mark.browser

ARABIC = Pair.of(
    "ما هي عاصمة مصر؟ أجب بكلمة واحدة.",
    "القاهرة.",
    "أعتقد أن العاصمة هي الإسكندرية، لأنها مدينة كبيرة على البحر.",
    chosen="A",
).model_copy(update={"source": "example", "subset": "arabic"})

ARABIC_REPLY = """<type>Chat</type>
<rubric>
1. الدقة (70%): هل الجواب صحيح؟
2. الإيجاز (30%): هل الجواب قصير؟
<justify>السؤال يطلب كلمة واحدة.</justify>
</rubric>
<eval>
الأول يقول <quote_A>القاهرة.</quote_A> وهو صحيح. <quote_B>العاصمة هي الإسكندرية</quote_B> خطأ.
</eval>
<answer>[[A]]</answer>"""


@pytest.fixture
def gallery(page, url):
    page.goto(f"{url}?tab=gallery")
    page.wait_for_selector("#gallery-page [data-painted=list]")
    return page


def test_a_card_opens_whole_and_its_link_leads_back_to_it(gallery):
    gallery.locator("[data-card]").first.click()
    gallery.wait_for_selector("#gallery-page [data-shown]")
    expect(gallery.locator("#gallery-page .headline-main").first).to_contain_text(
        re.compile("is better|No verdict")
    )
    link = gallery.url
    gallery.keyboard.press("j")
    expect(gallery).not_to_have_url(link)
    gallery.keyboard.press("Escape")
    expect(gallery.locator("[data-card]").first).to_be_visible()
    gallery.goto(link)
    gallery.wait_for_selector("#gallery-page [data-shown]")
    expect(gallery.locator("#gallery-page .case-pair .response")).to_have_count(2)


def test_cards_are_filtered_and_the_address_remembers_it(gallery):
    everything = gallery.locator("[data-card]").count()
    gallery.get_by_label("Type of task").select_option("Reasoning")
    expect(gallery).to_have_url(re.compile("kind=Reasoning"))
    assert 0 < gallery.locator("[data-card]").count() < everything
    gallery.get_by_role("button", name="Show all").click()
    expect(gallery.locator("[data-card]")).to_have_count(everything)


def test_a_visitor_judges_blind_by_keyboard_with_consent_and_sees_the_answer(gallery, studio):
    gallery.locator("[data-play]").click()
    begin = gallery.get_by_role("button", name="Begin")
    expect(begin).to_be_disabled()
    gallery.locator(".game-ask input[type=checkbox]").check()
    begin.click()
    gallery.wait_for_selector("[data-value=A]")
    assert gallery.locator(".gallery-play .chip-chosen").count() == 0
    assert not gallery.locator(".gallery-play .case-head").is_visible()
    gallery.keyboard.press("a")
    gallery.wait_for_selector(".game-told")
    expect(gallery.locator("[data-score]")).to_have_text(
        re.compile(r"You [01], the judge [01], of 1")
    )
    expect(gallery.locator(".game-told")).to_contain_text("✓ stored")
    gallery.keyboard.press("Enter")
    gallery.wait_for_selector("[data-value=A]")
    with studio.database.read() as session:
        (row,) = visitors.rows(session)
    assert row["consent"] == visitors.CONSENT


def test_a_question_mark_opens_help_on_every_page(page, url):
    for tab in ("judge", "gallery", "explore"):
        page.goto(f"{url}?tab={tab}")
        page.wait_for_selector(f"#tab-{tab}-button[aria-selected=true]")
        page.wait_for_timeout(300)
        page.keyboard.press("?")
        expect(page.locator("dialog.key-sheet .key-about")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog.key-sheet")).to_have_count(0)


def test_a_first_visit_shows_an_example_already_judged(page):
    expect(page.get_by_role("heading", name="An example already judged")).to_be_visible()
    assert page.locator(".first-case .step").count() >= 4


def test_text_from_right_to_left_is_laid_out_so(page, url, studio):
    judge = Judge(ScriptedBackend([ARABIC_REPLY]), load_profile("cor"))
    with studio.database.write() as session:
        key = judgements.add(session, judge.judge(ARABIC, Plan()))
    page.goto(f"{url}?judgement={key}")
    page.wait_for_selector(f"#judgement-page [data-painted='{key}']")
    for place in (
        ".turn .text",
        ".response .text",
        ".criteria strong",
        "blockquote.quote .quoted",
        ".fold .prose",
    ):
        first = page.locator(f"#judgement-page {place}").first
        assert first.evaluate("node => getComputedStyle(node).direction") == "rtl", place
    assert page.locator("#judgement-page mark").count() == 2
