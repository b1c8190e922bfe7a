import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from tests.replies import CHAT, PAIR
from training.sweep import SweepPoint, sweep

VERSION = JudgeVersion(backend="scripted", model="tiny")


def write(folder: Path, rows: int) -> Path:
    folder.mkdir()
    lines = [json.dumps({"pair_hash": f"pair-{number}"}) for number in range(rows)]
    (folder / "sft.train.jsonl").write_text("\n".join(lines))
    (folder / "sft.validation.jsonl").write_text('{"pair_hash": "held-out"}\n')
    return folder


def traces(folder: Path) -> set[str]:
    lines = (folder / "sft.train.jsonl").read_text().splitlines()
    return {json.loads(line)["pair_hash"] for line in lines}


def judge(adapter: Path) -> Iterator[Judgement]:
    """Right on as many of ten pairs as it learnt traces."""
    for number in range(10):
        pair = PAIR.model_copy(
            update={"chosen": Side.A if number < len(traces(adapter)) else Side.B}
        )
        yield conclude(pair, VERSION, Plan(), [read_rollout(pair, Order.AB, CHAT)])


def test_each_size_holds_the_smaller_ones_and_has_its_figures(tmp_path: Path) -> None:
    data = write(tmp_path / "data", 8)
    points = list(sweep(data, [2, 4, 100], tmp_path / "out", lambda folder: folder, judge))
    assert [(point.traces, point.right) for point in points] == [(2, 0.2), (4, 0.4), (8, 0.8)]
    first, second, whole = (traces(Path(point.adapter)) for point in points)
    assert first < second < whole
    assert all(point.low is not None and point.low < point.right < point.high for point in points)  # type: ignore[operator]
    assert (Path(points[0].adapter) / "sft.validation.jsonl").is_file()


def test_a_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    data, out = write(tmp_path / "data", 8), tmp_path / "out"
    asked: list[str] = []

    def train(folder: Path) -> Path:
        asked.append(folder.name)
        return folder

    before = list(sweep(data, [2], out, train, judge))
    half_written = json.dumps(asdict(SweepPoint(4, "x", 0, None, None, None, None, None)))
    with (out / "sweep.jsonl").open("a") as file:
        file.write(half_written)
    after = list(sweep(data, [2, 4], out, train, judge))
    assert asked == ["traces-2", "traces-4"]
    assert after[0] == before[0]
    assert after[1].right == 0.4
    assert list(sweep(data, [2, 4], out, train, judge)) == after
