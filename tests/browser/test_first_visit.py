"""A new user's first visit, by what stands on the page alone: judge, label, differ, export."""

import json
import re
import zipfile

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels, pairs
from storage.database import Database
from storage.tables import LabelEventRow
from tests.browser.conftest import reply, served
from ui.context import Studio
from ui.judge_tab import examples

pytestmark = pytest.mark.browser

OTHERS = len(examples()) - 1
"""The examples beside the one that is judged first."""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    judge = Judge(ScriptedBackend(reply, chunk=64), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        yield Studio(database, {"scripted": judge}, Plan(), folder)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def open_tab(page: Page, name: str):
    page.get_by_role("tab", name=name, exact=True).click()
    return page.get_by_role("tabpanel")


def press(page: Page, name: str):
    """Press a button of the label column once the eye can have found it."""
    button = page.get_by_role("button", name=re.compile(name))
    button.wait_for()
    page.wait_for_timeout(300)
    button.click()


def label(page: Page, side: str):
    """One pair from the blind answer to the next pair."""
    press(page, f"Response {side} is better")
    press(page, "^Keep ")
    press(page, "Reasoning is sound")


def answers(studio):
    """What was said blind, and the verdict on it, by pair."""
    with studio.database.read() as session:
        said = session.scalars(select(LabelEventRow).where(LabelEventRow.action == "commit"))
        return {
            event.pair_id: (
                pairs.get(session, event.pair_id).pair,
                event.value,
                judgements.get(session, judgements.newest(session, event.pair_id)).judgement,
            )
            for event in said
        }


def judge_an_example(page: Page):
    page.get_by_role("button", name="Two trains").first.click()
    expect(page.get_by_text("Response A is better", exact=True).first).to_be_visible()


def label_ten(page: Page):
    """The one pair there is, then the examples, which the judge reads in the background."""
    open_tab(page, "Annotate")
    label(page, "A")
    press(page, f"Load {OTHERS} example pairs")
    press(page, "Response B is better")
    page.get_by_role("link", name="Judge all pairs in the background").click()
    press(page, "Judge them")
    page.get_by_role("row", name=re.compile(f"{OTHERS} of {OTHERS} .*finished")).wait_for()
    open_tab(page, "Annotate")
    press(page, "^Keep ")
    press(page, "Reasoning is sound")
    for number in range(8):
        label(page, "AB"[number % 2])
    expect(page.get_by_role("heading", name="Which response is better?")).to_be_visible()


def open_a_disagreement(page: Page, prompts: set[str]):
    open_tab(page, "Agreement")
    expect(page.get_by_text(f"in {10 * (10 - len(prompts))} % of 10 answers")).to_be_visible()
    page.get_by_role("link", name="do not: the items of Agreement").click()
    expect(page.get_by_text(f"{len(prompts)} judgements", exact=True)).to_be_visible()
    page.get_by_role("listbox", name="Judgements").get_by_role("option").first.click()
    page.get_by_role("button", name=re.compile("^Open Enter")).click()
    panel = page.get_by_role("tabpanel")
    expect(panel.get_by_role("region", name="Prompt")).to_be_visible()
    assert panel.get_by_role("region", name="Prompt").inner_text() in prompts
    panel.get_by_text("labels that people gave this pair").click()
    expect(panel.get_by_role("table").filter(has_text="local")).to_be_visible()


def export_the_labels(page: Page, folder) -> list[dict]:
    open_tab(page, "Data")
    page.get_by_label("Name of the snapshot").fill("my first ten")
    page.get_by_role("button", name="Freeze snapshot").click()
    expect(page.get_by_text("“my first ten” is frozen")).to_be_visible()
    page.get_by_label("preference:").check()
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("zip|KB|B")).first.click()
    download.value.save_as(folder / "export.zip")
    with zipfile.ZipFile(folder / "export.zip") as archive:
        files = [name for name in archive.namelist() if re.match(r"preference\..*\.jsonl", name)]
        return [json.loads(row) for name in files for row in archive.read(name).splitlines()]


def test_a_new_user_judges_labels_ten_finds_disagreements_and_exports(page, studio, tmp_path):
    judge_an_example(page)
    label_ten(page)
    told = answers(studio)
    assert len(told) == 10
    assert {event.annotator for pair in told for event in history(studio, pair)} == {"local"}
    differ = {pair.prompt for pair, value, judged in told.values() if value != judged.verdict}
    assert 0 < len(differ) < 10
    open_a_disagreement(page, differ)
    rows = export_the_labels(page, tmp_path)
    better = {pair.prompt: pair.response(Side(value)) for pair, value, _ in told.values()}
    assert {row["prompt"][-1]["content"]: row["chosen"][0]["content"] for row in rows} == better


def history(studio, pair_id: int):
    with studio.database.read() as session:
        return labels.history(session, pair_id)
