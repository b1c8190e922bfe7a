from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from rmr1.backends.slots import Slots


def test_the_lowest_free_place_is_taken() -> None:
    slots = Slots(4)
    with slots.take("a") as first, slots.take("b") as second:
        assert (first, second) == (0, 1)
        with slots.take("c") as third:
            assert third == 2
    with slots.take("d") as again:
        assert again == 0


def test_a_prompt_goes_where_it_was_last() -> None:
    slots = Slots(4)
    with slots.take("ab"), slots.take("ba"):
        pass
    with slots.take("ba") as one, slots.take("ab") as other:
        assert (one, other) == (1, 0)
    with slots.take("ba"), slots.take("ba") as second:
        assert second == 0  # the other one is in use


def test_who_waited_longer_comes_first() -> None:
    slots = Slots(1)
    order = []

    def ask(prompt: str) -> None:
        with slots.take(prompt):
            order.append(prompt)

    with ThreadPoolExecutor(2) as pool, ExitStack() as held:
        held.enter_context(slots.take("a"))
        first = pool.submit(ask, "b")
        while not slots._turn.locked():
            pass
        pool.submit(ask, "c")
        held.close()
        first.result()
    assert order == ["b", "c"]


def test_a_failed_request_gives_its_places_back() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError), slots.take("a"):
        raise RuntimeError
    with slots.take("b") as first:
        assert first == 0
