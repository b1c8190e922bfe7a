"""Whether two written answers are the same mathematics: `math-verify` in a process of its own.

What models write may keep a computer algebra system busy for ever, so a process does the work that
may be ended at any moment: it reads two answers as JSON and writes true, false or null.
"""

import json
import subprocess
import sys
from functools import lru_cache
from importlib import import_module
from threading import Lock

LONGEST = 200
"""Characters of an answer that are looked at; what is longer is no final answer."""

_TIMEOUT_S = 30.0  # of a busy machine; its own processor time is what bounds the work
_CPU_S = 10
_MEMORY_BYTES = 2 << 30
_one_at_a_time = Lock()


@lru_cache(maxsize=2048)
def same_mathematics(first: str, second: str) -> bool | None:
    """Whether two answers in LaTeX or plain notation are equal.

    Returns:
        None where either cannot be read, where it takes too long, or without the library.

    Source: https://github.com/huggingface/Math-Verify
    """
    if max(len(first), len(second)) > LONGEST:
        return None
    with _one_at_a_time:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {_RUN}"],
                input=json.dumps([first, second]),
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (subprocess.TimeoutExpired, OSError):
            return None
    said: object = json.loads(done.stdout) if done.stdout in ("true", "false") else None
    return said if isinstance(said, bool) else None


_RUN = "from rmr1.symbolic import answer; answer()"


def answer() -> None:
    """Read two answers from standard input, and write whether they are the same."""
    _limit()
    first, second = json.load(sys.stdin)
    sys.stdout.write(json.dumps(_verified(first, second)))


def _limit() -> None:
    try:
        import resource
    except ImportError:  # no such thing on this system: the time limit outside remains
        return
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _verified(first: str, second: str) -> bool | None:
    try:
        library = import_module("math_verify")
    except ImportError:
        return None
    # Its other reader evaluates what it is given as Python: never for a model's text.
    reader = [library.LatexExtractionConfig(boxed_match_priority=0)]
    read = [
        library.parse(
            f"\\boxed{{{text}}}", reader, fallback_mode="no_fallback", parsing_timeout=None
        )
        for text in (first, second)
    ]
    if not all(read):
        return None
    return bool(library.verify(read[0], read[1], timeout_seconds=None))
