"""How long a person waits: process start to usable page, and to the first section of a judgement.

python -m benchmarks.startup --times 5

The baseline is Python's own start with Gradio imported, which no Gradio app can be faster than.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import httpx
from playwright.sync_api import Browser, sync_playwright

EXAMPLE = "A kitchen question"


def main() -> None:
    """Start the app a few times and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    bare = statistics.median(_bare() for _ in range(times))
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        rounds = [_round(browser) for _ in range(times)]
        browser.close()
    print(f"baseline: python -c 'import gradio'        {bare:6.2f} s")
    names = ("server answers", "page usable", "first section, from the click", "whole judgement")
    for name, values in zip(names, zip(*rounds, strict=True), strict=True):
        middle = statistics.median(values)
        print(
            f"{name:42} {middle:6.2f} s   {middle / bare:5.2f} x   "
            f"(from {min(values):.2f} to {max(values):.2f})"
        )


def _bare() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True)
    return time.perf_counter() - started


def _round(browser: Browser) -> tuple[float, float, float, float]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RMR1_DATA_DIR": folder, "RMR1_PORT": str(port)}
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py", "serve"], env=environment, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/healthz")
            answers = time.perf_counter() - started
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("#judge-go")
            usable = time.perf_counter() - started
            page.locator("#judge-example input").click()
            page.get_by_role("option").filter(has_text=EXAMPLE).click()
            page.wait_for_function("document.querySelector('#judge-a textarea').value !== ''")
            clicked = time.perf_counter()
            page.click("#judge-go")
            page.wait_for_selector("#judge-case .step-done", timeout=60_000)
            first = time.perf_counter() - clicked
            page.wait_for_selector("#judge-case [data-phase=done]", timeout=120_000)
            return answers, usable, first, time.perf_counter() - clicked
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise SystemExit(f"{address} did not answer within a minute")


if __name__ == "__main__":
    main()
