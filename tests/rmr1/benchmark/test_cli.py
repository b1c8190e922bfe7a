import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from rmr1.benchmark import cli
from rmr1.errors import BackendError, InputError
from tests.replies import CHAT

SUBSETS = ("alpacaeval-easy", "mt-bench-hard", "donotanswer", "math-prm")


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    speak(monkeypatch, CHAT)


def speak(monkeypatch: pytest.MonkeyPatch, *replies: str) -> None:
    monkeypatch.setenv("RMR1_BACKEND", json.dumps({"kind": "scripted", "replies": replies}))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, catch_exceptions=False)


def lines(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def data() -> str:
    """Twelve rows of RewardBench, all with one id, two of them alike."""
    rows = [
        {"id": 1, "subset": subset, "prompt": f"{subset} {n}", "chosen": "good", "rejected": "bad"}
        for subset in SUBSETS
        for n in range(3)
    ]
    rows[1] = rows[0]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return "rows.jsonl"


def bench(data: str, *options: str) -> Result:
    return run("run", "rewardbench", "--data", data, "--out", "o.jsonl", "--json", *options)


def test_a_run_judges_every_item_and_scores_it(data: str) -> None:
    found = json.loads(bench(data).stdout)
    records = lines("o.jsonl")
    assert len(records) == found["judged"] == 12
    assert found["of"] == 2_985
    right = sum(one["pair"]["chosen"] == "A" for one in records)  # the judge always says A
    assert found["tables"]["All pairs alike"]["figures"]["Micro"]["value"] == right / 12
    assert found["run"]["pairs"] == 12
    assert found["headline"]["failures"] == 0


def test_a_killed_run_goes_on_and_judges_nothing_twice(data: str) -> None:
    whole = bench(data)
    written = Path("o.jsonl").read_bytes().splitlines(keepends=True)
    Path("o.jsonl").write_bytes(b"".join(written[:4]) + written[4][:99])
    again = bench(data)
    assert "8 pairs to judge, 4 judged before" in again.stderr
    assert len(lines("o.jsonl")) == 12
    assert json.loads(again.stdout)["tables"] == json.loads(whole.stdout)["tables"]
    assert json.loads(again.stdout)["judged_again"] == 0
    assert "0 pairs to judge" in bench(data).stderr


def test_another_plan_is_judged_anew_and_scored_alone(data: str) -> None:
    bench(data)
    found = json.loads(bench(data, "--orders", "both").stdout)
    assert found["plan"]["orders"] == "both"
    assert found["judged"] == 12
    assert len(lines("o.jsonl")) == 24
    assert len(run("score", "o.jsonl", "--json").stdout.splitlines()) == 2


def test_a_sample_takes_from_every_slice_and_says_its_size(data: str) -> None:
    found = json.loads(bench(data, "--sample", "4", "--seed", "3").stdout)
    assert (found["run"]["sample"], found["run"]["prompts"]) == (4, 4)
    assert set(found["slices"]["figures"]) == set(SUBSETS)


def test_a_judgement_whose_backend_failed_is_tried_again(
    data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "RMR1_BACKEND",
        json.dumps({"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}),
    )
    for _ in range(2):
        with pytest.raises(BackendError, match="failed on 1 of 1"):
            bench(data, "--sample", "1")
    assert len(lines("o.jsonl")) == 2
    (failed,) = run("score", "o.jsonl", "--json").stdout.splitlines()
    found = json.loads(failed)
    assert (found["judged"], found["backend_failures"], found["judged_again"]) == (1, 1, 1)
    assert found["headline_by_rule"]["upstream"]["value"] == 0


def test_a_score_is_printed_for_people_too(data: str) -> None:
    shown = bench(data).stdout  # JSON
    assert shown.startswith("{")
    text = run("score", "o.jsonl").stdout
    assert "## RewardBench: scripted" in text
    assert "| Mean of sections |" in text
    assert "At most" in text


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_the_report_stands_alone_and_names_its_sources(data: str, suffix: str) -> None:
    bench(data)
    run("report", "o.jsonl", "--out", f"r.{suffix}")
    text = Path(f"r.{suffix}").read_text(encoding="utf-8")
    for wanted in ("RM-R1-Instruct-32B", "91.4", "2505.02387 v3, Table 6", "12 of the benchmark"):
        assert wanted in text, wanted


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_what_a_file_names_never_becomes_markup(
    data: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench(data)
    hostile = "<img src=x onerror=alert(1)>[a](javascript:b)|`c`"
    records = lines("o.jsonl")
    for record in records:
        record["judge_version"]["model"] = hostile
    Path("h.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    run("report", "h.jsonl", "--out", f"r.{suffix}")
    text = Path(f"r.{suffix}").read_text(encoding="utf-8")
    assert "<img" not in text
    assert "&lt;img src=x" in text
    if suffix == "md":
        assert "\\[a\\](" in text
        assert "\\|\\`c\\`" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("score", "gone.jsonl"), "no file or folder"),
        (("score", "rows.jsonl"), "is no judgement"),
        (("report", "rows.jsonl", "--out", "r.pdf"), "ends in .md or .html"),
        (("run", "arena", "--data", "rows.jsonl", "--out", "o.jsonl"), "no benchmark 'arena'"),
        (("run", "rmb", "--data", "rows.jsonl", "--out", "o.jsonl"), "hold no item of RMB"),
        (("run", "rmb", "--data", "gone", "--out", "o.jsonl"), "is to be had from"),
        (("score", "rows.jsonl", "--benchmark", "arena"), "no benchmark 'arena'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    data: str, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        run(*arguments)
