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
from storage import assigning, judgements, labels, pairs, queues, returning
from storage.assigning import SENT_BACK
from storage.judgements import StoredJudgement
from storage.labels import LabelEvent
from storage.pairs import StoredPair
from storage.queues import Queue
from ui.views import View, judgement_view, pair_view

JUDGE_HIDDEN = "The judge's name is hidden while you label."
"""In the place of the name: who said something sways what people make of it."""

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
        step: what comes next: `blind`, `verdict`, `reasoning` or `done`; `blind` again where a
            lead sent the pair back.
        value: the label as it stands, under the pair's own sides.
        blind_value: what was said before the verdict was in view.
        sections: repaired sections.
        why: why the pair was served when the blind answer was given.
        returned: what the lead said who sent it back; None where nobody waits for the person.
    """

    step: str
    value: str | None = None
    blind_value: str | None = None
    strength: int | None = None
    flagged: bool = False
    sections: dict[str, str] | None = None
    why: str = ""
    returned: str | None = None


def standing(session: Session, annotator: str, pair_id: int) -> Standing:
    """How far this person is with this pair."""
    events = [
        event
        for event in labels.history(session, pair_id)
        if event.annotator == annotator and not event.undone and event.action != "undo"
    ]
    blind = _last(events, "commit", stage="blind")
    flag = _last(events, "flag", "unflag")
    flagged = flag is not None and flag.action == "flag"
    if back := returning.waiting(session, annotator, pair_id):
        return Standing("blind", flagged=flagged, returned=back[0].note)
    if blind is None:
        return Standing("blind", flagged=flagged)
    since = [event for event in events if event.id > blind.id]
    reacted = _last(since, "keep", "change")
    spoken = _last(since, "sound", "wrong", "repair")
    return Standing(
        step="done" if spoken else "reasoning" if reacted else "verdict",
        value=reacted.value if reacted else blind.value,
        blind_value=blind.value,
        strength=(reacted.strength if reacted else None) or blind.strength,
        flagged=flagged,
        sections=spoken.sections if spoken else None,
        why=blind.why,
    )


def _last(events: Sequence[LabelEvent], *actions: str, stage: str = "") -> LabelEvent | None:
    fitting = (e for e in reversed(events) if e.action in actions and stage in ("", e.stage))
    return next(fitting, None)


def blind_item(
    stored: StoredPair,
    annotator: str,
    *,
    queue_id: int | None,
    why: str,
    flagged: bool,
    returned: str | None = None,
) -> View:
    """A pair before anything was said of it.

    Nothing in it comes from a judge or from other people, or tells a better side: not even what
    the queue was chosen by, as that may be the verdict, nor the key that a judgement is asked for
    by. A gold pair looks like any other.

    Args:
        why: as `shown_why` has it.
        returned: what the lead said who sent the pair back.
    """
    swapped = is_swapped(annotator, stored.pair.hash)
    pair = stored.pair.swapped() if swapped else stored.pair
    return {
        "pair_id": stored.id,
        "queue_id": queue_id,
        "judgement_key": None,
        "pair": pair_view(_bare(pair)),
        "why": why if why in ("random", BY_LINK, SENT_BACK) else "chosen",
        "step": "blind",
        "flagged": flagged,
        "returned": returned,
    }


def item_as_it_stands(
    session: Session,
    annotator: str,
    pair_id: int,
    queue_id: int | None,
    key: str | None,
    *,
    named: bool = True,
) -> View:
    """A pair with what this person may see by now and what they said.

    Args:
        queue_id: the queue that it was served from; None for a link.
        key: the judgement that it was served with.
        named: whether the judge is named.

    Raises:
        RecordNotFound: there is no such pair, judgement or queue.
    """
    stored = pairs.get(session, pair_id)
    queue = queues.get(session, queue_id) if queue_id else None
    now = standing(session, annotator, pair_id)
    why = SENT_BACK if now.returned is not None else queue.why if queue else BY_LINK
    item = blind_item(
        stored,
        annotator,
        queue_id=queue_id,
        why=why,
        flagged=now.flagged,
        returned=now.returned,
    )
    if now.step == "blind":
        return item
    swapped = is_swapped(annotator, stored.pair.hash)
    said = {
        "step": now.step,
        "judgement_key": key,
        "value": turned(now.value, swapped),
        "blind_value": turned(now.blind_value, swapped),
        "strength": now.strength,
        "sections": now.sections,
    }
    shown = reveal(judgements.get(session, key), swapped, why, named=named) if key else None
    return {**item, **said, "reveal": shown}


def why_served(session: Session, queue_id: int | None, annotator: str, pair_id: int) -> str:
    """Why a pair is served, as it is stored with the label.

    What was said first holds for the rest. A pair that was never served from the queue that the
    page names is one that the person chose: it is no part of a random stream.

    Raises:
        RecordNotFound: there is no such queue.
    """
    queue = queues.get(session, queue_id) if queue_id else None
    now = standing(session, annotator, pair_id)
    if now.why and now.step != "blind":
        return now.why
    if now.returned is not None:
        return SENT_BACK
    if queue is None:
        return BY_LINK
    return assigning.why_served(session, queue, pair_id, annotator) or BY_LINK


def shown_why(queue: Queue, why: str) -> str:
    """Why a pair is served, as the person is told: of a gold one what the queue says of any."""
    return queue.why if why == assigning.GOLD else why


def key_to_show(session: Session, queue_id: int | None, pair_id: int) -> str | None:
    """The judgement that is shown once a blind answer is in; None where there is none."""
    if queue_id:
        queue = queues.get(session, queue_id)
        if key := assigning.judgement_keys(session, queue, [pair_id]).get(pair_id):
            return key
    return judgements.newest(session, pair_id)


def reveal(stored: StoredJudgement, swapped: bool, why: str, *, named: bool = True) -> View:
    """What may be seen once a blind answer is on record: the judgement, and why it was served.

    `calls` says by which letter the judge's prose calls the response that is shown as A, and B;
    `texts` are the sections of its first rollout, as a repair begins with them. Where the judge is
    not `named`, nothing tells which one it was.
    """
    nameless = {} if named else {"meta": JUDGE_HIDDEN, "notes": []}
    shown = seen(stored.judgement, swapped)
    first = shown.rollouts[0]
    return {
        **judgement_view(replace(shown, pair=_bare(shown.pair)), "reasoning", stored.key),
        **nameless,
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
