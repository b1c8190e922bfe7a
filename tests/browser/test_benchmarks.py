"""The Benchmarks page: a run started on it, watched, read, and followed to its judgements."""

import json
import os
import re

import pytest
from playwright.sync_api import expect

from storage import judgements
from storage.filters import JudgementFilter
from tests.replies import CHAT

pytestmark = pytest.mark.browser

TITLE = "scripted · cor"
"""The judge as the process of a run knows it."""

HOSTILE = "<img src=x onerror=window.__pwned=1>"


@pytest.fixture
def data(tmp_path):
    rows = [
        {"id": n, "subset": subset, "prompt": f"{HOSTILE} {n}", "chosen": "good", "rejected": "no"}
        for subset in ("alpacaeval-easy", "donotanswer")
        for n in range(3)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _same_judge_in_the_process(monkeypatch, studio):
    backend = {"kind": "scripted", "replies": [CHAT, CHAT.replace("[[A]]", "[[B]]")]}
    monkeypatch.setenv("RMR1_BACKEND", json.dumps(backend))
    for name in ("RMR1_PORT", "RMR1_HOST"):
        if name in os.environ:
            monkeypatch.delenv(name)
    studio.judges[TITLE] = next(iter(studio.judges.values()))
    yield
    del studio.judges[TITLE]


def test_a_run_is_started_watched_and_followed_to_its_judgements(page, url, studio, data):
    page.goto(f"{url}?tab=benchmarks")
    form = page.locator("#benchmark-form")
    form.locator("[data-painted]").wait_for()
    form.locator("select[name=judge]").select_option(TITLE)
    where = form.locator("input[name=data]")
    where.fill(HOSTILE)
    form.get_by_role("button", name="Start the run").click()
    expect(form.get_by_role("alert")).to_contain_text("neither a file nor a folder")
    where.fill(str(data))
    expect(form.locator("pre")).to_contain_text("rmr1 bench run rewardbench")
    form.get_by_role("button", name="Start the run").click()
    page.locator('#benchmarks [data-painted$="finished published"]').wait_for(timeout=120_000)
    number = int(re.search(r"bench=(\d+)", page.url)[1])
    chosen = page.get_by_label("The chosen run")
    expect(chosen).to_contain_text("6 of the benchmark's 2,985 pairs were judged")
    expect(chosen).to_contain_text("RM-R1-DeepSeek-Distilled-Qwen-32B")
    sections = chosen.get_by_role("region", name="Sections")
    sections.get_by_role("link", name=re.compile("^Chat: .*show them")).click()
    page.locator("#explore [data-painted], .explore-panel [role=option]").first.wait_for()
    expect(page.get_by_text("Figure – Sections: Chat")).to_be_visible()
    expect(page.locator(".explore-panel [role=option]")).to_have_count(3)
    with studio.database.read() as session:
        wanted = JudgementFilter(benchmark=number, part="Sections: Chat")
        assert judgements.count(session, wanted) == 3
