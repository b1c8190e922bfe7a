"""Hostile text in every place that takes text: shown to the letter, never run."""

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements
from tests.browser.hostile import HOSTILE, MADE_FROM_TEXT, SHOWN, TEXT

pytestmark = pytest.mark.browser

TRACE = f"""<type>Chat</type>
<rubric>
1. {HOSTILE[0]} (60%): {HOSTILE[2]}
2. {HOSTILE[1]} (40%): {HOSTILE[4]}
<justify>{TEXT}</justify>
</rubric>
<eval>{TEXT} <quote_A>{HOSTILE[0]}</quote_A> <quote_B>{HOSTILE[3]}</quote_B>
<summary_A>{HOSTILE[8]}</summary_A></eval>
<answer>[[A]]</answer>
{TEXT}"""


@pytest.fixture
def hostile_key(studio):
    """A stored judgement in which every text is hostile."""
    judge = Judge(ScriptedBackend([TRACE]), load_profile("cor"))
    pair = Pair.of(TEXT, TEXT, f"{TEXT} b", source=HOSTILE[0], subset=HOSTILE[2], id=HOSTILE[1])
    with studio.database.write() as session:
        return judgements.add(session, judge.judge(pair, Plan()))


def test_hostile_prompts_responses_and_judge_texts_are_painted_to_the_letter(page, studio):
    judge = studio.judges["scripted"]
    before, judge.backend._replies = judge.backend._replies, [TRACE]
    try:
        page.fill("#judge-prompt textarea", TEXT.replace("\x00", ""))
        page.fill("#judge-a textarea", TEXT.replace("\x00", ""))
        page.fill("#judge-b textarea", "plain")
        page.click("#judge-go")
        page.wait_for_selector("#judge-case [data-phase=done]")
    finally:
        judge.backend._replies = before
    expect(page.locator("article[data-side=A] .text")).to_contain_text(SHOWN)
    expect(page.locator("#judge-case .case-chain")).to_contain_text("${window.__pwned=3}")
    assert page.locator("#judge-case :is(img, script, iframe, svg)").count() == 0


@pytest.mark.parametrize("tab", ["explore", "annotate", "data"])
def test_hostile_rows_are_inert_on_every_page(page, url, hostile_key, tab):
    page.goto(f"{url}?tab={tab}")
    page.wait_for_timeout(2_500)
    assert page.locator(MADE_FROM_TEXT).count() == 0


def test_a_hostile_judgement_opens_by_its_link(page, url, hostile_key):
    page.goto(f"{url}?judgement={hostile_key}")
    expect(page.locator("#tab-judgement article[data-side=A] .text")).to_contain_text(SHOWN)
    assert page.locator("#tab-judgement :is(img[src='x'], iframe)").count() == 0


def test_a_hostile_address_is_inert(page, url):
    for part in ("judgement", "tab", "text", "source", "sort"):
        page.goto(f"{url}?{part}=%3Cimg%20src%3Dx%20onerror%3Dwindow.__pwned%3D1%3E")
        page.wait_for_selector("#masthead h1")
        page.wait_for_timeout(400)


def test_a_hostile_file_name_and_hostile_cells_are_inert_in_the_preview(page, url, tmp_path):
    file = tmp_path / "<img src=x onerror=window.__pwned=1>${1}.csv"
    row = '"' + TEXT.replace("\x00", "").replace('"', '""') + '"'
    file.write_text(f"prompt,chosen,rejected,{row}\n{row},{row},b,x\n,,,\n", encoding="utf-8")
    page.get_by_role("tab", name="Data").click()
    page.locator("#data-file input[type=file]").set_input_files(str(file))
    expect(page.locator("#data-import")).to_contain_text("1 row cannot be used")
    expect(page.locator("#data-import table").last).to_contain_text(SHOWN)
    assert page.locator("#tab-data :is(img[src='x'], iframe)").count() == 0


def test_a_hostile_annotator_name_is_inert(page):
    page.fill("input.who", HOSTILE[0])
    page.keyboard.press("Tab")
    page.reload()
    page.wait_for_selector("#judge-go")
    expect(page.locator("input.who")).to_have_value(HOSTILE[0])
