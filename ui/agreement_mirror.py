"""The mirror of the Agreement page: one person's own figures, for that person and for leads."""

from sqlalchemy.orm import Session

from storage import gold, mirror, pull, queues
from storage.filters import JudgementFilter
from ui.agreement_blocks import (
    estimate_cell,
    figure,
    figures,
    link,
    p_words,
    share_cell,
)
from ui.agreement_scope import Scope
from ui.views import View


def _gold(session: Session, name: str) -> list[View]:
    rows = []
    for queue in queues.all_queues(session):
        share = gold.mirror(session, queue, name)
        if share.n:
            explained = f"moves once in {gold.BLOCK} of them, so that none gives itself away"
            rows.append(figure(f"Gold of {queue.name}", share_cell(share), explained))
    return [{"kind": "heading", "text": "Pairs whose answer is known"}, figures(rows)] * bool(rows)


def mirror_view(session: Session, scope: Scope, name: str) -> View:
    """One person's own figures; what others said shows only in sums."""
    own = mirror.mirror(scope.said, name, pull.shown_verdicts(session, scope.said), scope.stage)
    if not own.labels:
        return {"lead": f"{name} has answered nothing here yet.", "blocks": []}
    links = JudgementFilter(annotator=name)
    blocks = []
    for stream, title in (("random", "Random stream"), ("targeted", "Targeted items")):
        moved = own.pull[stream]
        rows = [
            figure(
                "Same as most others",
                share_cell(own.peers[stream], unit="answers"),
                "where the others have a majority",
            ),
            figure(
                "Pull towards the judge",
                estimate_cell(moved.net, points=True),
                p_words(moved.paired.p_value),
            ),
        ]
        blocks += [{"kind": "heading", "text": title}, figures(rows)]
    blocks += _gold(session, name)
    pace = own.pace
    if pace.median is not None:
        spread = f"half took {pace.low:.0f} to {pace.high:.0f} s" if pace.low and pace.high else ""
        recent = f"; the last {mirror.RECENT}: {pace.recent:.0f} s" if pace.recent else ""
        cell = {
            "words": f"{pace.median:.0f} s",
            "n": f"n = {pace.n:,} answers",
            "links": [],
            "why": f"A median of times: {spread or 'too few for a spread'}{recent}.",
        }
        blocks.append(figures([figure("Time for a blind answer", cell, "median")]))
    lead = f"{name}: {own.labels:,} answers. Only you and the leads see this."
    return {"lead": lead, "blocks": blocks, "links": [link(links, "open them")]}
