import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from rmr1.backends.slots import Slots


def test_places_in_use_lie_side_by_side() -> None:
    slots = Slots(4)
    with slots.take(1, "a") as first, slots.take(1, "b") as second:
        assert (first, second) == (0, 1)
        with slots.take(1, "c") as third:
            assert third == 2
    with slots.take(1, "d") as again:
        assert again == 0


def test_a_prompt_goes_where_it_was_last() -> None:
    slots = Slots(4)
    with slots.take(1, "ab"), slots.take(1, "ba"):
        pass
    with slots.take(1, "ba") as one, slots.take(1, "ab") as other:
        assert (one, other) == (1, 0)
    with slots.take(1, "ba"), slots.take(1, "ba") as second:
        assert second == 0  # the other one is in use


def test_several_completions_hold_the_lowest_free_places() -> None:
    slots = Slots(4)
    with slots.take(1, "a"), slots.take(2, "b") as first:
        assert first == 1
        with slots.take(1, "c") as last:
            assert last == 3
    with slots.take(9, "d") as first:
        assert first == 0


def test_a_large_request_is_not_starved_by_small_ones() -> None:
    slots = Slots(2)
    order = []
    waiting = threading.Event()

    def large() -> None:
        waiting.set()
        with slots.take(2, "large"):
            order.append("large")

    def small() -> None:
        with slots.take(1, "small"):
            order.append("small")

    with ThreadPoolExecutor(2) as pool, ExitStack() as held:
        held.enter_context(slots.take(1, "a"))
        pool.submit(large)
        waiting.wait()
        while not slots._turn.locked():
            pass
        pool.submit(small)  # a place is free for it, but it came later
        held.close()
    assert order == ["large", "small"]


def test_a_failed_request_gives_its_places_back() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError), slots.take(1, "a"):
        raise RuntimeError
    with slots.take(1, "b") as first:
        assert first == 0
