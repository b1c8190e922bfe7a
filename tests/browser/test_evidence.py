"""The evidence of a judgement: checks, weights, probes and a label's passport, by a browser."""

from dataclasses import replace

import pytest

from rmr1.judgement import conclude
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from storage import judgements, labels
from storage.entries import LabelEntry

pytestmark = pytest.mark.browser

PAIR = Pair.of(
    "What is the capital of Australia, if <img src=x onerror=window.__pwned=true> may ask?",
    "It is **Canberra**. That was settled in 1908.",
    "It is Sydney, of course.",
)
SAYS = "Accuracy: Response A is more accurate.\nBrevity: Response B is better."


@pytest.fixture
def key(studio):
    """A judgement whose weights carry A and which answers B, with a label."""
    (judge,) = studio.judges.values()
    judgement = judge.judge(PAIR, Plan(orders="AB"))
    text = judgement.rollouts[0].trace.text.replace("A says", f"{SAYS}\nA says")
    text = text.replace("[[A]]", "[[B]]")
    with studio.database.write() as session:
        first = read_rollout(PAIR, judgement.rollouts[0].order, text, finish_reason="stop")
        told = conclude(PAIR, judgement.version, judgement.plan, [first])
        made = judgements.add(session, replace(told, confidence=0.7, confidence_source="votes"))
        pair_id = judgements.get(session, made).pair_id
    entry = LabelEntry(
        key=made, annotator="Ada", pair_id=pair_id, stage="blind", action="commit", value="A"
    )
    labels.record(studio.database, entry)
    return made


def test_the_evidence_is_checked_weighed_probed_and_traced(page, url, key):
    page.goto(f"{url}?judgement={key}")
    finding = page.locator(".findings li").first
    finding.wait_for()
    assert "contradicts itself" in finding.inner_text()
    assert "That carries A, but it answers B." in finding.inner_text()

    page.get_by_text("What if the weights were different?").click()
    said = page.locator(".what-if-said")
    assert said.get_attribute("data-verdict") == "A"
    assert "more than 10 points from “Accuracy” to “Brevity”" in said.inner_text()
    page.get_by_label("Weight of Brevity").press("End")
    page.wait_for_selector('.what-if-said[data-verdict="B"]')
    assert page.locator(".what-if-row output").first.inner_text() == "38 %"
    page.get_by_role("button", name="Back to the judge's reading").click()
    page.wait_for_selector('.what-if-said[data-verdict="A"]')
    brevity = page.get_by_role("group", name="Who wins Brevity")
    brevity.get_by_role("button", name="A wins").click()
    page.get_by_text("No change of weights turns it: B wins no criterion.").wait_for()

    page.get_by_text("What carries the verdict?").click()
    page.get_by_role("button", name="Judge 4 probes").click()
    page.locator(".probes tbody tr").nth(3).wait_for()
    page.get_by_role("button", name="Judge the probes anew").wait_for()
    page.get_by_role("button", name="Read the probe: Trimmed").click()
    page.get_by_role("region", name="The probe").wait_for()
    assert "1908" not in page.locator(".probe-reading .responses").inner_text()

    page.get_by_text("Show labels that people gave this pair").click()
    page.locator(".history button").first.click()
    page.locator(".passport .about-grid").wait_for()
    assert "response A" in page.locator(".passport").inner_text()


def test_the_page_fits_a_phone(page, url, key):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{url}?judgement={key}")
    page.locator(".findings li").first.wait_for()
    page.get_by_text("What if the weights were different?").click()
    page.get_by_text("What carries the verdict?").click()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
