"""The whole loop from an empty database by the page alone, with the embedded model.

python -m benchmarks.page_loop PAIRS.jsonl

A browser imports the pairs, has them judged, labels them by key presses, freezes a snapshot, makes
a data set of it, distils, goes on with RL, registers the adapter, promotes it, has it judge the
labelled pairs, compares it with the old judge and rolls it back. What each step takes is printed.
The training steps are few: what is shown is that the loop closes, not that the judge gets better.
"""

import argparse
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from benchmarks.loop import PAUSE_MS, PORT, prepared, studio_page

MINUTES = 60_000
BATCH_MS = 40 * MINUTES
TRAINING_MS = 30 * MINUTES


class Steps:
    """Says what each step took."""

    def __init__(self) -> None:
        self.at = time.perf_counter()

    def __call__(self, name: str, said: str = "") -> None:
        """End a step."""
        now = time.perf_counter()
        print(f"{now - self.at:7.1f} s  {name}  {' '.join(said.split())}", flush=True)
        self.at = now


def main() -> None:
    """Walk every step; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--judged", type=int, default=200)
    parser.add_argument("--labelled", type=int, default=60)
    parser.add_argument("--steps", type=int, default=2, help="of distillation")
    parser.add_argument("--rl-steps", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="kept; by default a temporary one")
    options = parser.parse_args()
    _, pairs = prepared(options, "rmr1-page-loop-")
    with studio_page("judge") as page:
        page.set_default_timeout(MINUTES)
        page.on("dialog", lambda dialog: dialog.accept())
        _walk(page, pairs, options)


def _walk(page: Page, pairs: Path, options: argparse.Namespace) -> None:
    step = Steps()
    _open(page, "data")
    page.locator("#data-file input[type=file]").set_input_files(str(pairs))
    page.locator("[data-take]").click()
    expect(page.locator("#data-import")).to_contain_text("is in, in", timeout=MINUTES)
    step("import", page.locator("#data-import").inner_text()[:90])
    step("judge", _judge(page, "all pairs"))
    _label(page, options.labelled)
    step("label", f"{options.labelled} pairs by key presses")
    _open(page, "data")
    page.get_by_label("With the better side that a source knew").check()
    page.fill("#data-snapshot-name input, #data-snapshot-name textarea", "by page")
    page.click("#data-freeze")
    expect(page.locator("#data-counts")).to_contain_text("is frozen", timeout=MINUTES)
    step("snapshot", page.locator("#data-counts").inner_text()[:90])
    _open(page, "train")
    page.get_by_role("radio", name="A new one, from a snapshot of labels").check()
    page.get_by_label("Prompt profile of the judge to train").select_option("brief")
    page.get_by_label("Name of the data set").fill("by-page")
    page.locator("[data-make]").click()
    expect(page.locator("#train-data")).to_contain_text("“by-page” is made", timeout=MINUTES)
    step("data set")
    first = _train(page, "Embedded judge: distillation", options.steps, "judge@")
    step("distil", first)
    _register(page, "distilled")
    second = _train(page, "Embedded judge: RL", options.rl_steps, "distilled@")
    step("RL", second)
    _register(page, "tuned")
    page.locator("#train-adapters tr", has_text="tuned@").locator("[data-promote]").click()
    expect(page.locator(".judges-now strong")).to_contain_text("tuned@", timeout=MINUTES)
    step("promote", page.locator(".judges-now").inner_text())
    step("judge anew", _judge(page, "pairs that people labelled"))
    step("compare", _compare(page))
    _open(page, "train")
    page.locator("[data-rollback]").click()
    expect(page.locator(".judges-now strong")).not_to_contain_text("tuned@", timeout=MINUTES)
    step("roll back", page.locator(".judges-now").inner_text())


def _open(page: Page, tab: str) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/?tab={tab}")
    page.wait_for_selector(f"#tab-{tab}-button[aria-selected=true]")


def _judge(page: Page, which: str) -> str:
    """Have the judge of now judge what it has not; the batch's row."""
    _open(page, "data")
    form = page.locator("#data-batches")
    expect(form.locator(".hint")).to_contain_text("pairs", timeout=MINUTES)
    form.get_by_label("Which pairs").select_option(which)
    page.wait_for_timeout(2000)
    if "has judged all" in form.locator(".hint").inner_text():
        return "judged before"
    form.locator("[data-batch-go]").click()
    row = form.locator("table.batches tbody tr").first
    expect(row).to_contain_text("running", timeout=MINUTES)
    expect(row).to_contain_text("finished", timeout=BATCH_MS)
    return row.inner_text()


def _label(page: Page, items: int) -> None:
    _open(page, "annotate")
    page.wait_for_selector(".annotate[data-phase=item][data-step=blind]")
    for _ in range(items):
        for key, follows in (("a", "verdict"), ("Enter", "reasoning"), ("y", "blind")):
            page.wait_for_timeout(PAUSE_MS)
            page.keyboard.press(key)
            page.wait_for_selector(f".annotate[data-step={follows}]")


def _train(page: Page, recipe: str, steps: int, begin: str) -> str:
    """Start a run of the data set and wait for its end."""
    _open(page, "train")
    page.wait_for_selector("#train-data [data-painted=dataset]")
    page.get_by_role("radio", name=re.compile(recipe)).first.check()
    page.get_by_role("textbox", name="Steps", exact=True).fill(str(steps))
    begins = page.get_by_label("Begin with")
    title = next(one for one in begins.locator("option").all_inner_texts() if begin in one)
    begins.select_option(label=title)
    page.locator("[data-start]").click()
    page.wait_for_url(re.compile(r"run=\d+"))
    head = page.locator(".run-head")
    head.scroll_into_view_if_needed()  # only a run in view is looked at
    expect(head).to_contain_text(re.compile("finished|failed|lost"), timeout=TRAINING_MS)
    said = head.inner_text()
    if "finished" not in said:
        raise SystemExit(f"{recipe}: {said}")
    number = parse_qs(urlsplit(page.url).query)["run"][0]
    return f"run {number}: {said}"


def _register(page: Page, name: str) -> None:
    page.locator("#train-adapters").scroll_into_view_if_needed()
    page.get_by_label("left an adapter").first.fill(name)
    page.locator("[data-register]").first.click()
    expect(page.locator("#train-adapters table")).to_contain_text(f"{name}@", timeout=MINUTES)


def _compare(page: Page) -> str:
    """Hold the newest judge against the first one; the page's own sentence."""
    _open(page, "compare")
    old, new = (
        page.locator("#compare-found select").nth(0),
        page.locator("#compare-found select").nth(1),
    )
    expect(old.locator("option").nth(1)).to_be_attached(timeout=MINUTES)
    titles = old.locator("option").all_inner_texts()
    tuned = next(one for one in titles if "tuned@" in one)
    packaged = next(one for one in titles if "judge@" in one)
    old.select_option(label=packaged)
    page.wait_for_timeout(1500)
    new.select_option(label=tuned)
    page.get_by_label("also pairs that may have been trained on").check()
    sentence = page.locator(".compare-sentence")
    expect(sentence).to_be_visible(timeout=MINUTES)
    page.wait_for_timeout(1500)
    return sentence.inner_text()


if __name__ == "__main__":
    main()
