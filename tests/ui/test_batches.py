import time

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendUnavailable, InputError
from rmr1.judge import Judge
from rmr1.pair import Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import batches, judgements, pairs, runs
from storage.filters import JudgementFilter
from tests.replies import CHAT
from ui.batches import Batches, batch_form, batches_view

PLAN = Plan()


def fill(database, n=6, known=2):
    some = [
        Pair.of(f"Question {at}?", "yes", "no").model_copy(
            update={"chosen": Side.A if at < known else None}
        )
        for at in range(n)
    ]
    with database.write() as session:
        pairs.add_many(session, some)


def wait(work):
    for _ in range(500):
        if not work.is_running:
            return
        time.sleep(0.01)
    raise AssertionError("the batch does not end")


def judge_saying(*replies, delay_s=0.0):
    return Judge(ScriptedBackend(list(replies), delay_s=delay_s, chunk=4000), load_profile("cor"))


@pytest.fixture
def work(database):
    made = Batches(database)
    yield made
    made.stop(wait_s=10)


def total(database):
    with database.read() as session:
        return judgements.facets(session, JudgementFilter()).total


def test_a_batch_judges_what_is_not_judged_and_its_run_tells_how_much(database, work):
    fill(database)
    run_id = work.start(judge_saying(CHAT), PLAN, "all", None)
    wait(work)
    with database.read() as session:
        run = runs.get(session, run_id)
    assert (run.state, run.counts["done"], run.counts["total"]) == ("finished", 6, 6)
    assert total(database) == 6


def test_nothing_is_judged_twice(database, work):
    fill(database)
    judge = judge_saying(CHAT)
    work.start(judge, PLAN, "all", 4)
    wait(work)
    work.start(judge, PLAN, "all", None)
    wait(work)
    assert total(database) == 6
    with pytest.raises(InputError, match="judged all"):
        work.start(judge, PLAN, "all", None)


def test_only_the_pairs_that_are_meant_are_judged(database, work):
    fill(database, known=2)
    work.start(judge_saying(CHAT), PLAN, "known", None)
    wait(work)
    assert total(database) == 2


def test_a_failing_backend_is_counted_and_its_pairs_are_tried_again_next_time(database, work):
    fill(database, n=3)
    broken = judge_saying(BackendUnavailable("the model server does not answer."))
    run_id = work.start(broken, PLAN, "all", None)
    wait(work)
    with database.read() as session:
        assert runs.get(session, run_id).counts["failed"] == 3
        assert batches.left(session, broken, PLAN, "all") == (3, 3)


def test_stopped_it_keeps_what_is_judged_and_begins_nothing_more(database, work):
    fill(database, n=40)
    run_id = work.start(judge_saying(CHAT, delay_s=0.02), PLAN, "all", None)
    while total(database) < 2:
        time.sleep(0.01)
    work.stop(wait_s=10)
    with database.read() as session:
        run = runs.get(session, run_id)
    assert run.state == "stopped"
    assert 2 <= run.counts["done"] == total(database) < 40


def test_two_batches_do_not_run_at_once(database, work):
    fill(database, n=40)
    judge = judge_saying(CHAT, delay_s=0.02)
    work.start(judge, PLAN, "all", None)
    with pytest.raises(InputError, match="at work already"):
        work.start(judge, PLAN, "all", None)


def test_a_batch_whose_process_is_gone_is_said_to_have_ended(studio, work):
    with studio.database.write() as session:
        run_id = runs.start(session, "batch", "gone")
        runs.report(session, run_id, {"done": 3, "total": 9, "heard_at": 1.0})
    (shown,) = batches_view(studio, work, {})["runs"]
    assert shown["state"] == "ended with its process"


def test_the_view_says_how_many_pairs_are_left(studio, work):
    fill(studio.database, known=2)
    assert batches_view(studio, work, {})["left"] == {"pairs": 6, "unjudged": 6}
    assert batches_view(studio, work, {"which": "known"})["left"] == {"pairs": 2, "unjudged": 2}
    assert batches_view(studio, work, {"which": "labelled"})["left"] == {"pairs": 0, "unjudged": 0}


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"judge": "nobody", "which": "all"},
        {"judge": "scripted", "which": "some"},
        {"judge": "scripted", "which": "all", "limit": "all"},
        {"judge": "scripted", "which": "all", "limit": 0},
        {"judge": "scripted", "which": "all", "votes": 1000},
        {"judge": "scripted", "which": "all", "orders": ["AB"]},
    ],
)
def test_a_forged_form_is_refused_with_a_sentence(studio, sent):
    with pytest.raises(InputError):
        batch_form(studio, sent)
