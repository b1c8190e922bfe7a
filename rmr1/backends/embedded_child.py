"""The embedded server's process: started, its first words read."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import httpx

from rmr1.backends.child import Running, ending, log_end
from rmr1.errors import BackendUnavailable, ConfigurationError

_PROGRAM = Path(__file__).with_name("embedded_server.py")
_NAME = "the embedded model's process"
_START_SECONDS = 120.0
_SILENCE_SECONDS = 300.0

# A thread that waits for another sleeps at once, and does not spin: whoever has work gets the core,
# be it another process of ours or another program. Spinning, two processes that read prompts with
# two threads each on two cores were two to twenty times as slow.
_SLEEPING = {"OMP_WAIT_POLICY": "PASSIVE"}

# Threads that write together wait for each other some hundred times a token: before they sleep they
# spin for about ten microseconds. Two on two cores wrote 58 tokens/s so, and 33 sleeping at once.
_SPINNING = {**_SLEEPING, "GOMP_SPINCOUNT": "3000"}

# Huge pages for weights and caches, where the C library is glibc: 10 to 20 % more tokens/s.
_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the server serves.

    Attributes:
        context: tokens that one request may hold, prompt and completion together.
        parallel: requests that it works on at once.
        threads: to read a prompt with.
        writing_threads: to write a completion with, where no other is written.
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


def launch_embedded(options: ServerOptions) -> Running[httpx.Client]:
    """Start the server; returns when it answers.

    Raises:
        ConfigurationError: the model or an adapter cannot be loaded.
        BackendUnavailable: it died, or took too long.
    """
    waiting = _SPINNING if options.writing_threads > 1 else _SLEEPING
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            env={**waiting, **_MEMORY, **os.environ},
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
            return Running(process, client, _NAME, options.adapters)
        process.kill()
        process.communicate()
        reason = log_end(log, 1).rpartition("\n")[2] or said.get("error", "")
    if "error" in said:
        raise ConfigurationError(f"the embedded model cannot be loaded: {reason}")
    raise BackendUnavailable(f"{_NAME} {ending(process.returncode)} while starting. {reason}")


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
    return cast(dict[str, str], json.loads(line)) if line else {}
