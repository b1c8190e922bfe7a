import re

import pytest
from playwright.sync_api import expect

from tests.replies import PAIR, SUM

pytestmark = pytest.mark.browser


def fill(page, pair):
    page.fill("#judge-prompt textarea", pair.prompt)
    page.fill("#judge-a textarea", pair.response_a)
    page.fill("#judge-b textarea", pair.response_b)


def judge(page, pair):
    fill(page, pair)
    page.click("#judge-go")
    page.wait_for_selector("#judge-case [data-phase=done]")


def test_a_chat_pair_is_judged_by_a_rubric_with_weights(page):
    judge(page, PAIR)
    case = page.locator("#judge-case")
    expect(case.locator(".headline")).to_contain_text("Response A is better")
    expect(case.locator(".confidence")).to_contain_text("80 %")
    expect(case.locator("ol.criteria li")).to_have_count(2)
    expect(case.locator(".weight").first).to_have_text("60%")
    expect(case.get_by_text("The prompt asks for a fact.", exact=True)).to_be_visible()


def test_a_reasoning_pair_shows_the_judges_own_solution_and_the_invented_quotation(page):
    judge(page, SUM)
    case = page.locator("#judge-case")
    expect(case.locator(".solution")).to_contain_text("The sum is 43.")
    expect(case.locator("ol.criteria")).to_have_count(0)
    expect(case.locator("blockquote.is-absent")).to_contain_text("not found")


def test_a_quotation_lights_up_where_it_stands_and_back(page):
    judge(page, PAIR)
    page.locator("blockquote.quote").first.click()
    expect(page.locator("article[data-side=A] mark")).to_have_class(re.compile("lit"))
    page.locator("article[data-side=B] mark").click()
    expect(page.locator("blockquote.quote").nth(1)).to_have_class(re.compile("lit"))


def test_the_keyboard_alone_judges_and_steps_through_quotations(page):
    fill(page, PAIR.model_copy(update={"response_b": "It is Sydney, they say."}))
    page.focus("#judge-prompt textarea")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#judge-case [data-phase=done]")
    page.wait_for_function("document.activeElement.hasAttribute('data-headline')")
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page.locator("blockquote.quote").nth(1)).to_have_class(re.compile("lit"))
    page.keyboard.press("[")
    expect(page.locator("blockquote.quote").first).to_have_class(re.compile("lit"))


def test_stop_ends_it_and_stores_nothing(page, studio):
    studio.judges["scripted"].backend._delay_s = 0.2
    try:
        fill(page, PAIR.model_copy(update={"response_b": "Perhaps Perth."}))
        page.click("#judge-go")
        page.wait_for_selector("#judge-case .step-done")
        page.click("#judge-stop")
        expect(page.locator("#judge-case .headline")).to_contain_text("nothing was stored")
    finally:
        studio.judges["scripted"].backend._delay_s = 0.01


def test_agreement_is_stored_with_a_receipt_as_an_inspection(page, studio):
    judge(page, PAIR)
    page.locator(".agree button").first.click()
    expect(page.locator(".receipt")).to_contain_text("stored")


def test_an_empty_field_is_named_and_nothing_is_lost(page):
    page.fill("#judge-a textarea", "something")
    page.click("#judge-go")
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("The prompt is empty")
    expect(page.locator("#judge-a textarea")).to_have_value("something")


def test_an_example_of_several_turns_is_judged(page):
    page.locator("#judge-example input").click()
    page.get_by_role("option", name="A conversation of several turns").click()
    expect(page.locator("#judge-prompt textarea")).to_have_value(re.compile("Assistant: Then"))
    page.click("#judge-go")
    page.wait_for_selector("#judge-case [data-phase=done]")
    expect(page.locator("#judge-case .turn")).to_have_count(3)


def test_both_orders_stand_side_by_side_as_rollouts(page):
    fill(page, PAIR.model_copy(update={"response_b": "Melbourne, surely."}))
    page.locator("#judge-options button").first.click()
    page.get_by_label("both", exact=True).check()
    page.click("#judge-go")
    page.wait_for_selector("#judge-case [data-phase=done]")
    expect(page.locator(".headline")).to_contain_text("flips with the order")
    page.get_by_role("tab", name="B first").click()
    expect(page.locator(".case-notes")).to_contain_text("read response B first")


def test_the_address_remembers_the_tab(page):
    page.get_by_role("tab", name="Data").click()
    expect(page.locator("#data-counts .figures")).to_be_visible()
    page.wait_for_timeout(500)  # Gradio complains of calls that a reload cuts off
    page.reload()
    expect(page.locator("#data-import")).to_be_visible()


def test_a_visitor_reads_what_this_is_and_sees_an_example_judged_after_one_click(page):
    case = page.locator("#judge-case")
    expect(case.get_by_role("heading", name="What is a reasoning reward model?")).to_be_visible()
    case.get_by_role("button", name="Two trains").click()
    page.wait_for_selector("#judge-case [data-phase=done]")
    expect(case.locator(".headline")).to_contain_text("Response A is better")
    expect(case.locator(".introduction")).to_have_count(0)
    expect(page.locator("#judge-stop")).to_be_disabled()
