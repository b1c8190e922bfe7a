"""A model server's process, as its parent sees it: started, watched, started again."""

import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Generic, Protocol, TypeVar

from rmr1.errors import BackendError, BackendUnavailable, RMR1Error

_END_SECONDS = 3.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0

_TAIL_BYTES = 100_000
_TAIL_LINES = 12
_LINE_CHARACTERS = 300
_TELLING = re.compile(r"\b\w*(?:Error|Exception): \S")


class _Closes(Protocol):
    def close(self) -> None: ...


Client = TypeVar("Client", bound=_Closes)
"""What asks the server."""


@dataclass(eq=False, slots=True)
class Running(Generic[Client]):
    """A server process that has been started, and the client that asks it.

    Attributes:
        name: what the process is called in an error.
        adapters: LoRA adapters that it came up with, as requests name them.
        log: what it wrote, where that is kept.
        end_s: seconds that it may take to end, once its standard input has.
        users: requests that it works on.
    """

    process: subprocess.Popen[str]
    client: Client
    name: str
    adapters: tuple[str, ...] = ()
    log: IO[bytes] | None = None
    end_s: float = _END_SECONDS
    users: int = 0

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def explain(self, error: BackendError) -> BackendError:
        """Why a request failed: the process's end where it ended, else the error itself."""
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return error
        said = f"\n{log_end(self.log)}" if self.log else ""
        return BackendUnavailable(
            f"{self.name} {ending(self.process.returncode)} in the middle of a reply; the next "
            f"request starts it again.{said}"
        )

    def end(self) -> None:
        """End the process and close the connections."""
        self.client.close()
        end_process(self.process, self.end_s)
        if self.log:
            self.log.close()


class Child(Generic[Client]):
    """Keeps one server process running; safe to use from several threads.

    A process that died is started again by the next request, after a pause that grows with every
    death in a row.
    """

    def __init__(self, name: str, launch: Callable[[threading.Event], Running[Client]]) -> None:
        """Prepare; nothing is started yet.

        Args:
            name: what the model is called in an error.
            launch: starts the process and returns when it answers, or raises an RMR1Error; it
                gives up when the event is set.
        """
        self._name = name
        self._launch = launch
        self._lock = threading.Lock()
        self._running: Running[Client] | None = None
        self._retired: list[Running[Client]] = []
        self._deaths = 0
        self._closing = threading.Event()

    def start(self) -> None:
        """Start the process unless it runs; see `lease`."""
        with self._lock:
            self._ready()

    def warm(self) -> threading.Thread:
        """Start the process in the background, so that the first request finds it running.

        Returns:
            The thread that does it; what goes wrong shows at the first request.
        """
        thread = threading.Thread(target=self._try_to_start, name="warm", daemon=True)
        thread.start()
        return thread

    def _try_to_start(self) -> None:
        with suppress(RMR1Error):
            self.start()

    @contextmanager
    def lease(self, adapter: str | None = None) -> Iterator[Running[Client]]:
        """The running server, started if need be, for the time of one request.

        One that came up before `adapter` was known gives way to a new one, and goes on until the
        requests that it works on are done.

        Args:
            adapter: an adapter that it must have.

        Raises:
            BackendUnavailable: it was closed, or does not come up.
            ConfigurationError: the model or an adapter cannot be loaded.
        """
        with self._lock:
            running = self._ready(adapter)
            running.users += 1
        try:
            yield running
        finally:
            with self._lock:
                running.users -= 1
                self._end_retired()

    def answered(self) -> None:
        """Note that a request went well: earlier deaths are forgiven."""
        self._deaths = 0

    def close(self) -> None:
        """End the process for good, also one that is just being started."""
        self._closing.set()
        with self._lock:
            for running in filter(None, (self._running, *self._retired)):
                running.end()
            self._running, self._retired = None, []

    def _ready(self, adapter: str | None = None) -> Running[Client]:
        if self._closing.is_set():
            raise BackendUnavailable(f"{self._name} has been closed.")
        if self._running and not self._running.alive:
            self._retire()
            self._deaths += 1
        if self._running and adapter and adapter not in self._running.adapters:
            self._retire()
        if self._running is None:
            if self._deaths:
                pause = _FIRST_PAUSE_SECONDS * 2 ** min(self._deaths - 1, 10)
                time.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
            try:
                self._running = self._launch(self._closing)
            except BackendUnavailable:
                self._deaths += 1
                raise
        return self._running

    def _retire(self) -> None:
        if self._running:
            self._retired.append(self._running)
            self._running = None
        self._end_retired()

    def _end_retired(self) -> None:
        for running in [one for one in self._retired if not one.users]:
            self._retired.remove(running)
            running.end()


def end_process(process: subprocess.Popen[str], within_s: float = _END_SECONDS) -> None:
    """End a process that ends with its standard input; by force if it does not."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ending(code: int) -> str:
    """A process's end in words, from its return code."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def log_end(log: IO[bytes], lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, and before them what looks like the names of errors, each once.

    A server's last words are often that something failed, and what it was stands far above.
    """
    log.seek(0, 2)
    log.seek(max(0, log.tell() - _TAIL_BYTES))
    said = [line.rstrip() for line in log.read().decode(errors="replace").splitlines()]
    said = [line[:_LINE_CHARACTERS] for line in said if line.strip()]
    earlier = [line for line in said[:-lines] if _TELLING.search(line)]
    return "\n".join([*dict.fromkeys(earlier[-lines:]), *said[-lines:]])
