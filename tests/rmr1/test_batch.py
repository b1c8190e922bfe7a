import threading
import time
from collections.abc import Iterator

import pytest

from rmr1.backends.base import Capabilities, ChatRequest
from rmr1.backends.scripted import ScriptedBackend
from rmr1.batch import by_prompt, judge_many
from rmr1.errors import BackendError
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.rollout import State

REPLY = "<type>Chat</type><answer>[[A]]</answer>"


def pairs(count: int) -> list[Pair]:
    return [Pair.of(f"Question {number}?", "one", "two") for number in range(count)]


class Counting(ScriptedBackend):
    """Says how many it was asked at once at most.

    Attributes:
        room: what it bears at once; it turns the others away as far as its counter goes.
    """

    def __init__(self, *, parallel: int, most_parallel: int | None, delay_s: float = 0.004):
        super().__init__([REPLY], chunk=20, parallel=parallel, delay_s=delay_s)
        self.able = Capabilities(parallel=parallel, most_parallel=most_parallel)
        self.inside = self.most = self.refusals = 0
        self.room = 1_000
        self.counter = threading.Lock()

    @property
    def capabilities(self) -> Capabilities:
        return self.able

    def stream(self, request):
        with self.counter:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.refusals += self.inside > self.room
        try:
            yield from super().stream(request)
        finally:
            with self.counter:
                self.inside -= 1


def judged(backend: ScriptedBackend, count: int, plan: Plan | None = None, **rest: int) -> int:
    judge = Judge(backend, load_profile("cor"))
    todo = pairs(count)
    found = list(judge_many(judge, todo, plan or Plan(), **rest))
    assert sorted(one.pair.hash for one in found) == sorted(pair.hash for pair in todo)
    assert all(one.state is not State.FAILED for one in found)
    return len(found)


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (3, 3), (None, 4)])
def test_no_more_are_judged_at_once_than_was_said(workers: int | None, most: int) -> None:
    backend = Counting(parallel=4, most_parallel=None)
    judged(backend, 20, workers=workers)
    assert backend.most == most


def test_a_server_that_bears_more_is_given_more() -> None:
    backend = Counting(parallel=2, most_parallel=16)
    judged(backend, 80)
    assert 8 <= backend.most <= 16


def test_rollouts_count_against_the_limit() -> None:
    backend = Counting(parallel=4, most_parallel=4)
    judged(backend, 12, Plan(votes=2, orders="both", temperature=0.5))
    assert backend.most <= 4


def test_a_server_that_asks_for_patience_is_given_less() -> None:
    backend = Counting(parallel=8, most_parallel=64)
    backend.room = 3
    judged(backend, 60)
    first = backend.refusals
    backend.most = 0
    judged(backend, 1)
    assert first
    assert backend.most == 1


def test_one_bad_pair_stops_nobody() -> None:
    refused = BackendError("the model server refused the request.")
    backend = ScriptedBackend(
        lambda asked: refused if "Question 3?" in asked.messages[-1].content else REPLY
    )
    found = list(judge_many(Judge(backend, load_profile("cor")), pairs(6), Plan()))
    failed = [one for one in found if one.state is State.FAILED]
    assert len(found) == 6
    assert [one.pair.prompt for one in failed] == ["Question 3?"]


def test_what_was_judged_is_not_lost_when_another_one_is_broken_off() -> None:
    others, broken_off = threading.Semaphore(0), threading.Event()

    def reply(request: ChatRequest) -> str:
        if "Question 3?" not in request.messages[-1].content:
            others.release()
            return REPLY
        for _ in range(7):
            others.acquire()
        time.sleep(0.2)
        broken_off.set()
        raise KeyboardInterrupt

    def todo() -> Iterator[Pair]:
        yield from pairs(8)
        broken_off.wait()
        time.sleep(0.2)  # all eight are done before any is looked at

    judge = Judge(ScriptedBackend(reply, parallel=8), load_profile("cor"))
    found: list[Judgement] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(judge_many(judge, todo(), Plan(), workers=8))
    assert len(found) == 7


def test_pairs_are_read_no_further_than_they_are_judged() -> None:
    read = 0

    def reading() -> Iterator[Pair]:
        nonlocal read
        for pair in pairs(100):
            read += 1
            yield pair

    judge = Judge(Counting(parallel=2, most_parallel=None), load_profile("cor"))
    running = judge_many(judge, reading(), Plan())
    next(running)
    assert read <= 4
    running.close()


def test_closed_it_begins_no_further_pair() -> None:
    backend = Counting(parallel=2, most_parallel=8, delay_s=0.02)
    running = judge_many(Judge(backend, load_profile("cor")), pairs(100), Plan())
    next(running)
    running.close()
    time.sleep(0.05)
    asked = len(backend.asked)
    time.sleep(0.15)
    assert len(backend.asked) <= asked + 2


def test_pairs_with_the_same_prompt_follow_each_other() -> None:
    texts = ["a", "b", "a", "c", "b", "a"]
    todo = [Pair.of(text, str(number), "x") for number, text in enumerate(texts)]
    order = [int(pair.response_a) for pair in by_prompt(todo)]
    assert order == [0, 2, 5, 1, 4, 3]
    assert [int(pair.response_a) for pair in by_prompt(todo, ahead=3)] == [0, 2, 1, 3, 4, 5]


def test_looking_ahead_is_bounded() -> None:
    read = 0

    def reading() -> Iterator[Pair]:
        nonlocal read
        for pair in pairs(50):
            read += 1
            yield pair

    next(by_prompt(reading(), ahead=10))
    assert read == 10
