"""The whole loop from an empty database, unattended, with the embedded model: what each step takes.

python -m benchmarks.loop PAIRS.jsonl

Import, judge, label through the page by key presses, snapshot, export, distil, RL, convert,
register, judge anew, compare, promote, roll back: one command line per step, printed with its
time. PAIRS.jsonl holds pairs whose better side is known. The training steps are few: what is shown
is that the loop closes, not that the judge gets better.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

PORT = 7867
PAUSE_MS = 320
"""Longer than the guard that keeps a key from answering an item nobody has seen."""

PACKAGED = Path(__file__).parents[1] / "rmr1" / "weights" / "judge"


def main() -> None:
    """Run every step; stop at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--judged", type=int, default=200)
    parser.add_argument("--labelled", type=int, default=60)
    parser.add_argument("--anew", type=int, default=60, help="pairs that the new judge sees")
    parser.add_argument("--steps", type=int, default=3, help="of distillation")
    parser.add_argument("--rl-steps", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="kept; by default a temporary one")
    options = parser.parse_args()
    folder, pairs = prepared(options, "rmr1-loop-")
    _walk(folder, pairs, options)


def prepared(options: argparse.Namespace, prefix: str) -> tuple[Path, Path]:
    """The data folder, which everything started from here takes, and the file of pairs in it."""
    folder = options.folder or Path(tempfile.mkdtemp(prefix=prefix))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["RMR1_DATA_DIR"] = str(folder)
    os.environ.setdefault("RMR1_BACKEND__CONTEXT_TOKENS", "4096")
    pairs = folder / "pairs.jsonl"
    with options.pairs.open(encoding="utf-8") as lines:
        pairs.write_text("".join(islice(lines, options.judged)), encoding="utf-8")
    return folder, pairs


def _walk(folder: Path, pairs: Path, options: argparse.Namespace) -> None:
    first, second = folder / "first.jsonl", folder / "second.jsonl"
    sets = folder / "datasets" / "loop"
    _step("import", f"import {pairs}")
    _step("judge", f"judge {pairs} --out {first}")
    _step("import the judgements", f"import {first}")
    _timed("label through the page", "key presses", lambda: _label(options.labelled))
    _step("snapshot", "snapshots create loop --known")
    for kind in ("sft", "rlvr"):
        _step(f"export {kind}", f"export {kind} --out {sets} --profile brief --split 0.7,0.1,0.2")
    distilled = _run(
        f"train run embedded-distil --data {sets} --set adapter_from={PACKAGED} "
        f"--set steps={options.steps} --set micro_batch=4"
    )
    adapter = folder / "runs" / str(distilled) / "adapter"
    tuned = _run(
        f"train run embedded-rl --data {sets} --set adapter_from={adapter} "
        f"--set steps={options.rl_steps} --set batch=2 --set held_out=4 --set grpo.group=4 "
        "--set micro_batch=8 --set grpo.max_completion=200"
    )
    adapter = folder / "runs" / str(tuned) / "adapter"
    _step("convert", f"train convert {adapter} --out {folder / 'lora.gguf'}")
    _step("register", f"adapters register {tuned} --name looped")
    some = folder / "some.jsonl"
    with pairs.open(encoding="utf-8") as lines:
        some.write_text("".join(islice(lines, options.anew)), encoding="utf-8")
    _step("judge anew", f"judge {some} --out {second} --adapter looped={adapter} --profile brief")
    _step("import the judgements", f"import {second}")
    old, new = _version(first), _version(second)
    _step("compare", f"compare {old} {new} --everything", show=True)
    _step("promote", "adapters promote looped --by loop")
    _step("roll back", "adapters rollback --by loop")


def _step(name: str, line: str, *, show: bool = False) -> str:
    """Run one command line of ours; its standard output."""
    return str(_timed(name, f"rmr1 {line}", lambda: _rmr1(line, show=show)))


def _rmr1(line: str, *, show: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "app", *shlex.split(line)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{line}\n{done.stderr[-2000:]}")
    if show:
        print(done.stdout)
    return done.stdout


def _run(line: str) -> int:
    said = _step("train", line)
    return int(json.loads(said.strip().splitlines()[-1])["id"])


def _timed(name: str, what: str, act: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = act()
    print(f"{time.perf_counter() - started:7.1f} s  {name}: {what}", flush=True)
    return result


def _version(judgements: Path) -> str:
    """Hash of the judge version that wrote a file of judgements."""
    with judgements.open(encoding="utf-8") as lines:
        return str(json.loads(next(lines))["judge_version"]["hash"])


def _label(items: int) -> None:
    """Label through the page: answer, keep, call the reasoning sound."""
    with studio_page("annotate") as page:
        page.wait_for_selector(".annotate[data-phase=item][data-step=blind]")
        for _ in range(items):
            for key, step in (("a", "verdict"), ("Enter", "reasoning"), ("y", "blind")):
                page.wait_for_timeout(PAUSE_MS)
                page.keyboard.press(key)
                page.wait_for_selector(f".annotate[data-step={step}]")


@contextmanager
def studio_page(tab: str) -> Any:
    """A page of a studio in a process of its own."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    address = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(
        [sys.executable, "-m", "app", "serve"], env={**os.environ, "RMR1_PORT": str(PORT)}
    ) as studio:
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                page: Page = browser.new_page(viewport={"width": 1440, "height": 900})
                _open(page, f"{address}/?tab={tab}")
                yield page
                browser.close()
        finally:
            studio.terminate()


def _open(page: Page, address: str) -> None:
    for _ in range(60):
        try:
            page.goto(address)
        except Exception:
            time.sleep(1)
        else:
            return
    sys.exit("the studio did not start")


if __name__ == "__main__":
    main()
