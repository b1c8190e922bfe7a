"""Twenty people label at once, each in a browser session of their own, through the real server.

python -m benchmarks.crowd [--people 20] [--minutes 10] [--database postgresql+psycopg://...]

A studio with accounts is started over a database of judged pairs; every person signs in with a
password, takes the same queue and labels it by keys, now and then undoing. Measured from a key to
its receipt on the page, beside one person alone before the others come. At the end every receipt
that a page showed must stand once in the tables and once in the journal, and nobody may have been
told of a lock or of an error.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psutil
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import func, select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import accounts, judgements, queues
from storage.database import Database
from storage.filters import JudgementFilter
from storage.journal import check
from storage.roles import Role
from storage.tables import LabelEventRow
from storage.terms import Terms

PORT = int(os.environ.get("RMR1_PORT", "7868"))
PASSWORD = "correct horse battery"
QUEUE = "crowd"
OVERLAP = 3
PATIENCE_MS = 180_000
ARRIVAL_S = 3.0
"""Between one person's coming and the next's: the browsers of all share this machine."""

PAUSE_S = 0.32
"""Longer than the guard that keeps a key from answering an item nobody has seen."""

_SLOW_CLOCK = r"""
{
  const frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) =>
    /performance\.now\(\)-/.test(String(call)) ? setTimeout(() => frame(call), 1000) : frame(call);
}
"""
"""The clock of Gradio 6.31's loading screen runs on at every frame: twenty browsers on the machine
of their server would keep it busy with that."""

_WATCH = """
() => {
  window.receipts = [];
  let key = 0;
  document.addEventListener("keydown", () => { key = performance.now(); }, true);
  new MutationObserver(() => {
    const shown = document.querySelector("[data-receipt]")?.dataset.receipt;
    if (shown && shown !== window.receipts.at(-1)?.id) {
      window.receipts.push({ id: shown, ms: performance.now() - key });
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}
"""
SCRIPTED = {"RMR1_BACKEND__KIND": "scripted", "RMR1_BACKEND__REPLIES": '["-"]'}
_REPLY = """<type>Chat</type>
<rubric>
1. Accuracy (70%): is the sum right?
2. Clarity (30%): is the reason plain?
<justify>A sum is asked for, and why.</justify>
</rubric>
<eval>
The first says <quote_A>Each of the two is counted once</quote_A>; the second
<quote_B>rounds the sum up in the end</quote_B>, which is wrong.
</eval>
<answer>[[A]]</answer>"""
_KEYS = {"verdict": ["Enter"], "reasoning": ["y"], "blind": ["a", "b", "t"]}


@dataclass(slots=True)
class Seen:
    """What one person saw: milliseconds by number of the receipt, and what went wrong.

    Attributes:
        arrival_s: from the sign-in form to the first pair.
    """

    receipts: dict[int, float] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    arrival_s: float = 0.0

    async def read(self, page: Page) -> None:
        """Take over the receipts that the page noted."""
        told = await page.evaluate("window.receipts")
        self.receipts = {int(one["id"]): float(one["ms"]) for one in told}
        if len(self.receipts) != len(told):
            self.trouble.append("a receipt was shown twice")


class Held:
    """What the server's process holds in MB, and how long it works."""

    def __init__(self, process: psutil.Process) -> None:
        self.process = process
        self.cpu_s = -sum(process.cpu_times()[:2])
        self.memory: list[float] = []

    async def watch(self) -> None:
        """Look every five seconds."""
        while True:
            self.memory.append(self.process.memory_info().rss / 1e6)
            await asyncio.sleep(5)


def main() -> None:
    """Fill, serve, let them label, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--pace", type=float, default=2.0, help="seconds between keys, in the mean")
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--database", default="", help="an empty one; by default a SQLite file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rmr1-crowd-") as name:
        folder = Path(name)
        url = options.database or f"sqlite:///{folder / 'rmr1.db'}"
        fill(url, folder, options.pairs, options.people + 1)
        log = folder / "studio.log"
        with serve(url, folder, log, SCRIPTED) as server:
            try:
                alone, crowd, held = asyncio.run(_measure(server, options))
            finally:
                server.terminate()
                server.wait()
        _tell(alone, crowd, held, options)
        faults = faults_of(url, folder, log, [alone, *crowd])
    print("\n".join(faults) or "every receipt stands once in tables and journal; no lock error")
    sys.exit(bool(faults))


def fill(url: str, folder: Path, pairs: int, people: int) -> None:
    """Judged pairs, a queue of them all, and accounts: ada, who is the admin, and the people."""
    with Database.open(url, folder / "labels.jsonl") as database, database.write() as session:
        for judgement in _judged(pairs):
            judgements.add(session, judgement)
        accounts.add(session, "ada", Role.ADMIN, PASSWORD)
        for number in range(people):
            accounts.add(session, person(number), Role.ANNOTATOR, PASSWORD)
        queues.create(session, QUEUE, JudgementFilter(), terms=Terms(overlap=OVERLAP))


def _judged(count: int) -> Iterator[Judgement]:
    judge = Judge(ScriptedBackend([_REPLY]), load_profile("cor"))
    for number in range(count):
        pair = Pair.of(
            f"What is {number} plus {number}, and why? " + "Say it in your own words. " * 8,
            f"It is {2 * number}. " + "Each of the two is counted once, and then both. " * 12,
            f"About {2 * number + 1}. " + "One adds them and rounds the sum up in the end. " * 12,
        )
        yield judge.judge(pair, Plan())


def person(number: int) -> str:
    """The name of an account."""
    return f"person{number:02}"


def serve(url: str, folder: Path, log: Path, backend: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A studio with accounts in a process of its own, once it answers."""
    env = {
        **os.environ,
        "RMR1_PORT": str(PORT),
        "RMR1_DATA_DIR": str(folder),
        "RMR1_DATABASE_URL": url,
        "RMR1_AUTH__MODE": "accounts",
        **backend,
    }
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], env=env, stdout=out, stderr=out
        )
    for _ in range(600):
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/sign-in"):
                return server
        except OSError:
            time.sleep(0.5)
    server.kill()
    sys.exit(f"the studio did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


async def _measure(
    server: subprocess.Popen[bytes], options: argparse.Namespace
) -> tuple[Seen, list[Seen], Held]:
    """One person alone for half a minute, then everybody, and what the server took meanwhile."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        alone = await _label(browser, options.people, time.monotonic() + 30, options.pace, 0)
        until = time.monotonic() + 60 * options.minutes
        people = [
            _label(browser, number, until, options.pace, number * ARRIVAL_S)
            for number in range(options.people)
        ]
        held = Held(psutil.Process(server.pid))
        watching = asyncio.create_task(held.watch())
        crowd = await asyncio.gather(*people)
        watching.cancel()
        held.cpu_s += sum(held.process.cpu_times()[:2])
        await browser.close()
    return alone, list(crowd), held


async def _label(browser: Browser, number: int, until: float, pace: float, after: float) -> Seen:
    """One person's sitting, in a session of their own."""
    chance = random.Random(number)
    seen = Seen()
    await asyncio.sleep(after)
    page = await session(browser)
    page.on("pageerror", lambda error: seen.trouble.append(f"script error: {error}"))
    try:
        came = time.monotonic()
        await begin(page, person(number))
        seen.arrival_s = time.monotonic() - came
        while time.monotonic() < until and await one_key(page, chance, pace):
            pass
        await seen.read(page)
    except Exception as error:  # whatever stopped one person is counted, not raised
        seen.trouble.append(f"{person(number)} stopped: {error}")
    await page.context.close()
    return seen


async def session(browser: Browser) -> Page:
    """A page in a session of its own."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(_SLOW_CLOCK)
    return await context.new_page()


async def sign_in(page: Page, name: str) -> None:
    """Sign in with the password."""
    await page.goto(f"http://127.0.0.1:{PORT}/sign-in")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"http://127.0.0.1:{PORT}/", wait_until="commit")


async def begin(page: Page, name: str) -> None:
    """Sign in and take the queue; from now on receipts are noted."""
    await sign_in(page, name)
    await page.goto(f"http://127.0.0.1:{PORT}/?tab=annotate")
    await page.wait_for_selector(".annotate[data-phase=item]")
    await page.locator("label.queue select").select_option(label=QUEUE)
    await page.wait_for_selector(".annotate[data-phase=item]")
    await page.evaluate(_WATCH)


async def one_key(page: Page, chance: random.Random, pace: float) -> bool:
    """Think, press the key of this step, wait for the receipt; False at the end of the queue."""
    await asyncio.sleep(PAUSE_S + chance.expovariate(1 / max(pace - PAUSE_S, 0.01)))
    shown = page.locator(".annotate")
    if await shown.get_attribute("data-phase") != "item":
        return False
    before = await page.evaluate("window.receipts.length")
    step = str(await shown.get_attribute("data-step"))
    if step == "bare":  # its judge failed: there is nothing to compare a label with
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".annotate:not([data-step=bare])")
        return True
    key = "z" if before and chance.random() < 0.05 else chance.choice(_KEYS[step])
    await page.keyboard.press(key)
    await page.wait_for_function("before => window.receipts.length > before", arg=before)
    await page.wait_for_function(
        "([step, key]) => key === 'z' || document.querySelector('.annotate').dataset.step !== step",
        arg=[step, key],
    )
    return True


def _tell(alone: Seen, crowd: Sequence[Seen], held: Held, options: argparse.Namespace) -> None:
    waits = [ms for seen in crowd for ms in seen.receipts.values()]
    print(f"{options.people} people, {options.minutes:g} min, {len(waits)} receipts")
    print(f"{'key to receipt':20}{'n':>8}{'p50':>10}{'p99':>10}{'most':>10}")
    for name, values in (("one alone", list(alone.receipts.values())), ("the crowd", waits)):
        cuts = (
            statistics.quantiles(values, n=100, method="inclusive")
            if len(values) > 1
            else [0.0] * 99
        )
        print(
            f"{name:20}{len(values):>8}{cuts[49]:>7.0f} ms{cuts[98]:>7.0f} ms"
            f"{max(values, default=0):>7.0f} ms"
        )
    memory = held.memory
    third = max(len(memory) // 3, 1)
    early, late = statistics.median(memory[third : 2 * third]), statistics.median(memory[-third:])
    print(
        f"from sign-in to the first pair: {alone.arrival_s:.1f} s alone, "
        f"{statistics.median(seen.arrival_s for seen in crowd):.1f} s in the crowd (median)"
    )
    print(
        f"memory of the server: {memory[0]:.0f} MB at first, {early:.0f} MB in the second third, "
        f"{late:.0f} MB in the last"
    )
    print(
        f"its work: {1000 * held.cpu_s / max(len(waits), 1):.0f} ms of processor a receipt, "
        "the opening of pages included"
    )


def faults_of(url: str, folder: Path, log: Path, people: Sequence[Seen]) -> list[str]:
    """What is wrong: trouble on pages, words in the log, receipts lost or doubled."""
    faults = [line for seen in people for line in seen.trouble]
    said = log.read_text(encoding="utf-8", errors="replace")
    faults += [line for line in said.splitlines() if "locked" in line or "Error" in line]
    shown = Counter(number for seen in people for number in seen.receipts)
    faults += [f"receipt {number} was shown {n} times" for number, n in shown.items() if n > 1]
    with Database.open(url, folder / "labels.jsonl") as database:
        with database.read() as session:
            stored = set(session.scalars(select(LabelEventRow.id)))
            doubled = session.execute(
                select(LabelEventRow.key, func.count())
                .group_by(LabelEventRow.key)
                .having(func.count() > 1)
            ).all()
        compared = check(database, folder / "labels.jsonl")
    lines = (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    print(f"{len(stored)} label events in the tables, {compared.lines} in the journal")
    if not compared.agree:
        faults.append(f"tables and journal differ: {compared}")
    read = map(json.loads, lines)
    keys = Counter(line["key"] for line in read if line["kind"] == "label")
    faults += [f"receipt {number} is in no table" for number in shown.keys() - stored]
    faults += [f"label {key} stands twice in the tables" for key, _ in doubled]
    faults += [f"label {key} stands {n} times in the journal" for key, n in keys.items() if n > 1]
    return faults


if __name__ == "__main__":
    main()
