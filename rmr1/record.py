"""Pairs and judgements as JSON objects: what the command line reads and writes, a line each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from rmr1.errors import InputError, first_problem
from rmr1.grounding import GroundedQuote
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import Rollout, State, read_rollout
from rmr1.trace import Segment, Trace

Record = dict[str, Any]

_VERSION = tuple(JudgeVersion.__dataclass_fields__)
_MEASURED = (
    "vote",
    "seed",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "first_seconds",
)


def pair_from_record(record: Mapping[str, Any]) -> Pair:
    """Read a pair.

    `prompt` is a string or a list of messages; the responses are `response_a` and `response_b`, or
    `chosen` and `rejected`, which are then laid on the two sides by the pair's own hash, so that
    the better one stands on either side equally often and always on the same one.

    Raises:
        InputError: a key is missing or holds something else; the sentence names it.
    """
    prompt = record.get("prompt", record.get("conversation"))
    rest = {key: record[key] for key in ("id", "source", "subset") if record.get(key) is not None}
    rest = {key: str(value) for key, value in rest.items()}
    try:
        if "response_a" in record or "response_b" in record:
            return Pair(
                conversation=read_conversation(prompt),
                response_a=_text(record, "response_a"),
                response_b=_text(record, "response_b"),
                chosen=record["chosen"] if record.get("chosen") in ("A", "B") else None,
                **rest,
            )
        better, worse = _text(record, "chosen"), _text(record, "rejected")
        pair = Pair(
            conversation=read_conversation(prompt),
            response_a=better,
            response_b=worse,
            chosen=Side.A,
            **rest,
        )
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{where or 'the pair'}: {what}") from error
    return pair.placed()


def judgement_record(judgement: Judgement) -> Record:
    """A judgement as one flat object; sections, quotations and text are the first rollout's.

    `start` and `end` of a quotation are code points in the response of its side; they are None
    when the quotation is absent.
    """
    first = judgement.rollouts[0]
    return {
        "id": judgement.pair.id or judgement.pair.hash[:16],
        "verdict": judgement.verdict,
        "state": judgement.state,
        "reason": judgement.reason,
        "confidence": judgement.confidence,
        "confidence_source": judgement.confidence_source,
        "swap_consistent": judgement.swap_consistent,
        **trace_record(first.trace),
        "quotes": [quote_record(quote) for quote in first.quotes],
        "tokens": sum(rollout.completion_tokens or 0 for rollout in judgement.rollouts),
        "seconds": round(sum(rollout.seconds or 0.0 for rollout in judgement.rollouts), 3),
        "text": first.trace.text,
        "judge_version": {name: getattr(judgement.version, name) for name in ("hash", *_VERSION)},
        "plan": judgement.plan.model_dump(),
        "pair": judgement.pair.model_dump(mode="json"),
        "rollouts": [rollout_record(rollout) for rollout in judgement.rollouts],
    }


def judgement_from_record(record: Mapping[str, Any]) -> Judgement:
    """Read what `judgement_record` wrote.

    Traces and quotations are read from the texts again; states and verdicts are those of the
    record, whatever today's reader would say.

    Raises:
        InputError: the record is no judgement.
    """
    try:
        pair = Pair.model_validate(record["pair"])
        version = {name: record["judge_version"][name] for name in _VERSION}
        return Judgement(
            pair=pair,
            version=JudgeVersion(**version),
            plan=Plan.model_validate(record["plan"]),
            rollouts=tuple(_rollout(pair, one) for one in record["rollouts"]),
            verdict=_side(record["verdict"]),
            state=State(record["state"]),
            reason=record["reason"],
            confidence=record["confidence"],
            confidence_source=record["confidence_source"],
            swap_consistent=record["swap_consistent"],
        )
    except (ValidationError, LookupError, TypeError, ValueError) as error:
        raise InputError(f"expected a judgement: {error!r}"[:300]) from error


def trace_record(trace: Trace) -> Record:
    """The sections of a trace."""
    return {
        "type": trace.type,
        "criteria": [
            {
                "name": criterion.name,
                "weight": criterion.share,
                "weight_text": criterion.weight_text,
                "text": criterion.text,
            }
            for criterion in trace.criteria
        ],
        "justify": trace.justify,
        "solution": trace.solution,
        "eval": evaluation_text(trace.evaluation) if trace.evaluation is not None else None,
        "thinking": trace.thinking,
        "prose": trace.prose,
        "slips": list(trace.slips),
    }


def quote_record(quote: GroundedQuote) -> Record:
    """A quotation with the passage it was found in."""
    return {
        "side": quote.side,
        "text": quote.text,
        "match": quote.match,
        "start": quote.start,
        "end": quote.end,
    }


def rollout_record(rollout: Rollout) -> Record:
    """What cannot be read again from a rollout's text, and the text."""
    return {
        "order": rollout.order,
        "vote": rollout.vote,
        "seed": rollout.seed,
        "state": rollout.state,
        "verdict": rollout.verdict,
        "reason": rollout.reason,
        "probability_a": rollout.probability_a,
        "injected": list(rollout.injected),
        "prompt_tokens": rollout.prompt_tokens,
        "completion_tokens": rollout.completion_tokens,
        "seconds": rollout.seconds,
        "first_seconds": rollout.first_seconds,
        "text": rollout.trace.text,
    }


def evaluation_text(segments: tuple[Segment, ...]) -> str:
    """An evaluation as it is written, quotations and summaries in their tags, space made even."""
    written = ""
    for segment in segments:
        tag = f"{segment.kind}_{segment.side}"
        piece = segment.text if segment.side is None else f"<{tag}>{segment.text}</{tag}>"
        glued = not written or not piece or piece[0] in ".,;:!?)]}"
        written += piece if glued else f" {piece}"
    return written


def _rollout(pair: Pair, record: Mapping[str, Any]) -> Rollout:
    rollout = read_rollout(
        pair,
        Order(record["order"]),
        record["text"],
        **{name: record[name] for name in _MEASURED},
        injected=tuple(record["injected"]),
    )
    return replace(
        rollout,
        state=State(record["state"]),
        verdict=_side(record["verdict"]),
        reason=record["reason"],
        probability_a=record["probability_a"],
    )


def _side(letter: str | None) -> Side | None:
    return Side(letter) if letter else None


def read_conversation(prompt: object) -> tuple[Message, ...]:
    """A prompt as turns: a text is one turn of the user, a list holds messages.

    Raises:
        InputError: it is neither.
        ValidationError: a message has no role or content that a conversation can have.
    """
    if isinstance(prompt, str):
        return (Message(role="user", content=prompt),)
    if isinstance(prompt, list) and prompt:
        return tuple(Message.model_validate(turn) for turn in prompt)
    raise InputError("prompt: expected a text or a list of messages with role and content")


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        found = "nothing" if value is None else type(value).__name__
        raise InputError(f"{key}: expected a text, found {found}")
    return value
