"""Runs a server with all its processes for as long as somebody holds this one's standard input.

It is run as a file, with the command as its arguments. The server gets a session of its own, which
is ended as a whole: when standard input ends (whoever held it may have been killed), or when the
server's first process has ended by itself.
"""

import os
import signal
import subprocess
import sys
import threading
import time

ORDERLY_SECONDS = 10.0
_CHECK_SECONDS = 0.1


def hold(command: list[str]) -> int:
    """Run `command` until it ends or standard input does; its exit code, 128 + n by a signal n."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the holder, who lets go
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    let_go = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(let_go,), daemon=True).start()
    while server.poll() is None and not let_go.wait(_CHECK_SECONDS):
        pass
    _end(server)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def _wait_for_the_end(let_go: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    let_go.set()


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the session: politely, then by force whatever is left of it."""
    _signal(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + ORDERLY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(_CHECK_SECONDS)
    _signal(server.pid, signal.SIGKILL)
    server.wait()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1:]))
