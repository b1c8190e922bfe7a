import time

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import pairs
from storage.database import Database
from tests.browser.conftest import served
from tests.replies import CHAT
from ui.context import Studio

THINKS_S = 5.0
"""Longer than two looks of the page, of which the second finds nothing new."""


def slowly(_):
    time.sleep(THINKS_S)
    return CHAT


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batches")
    judge = Judge(ScriptedBackend(slowly), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        with database.write() as session:
            pairs.add_many(session, [Pair.of("Which?", "yes", "no")])
        yield Studio(database, {"slow": judge}, Plan(), folder)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def test_a_batch_is_watched_to_its_end_however_slow_its_judge(page, url):
    page.goto(f"{url}?tab=data")
    form = page.locator("#data-batches")
    expect(form.locator(".hint")).to_contain_text("1 of 1 pairs are not judged")
    form.locator("[data-batch-go]").click()
    row = form.locator("table.batches tbody tr")
    expect(row).to_contain_text("running")
    expect(row).to_contain_text("finished", timeout=30_000)
    expect(row).to_contain_text("1 of 1")
    expect(form.locator("[data-batch-go]")).to_be_disabled()
