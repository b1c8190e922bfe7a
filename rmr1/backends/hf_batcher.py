"""The thread that works on a batch: lets requests in and out between its steps."""

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TypeVar

from rmr1.backends.base import Delta
from rmr1.backends.hf_batch import Batch
from rmr1.backends.hf_loading import first_line
from rmr1.backends.hf_row import Row
from rmr1.errors import BackendError, BackendUnavailable

_Made = TypeVar("_Made")


@dataclass(eq=False, slots=True)
class _Ticket:
    """A row and whoever waits for it."""

    row: Row
    said: SimpleQueue[Delta | BackendError] = field(default_factory=SimpleQueue)
    abandoned: bool = False


class Batcher:
    """Runs a batch in a thread of its own; safe to use from several threads.

    Attributes:
        batch: to be touched by jobs between its steps alone.
    """

    def __init__(self, batch: Batch, parallel: int) -> None:
        """Start the thread.

        Args:
            parallel: rows at once; others wait for their turn.
        """
        self.batch = batch
        self._room = parallel if batch.is_plain else 1
        self._wake = threading.Condition()
        self._waiting: deque[_Ticket] = deque()
        self._working: dict[Row, _Ticket] = {}
        self._jobs: deque[Callable[[], None]] = deque()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batch", daemon=True)
        self._thread.start()

    def stream(self, row: Row) -> Generator[Delta, None, None]:
        """Complete one row; closing the generator lets it go.

        Raises:
            BackendUnavailable: the batcher was closed.
            BackendError: the model failed, out of memory for one.
        """
        ticket = _Ticket(row)
        self._enqueue(lambda: self._waiting.append(ticket))
        try:
            while True:
                said = ticket.said.get()
                if isinstance(said, BackendError):
                    raise said
                yield said
                if said.finish_reason:
                    return
        finally:
            ticket.abandoned = True

    def between_steps(self, work: Callable[[], _Made]) -> _Made:
        """Do something with the model while it does not compute; what `work` raises is raised."""
        future: Future[_Made] = Future()

        def job() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # belongs to the thread that asked
                future.set_exception(error)

        self._enqueue(lambda: self._jobs.append(job))
        return future.result()

    def close(self) -> None:
        """Give up all requests and end the thread; safe to call twice."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _enqueue(self, add: Callable[[], None]) -> None:
        with self._wake:
            if self._closed:
                raise BackendUnavailable("the model has been closed.")
            add()
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not (self._closed or self._jobs or self._waiting or self.batch.rows):
                    self._wake.wait()
                if self._closed:
                    break
                job = self._jobs.popleft() if self._jobs else None
                ticket = None if job else self._next_waiting()
            if job:
                job()
            else:
                self._turn(ticket)
        while self._jobs:
            self._jobs.popleft()()
        self._fail(BackendUnavailable("the model has been closed."))
        self.batch.clear()

    def _next_waiting(self) -> _Ticket | None:
        while self._waiting and len(self.batch.rows) < self._room:
            ticket = self._waiting.popleft()
            if not ticket.abandoned:
                return ticket
        return None

    def _turn(self, joining: _Ticket | None) -> None:
        """One row joins, then a token for each: who waits to join slows the others but little."""
        try:
            self.batch.drop([one.row for one in self._working.values() if one.abandoned])
            if joining:
                self._working[joining.row] = joining
                self._tell(joining.row, self.batch.join(joining.row))
            if self.batch.rows:
                for row, delta in self.batch.step():
                    self._tell(row, delta)
        except Exception as error:  # torch raises many kinds; the rows' readers must all hear
            self.batch.clear()
            self._fail(BackendError(f"the model failed: {first_line(error)}"), waiting=False)
        rows = set(self.batch.rows)
        self._working = {row: one for row, one in self._working.items() if row in rows}

    def _tell(self, row: Row, delta: Delta) -> None:
        self._working[row].said.put(delta)

    def _fail(self, error: BackendError, *, waiting: bool = True) -> None:
        """Tell everybody who has not been answered."""
        for ticket in self._working.values():
            ticket.said.put(error)
        if waiting:
            with self._wake:
                for ticket in self._waiting:
                    ticket.said.put(error)
                self._waiting.clear()
