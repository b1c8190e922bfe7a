"""One completion of the judge, read: its trace, its verdict, its quotations, and how it ended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from rmr1.backends.base import FinishReason
from rmr1.grounding import GroundedQuote, Grounder
from rmr1.markers import restore
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Layout
from rmr1.totals import stated_totals
from rmr1.trace import TaskType, Trace, TraceParser

_REFUSAL = re.compile(
    r"\bI(?:['’]m| am) (?:sorry,? (?:but|I)|unable to|not able to)\b"
    r"|\bI (?:can['’]t|cannot|can not|won['’]t|will not|must decline)\b|\bas an AI\b",
    re.IGNORECASE,
)
_REFUSAL_WITHIN = 200  # characters from the start
_LONGEST_REFUSAL = 1_000


class State(StrEnum):
    """How a rollout, or a judgement, ended. Only a verdict is a verdict; the rest says why not."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    CONTRADICTORY = "contradictory"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    UNPARSEABLE = "unparseable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Rollout:
    """One completion of the judge for one pair in one order, read.

    Attributes:
        verdict: the better side of the *pair* (the letter in `trace` is the one the judge saw).
        reason: what is missing or what went wrong, in words; "" when complete.
        probability_a: probability of the pair's side A at the verdict, A and B alone considered;
            None where the backend gives no log-probabilities or there is no verdict.
        quotes: every quotation of the evaluation, in order, under the pair's sides.
        injected: names of template markers that a response or the prompt tried to forge.
        seconds: from the request to the last token.
        first_seconds: from the request to the first token.
    """

    order: Order
    vote: int
    seed: int
    trace: Trace
    state: State
    verdict: Side | None = None
    reason: str = ""
    probability_a: float | None = None
    quotes: tuple[GroundedQuote, ...] = ()
    injected: tuple[str, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    first_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a rollout while it is written: the trace, and its finished quotations."""

    trace: Trace
    quotes: tuple[GroundedQuote, ...]


class RolloutReader:
    """Reads a rollout while it is written, its quotations looked up as they are closed."""

    def __init__(self, pair: Pair, order: Order, *, layout: Layout = "cor") -> None:
        """Start on an empty text.

        Args:
            layout: "cor" wants the sections of the protocol; "reasoning" only an answer.
        """
        self._order = order
        self._layout = layout
        self._parser = TraceParser()
        self._grounders = {side: Grounder(pair.response(side), side) for side in Side}

    def feed(self, chunk: str) -> None:
        """Take the next piece of the text, of any length."""
        self._parser.feed(chunk)

    def snapshot(self) -> Reading:
        """What is known so far; a quotation still being written is in the trace only."""
        trace = _restored(self._parser.snapshot())
        return Reading(trace, self._ground(trace, writing=True))

    def finish(
        self,
        *,
        vote: int = 0,
        seed: int = 0,
        finish_reason: FinishReason | None = None,
        error: str | None = None,
        probability_a: float | None = None,
        injected: tuple[str, ...] = (),
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        seconds: float | None = None,
        first_seconds: float | None = None,
    ) -> Rollout:
        """The whole rollout, with its state; nothing may be fed after it.

        Args:
            finish_reason: why the engine stopped, "length" being the budget; None if unknown.
            error: what failed, in words; the rollout then has no verdict.
            probability_a: of the pair's side A, not of the letter A.
        """
        trace = _restored(self._parser.finish())
        state, reason = _state(trace, self._layout, finish_reason, error)
        counts = state not in (State.FAILED, State.TRUNCATED)
        verdict = self._order.to_pair(trace.verdict) if trace.verdict and counts else None
        return Rollout(
            order=self._order,
            vote=vote,
            seed=seed,
            trace=trace,
            state=state,
            verdict=verdict,
            reason=reason,
            probability_a=probability_a if verdict else None,
            quotes=self._ground(trace, writing=False),
            injected=injected,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            seconds=seconds,
            first_seconds=first_seconds,
        )

    def _ground(self, trace: Trace, *, writing: bool) -> tuple[GroundedQuote, ...]:
        segments = trace.evaluation or ()
        if writing and trace.open and trace.open[-1].startswith("quote"):
            segments = segments[:-1]
        return tuple(
            replace(quote, segment=number)
            for number, segment in enumerate(segments)
            if segment.kind == "quote" and segment.side
            for quote in self._grounders[self._order.to_pair(segment.side)].ground_all(segment.text)
        )


def read_rollout(
    pair: Pair,
    order: Order,
    text: str,
    *,
    layout: Layout = "cor",
    vote: int = 0,
    seed: int = 0,
    finish_reason: FinishReason | None = None,
    error: str | None = None,
    probability_a: float | None = None,
    injected: tuple[str, ...] = (),
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    seconds: float | None = None,
    first_seconds: float | None = None,
) -> Rollout:
    """Read a whole text; the arguments are those of `RolloutReader` and its `finish`."""
    reader = RolloutReader(pair, order, layout=layout)
    reader.feed(text)
    return reader.finish(
        vote=vote,
        seed=seed,
        finish_reason=finish_reason,
        error=error,
        probability_a=probability_a,
        injected=injected,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        seconds=seconds,
        first_seconds=first_seconds,
    )


def _restored(trace: Trace) -> Trace:
    """The trace with the markers of the responses given back, now that it is read."""

    def given_back(text: str | None) -> str | None:
        return None if text is None else restore(text)

    return replace(
        trace,
        thinking=given_back(trace.thinking),
        rubric=given_back(trace.rubric),
        criteria=tuple(
            replace(c, name=restore(c.name), text=restore(c.text)) for c in trace.criteria
        ),
        justify=given_back(trace.justify),
        solution=given_back(trace.solution),
        evaluation=trace.evaluation
        and tuple(replace(segment, text=restore(segment.text)) for segment in trace.evaluation),
        answer=given_back(trace.answer),
        prose=restore(trace.prose),
    )


def _state(
    trace: Trace, layout: Layout, finish_reason: FinishReason | None, error: str | None
) -> tuple[State, str]:
    if error is not None:
        return State.FAILED, error
    cut = finish_reason == "length"
    if cut and (trace.verdict is None or _still_thinking(trace, layout)):
        return State.TRUNCATED, f"the budget of tokens ran out {_where(trace, layout)}"
    if len(set(trace.letters)) > 1:
        return State.CONTRADICTORY, f"the answer names both sides: {', '.join(trace.letters)}"
    sections = (trace.type, trace.rubric, trace.solution, trace.evaluation, trace.answer)
    if trace.verdict is None and all(section is None for section in sections):
        return _without_anything(trace)
    if missing := list(_missing(trace, layout)):
        return State.PARTIAL, ", ".join(missing)
    return _against_its_totals(trace) or (State.COMPLETE, "")


def _still_thinking(trace: Trace, layout: Layout) -> bool:
    """Whether the text ends in its thinking, whose opening tag a template may have written."""
    return "think" in trace.open or (layout == "reasoning" and trace.thinking is None)


def _where(trace: Trace, layout: Layout) -> str:
    if _still_thinking(trace, layout):
        return "while it was thinking"
    return f"inside <{trace.open[-1]}>" if trace.open else "before a verdict"


def _without_anything(trace: Trace) -> tuple[State, str]:
    said = trace.prose
    if len(said) <= _LONGEST_REFUSAL and _REFUSAL.search(said[:_REFUSAL_WITHIN]):
        return State.REFUSED, "it declines to judge"
    if not trace.text.strip():
        return State.UNPARSEABLE, "the text is empty"
    if "think" in trace.open:
        return State.UNPARSEABLE, "it never ends its thinking"
    return State.UNPARSEABLE, "it has no section and no verdict"


def _missing(trace: Trace, layout: Layout) -> Iterator[str]:
    if layout == "cor":
        if trace.type is None:
            yield "no task type"
        if trace.type is TaskType.REASONING and not trace.solution:
            yield "no solution"
        elif trace.type is TaskType.CHAT and not trace.rubric:
            yield "no rubric"
        elif not trace.rubric and not trace.solution:
            yield "no rubric or solution"
        if not trace.evaluation:
            yield "no evaluation"
    if trace.verdict is None:
        yield "no answer" if not trace.answer else "an answer that names neither A nor B"
    elif trace.answer is None and layout == "cor":
        yield "no <answer> tag around the verdict"


def _against_its_totals(trace: Trace) -> tuple[State, str] | None:
    """A contradiction between the verdict and the scores that the evaluation adds up."""
    if trace.verdict is None or trace.rubric is None:
        return None
    own_words = [segment.text for segment in trace.evaluation or () if segment.kind == "text"]
    totals = stated_totals("\n".join(own_words))
    if totals is None or totals[trace.verdict] >= totals[trace.verdict.other]:
        return None
    scores = " and ".join(f"{side} {total:g}" for side, total in totals.items())
    return State.CONTRADICTORY, f"it adds up {scores}, and answers {trace.verdict}"
