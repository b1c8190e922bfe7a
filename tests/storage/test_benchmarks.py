"""Benchmark judgements in the store: once each, scored as files are, found behind every number."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rmr1.backends.scripted import ScriptedBackend
from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.items import benchmark_files, read_items, select
from rmr1.benchmark.judged import read_judged
from rmr1.benchmark.outcome import RULES
from rmr1.benchmark.running import Chosen, identity, run_benchmark
from rmr1.benchmark.score import score
from rmr1.errors import BackendUnavailable, InputError
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.results import opened_results
from storage import (
    benchmark_keeping,
    benchmark_runs,
    benchmarks,
    benchmarks_cli,
    importing,
    judgements,
    runs,
)
from storage.benchmark_parts import part_name
from storage.benchmark_runs import Order
from storage.filters import JudgementFilter
from tests.replies import CHAT

OTHER = CHAT.replace("[[A]]", "[[B]]")
REAL = Path("../shared/data/benchmarks")


def judge(*replies: str | Exception) -> Judge:
    return Judge(ScriptedBackend(replies), load_profile("cor"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve rows of RewardBench, all with one id, two of them alike."""
    rows = [
        {"id": 1, "subset": subset, "prompt": f"{subset} {n}", "chosen": "good", "rejected": "bad!"}
        for subset in ("alpacaeval-easy", "mt-bench-hard", "donotanswer", "math-prm")
        for n in range(3)
    ]
    rows[1] = rows[0]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def judged_file(name: str, data: Path, out: Path, who: Judge, plan: Plan, sample=None) -> Path:
    benchmark = by_name(name)
    files = benchmark_files(benchmark, str(data))
    found = select(benchmark, read_items(benchmark, files), sample)
    with opened_results(out, identity) as results:
        list(run_benchmark(who, plan, Chosen(benchmark, files, found, 0), results, workers=1))
    return out


def same_as_file(database, run_id: int, out: Path) -> None:
    (group,) = read_judged([out]).groups.values()
    with database.read() as session:
        for rule in RULES:
            assert benchmarks.scored(session, run_id, rule).as_record() == (
                score(group, rule).as_record()
            )


def test_a_file_kept_twice_is_stored_once_and_scores_as_the_file_does(database, data, tmp_path):
    out = judged_file("rewardbench", data, tmp_path / "o.jsonl", judge(CHAT, OTHER, "?"), Plan())
    first = benchmark_keeping.keep_files(database, [out])
    ((run_id, new),) = first.runs.items()
    again = benchmark_keeping.keep_files(database, [out])
    assert (new, again.runs) == (12, {run_id: 0})
    same_as_file(database, run_id, out)
    with database.read() as session:
        assert judgements.count(session, JudgementFilter(benchmark=run_id)) == 12
        found = benchmark_runs.get(session, run_id)
        assert (found.state(), found.run.counts["done"]) == ("finished", 12)
        remembered = benchmarks.record_of(session, run_id, "upstream")
        assert remembered["headline"]["value"] == (
            benchmarks.scored(session, run_id, "upstream").headline.value
        )


def test_what_failed_gives_way_to_what_was_judged_later(database, data, tmp_path):
    out = tmp_path / "o.jsonl"
    broken = judge(BackendUnavailable("gone"), *[CHAT] * 30)
    judged_file("rewardbench", data, out, broken, Plan())
    ((run_id, _),) = benchmark_keeping.keep_files(database, [out]).runs.items()
    with database.read() as session:
        assert benchmarks.scored(session, run_id).broken == 1
    judged_file("rewardbench", data, out, judge(OTHER), Plan())
    assert benchmark_keeping.keep_files(database, [out]).runs == {run_id: 1}
    same_as_file(database, run_id, out)
    with database.read() as session:
        made = benchmarks.scored(session, run_id)
        assert (made.broken, made.again) == (0, 1)
        assert judgements.count(session, JudgementFilter(benchmark=run_id)) == 12


@pytest.mark.parametrize(
    ("name", "path", "plan"),
    [
        ("rewardbench", "reward_bench_filtered_sample.jsonl", Plan()),
        ("rm-bench", "rm_bench", Plan(orders="both")),
        ("rmb", "RMB_dataset", Plan()),
    ],
)
def test_every_number_has_as_many_judgements_behind_it(database, tmp_path, name, path, plan):
    if not (REAL / path).exists():
        pytest.skip("the benchmarks' files are not there")
    who = judge(CHAT, OTHER, "?", CHAT, CHAT)
    out = judged_file(name, REAL / path, tmp_path / "o.jsonl", who, plan, sample=12)
    ((run_id, _),) = benchmark_keeping.keep_files(database, [out]).runs.items()
    same_as_file(database, run_id, out)
    with database.read() as session:
        made = benchmarks.scored(session, run_id)
        outcomes = benchmarks.judged(session, run_id).outcomes.values()
        has_queries = any(one.place.query for one in outcomes)
        for table in (*made.tables, made.slices, made.effects):
            for figure in table:
                part = part_name(table.title, figure.name)
                behind = judgements.count(session, JudgementFilter(benchmark=run_id, part=part))
                if has_queries and table is not made.effects:
                    assert behind >= figure.n
                elif plan.orders == "both" and figure.name == "Names the first":
                    assert behind <= figure.n <= 2 * behind
                else:
                    assert behind == figure.n, part
        wanted = JudgementFilter(benchmark=run_id, rule="published", credit="no verdict")
        assert judgements.count(session, wanted) == made.failures.count


def test_every_number_with_ties_has_the_judgements_of_both_prompts_behind_it(database, tmp_path):
    data = tmp_path / "rows.jsonl"
    rows = [
        {"id": f"{kind}:{n}", "subset": "Ties", "prompt": f"{kind} {n}", "chosen": right}
        for kind, right in (("ref", ["a"]), ("tied", ["a", "b"]))
        for n in range(2)
    ]
    rows.append({"id": "9", "subset": "Math", "prompt": "sum", "chosen": ["a"]})
    data.write_text("".join(json.dumps({**row, "rejected": ["x", "y"]}) + "\n" for row in rows))
    out = judged_file("rewardbench-2", data, tmp_path / "o.jsonl", judge(CHAT), Plan())
    ((run_id, _),) = benchmark_keeping.keep_files(database, [out]).runs.items()
    same_as_file(database, run_id, out)
    wanted = {"Ties": 12, "One right": 4, "Several right": 8, "Math": 2, "Mean of domains": 14}
    wanted |= {"Ahead by more than they differ": 12, "So by the lesser lead of both prompts": 12}
    with database.read() as session:
        made = benchmarks.scored(session, run_id)
        names = {figure.name: table.title for table in made.tables for figure in table}
        for name, count in wanted.items():
            asked = JudgementFilter(benchmark=run_id, part=part_name(names[name], name))
            assert judgements.count(session, asked) == count, name


def test_a_part_that_is_not_there_has_no_judgements_behind_it(database, data, tmp_path):
    out = judged_file("rewardbench", data, tmp_path / "o.jsonl", judge(CHAT), Plan())
    ((run_id, _),) = benchmark_keeping.keep_files(database, [out]).runs.items()
    with database.read() as session:
        for part in ("Sections: Nothing", "x", "Position and length: x", "Slices: '"):
            wanted = JudgementFilter(benchmark=run_id, part=part)
            assert judgements.count(session, wanted) == 0
        assert judgements.count(session, JudgementFilter(benchmark=99)) == 0


def test_an_imported_judgement_is_counted_and_not_stored_again(database, data, tmp_path):
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows[:1] + rows[2:]))
    out = judged_file("rewardbench", data, tmp_path / "o.jsonl", judge(CHAT), Plan())
    imported = importing.import_file(database, out)
    benchmark_keeping.keep_files(database, [out])
    with database.read() as session:
        assert judgements.count(session, JudgementFilter()) == 11
    with pytest.raises(InputError, match="count in benchmark run"), database.write() as session:
        runs.undo_import(session, imported.run_id)


def test_rows_that_are_no_judgement_are_counted_and_named(database, data, tmp_path):
    out = judged_file("rewardbench", data, tmp_path / "o.jsonl", judge(CHAT), Plan())
    with out.open("a") as file:
        file.write('{"rollouts": 3}\n')
    kept = benchmark_keeping.keep_files(database, [out])
    assert kept.unusable == 1
    assert "line 13" in kept.reasons[0]
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"x": 1}\n')
    with pytest.raises(InputError, match="No judgement on a benchmark"):
        benchmark_keeping.keep_files(database, [empty])


def opened(database, data: Path, **rest: object) -> int:
    order = Order(benchmark="rewardbench", data=str(data), judge="scripted", plan=Plan(), **rest)
    with database.write() as session:
        return benchmark_runs.open_run(session, order)


def test_a_run_judges_keeps_and_ends(database, data, tmp_path):
    run_id = opened(database, data, sample=8)
    benchmark_keeping.work(database, run_id, lambda _: judge(CHAT), tmp_path)
    with database.read() as session:
        found = benchmark_runs.get(session, run_id)
        assert found.state() == "finished"
        manifest = found.run.params["manifest"]
        assert (manifest["sample"], manifest["prompts"]) == (8, 8)
        assert found.run.counts["done"] == found.run.counts["total"] == manifest["pairs"]
        key = judgements.page(session, JudgementFilter(benchmark=run_id)).items[0].key
        assert judgements.get(session, key).origin == "benchmark"
    folder = benchmark_runs.folder_of(tmp_path, run_id)
    same_as_file(database, run_id, folder / benchmark_runs.RESULTS)


def test_a_run_that_was_killed_goes_on_without_judging_twice(database, data, tmp_path):
    run_id = opened(database, data)
    asked = []

    def dying(request):
        asked.append(request)
        if len(asked) > 5:
            raise KeyboardInterrupt
        return CHAT

    who = Judge(ScriptedBackend(dying, parallel=1), load_profile("cor"))
    with pytest.raises(KeyboardInterrupt):
        benchmark_keeping.work(database, run_id, lambda _: who, tmp_path)
    with database.write() as session:
        assert benchmark_runs.get(session, run_id).state() == "failed"
        benchmark_runs.reopen(session, run_id)
    backend = ScriptedBackend([CHAT])
    again = Judge(backend, load_profile("cor"))
    benchmark_keeping.work(database, run_id, lambda _: again, tmp_path)
    assert len(backend.asked) == 12 - 5
    with database.read() as session:
        assert benchmark_runs.get(session, run_id).state() == "finished"
        assert benchmarks.count(session, run_id) == 12
        assert judgements.count(session, JudgementFilter()) == 12


def test_a_run_stops_when_asked_and_cannot_be_reopened_at_its_end(database, data, tmp_path):
    run_id = opened(database, data)
    with database.write() as session:
        benchmark_runs.ask_to_stop(session, run_id)
        assert benchmark_runs.get(session, run_id).state() == "stopping"
    benchmark_keeping.work(database, run_id, lambda _: judge(CHAT), tmp_path)
    with database.write() as session:
        assert benchmark_runs.get(session, run_id).state() == "stopped"
        with pytest.raises(InputError, match="does not run"):
            benchmark_runs.ask_to_stop(session, run_id)
        benchmark_runs.reopen(session, run_id)
    benchmark_keeping.work(database, run_id, lambda _: judge(CHAT), tmp_path)
    with database.write() as session, pytest.raises(InputError, match="reached its end"):
        benchmark_runs.reopen(session, run_id)


@pytest.mark.parametrize("where", ["nowhere", "\0", "a" * 5_000, "hub:", "<b>x</b>"])
def test_data_that_cannot_be_read_end_the_run_with_a_sentence(database, tmp_path, where):
    run_id = opened(database, Path(where))
    benchmark_keeping.work(database, run_id, lambda _: judge(CHAT), tmp_path)
    with database.read() as session:
        found = benchmark_runs.get(session, run_id)
    assert found.state() == "failed"
    assert found.run.message.endswith(".")


def test_another_version_of_the_judge_does_not_go_on_with_a_run(database, data, tmp_path):
    run_id = opened(database, data)
    benchmark_keeping.work(database, run_id, lambda _: judge("?"), tmp_path)
    with database.write() as session:
        runs.finish(session, run_id, state="stopped")
        benchmark_runs.reopen(session, run_id)
    other = Judge(ScriptedBackend([CHAT]), load_profile("brief"))
    benchmark_keeping.work(database, run_id, lambda _: other, tmp_path)
    with database.read() as session:
        assert "another version of its judge" in benchmark_runs.get(session, run_id).run.message


def test_the_command_keeps_files_and_lists_runs(data, tmp_path):
    out = judged_file("rewardbench", data, tmp_path / "o.jsonl", judge(CHAT), Plan())
    url = f"sqlite:///{tmp_path / 'other.db'}"

    def command(*arguments: str) -> list[dict[str, object]]:
        found = CliRunner().invoke(
            benchmarks_cli.app, [*arguments, "--database", url], catch_exceptions=False
        )
        return [json.loads(line) for line in found.stdout.splitlines()]

    (kept,) = command("keep", str(out))
    assert (kept["new_judgements"], kept["judged"]) == (12, 12)
    (again,) = command("keep", str(out))
    assert (again["run"], again["new_judgements"]) == (kept["run"], 0)
    (listed,) = command("list")
    assert (listed["state"], listed["counts"]) == ("finished", {"done": 12, "total": 12})
