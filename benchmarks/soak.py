"""A studio with the embedded model for a long time: judgements, labels, a model that keeps dying.

python -m benchmarks.soak [--judgements 2000] [--labels 5000] [--kill-every 200]

People judge a new pair after the other on the Judge page while others label by keys; every so
many judgements the model's process is killed in the midst of one. What the server's process holds
is taken after every fifty judgements, and its growth is the slope through those points (Theil and
Sen), the first fifth left out: it may be 1 MB per 100 judgements. Every twentieth rollout is
written to its end; the others are cut off early, or it would take a day.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.async_api import Browser, Page, async_playwright
from scipy.stats import theilslopes
from sqlalchemy import func, select

from benchmarks.crowd import (
    PAUSE_S,
    PORT,
    Seen,
    begin,
    faults_of,
    fill,
    one_key,
    person,
    serve,
    session,
    sign_in,
)
from storage.database import Database
from storage.tables import JudgementRow, LabelEventRow

ALLOWED_MB = 1.0
EVERY = 50
WHOLE = 20
SHORT_TOKENS, WHOLE_TOKENS = 64, 448

PROGRAM = "embedded_server.py"

_OVER = """
(number) => {
  const root = document.querySelector("#judge-case [data-phase=done]");
  return root && root.innerText.includes(`the number ${number} in brief`);
}
"""


def main() -> None:
    """Fill, serve, judge and label and kill, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=2000)
    parser.add_argument("--labels", type=int, default=5000)
    parser.add_argument("--judging", type=int, default=2, help="people on the Judge page")
    parser.add_argument("--labelling", type=int, default=2, help="people on the Annotate page")
    parser.add_argument("--kill-every", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rmr1-soak-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder / 'rmr1.db'}"
        fill(url, folder, options.labels // 3, options.labelling)
        log = folder / "studio.log"
        with serve(url, folder, log, {}) as server:
            soak = Soak(server.pid, options)
            try:
                people = asyncio.run(soak.run())
            finally:
                server.terminate()
                server.wait()
        faults = [*soak.tell(), *faults_of(url, folder, log, people)]
        _count(url, folder)
    print("\n".join(faults) or "nothing lost, no error")
    sys.exit(bool(faults))


class Soak:
    """Judging, labelling and killing, and what the server's process holds meanwhile."""

    def __init__(self, pid: int, options: argparse.Namespace) -> None:
        self._server = psutil.Process(pid)
        self._options = options
        self._memory: list[tuple[int, float]] = []
        self._kills = 0
        self._failed = 0
        self._labels = 0
        self._seconds = 0.0
        self._numbers = iter(range(options.judgements))

    async def run(self) -> list[Seen]:
        """Some judge, the others label; ends when all was done that was asked."""
        path = shutil.which("chromium") or shutil.which("google-chrome")
        started = time.monotonic()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            seen = await asyncio.gather(
                *(self._judge(browser) for _ in range(self._options.judging)),
                *(self._label(browser, number) for number in range(self._options.labelling)),
            )
            await browser.close()
        self._seconds = time.monotonic() - started
        return list(seen)

    async def _judge(self, browser: Browser) -> Seen:
        seen = Seen()
        page = await session(browser)
        await sign_in(page, "ada")
        await page.goto(f"http://127.0.0.1:{PORT}/?tab=judge")
        await page.wait_for_selector("#judge-go")
        await page.locator("#judge-options button").first.click()
        for number in self._numbers:
            kills = number % self._options.kill_every == self._options.kill_every - 1
            try:
                await self._one(page, number, kills=kills)
            except Exception as error:  # counted: the next pair is judged all the same
                seen.trouble.append(f"pair {number}: {error}")
            if number % EVERY == EVERY - 1:
                self._memory.append((number + 1, self._server.memory_info().rss / 1e6))
                print(f"{number + 1} judged, {self._memory[-1][1]:.0f} MB", flush=True)
        return seen

    async def _one(self, page: Page, number: int, *, kills: bool) -> None:
        tokens = WHOLE_TOKENS if kills or number % WHOLE == 0 else SHORT_TOKENS
        await page.evaluate("RMR.foldForm(false)")
        await page.get_by_label("number input for Budget in tokens").fill(str(tokens))
        await page.fill("#judge-prompt textarea", f"Tell me about the number {number} in brief.")
        await page.fill("#judge-a textarea", f"The number {number} follows {number - 1}.")
        await page.fill("#judge-b textarea", f"I do not know the number {number} at all.")
        await page.click("#judge-go")
        if kills:
            await page.wait_for_selector("#judge-case [data-phase=running]")
            await asyncio.sleep(0.5)
            self._kill()
        await page.wait_for_function(_OVER, arg=number)
        failed = await page.locator("#judge-case .headline").inner_text()
        self._failed += "failed" in failed.lower()

    def _kill(self) -> None:
        for child in self._server.children(recursive=True):
            if any(PROGRAM in word for word in child.cmdline()):
                os.kill(child.pid, signal.SIGKILL)
                self._kills += 1

    async def _label(self, browser: Browser, number: int) -> Seen:
        seen = Seen()
        page = await session(browser)
        chance = random.Random(number)
        try:
            await begin(page, person(number))
            while self._labels < self._options.labels and await one_key(page, chance, PAUSE_S):
                self._labels += 1
        except Exception as error:  # counted: the others go on
            seen.trouble.append(f"{person(number)} stopped: {error}")
        await seen.read(page)
        return seen

    def tell(self) -> list[str]:
        """Print what came out; what is over the limit."""
        later = self._memory[len(self._memory) // 5 :]
        slope, _, low, high = theilslopes([mb for _, mb in later], [n for n, _ in later])
        growth = 100 * float(slope)
        print(
            f"{self._options.judgements} judgements, {self._labels} labels, {self._kills} kills "
            f"({self._failed} judgements shown as failed) in {self._seconds / 60:.1f} min"
        )
        print(
            f"memory {self._memory[0][1]:.0f} MB after {EVERY}, {later[-1][1]:.0f} MB at the end: "
            f"{growth:+.2f} MB per 100 judgements ({100 * low:+.2f} to {100 * high:+.2f})"
        )
        return [f"it grows by {growth:.2f} MB per 100"] if growth > ALLOWED_MB else []


def _count(url: str, folder: Path) -> None:
    with Database.open(url, folder / "labels.jsonl") as database, database.read() as session:
        judged = session.execute(
            select(JudgementRow.state, func.count()).group_by(JudgementRow.state)
        ).all()
        labels = session.scalar(select(func.count()).select_from(LabelEventRow))
    states = ", ".join(f"{count} {state}" for state, count in judged)
    print(f"on record: judgements {states}; {labels} label events")


if __name__ == "__main__":
    main()
