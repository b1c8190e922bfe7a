"""Judges of responses `r0`, `r1`, ... that prefer what a test says."""

import re
from collections.abc import Callable

from rmr1.backends.base import ChatRequest
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.tournament import JudgePairs, judged_by

Better = Callable[[int, int], int | Exception | None]


def preferring(better: Better) -> Judge:
    """`better(i, j)` of responses ri (read first) and rj is i, j, no verdict, or an error."""

    def reply(request: ChatRequest) -> str | Exception:
        text = "\n".join(turn.content for turn in request.messages)
        first, second = (int(number) for number in re.findall(r"\br(\d+)\b", text)[-2:])
        named = better(first, second)
        if isinstance(named, Exception):
            return named
        letter = "" if named is None else f"<answer>[[{'A' if named == first else 'B'}]]</answer>"
        return f"<type>Chat</type><eval>-</eval>{letter}"

    return Judge(ScriptedBackend(reply), load_profile("cor"))


def prefers(better: Better, plan: Plan | None = None) -> tuple[ScriptedBackend, JudgePairs]:
    """The backend, which remembers what it was asked, and how its judge judges pairs."""
    judge = preferring(better)
    assert isinstance(judge.backend, ScriptedBackend)
    return judge.backend, judged_by(judge, plan or Plan())
