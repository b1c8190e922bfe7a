"""The real page over a temporary database and a scripted judge, driven by a real browser.

Every test fails that leaves an error in the console, runs injected script, or asks another host.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from rmr1.backends.base import ChatRequest
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import accounts
from storage.database import Database
from storage.roles import Role
from tests.replies import CHAT, REASONING
from ui.bencher import BenchmarkCommand
from ui.context import Studio
from ui.gates import AccountsGate
from ui.studio import build_page, launch

PATIENCE_MS = 15_000

CUT = ("AbortError", "Connection errored out")
ADMIN, PASSWORD = "adi", "correct horse battery"
ARRIVED, LEAVING = "this page begins", "this page is being left"


def reply(request: ChatRequest) -> str:
    """What the scripted judge says: a prompt with a digit in it is Reasoning, else Chat."""
    prompt = request.messages[-1].content.split("[Response A]")[0]
    return REASONING if any(character.isdigit() for character in prompt) else CHAT


class Trouble:
    """What went wrong on a page.

    A page that is being left cuts its open streams, and Gradio says so in the console: that alone,
    from the moment it is being left until the next one begins, is no trouble. The page tells both
    moments through the console too, so that no order between channels has to be hoped for.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.lines: list[str] = []
        self._url = url
        self._leaving = False
        page.add_init_script(
            f"console.debug({ARRIVED!r});"
            f"addEventListener('beforeunload', () => console.debug({LEAVING!r}));"
        )
        page.on("pageerror", lambda error: self.lines.append(f"script error: {error}"))
        page.on("console", self._hear)
        page.on("request", self._asked)

    def _hear(self, line: ConsoleMessage) -> None:
        if line.text in (ARRIVED, LEAVING):
            self._leaving = line.text == LEAVING
        elif line.type == "error" and not (self._leaving and any(cut in line.text for cut in CUT)):
            self.lines.append(line.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._url, "data:", "blob:")):
            self.lines.append(f"asked {request.url}")


@pytest.fixture(scope="session")
def studio(tmp_path_factory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    backend = ScriptedBackend(reply, chunk=24, delay_s=0.01)
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        judges = {"scripted": Judge(backend, load_profile("cor"))}
        command = BenchmarkCommand.of_python(folder)
        yield Studio(database, judges, Plan(), folder, benchmarks=command)


def served(studio: Studio) -> Iterator[str]:
    """The address of a studio's pages, for as long as a fixture lasts."""
    page = build_page(studio)
    yield launch(page, studio, host="127.0.0.1", port=0, block=False)
    page.close()


def closed(studio: Studio) -> Studio:
    """The same studio where only those come in who have an account; the admin is adi."""
    with studio.database.write() as session:
        accounts.add(session, ADMIN, Role.ADMIN, PASSWORD)
    return replace(studio, gate=AccountsGate(studio.database))


def sign_in(context: BrowserContext, address: str, name: str) -> None:
    """Give a browser the cookie of somebody whose password is `PASSWORD`."""
    form = {"name": name, "password": PASSWORD}
    answer = context.request.post(f"{address}sign-in", form=form, max_redirects=0)
    assert answer.status == 303


@pytest.fixture(scope="session")
def url(studio) -> Iterator[str]:
    yield from served(studio)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context, url) -> Iterator[Page]:
    opened = context.new_page()
    trouble = Trouble(opened, url)
    opened.goto(url)
    opened.wait_for_selector("#judge-go")
    yield opened
    assert opened.evaluate("window.__pwned") is None
    assert trouble.lines == []
