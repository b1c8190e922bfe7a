"""How a pair stands before the person who labels it, and what of it may be seen when.

A person reads the responses in an order of their own (`is_swapped`), independent of the judge's.
Everything in a view speaks of the responses as they are shown; everything on record speaks of the
pair's own sides. `turned` leads from one to the other, and back.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from rmr1.judgement import Judgement, swap
from rmr1.pair import Pair, Side
from rmr1.record import evaluation_text
from rmr1.trace import Trace
from storage import judgements, labels, pairs, queues
from storage.judgements import StoredJudgement
from storage.labels import LabelEvent
from storage.pairs import StoredPair
from ui.views import View, judgement_view, pair_view

BY_LINK = "link"
"""Why a pair is served that a link names."""


def is_swapped(annotator: str, pair_hash: str) -> bool:
    """Whether this person is shown response B first: a fair coin that always falls the same way."""
    coin = hashlib.sha256(f"shown to {annotator}\n{pair_hash}".encode()).digest()
    return bool(coin[0] & 1)


def turned(value: str | None, swapped: bool) -> str | None:
    """A label's value between shown sides and the pair's own (its own inverse)."""
    return Side(value).other.value if swapped and value in ("A", "B") else value


def seen(judgement: Judgement, swapped: bool) -> Judgement:
    """A judgement as if it had been made of the responses as they are shown (its own inverse)."""
    return swap(judgement) if swapped else judgement


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a person is with a pair; what was undone does not count.

    Attributes:
        step: what comes next: `blind`, `verdict`, `reasoning` or `done`.
        value: the label as it stands, under the pair's own sides.
        blind_value: what was said before the verdict was in view.
        sections: repaired sections.
    """

    step: str
    value: str | None = None
    blind_value: str | None = None
    strength: int | None = None
    flagged: bool = False
    sections: dict[str, str] | None = None


def standing(session: Session, annotator: str, pair_id: int) -> Standing:
    """How far this person is with this pair."""
    events = [
        event
        for event in labels.history(session, pair_id)
        if event.annotator == annotator and not event.undone and event.action != "undo"
    ]
    blind = _last(events, "commit", stage="blind")
    reacted = _last(events, "keep", "change")
    spoken = _last(events, "sound", "wrong", "repair")
    flag = _last(events, "flag", "unflag")
    flagged = flag is not None and flag.action == "flag"
    if blind is None:
        return Standing("blind", flagged=flagged)
    return Standing(
        step="done" if spoken else "reasoning" if reacted else "verdict",
        value=reacted.value if reacted else blind.value,
        blind_value=blind.value,
        strength=(reacted.strength if reacted else None) or blind.strength,
        flagged=flagged,
        sections=spoken.sections if spoken else None,
    )


def _last(events: Sequence[LabelEvent], *actions: str, stage: str = "") -> LabelEvent | None:
    fitting = (e for e in reversed(events) if e.action in actions and stage in ("", e.stage))
    return next(fitting, None)


def blind_item(
    stored: StoredPair,
    annotator: str,
    *,
    queue_id: int | None,
    judgement_key: str | None,
    why: str,
    flagged: bool,
) -> View:
    """A pair before anything was said of it.

    Nothing in it comes from a judge or tells a better side: not even what the queue was chosen
    by, as that may be the verdict.
    """
    swapped = is_swapped(annotator, stored.pair.hash)
    pair = stored.pair.swapped() if swapped else stored.pair
    return {
        "pair_id": stored.id,
        "queue_id": queue_id,
        "judgement_key": judgement_key,
        "pair": pair_view(_bare(pair)),
        "why": why if why in ("random", BY_LINK) else "chosen",
        "step": "blind",
        "flagged": flagged,
    }


def item_as_it_stands(
    session: Session, annotator: str, pair_id: int, queue_id: int | None, key: str | None
) -> View:
    """A pair with what this person may see by now and what they said.

    Args:
        queue_id: the queue that it was served from; None for a link.
        key: the judgement that it was served with.

    Raises:
        RecordNotFound: there is no such pair, judgement or queue.
    """
    stored = pairs.get(session, pair_id)
    why = why_served(session, queue_id)
    now = standing(session, annotator, pair_id)
    item = blind_item(
        stored, annotator, queue_id=queue_id, judgement_key=key, why=why, flagged=now.flagged
    )
    if now.step == "blind":
        return item
    swapped = is_swapped(annotator, stored.pair.hash)
    said = {
        "step": now.step,
        "value": turned(now.value, swapped),
        "blind_value": turned(now.blind_value, swapped),
        "strength": now.strength,
        "sections": now.sections,
    }
    shown = reveal(judgements.get(session, key), swapped, why) if key else None
    return {**item, **said, "reveal": shown}


def why_served(session: Session, queue_id: int | None) -> str:
    """Why a pair is served, as it is stored with the label.

    Raises:
        RecordNotFound: there is no such queue.
    """
    return queues.get(session, queue_id).why if queue_id else BY_LINK


def reveal(stored: StoredJudgement, swapped: bool, why: str) -> View:
    """What may be seen once a blind answer is on record: the judgement, and why it was served.

    `calls` says by which letter the judge's prose calls the response that is shown as A, and B;
    `texts` are the sections of its first rollout, as a repair begins with them.
    """
    shown = seen(stored.judgement, swapped)
    first = shown.rollouts[0]
    return {
        **judgement_view(replace(shown, pair=_bare(shown.pair)), "reasoning", stored.key),
        "why": why,
        "calls": {side.value: first.order.to_pair(side).value for side in Side},
        "texts": section_texts(first.trace),
    }


def section_texts(trace: Trace) -> dict[str, str]:
    """The sections of a trace as they are written, under the names that a repair uses."""
    said = evaluation_text(trace.evaluation) if trace.evaluation else trace.prose
    texts = {
        "type": trace.type or "",
        "rubric": trace.rubric or "",
        "justify": trace.justify or "",
        "solution": trace.solution or "",
        "eval": said,
        "answer": trace.verdict or "",
    }
    return {name: text.strip() for name, text in texts.items()}


def _bare(pair: Pair) -> Pair:
    """The pair without its origin and without the better side: both may tell the answer."""
    return pair.model_copy(update={"chosen": None, "source": "", "subset": ""})
