"""The Explore and Judgement pages: filter, search, page, open, link, and what hostile text does."""

import re

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements
from tests.replies import REASONING, SUM

pytestmark = pytest.mark.browser

SOURCE = "explore story"
HOSTILE = '<img src=x onerror="window.__pwned=1"> ${window.__pwned=2} {{x}} `b` \\u00'
HOSTILE_SOURCE = "<a href='javascript:window.__pwned=3'>explore hostile</a>"


def store(studio, pair, text=REASONING, plan=None):
    judge = Judge(ScriptedBackend([text]), load_profile("cor"))
    judgement = judge.judge(pair, plan or Plan())
    with studio.database.write() as session:
        return judgements.add(session, judgement, profile_text=judge.profile.model_dump_json())


@pytest.fixture(scope="module")
def keys(studio):
    """Fifty-three judgements of one source: fifty right, two wrong, one in both orders."""
    found = [
        store(
            studio,
            Pair.of(f"What is {n} + 26?", SUM.response_a, SUM.response_b, chosen="A").model_copy(
                update={"source": SOURCE, "subset": "sums"}
            ),
        )
        for n in range(50)
    ]
    for n in (1, 2):
        pair = Pair.of(f"Wrong giraffe {n}", SUM.response_a, SUM.response_b, chosen="B")
        found.append(store(studio, pair.model_copy(update={"source": SOURCE, "subset": "zoo"})))
    both = SUM.model_copy(update={"source": SOURCE, "subset": "both"})
    return [*found, store(studio, both, plan=Plan(orders="both"))]


@pytest.fixture
def explore(page, url, keys):
    def opened(query=""):
        page.goto(f"{url}?tab=explore&source={SOURCE.replace(' ', '+')}&{query}")
        page.wait_for_selector("#explore-found [data-painted]")
        return page

    return opened


def rows(page):
    return page.locator("#explore-found [role=option]")


def test_filters_narrow_chips_widen_and_the_address_follows(explore):
    page = explore()
    expect(page.locator(".list-head strong")).to_have_text("53 judgements")
    page.get_by_role("button", name=re.compile("^wrong")).click()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("wrong")
    assert "correct=no" in page.url
    page.get_by_role("button", name="Remove the filter Outcome: wrong").click()
    expect(page.locator(".list-head strong")).to_have_text("53 judgements")
    page.go_back()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")


def test_search_finds_words_in_the_texts(explore):
    page = explore()
    page.keyboard.press("/")
    page.keyboard.type("giraffe")
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")
    page.reload()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")
    expect(page.locator("input.search")).to_have_value("giraffe")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator("input.search")).to_have_value("")
    expect(page.locator(".chip.removable")).to_have_count(0)


def test_pages_turn_by_key(explore):
    page = explore()
    expect(page.locator(".pager")).to_contain_text("1–50, page 1 of 2")
    page.keyboard.press("n")
    expect(page.locator(".pager")).to_contain_text("51–53, page 2 of 2")
    expect(rows(page)).to_have_count(3)
    page.keyboard.press("p")
    expect(page.locator(".pager")).to_contain_text("page 1 of 2")


def test_a_row_opens_beside_the_list_and_on_its_own_page_by_key(explore, keys):
    page = explore("correct=no")
    page.keyboard.press("j")
    expect(page.locator("#explore-case .sentence")).to_contain_text("the rejected response")
    page.keyboard.press("j")
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#explore-case")).to_contain_text("Wrong giraffe 1")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#judgement-page [data-painted='{keys[50]}']")
    expect(page.locator("#judgement-page .happened")).to_contain_text("the rejected response")
    page.keyboard.press("k")
    page.wait_for_selector(f"#judgement-page [data-painted='{keys[51]}']")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    page.get_by_role("button", name="All judgements").click()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")


def test_a_quotation_lights_up_where_it_stands(page, url, keys):
    page.goto(f"{url}?judgement={keys[0]}")
    case = page.locator("#judgement-page")
    case.locator("blockquote.is-exact").first.click()
    expect(case.locator("mark.lit")).to_have_text("17 + 26 = 43.")
    expect(case.locator("blockquote.lit")).to_have_count(1)
    case.locator("mark.match-exact").last.click()
    expect(case.locator("mark.lit")).to_have_text("17 + 26 = 33")
    expect(case.locator("blockquote.is-absent")).to_contain_text("not found")


def test_a_link_holds_everything_about_a_judgement(page, url, keys):
    page.goto(f"{url}?judgement={keys[-1]}")
    case = page.locator("#judgement-page")
    expect(case.locator(".happened")).to_contain_text("both orders")
    expect(case.locator(".both-orders strong")).to_have_count(2)
    case.get_by_text("About this judgement").click()
    expect(case.locator(".about-grid")).to_contain_text(keys[-1])
    case.get_by_text("What the judge was asked (B first)").click()
    expect(case.get_by_text("17 + 26 = 33, so the answer is 33.").last).to_be_visible()
    with page.expect_download() as download:
        case.get_by_role("link", name="Download JSON").click()
    assert download.value.suggested_filename == f"judgement-{keys[-1]}.json"


def test_a_label_made_here_is_stored(page, url, keys):
    page.goto(f"{url}?judgement={keys[3]}")
    page.locator("#judgement-page").get_by_role("button", name="Tie").click()
    expect(page.locator("#judgement-page .receipt")).to_contain_text("stored")


def test_a_link_to_nothing_is_answered_kindly(page, url):
    page.goto(f"{url}?judgement=nonsense")
    expect(page.locator("#judgement-page .note")).to_contain_text("no judgement under this link")


def test_charts_filter_by_a_click(explore):
    page = explore()
    page.wait_for_selector("#explore-charts .chart-outcomes .point path")
    page.get_by_label("Split outcomes by").select_option("subset")
    chart = page.locator(".chart-outcomes")
    expect(chart.locator("h2")).to_contain_text("Outcomes by subset (n = 53 judgements)")
    chart.locator("summary").click()
    chart.get_by_role("button", name="2", exact=True).click()
    expect(page.locator(".list-head strong")).to_have_text("2 judgements")
    expect(page.locator(".chips")).to_contain_text("Subset: zoo")
    expect(page.locator(".accuracy")).to_contain_text("Accuracy 0 %")


def test_a_mark_of_a_chart_filters_too(explore):
    page = explore("correct=no")
    mark = page.locator(".chart-outcomes .point path").first
    mark.wait_for()
    box = mark.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".chips")).to_contain_text("Judge: scripted · cor")


def test_a_queue_is_made_of_what_is_shown(explore):
    page = explore("correct=no")
    page.get_by_role("button", name="Label these").click()
    page.get_by_label("Name of the queue").fill("giraffes")
    page.get_by_role("button", name="Make a queue of 2").click()
    expect(page.locator(".making .receipt")).to_contain_text("giraffes")
    page.get_by_role("button", name="Open it in Annotate").click()
    expect(page.locator("label.queue select")).to_have_value(re.compile(r"\d+"))
    expect(page.locator("label.queue option:checked")).to_have_text("giraffes")


def test_hostile_text_stays_text_in_lists_filters_and_charts(page, url, studio):
    reply = f"<type>Chat</type><rubric>{HOSTILE} (100%): {HOSTILE}</rubric><eval>{HOSTILE}</eval>"
    pair = Pair.of(HOSTILE, HOSTILE, f"{HOSTILE} b", chosen="A")
    key = store(
        studio,
        pair.model_copy(update={"source": HOSTILE_SOURCE, "subset": HOSTILE}),
        f"{reply}<answer>[[A]]</answer>",
    )
    page.goto(f"{url}?tab=explore&judgement={key}")
    page.wait_for_selector("#explore-case [data-painted]")
    expect(rows(page).first.locator(".row-prompt")).to_contain_text('<img src=x onerror="window')
    page.keyboard.press("Escape")
    page.wait_for_selector("#explore-charts .chart-outcomes .point path")
    expect(page.locator(".chart-outcomes")).to_contain_text("<a href=")
    page.goto(f"{url}?judgement={key}&__theme=dark")
    page.wait_for_selector(f"#judgement-page [data-painted='{key}']")
    assert page.locator("#tabs img[src=x], #tabs a[href^=javascript]").count() == 0


def test_a_phone_lists_and_opens(context, url, keys):
    phone = context.browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(f"{url}?tab=explore&correct=no&source={SOURCE.replace(' ', '+')}")
    rows(phone).first.click()
    expect(phone.locator("#judgement-page .happened")).to_contain_text("rejected")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()
