"""The total scores that an evaluation gives both responses, where it says them plainly."""

import re

from rmr1.pair import Side

_NAMED = r"(?:chatbot|response|assistant|answer)[ \t]+\(?(?P<named>[AB])\b\)?(?:['’]s)?"
_SIDE = re.compile(rf"(?i:{_NAMED})|\b(?P<bare>[AB])(?=['’]s\b|[ \t*]*[:=]|[ \t]+\d)")
_TOTAL = re.compile(
    r"\btotals?\b(?![ \t]+(?:of|number|count)\b)"
    r"|\b(?:total|overall|final|weighted)[ \t]+(?:weighted[ \t]+)?"
    r"(?:score|total|average|sum|rating)s?\b",
    re.IGNORECASE,
)
_LESS_IS_BETTER = re.compile(
    r"\b(?:errors?|mistakes?|penalt\w+|deduct\w+|violations?|faults?|lower|fewer)\b", re.IGNORECASE
)
_SCALE = re.compile(r"[ \t]*(?:/|out of)[ \t]*\d+(?:\.\d+)?", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{1,4})?(?![\d%]|[.,]\d)")
_LONGEST_LINE = 400


def stated_totals(evaluation: str) -> dict[Side, float] | None:
    """The total score of each response, under the letters that the judge saw.

    Made to be right rather than to find much: a line must speak of a total, name the response
    (or stand under a heading that does) and hold one number, or one after its last equals sign.

    Returns:
        None unless both responses have one total, said in only one way.
    """
    totals: dict[Side, set[float]] = {side: set() for side in Side}
    heading: Side | None = None
    for line in evaluation.splitlines():
        if len(line) > _LONGEST_LINE:
            continue
        sides = list(_SIDE.finditer(line))
        if _TOTAL.search(line):
            if _LESS_IS_BETTER.search(line):
                return None
            for side, clause in _clauses(line, sides, heading):
                value = _value(clause)
                if value is None:
                    return None
                totals[side].add(value)
        elif len(sides) == 1 and line.rstrip(" \t*_").endswith(":"):
            heading = _side(sides[0])
    if any(len(values) != 1 for values in totals.values()):
        return None
    return {side: values.pop() for side, values in totals.items()}


def _clauses(line: str, sides: list[re.Match[str]], heading: Side | None) -> list[tuple[Side, str]]:
    """What the line says of each response that it names."""
    if not sides:
        return [(heading, line)] if heading and _NUMBER.search(line) else []
    if len(sides) == 1:
        match = sides[0]
        return [(_side(match), line[: match.start()] + " " + line[match.end() :])]
    ends = [match.start() for match in sides[1:]] + [len(line)]
    return [(_side(m), line[m.end() : end]) for m, end in zip(sides, ends, strict=True)]


def _side(match: re.Match[str]) -> Side:
    return Side((match["named"] or match["bare"]).upper())


def _value(clause: str) -> float | None:
    result = _SCALE.sub(" ", clause).rpartition("=")[2]
    numbers = _NUMBER.findall(result)
    return float(numbers[0]) if len(numbers) == 1 else None
