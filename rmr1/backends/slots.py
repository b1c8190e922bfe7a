"""The places where completions are written, handed out one to a request.

A place keeps the prompt that it had last, and reads only what is new in the next one.
"""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Slots:
    """Safe to use from several threads; who comes first is served first."""

    def __init__(self, count: int) -> None:
        """Prepare.

        Args:
            count: how many there are.
        """
        self._free = set(range(count))
        self._last: list[Hashable] = [None] * count
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def take(self, prompt: Hashable) -> Iterator[int]:
        """Hold a place for one request, waiting until one is free.

        Args:
            prompt: what the request begins with; a free place that had it last is taken again.

        Yields:
            The place's number; the lowest of the free ones where none had the prompt.
        """
        with self._turn, self._freed:  # one waits at a time, or a newcomer overtakes it
            self._freed.wait_for(lambda: self._free)
            slot = min(self._free, key=lambda one: (self._last[one] != prompt, one))
            self._free.remove(slot)
            self._last[slot] = prompt
        try:
            yield slot
        finally:
            with self._freed:
                self._free.add(slot)
                self._freed.notify()
