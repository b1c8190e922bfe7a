import math
import multiprocessing
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from rmr1.errors import InputError, RecordNotFound
from storage import runs, trainings
from storage.columns import utc_now
from storage.database import Database
from storage.training_tables import MetricRow, TrainingRow
from storage.trainings import Point, Sample


@pytest.fixture
def opened(database):
    with database.write() as session:
        return trainings.open_run(session, "first", {"recipe": "tiny"})


def silence(database, run_id, seconds):
    with database.write() as session:
        session.get_one(TrainingRow, run_id).beat_at = utc_now() - timedelta(seconds=seconds)


def test_a_training_is_a_run_with_a_process(database, opened):
    with database.write() as session:
        trainings.beat(session, opened, 4321)
    with database.read() as session:
        training = trainings.get(session, opened)
        assert trainings.recent(session) == [training]
        assert runs.recent(session, "training") == [training.run]
    assert (training.run.name, training.run.params) == ("first", {"recipe": "tiny"})
    assert (training.pid, training.host != "", training.state()) == (4321, True, "running")


@pytest.mark.parametrize(("seconds", "alive"), [(0, True), (29, True), (30, False), (3000, False)])
def test_a_training_lives_while_it_gives_signs_of_life(database, opened, seconds, alive):
    with database.read() as session:
        training = trainings.get(session, opened)
    now = training.beat_at + timedelta(seconds=seconds)
    assert trainings.is_alive(training, now) is alive
    assert training.state(now) == ("running" if alive else "lost")


def test_a_silent_training_is_marked_lost_and_says_since_when(database, opened):
    with database.write() as session:
        trainings.beat(session, opened, 77)
        other = trainings.open_run(session, "other")
        assert trainings.mark_lost(session) == []
    silence(database, opened, 31)
    with database.write() as session:
        assert trainings.mark_lost(session) == [opened]
        assert trainings.mark_lost(session) == []
        lost = trainings.get(session, opened)
        assert trainings.get(session, other).state() == "running"
    assert (lost.run.state, lost.state()) == ("lost", "lost")
    assert "process 77" in lost.run.message
    assert lost.run.finished_at is not None


def test_a_training_that_was_taken_for_lost_and_speaks_again_runs(database, opened):
    silence(database, opened, 60)
    with database.write() as session:
        assert trainings.mark_lost(session) == [opened]
        trainings.beat(session, opened, 5)
    with database.read() as session:
        training = trainings.get(session, opened)
    assert (training.state(), training.run.message, training.run.finished_at) == (
        "running",
        "",
        None,
    )


def test_a_late_sign_of_life_does_not_reopen_what_has_ended(database, opened):
    with database.write() as session:
        runs.finish(session, opened, {"steps": 3}, "failed", "out of memory")
        trainings.beat(session, opened, 5)
    with database.read() as session:
        run = trainings.get(session, opened).run
    assert (run.state, run.message) == ("failed", "out of memory")


def test_figures_are_read_in_the_order_of_their_steps(database, opened):
    with database.write() as session:
        trainings.log_metrics(session, opened, 2, {"loss": 0.5, "grad_norm": 1})
        trainings.log_metrics(session, opened, 1, {"loss": 0.7})
        trainings.log_metrics(session, opened, 2, {"eval_loss": 0.6, "loss": 0.4})
        trainings.log_metrics(session, opened, 3, {})
    with database.read() as session:
        assert trainings.metrics(session, opened) == [
            Point(1, "loss", 0.7),
            Point(2, "eval_loss", 0.6),
            Point(2, "grad_norm", 1.0),
            Point(2, "loss", 0.4),
        ]
        assert {point.step for point in trainings.metrics(session, opened, after_step=1)} == {2}
        assert trainings.metrics(session, opened, after_step=2) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_is_kept_as_a_gap(database, opened, value):
    with database.write() as session:
        trainings.log_metrics(session, opened, 1, {"loss": value})
        trainings.log_samples(session, opened, 1, [{"scores": {"grounded": [value, 1.0]}}])
    with database.read() as session:
        assert trainings.metrics(session, opened) == [Point(1, "loss", None)]
        (sample,) = trainings.samples(session, opened)
    assert sample.content == {"scores": {"grounded": [None, 1.0]}}


def test_samples_come_newest_step_first_and_in_their_order(database, opened):
    with database.write() as session:
        trainings.log_samples(session, opened, 1, [{"text": "a"}, {"text": "b"}])
        trainings.log_samples(session, opened, 5, [{"text": "c \ud800"}, {"text": "d"}])
        trainings.log_samples(session, opened, 6, [])
    with database.read() as session:
        assert trainings.samples(session, opened, limit=3) == [
            Sample(5, {"text": "c \ud800"}),
            Sample(5, {"text": "d"}),
            Sample(1, {"text": "a"}),
        ]


def test_what_was_logged_beyond_a_checkpoint_is_replaced(database, opened):
    with database.write() as session:
        other = trainings.open_run(session, "other")
        for run_id in (opened, other):
            for step in range(1, 6):
                trainings.log_metrics(session, run_id, step, {"loss": step})
                trainings.log_samples(session, run_id, step, [{"step": step}])
    with database.write() as session:
        trainings.forget_metrics_after(session, opened, 3)
        trainings.forget_samples_after(session, opened, 3)
    with database.read() as session:
        assert [point.step for point in trainings.metrics(session, opened)] == [1, 2, 3]
        assert [one.step for one in trainings.samples(session, opened)] == [3, 2, 1]
        assert len(trainings.metrics(session, other)) == len(trainings.samples(session, other)) == 5


def test_a_training_is_asked_to_stop_once(database, opened):
    with database.write() as session:
        assert not trainings.is_asked_to_stop(session, opened)
        trainings.ask_to_stop(session, opened)
        first = trainings.get(session, opened).stop_asked_at
        trainings.ask_to_stop(session, opened)
        assert trainings.get(session, opened).stop_asked_at == first
        assert trainings.is_asked_to_stop(session, opened)
        runs.finish(session, opened, state="stopped")
        with pytest.raises(InputError, match="is stopped"):
            trainings.ask_to_stop(session, opened)


@pytest.mark.parametrize("state", ["stopped", "failed", "lost"])
def test_a_training_that_ended_early_is_gone_on_with(database, opened, state):
    with database.write() as session:
        trainings.beat(session, opened, 9)
        trainings.ask_to_stop(session, opened)
        runs.finish(session, opened, state=state, message="why")
        trainings.reopen(session, opened)
    with database.read() as session:
        training = trainings.get(session, opened)
        assert not trainings.is_asked_to_stop(session, opened)
    assert (training.state(), training.pid, training.run.message) == ("running", None, "")


def test_a_training_is_gone_on_with_by_one_process_only(database, opened):
    with database.write() as session, pytest.raises(InputError, match="still runs"):
        trainings.reopen(session, opened)
    silence(database, opened, 31)
    with database.write() as session:
        trainings.reopen(session, opened)
        with pytest.raises(InputError, match="still runs"):
            trainings.reopen(session, opened)
        runs.finish(session, opened)
        with pytest.raises(InputError, match="reached its end"):
            trainings.reopen(session, opened)


def test_what_is_no_training_is_said_to_be_none(database):
    with database.write() as session:
        batch = runs.start(session, "batch", "b")
        for verb in (trainings.get, trainings.reopen, trainings.ask_to_stop):
            with pytest.raises(RecordNotFound, match=f"no training {batch}"):
                verb(session, batch)
        with pytest.raises(RecordNotFound, match=f"no training {batch}"):
            trainings.beat(session, batch, 1)


def _log(url, run_id, steps):
    with Database.open(url) as database:
        for step in steps:
            with database.write() as session:
                trainings.beat(session, run_id, 1)
                trainings.log_metrics(session, run_id, step, {"loss": step, "reward": -step})


def test_a_process_logs_while_pages_read_and_write(database, opened, make_pair):
    fork = multiprocessing.get_context("fork")
    worker = fork.Process(target=_log, args=(str(database.url), opened, range(40)))
    worker.start()
    deadline = time.monotonic() + 60
    seen = 0
    while worker.is_alive() and time.monotonic() < deadline:
        with database.write() as session:
            runs.report(session, opened, {"seen": seen})
        with database.read() as session:
            seen = len(trainings.metrics(session, opened))
    worker.join()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(MetricRow)) == 80
    assert worker.exitcode == 0


def test_curves_are_read_by_their_key(database):
    with database.read() as session:
        read = select(MetricRow.step, MetricRow.name, MetricRow.value).where(
            MetricRow.run_id == 1, MetricRow.step > 5
        )
        text = str(
            read.order_by(MetricRow.step, MetricRow.name).compile(
                compile_kwargs={"literal_binds": True}
            )
        )
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert [row[-1] for row in plan] == ["SEARCH metric USING PRIMARY KEY (run_id=? AND step>?)"]
