"""The Benchmarks page without a browser: views, the form, the report, who may do what."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rmr1.backends.scripted import ScriptedBackend
from rmr1.benchmark.paper import paper_tables
from rmr1.benchmark.report import ALONE, BESIDE
from rmr1.errors import ConfigurationError, InputError
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import benchmark_keeping, benchmark_runs, benchmarks, judgements, runs
from storage.benchmark_runs import Order
from storage.filters import JudgementFilter
from tests.replies import CHAT
from ui import benchmark_forms, benchmarks_tab, exploring
from ui.bencher import BenchmarkCommand
from ui.benchmark_progress import duration, progress_view
from ui.benchmarks_views import page_view

HOSTILE = "<img src=x onerror=alert(1)>"
REPLIES = (CHAT, CHAT.replace("[[A]]", "[[B]]"), "I cannot say.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {"id": n, "subset": subset, "prompt": f"{subset} {n}", "chosen": "good", "rejected": "no"}
        for subset in ("alpacaeval-easy", "mt-bench-hard", "donotanswer", "math-prm")
        for n in range(3)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def run_id(database, data, tmp_path) -> int:
    """A run of twelve pairs that has ended."""
    judge = Judge(ScriptedBackend(REPLIES), load_profile("cor"))
    order = Order(benchmark="rewardbench", data=str(data), judge="scripted", plan=Plan())
    with database.write() as session:
        made = benchmark_runs.open_run(session, order)
    benchmark_keeping.work(database, made, lambda _: judge, tmp_path)
    return made


def figures(view):
    score = view["run"]["score"]
    for table in (*score["tables"], score["slices"], score["effects"]):
        yield from table["figures"]
    yield from score["by_rule"]
    yield score["headline"]


def test_every_number_says_what_stands_behind_it_and_leads_there(database, run_id):
    view = page_view(database, {"run": run_id})
    assert view["problem"] == ""
    with database.read() as session:
        for figure in figures(view):
            behind = JudgementFilter.from_query(figure["query"])
            assert judgements.count(session, behind) == figure["n"], figure["name"]
            failed = JudgementFilter.from_query(figure["failed"])
            assert judgements.count(session, failed) == figure["failures"], figure["name"]
            assert bool(figure["interval"]) or figure["how"].startswith("no interval")
        states = view["run"]["score"]["states"]
        for _, count, query in states:
            assert judgements.count(session, JudgementFilter.from_query(query)) == count
    assert sum(count for _, count, _ in states) == 12


def test_the_score_stands_beside_the_papers_rows_and_says_what_differs(database, run_id):
    view = page_view(database, {"run": run_id})
    sections = view["run"]["score"]["tables"][0]
    assert sections["title"] == "Sections"
    assert any("RM-R1" in row[0] for printed in sections["beside"] for row in printed["rows"])
    assert any(
        "12 of the benchmark's 2,985" in text for text in view["run"]["score"]["differences"]
    )
    main = view["main"]
    assert main["columns"] == ["RewardBench", "RM-Bench", "RMB", "Average"]
    (ours,) = main["ours"]
    assert ours["cells"][0]["n"] == 12
    assert ours["cells"][1:] == [None, None]
    assert (ours["average"], ours["why"]) == ("", "only where all three are judged")


def test_tables_that_no_run_stands_beside_are_shown_whole(database):
    shown = {table["citation"]: table for table in page_view(database, {})["alone"]}
    ablation = shown["arXiv 2505.02387 v3, Table 2"]
    assert len(ablation["rows"]) == 5
    assert ablation["rows"][-1] == (
        "Qwen2.5-Instruct-32B: RM-R1 = Distil + RL + Rubrics + QC",
        *("95.3", "83.1", "91.9", "95.2", "91.4"),
    )
    assert shown["arXiv 2505.02387 v3, Figure 4, right"]["rows"][0][1] == "≈ 75.9"


def test_every_printed_table_stands_somewhere():
    shown = {"main", *ALONE, *(name for names in BESIDE.values() for name in names)}
    assert shown == set(paper_tables())


def test_the_rule_is_chosen_by_name_and_an_unknown_one_is_the_published(database, run_id):
    with database.read() as session:
        for rule in ("own", "upstream"):
            shown = page_view(database, {"run": run_id, "rule": rule})["run"]["score"]["headline"]
            assert shown["value"] == benchmarks.scored(session, run_id, rule).headline.value
    odd = page_view(database, {"rule": HOSTILE})
    assert (odd["rule"], odd["asked"]) == ("published", [None, HOSTILE])


def test_a_page_without_runs_shows_the_paper_alone(database):
    view = page_view(database, {"run": 7})
    assert (view["runs"], view["run"], view["live"]) == ([], None, False)
    assert view["problem"] == "There is no benchmark run 7."
    assert len(view["main"]["printed"]["rows"]) > 5


def test_a_filter_of_a_number_is_chips_that_go_together(database, run_id):
    query = page_view(database, {"run": run_id, "rule": "own"})["run"]["score"]["headline"][
        "failed"
    ]
    listed = exploring.list_view(database, query)
    assert listed["problem"] == ""
    assert {chip["text"]: chip["names"] for chip in listed["chips"]} == {
        f"Benchmark run {run_id}": ["benchmark", "part", "rule", "credit"],
        "Figure – Sections: Mean of sections": ["part"],
        "Counts as no verdict": ["credit", "rule"],
    }
    assert dict(parse_qsl(query))["rule"] == "own"


def test_progress_says_how_far_what_it_cost_and_how_long_yet(database, data):
    order = Order(benchmark="rewardbench", data=str(data), judge="scripted", plan=Plan())
    with database.write() as session:
        made = benchmark_runs.open_run(session, order)
    with database.read() as session:
        fresh = progress_view(benchmark_runs.get(session, made), time.time())
    assert fresh == {"share": None, "line": ["Reading the data and opening the judge …"]}
    counts = {"total": 40, "done": 10, "judged": 5, "began": 100.0, "now": 150.0}
    with database.write() as session:
        runs.report(session, made, counts | {"read": 2000, "written": 700, "failed": 1})
        found = benchmark_runs.get(session, made)
    view = progress_view(found, 160.0)
    assert view["share"] == 0.25
    assert view["line"] == [
        "10 of 40 pairs",
        "the backend failed on 1",
        "2,000 tokens read, 700 written",
        "about 5 min left",
    ]
    assert [duration(s) for s in (5, 600, 7200)] == ["5 s", "10 min", "2.0 h"]


def form(data: object, **rest: object) -> dict[str, object]:
    given = {"benchmark": "rewardbench", "judge": "scripted", "plan": "published", "data": data}
    return {**given, **rest}


@pytest.fixture
def able(studio, tmp_path):
    """A studio that starts a process which only notes that it was started."""
    fake = Path(__file__).parent / "fake_bench.py"
    argv = (sys.executable, str(fake), str(tmp_path / "notes"))
    return replace(studio, benchmarks=BenchmarkCommand(argv, tmp_path))


def test_a_run_is_opened_and_its_process_started_on_this_database(able, data, tmp_path):
    made = benchmark_forms.start(able, form(str(data), sample="8", seed="3", plan="both"))
    with able.database.read() as session:
        found = benchmark_runs.get(session, made)
    assert found.state() == "running"
    asked = Order.model_validate(found.run.params)
    assert (asked.sample, asked.seed, asked.plan.orders) == (8, 3, "both")
    notes = tmp_path / "notes"
    for _ in range(200):
        if notes.exists():
            break
        time.sleep(0.1)
    noted = json.loads(notes.read_text())
    assert noted["run"] == made
    assert noted["database"] == str(able.database.url)
    assert noted["data_dir"] == str(tmp_path.resolve())
    with pytest.raises(InputError, match="still runs"):
        benchmark_forms.resume(able, made)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data": ""}, "Say where RewardBench is"),
        ({"data": HOSTILE}, "neither a file nor a folder"),
        ({"data": "/nowhere/at/all"}, "neither a file nor a folder"),
        ({"data": "a\0b"}, "characters that no path has"),
        ({"data": "x" * 999}, "cannot be looked at"),
        ({"data": "x" * 5000}, "too long"),
        ({"benchmark": "none"}, "no benchmark 'none'"),
        ({"judge": HOSTILE}, "There is no judge"),
        ({"plan": "worst"}, "no such plan"),
        ({"sample": "-3"}, "Sample: '-3' is no whole number"),
        ({"sample": "0"}, "Sample: "),
        ({"seed": "1e9"}, "Seed: '1e9' is no whole number"),
        ({"max_tokens": "3"}, "Max tokens: "),
    ],
)
def test_a_field_that_cannot_be_used_is_named(able, data, fields, said):
    with pytest.raises(InputError, match=said) as refused:
        benchmark_forms.start(able, form(str(data)) | fields)
    assert str(refused.value).endswith(".")
    with able.database.read() as session:
        assert benchmark_runs.recent(session) == []


def test_a_studio_without_the_command_says_so_and_one_that_fails_leaves_word(studio, data):
    assert benchmark_forms.choices(studio)["can_start"] is False
    with pytest.raises(InputError, match="started without a way"):
        benchmark_forms.start(studio, form(str(data)))
    broken = replace(studio, benchmarks=BenchmarkCommand(("/nowhere/python",), studio.data_dir))
    with pytest.raises(ConfigurationError, match="cannot be started"):
        benchmark_forms.start(broken, form(str(data)))
    with studio.database.read() as session:
        (found,) = benchmark_runs.recent(session)
    assert found.state() == "failed"


def test_the_form_is_a_command_line_too(able, data):
    line = benchmark_forms.command_line(able, form(str(data), sample="8", plan="adaptive"))
    assert line.startswith(
        f"rmr1 bench run rewardbench --data {data} --out judged.jsonl --sample 8"
    )
    assert "--votes 8" in line
    assert "--adaptive 0.95" in line
    assert line.endswith("&& rmr1 bench keep judged.jsonl")
    assert benchmark_forms.command_line(able, form("")) == ""


def test_stop_and_resume_answer_with_the_page_and_a_reason(able, run_id):
    view = benchmarks_tab.stop(able, {"run": run_id})
    assert view["problem"] == f"Benchmark run {run_id} does not run (it is finished)."
    assert view["run"]["id"] == run_id
    assert "reached its end" in benchmarks_tab.resume(able, {"run": run_id})["problem"]
    assert "was not said" in benchmarks_tab.stop(able, {"run": HOSTILE})["problem"]


def test_the_report_is_downloaded_and_holds_no_markup_of_others(able, database, run_id):
    with database.write() as session:
        benchmark_runs.note(session, run_id, {"judge_title": HOSTILE})
    client = TestClient(Starlette(routes=benchmarks_tab.routes(able)))
    for kind in ("html", "md"):
        found = client.get(f"/benchmarks/report.{kind}?run={run_id}&rule=own")
        assert found.status_code == 200
        assert f"benchmarks.{kind}" in found.headers["content-disposition"]
        assert "Sections" in found.text
        assert "Ablation of the training recipe" in found.text
        assert "<img" not in found.text
    for wrong in ("report.pdf?run=1", "report.md", "report.md?run=99", f"report.md?run={'9' * 40}"):
        assert client.get(f"/benchmarks/{wrong}").status_code == 404
