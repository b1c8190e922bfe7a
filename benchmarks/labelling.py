"""How long a labelling person waits, in the browser, with many judgements on record.

python -m benchmarks.labelling --judgements 50000

Each label takes three keys: answer, keep, sound. Measured from the key to the receipt on the page,
from the last key of an item to the next item on the page, and from an address to its content (a
whole load of the page, Gradio included). The baseline is the same page over
500 judgements.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.filling import filled
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage.database import Database
from ui.context import Studio
from ui.studio import build_page, launch

PAUSE_MS = 320
"""Longer than the guard that keeps a key from answering an item nobody has seen."""

PAGES = {
    "open Annotate": ("?tab=annotate", ".annotate[data-phase=item]"),
    "open Explore": ("?tab=explore", ".rows [data-key]"),
    "open Explore, wrong ones": ("?tab=explore&correct=no", ".rows [data-key]"),
    "open Data": ("?tab=data", "#data-import .hint"),
}

_WATCH = """
() => {
  window.marks = {};
  document.addEventListener("keydown", () => { window.marks.key = performance.now(); }, true);
  new MutationObserver(() => {
    const receipt = document.querySelector("[data-receipt]");
    const number = receipt && receipt.dataset.receipt;
    if (number !== window.marks.number) {
      window.marks.number = number;
      window.marks.receipt = performance.now();
    }
    const step = document.querySelector(".annotate")?.dataset.step;
    if (step !== window.marks.step) {
      window.marks.step = step;
      window.marks.stepAt = performance.now();
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}
"""


def main() -> None:
    """Fill two databases, label in both, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="a database to make once and measure again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = _measure(Path(folder) / "small.db", 500, options.items)
        large = _measure(
            options.keep or Path(folder) / "large.db", options.judgements, options.items
        )
    print(f"{'':28}{'500 rows':>12}{f'{options.judgements:,} rows':>14}{'ratio':>8}")
    for name, before in small.items():
        now = large[name]
        print(f"{name:28}{before:>9.0f} ms{now:>11.0f} ms{now / before:>8.1f}")


def _measure(path: Path, size: int, items: int) -> dict[str, float]:
    """Median milliseconds of each wait."""
    filled(path, size).close()
    with _page(path) as page:
        page.evaluate(_WATCH)
        waits: dict[str, list[float]] = {"key to receipt": [], "last key to next item": []}
        for _ in range(items):
            _label(page, waits)
        for name, (query, seen) in PAGES.items():
            waits[name] = [_open(page, query, seen) for _ in range(3)]
        return {name: statistics.median(values) for name, values in waits.items()}


def _label(page: Page, waits: dict[str, list[float]]) -> None:
    for key, step in (("a", "verdict"), ("Enter", "reasoning"), ("y", "blind")):
        page.wait_for_timeout(PAUSE_MS)
        before = page.evaluate("window.marks.number")
        page.keyboard.press(key)
        page.wait_for_function("before => window.marks.number !== before", arg=before)
        waits["key to receipt"].append(page.evaluate("marks.receipt - marks.key"))
        page.wait_for_selector(f".annotate[data-step={step}]")
    waits["last key to next item"].append(page.evaluate("marks.stepAt - marks.key"))


def _open(page: Page, query: str, seen: str) -> float:
    """Milliseconds from asking for an address until its content is seen."""
    started = time.perf_counter()
    page.goto(page.url.split("?")[0] + query)
    page.wait_for_selector(seen)
    return 1000 * (time.perf_counter() - started)


@contextmanager
def _page(path: Path) -> Iterator[Page]:
    """The labelling page over a database, in Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    journal = path.with_suffix(".jsonl")
    with Database.open(f"sqlite:///{path}", journal) as database, sync_playwright() as playwright:
        judge = Judge(ScriptedBackend(["-"]), load_profile("cor"))
        studio = Studio(database, {"scripted": judge}, Plan(), path.parent)
        built = build_page(studio)
        url = launch(built, studio, host="127.0.0.1", port=0, block=False)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}?tab=annotate")
        page.wait_for_selector(".annotate[data-phase=item][data-step=blind]")
        yield page
        browser.close()
        built.close()


if __name__ == "__main__":
    main()
