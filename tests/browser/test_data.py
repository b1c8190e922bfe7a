"""The Data page from a file to training files, and what people labelled on the way."""

import json
import zipfile

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage.database import Database
from tests.browser.conftest import served
from tests.replies import CHAT
from ui.context import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        yield Studio(database, {"scripted": judge}, Plan(), folder)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def open_data(page):
    page.get_by_role("tab", name="Data").click()
    expect(page.locator("#data-counts .figures")).to_be_visible()


def import_pairs(page, tmp_path, count=6):
    file = tmp_path / "mine.jsonl"
    rows = [
        {"prompt": f"Question {n}?", "chosen": "Canberra.", "rejected": f"It is Sydney, no {n}."}
        for n in range(count)
    ]
    lines = [*map(json.dumps, rows), "{broken"]
    file.write_text("\n".join(lines), encoding="utf-8")
    open_data(page)
    page.locator("#data-file input[type=file]").set_input_files(str(file))
    expect(page.locator("#data-import")).to_contain_text("1 row cannot be used")
    page.locator("[data-take]").click()
    expect(page.locator("#data-import")).to_contain_text("is in, in")


def test_a_file_comes_in_after_a_look_and_goes_out_again(page, tmp_path):
    import_pairs(page, tmp_path, count=3)
    page.get_by_role("button", name="Undo this import").click()
    page.get_by_role("button", name="Earlier imports").click()
    expect(page.locator("#data-imports")).to_contain_text("undone")


def test_labels_made_on_the_page_become_files_that_a_trainer_reads(page, url, tmp_path):
    import_pairs(page, tmp_path)
    page.goto(f"{url}?tab=annotate")
    for _ in range(6):
        page.wait_for_selector(".annotate[data-phase=item][data-step=blind]")
        page.wait_for_timeout(350)
        page.keyboard.press("a")
        page.wait_for_selector(".annotate:not([data-step=blind])")
        page.wait_for_timeout(350)
        page.keyboard.press("Enter")
    open_data(page)
    expect(page.locator("#data-counts")).to_contain_text("6")
    page.fill("#data-snapshot-name input, #data-snapshot-name textarea", "first labels")
    page.click("#data-freeze")
    expect(page.locator("#data-counts")).to_contain_text("“first labels” is frozen")
    page.get_by_label("preference:").check()
    expect(page.locator("#data-export-counts")).to_contain_text("rows for train")
    page.click("#data-export")
    expect(page.locator("#data-export-counts")).to_contain_text("packed for download")
    with page.expect_download() as download:
        page.locator("#data-archive a").first.click()
    archive = tmp_path / "export.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        rows = opened.read("preference.train.jsonl").decode().splitlines()
    assert "preference.manifest.json" in names
    assert "preference.train.parquet" in names
    assert {"prompt", "chosen", "rejected"} <= set(json.loads(rows[0]))
