"""The page over the real embedded model, and what it shows when the model's process is killed."""

import psutil
import pytest
from playwright.sync_api import expect

from rmr1.backends.embedded import EmbeddedBackend
from rmr1.judge import Judge
from rmr1.judgement import State
from rmr1.prompt import load_profile
from rmr1.settings import EmbeddedSettings, Settings
from storage import judgements
from storage.database import Database
from storage.filters import JudgementFilter
from tests.browser.conftest import served
from ui.context import Studio

pytestmark = [pytest.mark.browser, pytest.mark.model]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    backend = EmbeddedBackend(EmbeddedSettings())
    judge = Judge(backend, load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        yield Studio(database, {"embedded": judge}, Settings().plan, folder)
    backend.close()


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def judge_example(page, title):
    page.locator("#judge-example input").click()
    page.get_by_role("option", name=title).click()
    expect(page.locator("#judge-a textarea")).not_to_have_value("")
    page.click("#judge-go")
    page.wait_for_selector("#judge-case [data-phase=running] .step-done", timeout=60_000)


def test_a_real_judgement_streams_and_says_that_its_judge_is_tiny(page):
    judge_example(page, "A kitchen question")
    page.wait_for_selector("#judge-case [data-phase=done]", timeout=60_000)
    case = page.locator("#judge-case")
    expect(case.locator(".headline")).to_contain_text("is better")
    expect(case.locator(".confidence")).to_contain_text("probability")
    expect(case.locator(".case-notes")).to_contain_text("tiny demonstration model")
    expect(case.locator("article mark.match-exact").first).to_be_visible()


def model_server() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    [server] = [one for one in children if "embedded_server" in " ".join(one.cmdline())]
    return server


def test_a_killed_model_is_started_again_and_its_judgement_begun_once_more(page, studio):
    judge_example(page, "A faithful summary")
    killed = model_server()
    killed.kill()
    page.wait_for_selector("#judge-case [data-phase=done]", timeout=60_000)
    expect(page.locator("#judge-case .headline")).to_contain_text("is better")
    assert model_server().pid != killed.pid
    with studio.database.read() as session:
        [summary] = judgements.page(session, JudgementFilter(), "newest", 1, 1).items
        stored = judgements.get(session, summary.key).judgement
        assert judgements.count(session, JudgementFilter(state=State.FAILED)) == 0
    assert stored.verdict is not None
    assert stored.rollouts[0].trace.text.startswith("<type>")
