import json
import re
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from rmr1 import cli as judge_cli
from rmr1.calibration import calibrate
from rmr1.errors import InputError
from rmr1.judgement import JudgeVersion
from rmr1.plan import Plan
from rmr1.replay import Pool
from rmr1.scaling import Scaling, scale_pool
from tests.replies import CHAT
from ui import scaling_cli
from ui.scaling_report import report_html
from ui.scaling_views import accuracy_figure, budget_figure, reliability_figure, saving_figure


@pytest.fixture(scope="module")
def scaling():
    random = np.random.default_rng(1)
    shape = (40, 2, 4)
    pool = Pool(
        plan=Plan(orders="both", votes=4, temperature=1.0, max_tokens=512),
        prompts=tuple(map(str, range(40))),
        says=random.choice([1, 1, 1, -1, 0], size=shape),
        tokens=random.integers(50, 512, size=shape).astype(float),
        seconds=random.random(shape),
    )
    curves, savings = scale_pool(pool, replays=2)
    verdicts = [(0.5 + 0.5 * number / 40, number % 3 > 0) for number in range(40)]
    return Scaling(
        version=JudgeVersion(backend="scripted", model="tiny", profile="cor"),
        plan=pool.plan,
        pairs=40,
        prompts=40,
        skipped=0,
        replays=2,
        curves=curves,
        savings=savings,
        calibrations=(calibrate(verdicts, "votes"), calibrate(verdicts[:20], "logprobs")),
    )


@pytest.mark.parametrize("across", ["tokens", "seconds"])
def test_each_curve_is_a_line_of_accuracy_against_its_cost(scaling, across):
    figure = accuracy_figure(scaling, across)
    assert len(figure.data) == len(scaling.curves) == len({trace.name for trace in figure.data})
    for trace, curve in zip(figure.data, scaling.curves, strict=True):
        assert list(trace.y) == [point.accuracy.value for point in curve.points]
        assert list(trace.x) == [getattr(point, across).value for point in curve.points]
        above = np.array(trace.y) + np.array(trace.error_y.array)
        assert above == pytest.approx([point.accuracy.high for point in curve.points])


def test_what_was_not_measured_is_not_drawn(scaling):
    curve = scaling.curves[0]
    points = tuple(replace(point, seconds=None) for point in curve.points)
    assert (
        accuracy_figure(replace(scaling, curves=(replace(curve, points=points),)), "seconds")
        is None
    )
    assert saving_figure(replace(scaling, savings=())) is None
    assert reliability_figure(()) is None


def test_the_budgets_stand_beside_the_published_curve_with_its_source(scaling):
    figure = budget_figure(scaling)
    *ours, published = figure.data
    assert [list(trace.x) for trace in ours] == [[128, 256, 512]] * 4
    assert list(published.x) == [512, 1024, 2048, 4096, 8192]
    assert published.y[0] == pytest.approx(0.759)
    assert "2505.02387" in published.name
    assert {trace.xaxis for trace in ours} == {"x"}
    assert published.xaxis == "x2"


def test_an_early_stop_is_drawn_by_what_it_saves_and_costs(scaling):
    figure = saving_figure(scaling)
    assert [len(trace.x) for trace in figure.data] == [5, 5]
    assert ", ".join(filter(None, figure.data[1].text)).endswith("1")
    assert list(figure.data[1].customdata) == ["0.8", "0.9", "0.95", "0.99", "1"]
    assert figure.data[1].y[-1] == pytest.approx(0)


def test_reliability_shows_shares_and_counts(scaling):
    figure = reliability_figure(scaling.calibrations)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [sum(trace.y) for trace in bars] == [40, 20]
    lines = [trace for trace in figure.data if "ECE" in (trace.name or "")]
    assert [trace.name.partition(":")[0] for trace in lines] == [
        "share of votes",
        "probability of the letter",
    ]


def test_the_report_is_one_file_and_takes_no_markup_from_a_judge(scaling):
    hostile = replace(scaling.version, model="<script>alert(1)</script><img src=x>")
    page = report_html([scaling, replace(scaling, version=hostile)])
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert len(re.findall(r"Plotly\.newPlot\(", page)) == 10
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="?http', page)
    assert page.count("plotly.js v") <= 1  # its script is in the page once
    assert "both orders, 4 votes" in page


def test_the_command_scales_a_run_with_many_votes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    replies = [CHAT, CHAT, CHAT.replace("[[A]]", "[[B]]")]
    backend = {"kind": "scripted", "replies": replies}
    monkeypatch.setenv("RMR1_BACKEND", json.dumps(backend))
    pairs, out, html = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "scaling.html"
    lines = [{"prompt": f"p{n}", "chosen": "Canberra.", "rejected": "no"} for n in range(4)]
    pairs.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run(app, *arguments):
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout

    run(judge_cli.app, "judge", str(pairs), "--out", str(out), "--votes", "4", "--orders", "both")
    (record,) = map(json.loads, run(scaling_cli.app, str(out), "--json").splitlines())
    assert (record["pairs"], record["judge"]["backend"]) == (4, "scripted")
    assert record["curves"][0]["points"][0]["plan"]["votes"] == 1
    shown = run(scaling_cli.app, str(out), "--html", str(html))
    assert "#### By early stop: both orders, 4 votes" in shown
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    run(judge_cli.app, "judge", str(pairs), "--out", str(out), "--votes", "4", "--adaptive", "0.9")
    assert run(scaling_cli.app, str(out)) == shown  # a run that stopped early is left out
    early = next(line for line in out.read_text().splitlines(keepends=True) if "stop_at" in line)
    out.write_text(early)
    with pytest.raises(InputError, match="stopped voting early"):
        run(scaling_cli.app, str(out))
    (tmp_path / "none.jsonl").touch()
    with pytest.raises(InputError, match="holds no judgement"):
        run(scaling_cli.app, str(tmp_path / "none.jsonl"))
