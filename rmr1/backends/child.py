"""The embedded server's process, as its parent sees it: started, watched, started again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import httpx

from rmr1.errors import BackendError, BackendUnavailable, ConfigurationError

_PROGRAM = Path(__file__).with_name("embedded_server.py")
_START_SECONDS = 120.0
_END_SECONDS = 3.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_SILENCE_SECONDS = 300.0

# Threads wait for each other asleep: spinning, the default, is several times slower than that on a
# busy machine, and on an idle one hardly faster where only prompts are read by several threads.
_WAIT_POLICY = "PASSIVE"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the server serves.

    Attributes:
        context: tokens that one request may hold, prompt and completion together.
        threads: to read a prompt with.
        writing_threads: to write a completion with.
        adapters: paths of LoRA adapters, each once; requests name them by their index.
        key: what a request must show; keeps other programs and web pages out.
    """

    model: str
    context: int
    parallel: int
    threads: int
    writing_threads: int
    adapters: tuple[str, ...]
    key: str


@dataclass(eq=False, slots=True)
class Running:
    """A server process that has been started, and the client that asks it.

    Attributes:
        users: requests that it works on.
    """

    process: subprocess.Popen[str]
    client: httpx.Client
    options: ServerOptions
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
        return BackendUnavailable(
            f"the embedded model's process {_ending(self.process.returncode)} in the middle of a "
            "reply; the next request starts it again."
        )

    def end(self) -> None:
        """End the process and close the connections."""
        self.client.close()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Child:
    """Keeps one server process running; safe to use from several threads.

    A process that died is started again by the next request, after a pause that grows with every
    death in a row.
    """

    def __init__(self, options: Callable[[], ServerOptions]) -> None:
        """Prepare; nothing is started yet.

        Args:
            options: asked before each start.
        """
        self._options = options
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._retired: list[Running] = []
        self._deaths = 0
        self._closed = False

    def start(self) -> None:
        """Start the process unless it runs; see `lease`."""
        with self._lock:
            self._ready()

    @contextmanager
    def lease(self, adapter: str | None = None) -> Iterator[Running]:
        """The running server, started if need be, for the time of one request.

        One that came up before `adapter` was known gives way to a new one, and goes on until the
        requests that it works on are done.

        Args:
            adapter: path of an adapter that it must have.

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
        """End the process for good."""
        with self._lock:
            self._closed = True
            for running in filter(None, (self._running, *self._retired)):
                running.end()
            self._running, self._retired = None, []

    def _ready(self, adapter: str | None = None) -> Running:
        if self._closed:
            raise BackendUnavailable("the embedded model has been closed.")
        if self._running and not self._running.alive:
            self._retire()
            self._deaths += 1
        if self._running and adapter and adapter not in self._running.options.adapters:
            self._retire()
        if self._running is None:
            if self._deaths:
                pause = _FIRST_PAUSE_SECONDS * 2 ** min(self._deaths - 1, 10)
                time.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
            self._running = self._start()
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

    def _start(self) -> Running:
        options = self._options()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={"OMP_WAIT_POLICY": _WAIT_POLICY, **os.environ},
            )
            said = _first_words(process, options)
            if "address" in said:
                client = httpx.Client(
                    base_url=f"{said['address']}/v1",
                    headers={"Authorization": f"Bearer {options.key}"},
                    timeout=_SILENCE_SECONDS,
                    limits=httpx.Limits(max_connections=None),
                    trust_env=False,  # no proxy leads to loopback
                )
                return Running(process, client, options)
            process.kill()
            process.communicate()
            reason = _last_line(log) or said.get("error", "")
        if "error" in said:
            raise ConfigurationError(f"the embedded model cannot be loaded: {reason}")
        self._deaths += 1
        raise BackendUnavailable(
            f"the embedded model's process {_ending(process.returncode)} while starting. {reason}"
        )


def _first_words(process: subprocess.Popen[str], options: ServerOptions) -> dict[str, str]:
    """What the process says once it has started; nothing if it dies or takes too long."""
    assert process.stdin
    assert process.stdout
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        process.stdin.write(json.dumps(asdict(options)) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    finally:
        timer.cancel()
    said: dict[str, str] = json.loads(line) if line else {}
    return said


def _last_line(log: IO[str]) -> str:
    log.seek(0)
    return next((line.strip() for line in reversed(log.readlines()) if line.strip()), "")


def _ending(code: int) -> str:
    """A process's end in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
