"""A second judge's word on the pair that the Judge page shows: a baseline beside the reasons."""

from collections.abc import Iterator
from typing import Any

from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from storage.database import Database
from ui.judging import judge_pair
from ui.views import View

_KEPT = ("verdict", "state", "state_title", "reason", "confidence", "confidence_source", "key")


def with_beside(
    database: Database, judge: Judge, pair: Pair, plan: Plan, view: View, *, anew: bool
) -> Iterator[View]:
    """Judge the pair once more, and put what comes of it beside a judgement.

    Args:
        view: the judgement that stands there already.

    Yields:
        `view` with `beside`: first that the second judge is at work, then what it says.
    """
    title = judge.version.title
    yield {**view, "beside": {"judge": title, "phase": "running"}}
    *_, said = judge_pair(database, judge, pair, plan, anew=anew)
    yield {**view, "beside": {"judge": title, "phase": "done", **summary(said, view)}}


def summary(said: View, view: View) -> dict[str, Any]:
    """What one line says of a judgement, and whether it agrees with the one it stands beside."""
    both = said.get("verdict"), view.get("verdict")
    agrees = both[0] == both[1] if all(both) else None
    return {**{name: said.get(name) for name in _KEPT}, "agrees": agrees}
