"""A long trace of a better judge cut down to what decides, for a judge that people wait for."""

import re

from rmr1.pair import Order, Pair, Side
from rmr1.trace import Segment, Trace
from storage.compile import check_target, compile_trace
from training.composing import LONGEST_SENTENCE, SENTENCE, clip, working


def condense(trace: Trace, pair: Pair, order: Order) -> str | None:
    """A long trace cut down to what decides; None where that does not stand `check_target`.

    Kept are the type, the rubric with a sentence for each criterion, the first sentence of the
    justification (or the end of the solution), the first quotation or summary of each side, and
    the last sentence of the evaluation.
    """
    if trace.type is None or trace.verdict is None or not trace.evaluation:
        return None
    evidence = [next((one for one in trace.evaluation if one.side is side), None) for side in Side]
    last = [
        part
        for one in trace.evaluation
        if one.kind == "text"
        for part in _sentences(one.text)
        if part[-1] != ":"
    ][-1:]
    said = [_tagged(one) for one in evidence if one] + last
    text = compile_trace(
        trace.type,
        _renamed(" ".join(said)),
        trace.verdict,
        rubric="\n".join(
            f"{number}. {one.name} ({one.share:.0%}): {_short(one.text)}"
            for number, one in enumerate(trace.criteria[:4], start=1)
            if one.share is not None
        ),
        justify=_renamed(" ".join(_sentences(trace.justify or "")[:1])),
        solution=working(_renamed(trace.solution or "")),
    )
    return None if check_target(pair, order, text) else text


def _tagged(one: Segment) -> str:
    short = (
        _short(one.text) if one.kind == "summary" else clip((_sentences(one.text) or [one.text])[0])
    )
    return f"<{one.kind}_{one.side}>{short}</{one.kind}_{one.side}>"


def _sentences(text: str) -> list[str]:
    return [part.strip(" -*") for part in SENTENCE.split(text) if len(part.split()) > 2]


def _short(text: str) -> str:
    first = (_sentences(text) or [text.strip()])[0]
    return _renamed(clip(first)) if len(first.split()) > LONGEST_SENTENCE else _renamed(first)


def _renamed(text: str) -> str:
    return re.sub(r"\bChatbot ([AB])\b", r"\1", text)
