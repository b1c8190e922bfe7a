"""One pair judged while the page watches, and put on record; no Gradio in here."""

import uuid
from collections.abc import Iterator
from time import monotonic

from rmr1.judge import Judge, Update
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from storage import judgements
from storage.database import Database
from storage.judgements import StoredJudgement
from ui.views import View, judgement_view, live_view

PAUSE = 0.1
"""Seconds between two views of a judgement being written: a browser keeps up, Stop is heard."""


def judge_pair(
    database: Database, judge: Judge, pair: Pair, plan: Plan, *, anew: bool
) -> Iterator[View]:
    """Judge while the page watches, then put the judgement on record.

    Yields:
        Views of the case; the last one carries the key of the stored judgement.
    """
    layout = judge.profile.layout
    if not anew:
        found = stored(database, judge, pair, plan)
        if found:
            yield _view_of(found, layout)
            return
    run = uuid.uuid4().hex
    shown_at = 0.0
    updates: list[Update | None] = [None] * plan.size
    yield live_view(pair, updates, layout, run)
    for step in judge.stream(pair, plan):
        if isinstance(step, Judgement):
            with database.write() as session:
                key = judgements.add(session, step, profile_text=judge.profile.model_dump_json())
            yield {**judgement_view(step, layout, key), "run": run}
        else:
            updates[step.index] = step
            if monotonic() - shown_at >= PAUSE:
                yield live_view(pair, updates, layout, run)
                shown_at = monotonic()


def stored(database: Database, judge: Judge, pair: Pair, plan: Plan) -> StoredJudgement | None:
    """The judgement of this pair by this judge under this plan, if it is on record."""
    with database.read() as session:
        key = judgements.find_same(session, pair.hash, judge.version.hash, plan.hash)
        return judgements.get(session, key) if key else None


def _view_of(found: StoredJudgement, layout: str) -> View:
    view = judgement_view(found.judgement, layout, found.key)
    when = f"{found.created_at:%Y-%m-%d %H:%M} UTC"
    note = f"Judged before with the same plan ({when}); “Judge anew” asks again."
    return {**view, "notes": [{"kind": "info", "text": note}, *view["notes"]]}
