"""The places of a llama.cpp server, handed out so that those in use lie side by side.

Each holds one completion and the prompt that it had last. Completions whose places follow each
other are computed together, the weights read once for all of them; the server's own choice leaves
gaps, and completions on both sides of a gap are computed one after another.
"""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Slots:
    """Safe to use from several threads; who comes first is served first."""

    def __init__(self, count: int) -> None:
        """Prepare.

        Args:
            count: places of the server.
        """
        self._free = set(range(count))
        self._last: list[Hashable] = [None] * count
        self._turn = threading.Lock()
        self._freed = threading.Condition()

    @contextmanager
    def take(self, count: int, prompt: Hashable) -> Iterator[int]:
        """Hold places for one request, waiting until as many are free.

        Args:
            count: completions of the request; more than there are places take all of them.
            prompt: what the request begins with; a free place that had it last is taken again.

        Yields:
            The place of the first completion. The server lays the others on the lowest free ones.
        """
        wanted = min(count, len(self._last))
        with self._turn, self._freed:  # one waits at a time, or small requests starve a large one
            self._freed.wait_for(lambda: len(self._free) >= wanted)
            ordered = sorted(self._free, key=lambda slot: (self._last[slot] != prompt, slot))
            taken = [ordered[0], *sorted(ordered[1:])[: wanted - 1]]
            self._free.difference_update(taken)
            for slot in taken:
                self._last[slot] = prompt
        try:
            yield taken[0]
        finally:
            with self._freed:
                self._free.update(taken)
                self._freed.notify()
