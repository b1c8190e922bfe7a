import threading
from itertools import pairwise

from rmr1.concurrency import AdaptiveLimit


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Server:
    """Bears so many requests: beyond them nothing comes out faster, and the wait grows.

    Attributes:
        refuses: requests at once from which on it turns some away.
    """

    def __init__(self, clock: Clock, bears: int, refuses: int = 10_000) -> None:
        self.clock, self.bears, self.refuses = clock, bears, refuses
        self.refusals = 0

    def round(self, limit: AdaptiveLimit) -> int:
        """As many judgements as the limit lets in at once, a second for each that is borne."""
        at_once = limit.now
        self.refusals += at_once > self.refuses
        wait = 0.2 * max(1.0, at_once / self.bears) ** 2
        for _ in range(at_once):
            self.clock.seconds += 1 / min(at_once, self.bears)
            limit.note(tokens=100, wait_s=wait, refusals=self.refusals)
        return at_once


def course(server: Server, limit: AdaptiveLimit, rounds: int) -> list[int]:
    return [server.round(limit) for _ in range(rounds)]


def test_it_doubles_while_nothing_speaks_against_it() -> None:
    clock = Clock()
    limit = AdaptiveLimit(4, 64, clock=clock)
    assert course(Server(clock, bears=1000), limit, 6) == [4, 8, 16, 32, 64, 64]


def test_a_queue_shrinks_it_by_a_factor_and_then_it_grows_by_steps() -> None:
    clock = Clock()
    limit = AdaptiveLimit(4, 256, step=2, clock=clock)
    seen = course(Server(clock, bears=32), limit, 40)
    top = seen.index(64)
    assert seen[:5] == [4, 8, 16, 32, 64]
    assert seen[top + 1] == int(0.7 * 64)
    later = seen[10:]
    assert min(later) >= 28
    assert max(later) <= 64
    steps = {after - before for before, after in pairwise(later)}
    assert max(steps) <= 2


def test_refusals_bring_it_below_where_it_began() -> None:
    clock = Clock()
    limit = AdaptiveLimit(8, 64, clock=clock)
    seen = course(Server(clock, bears=1000, refuses=3), limit, 30)
    assert min(seen) <= 3
    assert max(seen[15:]) <= 4


def test_one_burst_of_refusals_shrinks_it_once() -> None:
    limit = AdaptiveLimit(10, 10, clock=Clock())
    for refusals in (1, 2, 3, 4):
        limit.note(tokens=1, wait_s=0.1, refusals=refusals)
    assert limit.now == 7


def test_long_waits_alone_do_not_bring_it_below_where_it_began() -> None:
    clock = Clock()
    limit = AdaptiveLimit(8, 64, clock=clock)
    for wait in (0.1, 9.0, 9.0, 9.0, 9.0):
        for _ in range(limit.now):
            clock.seconds += 1
            limit.note(tokens=1, wait_s=wait, refusals=0)
    assert limit.now >= 8


def test_a_server_that_tells_no_waits_is_given_all_that_is_allowed() -> None:
    limit = AdaptiveLimit(2, 8, clock=Clock())
    for _ in range(20):
        limit.note(tokens=0, wait_s=None, refusals=0)
    assert limit.now == 8


def test_no_more_come_in_than_the_limit_says() -> None:
    limit = AdaptiveLimit(2, 2)
    inside, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def work() -> None:
        nonlocal inside, most
        with limit.room() as admitted:
            assert admitted
            with lock:
                inside += 1
                most = max(most, inside)
            pause.wait(0.01)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert most == 2


def test_closed_it_lets_those_who_wait_go_without_work() -> None:
    limit = AdaptiveLimit(1, 1)
    found: list[bool] = []

    def work() -> None:
        with limit.room() as admitted:
            found.append(admitted)

    with limit.room():
        thread = threading.Thread(target=work)
        thread.start()
        limit.close()
        thread.join(5)
    assert found == [False]
