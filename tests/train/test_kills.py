"""A run that is killed again and again ends as one that never was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("torch")
pytest.importorskip("trl")

ROOT = Path(__file__).resolve().parents[2]
KILLS = 10


def drive(base: Path, data: Path, out: Path, kills: int) -> dict[str, Any]:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.train.kill_driver",
            str(base),
            str(data),
            str(out),
            str(kills),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, ended.stderr[-3_000:]
    return dict(json.loads(lines[-1].removeprefix("RESULT ")))


def pairs_by_step(out: Path) -> dict[int, list[list[str]]]:
    """For each step the batches of the last attempt that reached it."""
    steps: dict[int, list[list[str]]] = {}
    before = None
    for line in (out / "seen.jsonl").read_text().splitlines():
        seen = json.loads(line)
        if seen["step"] != before:
            steps[seen["step"]] = []
        before = seen["step"]
        steps[before].append(seen["pairs"])
    del steps[-1]  # where an attempt begins
    return steps


def test_ten_kills_change_neither_the_order_nor_the_number_of_steps(
    base: Path, data: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    killed = drive(base, data, tmp_path / "killed", KILLS)
    whole = drive(base, data, tmp_path / "whole", 0)
    assert killed["kills"] == [signal.SIGKILL] * KILLS
    assert killed["last"] == whole["last"] == 0
    ends = [(tmp_path / name / "done").read_text() for name in ("killed", "whole")]
    assert ends == ["24", "24"]
    assert pairs_by_step(tmp_path / "killed") == pairs_by_step(tmp_path / "whole")
    one, other = (
        load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")
        for name in ("killed", "whole")
    )
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)
