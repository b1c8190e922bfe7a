"""The process of a benchmark run, killed in the midst of it as a machine that fails would do it."""

import json
import os
import signal
import time
from contextlib import ExitStack
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import update

from app import SEPARATOR, load_judges
from rmr1.plan import Plan
from rmr1.settings import Settings
from storage import benchmark_runs, benchmarks, judgements
from storage.benchmark_runs import RESULTS, Order
from storage.benchmark_tables import BenchmarkRow
from storage.columns import utc_now
from storage.database import Database
from storage.filters import JudgementFilter
from storage.offered import OfferedJudges
from ui.bencher import LOG, BenchmarkCommand

pytestmark = pytest.mark.model

PAIRS = 24
PATIENCE_S = 120


@pytest.fixture
def data(tmp_path):
    texts = {"chosen": "It is a number.", "rejected": "I do not know."}
    rows = [
        {"id": number, "subset": "donotanswer", "prompt": f"What is {number}?", **texts}
        for number in range(PAIRS)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _no_worker_stays():
    yield
    for one in psutil.Process().children(recursive=True):
        if {"bench", "work"} <= set(one.cmdline()):
            one.kill()


def wait_for(what, log):
    until = time.monotonic() + PATIENCE_S
    while not (seen := what()):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    return seen


def test_a_run_that_is_killed_twice_goes_on_and_judges_nothing_twice(data, tmp_path):
    with ExitStack() as stack:
        database = stack.enter_context(Database.open(f"sqlite:///{tmp_path / 'rmr1.db'}"))
        judge = next(iter(OfferedJudges(database, load_judges(Settings(), stack), SEPARATOR)))
        plan = Plan(max_tokens=24)
        order = Order(benchmark="rewardbench", data=str(data), judge=judge, plan=plan)
        with database.write() as session:
            run_id = benchmark_runs.open_run(session, order)
        command = BenchmarkCommand.of_python(tmp_path)
        folder = benchmark_runs.folder_of(tmp_path, run_id)

        def found():
            with database.read() as session:
                return benchmark_runs.get(session, run_id)

        def judged():
            file = folder / RESULTS
            return file.read_bytes().count(b"\n") if file.exists() else 0

        for kill in (1, 2):
            before = judged()
            command.start(database, run_id)
            wait_for(lambda before=before: judged() >= before + 3 and found().pid, folder / LOG)
            worker = psutil.Process(found().pid)
            model = worker.children(recursive=True)
            os.kill(worker.pid, signal.SIGKILL)
            _, alive = psutil.wait_procs([worker, *model], timeout=30)
            assert not alive, "the model's process outlives the run that it belongs to"
            assert judged() < PAIRS, f"kill {kill} came too late to mean anything"
            with database.write() as session:
                dead = utc_now() - benchmark_runs.SILENCE - timedelta(seconds=1)
                session.execute(update(BenchmarkRow).values(beat_at=dead))
            assert found().state() == "lost"
            with database.write() as session:
                benchmark_runs.reopen(session, run_id)
        command.start(database, run_id)
        wait_for(lambda: found().state() == "finished", folder / LOG)
        with database.read() as session:
            assert benchmarks.count(session, run_id) == PAIRS
            assert judgements.count(session, JudgementFilter()) == PAIRS
        lines = (folder / RESULTS).read_text().splitlines()
        prompts = [json.dumps(json.loads(line)["pair"]["conversation"]) for line in lines]
        assert len(set(prompts)) == len(prompts) == PAIRS
