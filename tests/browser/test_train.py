"""The Train and Compare pages: from a snapshot to a promoted adapter, with a fake training room."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.judgement import JudgeVersion
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import adapters, judgements, runs, trainings
from storage.database import Database
from tests.browser.conftest import served
from tests.replies import CHAT
from ui.context import Studio
from ui.trainer import TrainingCommand

pytestmark = pytest.mark.browser

FAKE = Path(__file__).parent.parent / "ui" / "fake_training.py"
HOSTILE = '<img src=x onerror="window.__pwned=1"> ${window.__pwned=2} {{x}} `b` \\u00'
OLD = JudgeVersion("scripted", "tiny", profile="brief")
NEW = JudgeVersion("scripted", "tiny", adapter="short@12345678", profile="brief")


def add_judgements(database):
    """Thirty pairs with a known better side; the new judge is right more often."""
    judged = []
    for number in range(30):
        pair = Pair.of(f"Question {number}? {HOSTILE}", "Canberra.", "It is Sydney", chosen="A")
        pair = pair.model_copy(update={"source": f"s{number % 2}"})
        for version, is_right in ((OLD, number % 2 == 0), (NEW, number % 5 > 0)):
            text = CHAT if is_right else CHAT.replace("[[A]]", "[[B]]")
            judge = Judge(ScriptedBackend([text]), load_profile("cor"))
            judged.append(replace(judge.judge(pair, Plan()), version=version))
    with database.write() as session:
        for judgement in judged:
            judgements.add(session, judgement)


def add_steps(studio, run_id, steps):
    """What a run at work puts on record."""
    with studio.database.write() as session:
        for step in steps:
            figures = {"loss": 2 / step, "reward": step / 50, "reward/format": 0.5, "kl": None}
            trainings.log_metrics(session, run_id, step, {**figures, "kl": 0.01 * step})
            sample = {"prompt": HOSTILE, "text": f"At {step}: {HOSTILE}", "rewards": {"format": 1}}
            trainings.log_samples(session, run_id, step, [sample])
        trainings.beat(session, run_id, 4)
        runs.report(session, run_id, {"step": steps[-1], "steps": 50})


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    command = TrainingCommand((sys.executable, str(FAKE), str(folder / "asked.jsonl")), folder)
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        add_judgements(database)
        yield Studio(database, {"scripted": judge}, Plan(), folder, training=command)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


@pytest.fixture(scope="module")
def run(studio):
    """A run at work; the first on record, so that it is the one that the fake starts."""
    with studio.database.write() as session:
        run_id = trainings.open_run(session, "embedded-distil", {"recipe": {"profile": "brief"}})
    folder = studio.data_dir / "runs" / str(run_id)
    (folder / "adapter").mkdir(parents=True)
    (folder / "log.txt").write_text(f"first line {HOSTILE}\n", encoding="utf-8")
    (folder / "adapter" / adapters.WEIGHTS).write_bytes(b"weights")
    (folder / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    left = {
        "path": str(folder / "adapter"),
        "hash": adapters.weights_hash(folder / "adapter"),
    }
    with studio.database.write() as session:
        runs.add_artifact(session, run_id, kind="adapter", name="adapter", **left)
    add_steps(studio, run_id, range(1, 11))
    return run_id


@pytest.fixture(scope="module")
def dataset(studio):
    folder = studio.data_dir / "datasets" / "given"
    folder.mkdir(parents=True)
    (folder / "sft.train.jsonl").write_text('{"prompt": []}\n', encoding="utf-8")


def test_a_snapshot_becomes_a_data_set_and_a_run_starts(page, url, studio, run):
    page.goto(f"{url}?tab=train")
    page.get_by_role("radio", name="A new one, from a snapshot of labels").check()
    page.get_by_label("Name of the snapshot").fill("first")
    page.get_by_label("with the better side that a source knew").check()
    page.locator("[data-freeze]").click()
    expect(page.locator("#train-data")).to_contain_text("“first” is frozen: 30 pairs")
    page.get_by_label("distillation and RL get different pairs").uncheck()
    expect(page.locator("#train-data .counts tr", has_text="sft").first).to_contain_text("sft")
    page.get_by_label("Name of the data set").fill("set-1")
    page.locator("[data-make]").click()
    expect(page.locator("#train-data")).to_contain_text("“set-1” is made")
    page.get_by_role("radio", name="Distil the embedded judge").check()
    page.get_by_label("Epochs").fill("3")
    expect(page.locator("#train-recipe .command pre")).to_contain_text("--set epochs=3")
    page.locator("[data-start]").click()
    page.wait_for_url(re.compile(r"run=1"))
    expect(page.locator(".run-head")).to_contain_text("Run 1 · embedded-distil")
    calls = (studio.data_dir / "asked.jsonl").read_text(encoding="utf-8").splitlines()
    started = [json.loads(call) for call in calls if '"start"' in call]
    assert started[-1]["rest"][-2:] == ["--set", "epochs=3"]


def test_a_refused_run_says_why_and_changes_nothing(page, url, run, dataset):
    page.goto(f"{url}?tab=train")
    page.get_by_role("radio", name="broken").check()
    page.locator("[data-start]:enabled").click()
    expect(page.locator("#train-recipe [role=alert]")).to_contain_text("it is broken")


def test_a_run_is_followed_as_it_goes_on(page, url, studio, run):
    add_steps(studio, run, [10])
    page.goto(f"{url}?run={run}")
    expect(page.locator("[data-curve=loss] .scatterlayer path.js-line")).to_have_count(1)
    expect(page.locator("[data-curve=reward]")).to_contain_text("0.2 · step 10")
    expect(page.locator(".rollout").first).to_contain_text(f"At 10: {HOSTILE}")
    stop = page.locator("[data-stop]")
    stop.focus()
    add_steps(studio, run, range(11, 21))
    expect(page.locator("[data-curve=reward]")).to_contain_text("0.4 · step 20")
    expect(page.locator(".rollout").first).to_contain_text("At 20")
    expect(page.locator(".run-facts")).to_contain_text("step 20 of 50")
    expect(stop).to_be_focused()
    page.get_by_label("Step of the rollouts").focus()
    page.keyboard.press("Home")
    expect(page.locator(".rollout").first).to_contain_text("At 1:")
    add_steps(studio, run, [21])
    expect(page.locator(".run-facts")).to_contain_text("step 21 of 50")
    expect(page.locator(".rollout").first).to_contain_text("At 1:")
    page.get_by_text("Log", exact=True).click()
    expect(page.locator("pre.log")).to_contain_text(f"first line {HOSTILE}")


def test_a_run_stops_when_asked_and_goes_on(page, url, studio, run):
    add_steps(studio, run, [22])
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{url}?run={run}")
    page.locator("[data-stop]").click()
    expect(page.locator(".run-head")).to_contain_text("stopping")
    with studio.database.write() as session:
        assert trainings.is_asked_to_stop(session, run)
        runs.finish(session, run, state="stopped", message="At step 22.")
    expect(page.locator(".run-head")).to_contain_text("stopped")
    page.locator("[data-resume]").click()
    expect(page.locator("[data-resume]")).to_be_enabled()
    assert '"resume"' in (studio.data_dir / "asked.jsonl").read_text(encoding="utf-8")


def test_an_adapter_is_registered_promoted_and_rolled_back_by_name(page, url, run):
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{url}?tab=train")
    page.get_by_label("left an adapter").fill("short")
    page.locator("[data-register]").click()
    expect(page.locator("#train-adapters table")).to_contain_text("short@")
    page.locator("[data-promote]").click()
    expect(page.locator(".judges-now strong")).to_contain_text("short@")
    page.locator("[data-rollback]").click()
    expect(page.locator(".judges-now strong")).to_have_text("the judge of the settings")
    page.get_by_text("Who decided what").click()
    expect(page.locator("#train-adapters")).to_contain_text("local rolled back to")


def test_two_judges_are_compared_and_a_changed_pair_is_read(page, url):
    page.goto(f"{url}?tab=compare&old={OLD.hash}&new={NEW.hash}&all=1")
    sentence = page.locator(".compare-sentence")
    expect(sentence).to_contain_text("30.0 points better than the old on 30 pairs")
    expect(page.get_by_role("img", name="New, accuracy: 80 % (63 % to 90 %)")).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(".two-chains .outcome")).to_have_text(["✗ wrong", "✓ correct"])
    expect(page.locator(".both-pair")).to_contain_text(HOSTILE)
    assert "flip=" in page.url
    page.get_by_role("button", name="Swap").click()
    expect(sentence).to_contain_text("30.0 points worse")


def test_an_adapter_that_has_judged_nothing_says_what_to_do(page, url):
    page.goto(f"{url}?tab=compare&new=other@00000000")
    expect(page.locator("#compare-found")).to_contain_text("other@00000000 has judged nothing yet")
    expect(page.locator("#compare-found .command")).to_contain_text("rmr1 judge")


@pytest.mark.parametrize("query", ["tab=train&run=1", "tab=compare&all=1"])
def test_a_phone_scrolls_in_one_direction_only(page, url, run, query):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{url}?{query}")
    page.locator(".stage").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
