"""From the domain to the plain dictionaries that the panels paint; no Gradio in here.

Sides are always the pair's own. In the order B, A the judge's letters are the other way round:
quotations are put right, prose cannot be, so a note says so.
"""

from collections.abc import Sequence
from typing import Any

from rmr1.grounding import GroundedQuote, Match
from rmr1.judge import Update
from rmr1.judgement import Judgement, State
from rmr1.pair import Order, Pair, Side
from rmr1.rollout import Rollout
from rmr1.rubric import weights_note
from rmr1.trace import Trace

View = dict[str, Any]

STATE_TITLES = {
    State.COMPLETE: "complete",
    State.PARTIAL: "a section is missing",
    State.CONTRADICTORY: "the judge contradicts itself",
    State.TRUNCATED: "the budget ran out",
    State.REFUSED: "the judge refused",
    State.UNPARSEABLE: "the text cannot be read",
    State.FAILED: "the judge failed",
}

TINY_JUDGE = (
    "A tiny demonstration model (135 million parameters) judged this: it shows how a reasoning "
    "reward model works."
)
BARE = "It mostly copies its prompt's example and prefers what it reads first."
LEARNED = "Its adapter has learned how a judgement is written; take its verdict for a hint."
HELD = "A grammar holds it to the protocol, and its quotations to sentences of the responses."


def pair_view(pair: Pair) -> View:
    """The prompt and both responses."""
    origin = " · ".join(part for part in (pair.source, pair.subset) if part)
    return {
        "turns": [{"role": turn.role, "content": turn.content} for turn in pair.conversation],
        "origin": origin,
        "a": {"side": "A", "text": pair.response_a, "chosen": pair.chosen is Side.A},
        "b": {"side": "B", "text": pair.response_b, "chosen": pair.chosen is Side.B},
    }


def rollout_view(
    order: Order,
    vote: int,
    trace: Trace,
    quotes: Sequence[GroundedQuote],
    layout: str,
    rollout: Rollout | None = None,
) -> View:
    """One rollout, whole or so far."""
    verdict = rollout.verdict if rollout else trace.verdict and order.to_pair(trace.verdict)
    ended = rollout is not None and rollout.state is not State.FAILED
    return {
        "layout": layout if trace.type is None and trace.rubric is None else "cor",
        "order": order,
        "vote": vote,
        "done": rollout is not None,
        "state": rollout.state if rollout else None,
        "reason": rollout.reason if rollout else "",
        "verdict": verdict,
        "probability": _probability(rollout),
        "type": trace.type,
        "thinking": trace.thinking,
        "rubric": trace.rubric,
        "criteria": [
            {
                "name": item.name,
                "text": item.text,
                "weight_text": item.weight_text,
                "share": item.share,
            }
            for item in trace.criteria
        ],
        "weights_note": weights_note(trace.criteria) if ended else "",
        "justify": trace.justify,
        "solution": trace.solution,
        "evaluation": _evaluation(order, trace, quotes),
        "prose": trace.prose,
        "open": list(trace.open),
        "quotes": [{"side": quote.side, "match": quote.match} for quote in quotes],
        "spans": {side: _spans(quotes, side) for side in ("A", "B")},
        "notes": _notes(order, rollout),
        "text": trace.text if rollout else "",
    }


def live_view(pair: Pair, updates: Sequence[Update | None], layout: str, run: str) -> View:
    """A judgement while it is being written: one update, or none yet, for each rollout."""
    known = [update for update in updates if update]
    return {
        "phase": "running",
        "run": run,
        "pair": pair_view(pair),
        "rollouts": [_update_view(update, layout) for update in known],
        "verdict": None,
        "status": _status(known),
        "meta": _meta(
            sum(update.tokens for update in known),
            max((update.seconds for update in known), default=0.0),
        ),
        "notes": [],
    }


def judgement_view(judgement: Judgement, layout: str, key: str | None = None) -> View:
    """A whole judgement."""
    tokens = sum(rollout.completion_tokens or 0 for rollout in judgement.rollouts)
    seconds = max((rollout.seconds or 0.0 for rollout in judgement.rollouts), default=0.0)
    ending = f"Response {judgement.verdict} is better" if judgement.verdict else "No verdict"
    return {
        "phase": "done",
        "key": key,
        "pair": pair_view(judgement.pair),
        "rollouts": [
            rollout_view(r.order, r.vote, r.trace, r.quotes, layout, r) for r in judgement.rollouts
        ],
        "shown": 0,
        "verdict": judgement.verdict,
        "state": judgement.state,
        "state_title": STATE_TITLES[judgement.state],
        "reason": judgement.reason,
        "confidence": judgement.confidence,
        "confidence_source": judgement.confidence_source,
        "swap": None if judgement.state is State.FAILED else judgement.swap_consistent,
        "status": f"Done. {ending}.",
        "meta": " · ".join(filter(None, (judgement.version.title, _meta(tokens, seconds)))),
        "notes": _judgement_notes(judgement),
    }


def _update_view(update: Update, layout: str) -> View:
    draw = update.draw
    return rollout_view(draw.order, draw.vote, update.trace, update.quotes, layout, update.rollout)


def _status(updates: Sequence[Update]) -> str:
    """What is going on, in words; it changes with the phase only, as it is read aloud."""
    if not updates:
        return "The judge reads the pair"
    trace = updates[0].trace
    names = {
        "type": "The judge classifies the task",
        "rubric": "The judge writes its rubric",
        "justify": "The judge justifies its rubric",
        "solution": "The judge solves the task itself",
        "eval": "The judge compares the responses",
        "answer": "The judge gives its verdict",
    }
    return next((names[name] for name in trace.open if name in names), "The judge is writing")


def _meta(tokens: int, seconds: float) -> str:
    parts = []
    if tokens:
        parts.append(f"{tokens:,} tokens")
    if seconds:
        parts.append(f"{seconds:.1f} s")
    return " · ".join(parts)


def _probability(rollout: Rollout | None) -> float | None:
    if rollout is None or rollout.probability_a is None or rollout.verdict is None:
        return None
    return rollout.probability_a if rollout.verdict is Side.A else 1 - rollout.probability_a


def _evaluation(order: Order, trace: Trace, quotes: Sequence[GroundedQuote]) -> list[View] | None:
    if trace.evaluation is None:
        return None
    segments: list[View] = []
    for number, segment in enumerate(trace.evaluation):
        side = order.to_pair(segment.side) if segment.side else None
        found = [
            {
                "index": index,
                "text": quote.text,
                "match": quote.match,
                "differences": [list(run) for run in quote.differences],
            }
            for index, quote in enumerate(quotes)
            if quote.segment == number
        ]
        segments.append({"kind": segment.kind, "text": segment.text, "side": side, "found": found})
    return segments


def _spans(quotes: Sequence[GroundedQuote], side: str) -> list[list[Any]]:
    return [
        [quote.start, quote.end, quote.match, index]
        for index, quote in enumerate(quotes)
        if quote.side == side and quote.match is not Match.ABSENT
    ]


def _notes(order: Order, rollout: Rollout | None) -> list[View]:
    notes = []
    if order is Order.BA:
        notes.append(
            _note(
                "info",
                "In this order the judge read response B first: what it calls A is response B, "
                "and the other way round. Badges and marks are put right; its prose is not.",
            )
        )
    if rollout and rollout.injected:
        names = ", ".join(rollout.injected)
        notes.append(
            _note("warning", f"The pair holds control markers of the protocol, disarmed: {names}.")
        )
    if rollout and rollout.state is not State.FAILED and rollout.trace.slips:
        slips = "; ".join(rollout.trace.slips[:6])
        notes.append(_note("info", f"Odd about the tags: {slips}."))
    return notes


def _judgement_notes(judgement: Judgement) -> list[View]:
    notes = []
    if judgement.version.backend == "embedded":
        held = f" {HELD}" if judgement.plan.grammar else ""
        told = (
            f"{TINY_JUDGE} {LEARNED}" if judgement.version.adapter else f"{TINY_JUDGE} {BARE}{held}"
        )
        notes.append(_note("info", told))
    return notes


def _note(kind: str, text: str) -> View:
    return {"kind": kind, "text": text}
