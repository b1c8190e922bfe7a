"""How many requests a server bears at once, found out while it works.

The limit grows as TCP's window does: it doubles from round to round until something speaks against
it, then it grows by a fixed step and shrinks by a factor (additive increase, multiplicative
decrease). A round is as many judgements as may be asked for at once. Against it speaks

- a refusal (HTTP 429 or 503): down, and to one request if it must be;
- a queue: the wait for the first token is several times the shortest seen, while no more tokens
  come out than before. Down, but never below where it began, because long prompts look alike.

Source: congestion avoidance, V. Jacobson, SIGCOMM 1988; limits of servers by their latency,
Netflix's concurrency-limits (github.com/Netflix/concurrency-limits).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

SHRINK: Final = 0.7
"""What is left of the limit when something speaks against it."""

QUEUED: Final = 3.0
"""How many times the shortest wait for a first token is a queue."""

FASTER: Final = 1.05
"""How many times the tokens a second of the best round are worth a longer wait."""

_SHORTEST_WAIT: Final = 0.05
"""Seconds; below this a wait says nothing of a queue."""


@dataclass(slots=True)
class _Round:
    began: float
    refusals: int
    done: int = 0
    tokens: int = 0
    waits: list[float] = field(default_factory=list)


class AdaptiveLimit:
    """A limit on what is asked for at once; safe to use from several threads."""

    def __init__(
        self,
        start: int,
        most: int,
        *,
        step: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with a limit.

        Args:
            start: what is surely borne; a longer wait alone never leads below it.
            most: what is never exceeded.
            step: growth of a round once the limit has been too high.
            clock: seconds that only grow.
        """
        self.now = min(start, most)
        self._start, self._most, self._step = self.now, most, step
        self._clock = clock
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = False
        self._doubling = True
        self._settling = False
        self._refusals = 0
        self._shortest: float | None = None
        self._best_rate = 0.0
        self._round = _Round(clock(), 0)

    @contextmanager
    def room(self) -> Iterator[bool]:
        """Room for one more, waited for; False where the limit was closed instead."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._inside < self.now)
            admitted = not self._closed
            self._inside += admitted
        try:
            yield admitted
        finally:
            with self._changed:
                self._inside -= admitted
                self._changed.notify()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def note(self, *, tokens: int, wait_s: float | None, refusals: int) -> None:
        """Take what one judgement showed.

        Args:
            tokens: that were written for it.
            wait_s: the longest wait for a first token; None where nobody measured.
            refusals: of the server since the beginning, by whichever request.
        """
        with self._changed:
            current = self._round
            current.done += 1
            current.tokens += tokens
            if wait_s is not None:
                current.waits.append(wait_s)
            self._refusals = max(self._refusals, refusals)
            refused = self._refusals > current.refusals
            if current.done >= self.now or (refused and not self._settling):
                self._end_round(current, refused)
                self._changed.notify_all()

    def _end_round(self, ended: _Round, refused: bool) -> None:
        rate = ended.tokens / max(self._clock() - ended.began, 1e-9)
        queued = self._is_queued(ended, rate)
        settling, self._settling = self._settling, False
        if settling:  # it was asked for under the limit of before
            pass
        elif refused:
            self._shrink(1)
        elif queued and self.now > self._start:
            self._shrink(self._start)
        elif queued:  # where it began no wait is a queue: prompts are longer now, or others ask
            self._shortest, self._best_rate = median(ended.waits), 0.0
        else:
            self.now = min(self._most, 2 * self.now if self._doubling else self.now + self._step)
        self._best_rate = max(self._best_rate, rate)
        self._round = _Round(self._clock(), self._refusals)

    def _shrink(self, least: int) -> None:
        self.now = max(least, int(SHRINK * self.now))
        self._doubling = False
        self._settling = True

    def _is_queued(self, ended: _Round, rate: float) -> bool:
        """Whether the server has more than it works on; learns the shortest wait by the way."""
        if not ended.waits:
            return False
        typical = max(median(ended.waits), _SHORTEST_WAIT)
        shortest = min(typical, self._shortest or typical)
        self._shortest = shortest
        return typical > QUEUED * shortest and rate < FASTER * self._best_rate
