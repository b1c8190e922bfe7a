"""Criteria and their weights, read out of a rubric's prose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum

from rmr1.criterion_weight import (
    Weight,
    leading_weight,
    read_weight,
    weight_in_description,
    weight_in_name,
    weights_in_prose,
)

MOST_READ = 10_000
"""Characters of a rubric that are read: one fills a page, what is longer is a loop."""

_LONGEST_NAME = 120
_TOLERANCE = 0.005

_NUMBERED = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+)?[*_]{0,2}(?:criterion[ \t]+\d{1,2}(?!\d)[ \t]*[.):–—-]?"
    r"|\(?\d{1,2}[.)．、](?!\d)|(?:\(?[a-z]\)|[ivx]{1,4}\.)(?=[ \t*_]|$))[ \t]*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"[ \t]*[-*•+–](?=[ \t])[ \t]*")
_HEADING = re.compile(r"[ \t]*(?:#{1,6}[ \t]+(?=\S)|(?=(?:\*\*|__)\S))")
_NAMED = re.compile(r"[ \t]*(?=[^\W\d_][^.:?!|]{1,70}:[ \t]+\S)")
_SEPARATOR = re.compile(r":(?=[\s*_]|$)|：|[ \t][–—-](?=[ \t]|$)|—")
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=[\w:)\].%])[*_](?!\w)")
_ITEM_TAG = re.compile(r"</?(?:items?|criteri(?:on|a)|rub\w{0,5})>", re.IGNORECASE)
_WEIGHT_COLUMN = re.compile(r"weight|points|share|importance|%", re.IGNORECASE)
_FOR = re.compile(r"[ \t]*(?:for|to|on)[ \t]+([^,;.:()\n]{2,60}?)(?=[,;.:()\n]|\s+and\b|\s*$)")
_RULER = re.compile(r"[\s|:-]+")
_FILLER = re.compile(
    r"^(?:and|the|with|then|finally|i|we|will|weigh|weight|assign|give|is|most|important(?:ly)?)\b"
    r"|\b(?:at|of|is|with|gets?|receives?|carries|worth|weigh(?:ted|s)?(?: at)?|and|=|a)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One named item of a rubric.

    Attributes:
        weight_text: the weight as it is written ("40%", "weight: 0.3"), or None.
        weight: that weight as a number in its own unit (40.0, 0.3), or None.
        share: the weight normalised over the rubric so that all shares add up to 1; None where
            the criterion has no weight.
        text: what the criterion asks, without name and weight.
    """

    name: str
    text: str = ""
    weight_text: str | None = None
    weight: float | None = None
    share: float | None = None


def read_criteria(text: str) -> tuple[Criterion, ...]:
    """The criteria of a rubric: a list, a table, named lines, or weights in running text.

    Only the outermost items of a list are criteria; what stands below one is a part of its text.
    Percentages and fractions in one rubric share a scale; points count as hundredths beside them.
    """
    text = _ITEM_TAG.sub("", text[:MOST_READ])
    lines = text.splitlines()
    found = _from_table(lines) or [_criterion(item) for item in _items(lines)]
    return _with_shares(found or _from_prose(text))


def weights_add_up(criteria: Sequence[Criterion]) -> bool | None:
    """Whether the weights make a whole: 100 %, or 1.

    Returns:
        None where nothing can be said: no weights, or points, which may have any total.
    """
    weights = _weights(criteria)
    if not weights:
        return None
    if all(weight.unit == "points" for weight in weights):
        total = sum(weight.value for weight in weights)
        return True if total in (1, 10, 100) and len(weights) == len(criteria) else None
    return len(weights) == len(criteria) and abs(_total(weights) - 1) < _TOLERANCE


def weights_note(criteria: Sequence[Criterion]) -> str:
    """A sentence for people where the weights do not add up to a whole; "" otherwise."""
    if weights_add_up(criteria) is not False:
        return ""
    weights = _weights(criteria)
    missing = len(criteria) - len(weights)
    total = f"{_total(weights) * 100:.4g} %"
    if missing:
        have = "has" if missing == 1 else "have"
        return (
            f"{missing} of {len(criteria)} criteria {have} no weight; the rest adds up to {total}."
        )
    return f"The weights add up to {total} instead of 100 %; the shares are scaled to 100 %."


def _weights(criteria: Sequence[Criterion]) -> list[Weight]:
    return [w for c in criteria if c.weight_text and (w := read_weight(c.weight_text))]


def _total(weights: Sequence[Weight]) -> float:
    return fsum(weight.scaled for weight in weights)


def _with_shares(found: Sequence[tuple[Criterion, Weight | None]]) -> tuple[Criterion, ...]:
    total = _total([weight for _, weight in found if weight])
    return tuple(
        replace(criterion, share=weight.scaled / total) if weight and total else criterion
        for criterion, weight in found
    )


def _items(lines: Sequence[str]) -> list[str]:
    """The outermost items, each with the lines below it, without its marker."""
    for pattern in (_NUMBERED, _BULLET, _HEADING):
        if any(pattern.match(line) for line in lines):
            return _gather(lines, pattern)
    named = [line for line in lines if _is_weighted(line)]
    if not named:
        named = [line for line in lines if _NAMED.match(line)]
        named = named if len(named) > 1 else []
    return named


def _is_weighted(line: str) -> bool:
    """Whether a line without a list marker is one criterion with its weight."""
    name, text = _split(line)
    if not leading_weight(line) and weight_in_name(name):
        return len(weights_in_prose(name)) <= 1
    stated = leading_weight(line) or leading_weight(text) or weight_in_description(text)
    return stated is not None and len(weights_in_prose(line)) <= 1


def _gather(lines: Sequence[str], marker: re.Pattern[str]) -> list[str]:
    outermost = min(_indent(line) for line in lines if marker.match(line))
    items: list[str] = []
    blank = False
    for line in lines:
        match = marker.match(line)
        if match and _indent(line) <= outermost + 1:
            items.append(line[match.end() :])
        elif items and line.strip() and not (blank and _indent(line) <= outermost):
            items[-1] += "\n" + line
        blank = not line.strip()
    return [item for item in items if item.strip(" \t*_")]


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _criterion(item: str) -> tuple[Criterion, Weight | None]:
    first, _, below = item.partition("\n")
    first = _plain(first)
    weight = leading_weight(first)
    if weight:
        first = first.lstrip()[weight.end :].lstrip(" \t:–—-")
    name, text = _split(first)
    if weight is None and (weight := weight_in_name(name)):
        name, rest = name[: weight.start], name[weight.end :].strip(" :,–—-")
        name, text = (name, f"{rest} {text}") if name.strip() else (rest, text)
    if weight is None and (weight := read_weight(text) or leading_weight(text)):
        text = text[weight.end :].lstrip(" \t:–—-")
    if weight is None and (weight := weight_in_description(text)):
        text = text[: weight.start] + text[weight.end :]
    if weight is None:
        weight, below = _weight_below(below)
    if not name.strip():
        name, text = _split(text)
    text = f"{text.strip()}\n{below}".strip()
    return _named(name, text, weight), weight


def _weight_below(text: str) -> tuple[Weight | None, str]:
    """The weight that has a line of its own, and the other lines."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        weight = read_weight(_plain(line).strip(" \t-*•")) if "weight" in line.lower() else None
        if weight:
            return weight, "\n".join(lines[:number] + lines[number + 1 :])
    return None, text


def _named(name: str, text: str, weight: Weight | None) -> Criterion:
    return Criterion(
        name=" ".join(name.split()).strip(" :,–—-*"),
        text=text,
        weight_text=weight.text if weight else None,
        weight=weight.value if weight else None,
    )


def _plain(line: str) -> str:
    return _EMPHASIS.sub("", line)


def _split(line: str) -> tuple[str, str]:
    """Name and description of an item's first line; all name where nothing divides them."""
    for match in _SEPARATOR.finditer(line[:_LONGEST_NAME]):
        before = line[: match.start()]
        in_brackets = before.count("(") > before.count(")") or before.count("[") > before.count("]")
        if before.strip() and not in_brackets:
            return before, line[match.end() :].strip()
    return line, ""


def _from_table(lines: Sequence[str]) -> list[tuple[Criterion, Weight | None]]:
    """The rows of a Markdown table, whichever of its columns holds the weight."""
    rows = [line.strip().strip("|").split("|") for line in lines if line.strip().startswith("|")]
    ruled = [i for i, row in enumerate(rows) if _RULER.fullmatch("|".join(row))]
    if not ruled:
        return []
    header = rows[ruled[0] - 1] if ruled[0] else []
    column = next((i for i, cell in enumerate(header) if _WEIGHT_COLUMN.search(cell)), None)
    found = []
    for row in rows[ruled[0] + 1 :]:
        cells = [_plain(cell).strip() for cell in row]
        held = cells if column is None else cells[column : column + 1]
        weight = next((weight for cell in held if (weight := read_weight(cell))), None)
        words = [cell for cell in cells if cell.strip(" #.0123456789") and not read_weight(cell)]
        if words:
            found.append((_named(words[0], "\n".join(words[1:]), weight), weight))
    return found


def _from_prose(text: str) -> list[tuple[Criterion, Weight | None]]:
    """Criteria named in running text just before, or after "for", their weights."""
    found: list[tuple[Criterion, Weight | None]] = []
    before = 0
    weights = weights_in_prose(text)
    for weight, following in zip(weights, [*weights[1:], None], strict=False):
        after = _FOR.match(text[weight.end : following.start if following else len(text)])
        if after:
            name = after[1]
        else:
            name = re.split(r"[,;.:()\n]|\band\b", text[before : weight.start].rstrip(" ,:(["))[-1]
        before = weight.end
        if name := _without_filler(name):
            found.append((_named(name, "", weight), weight))
    return found


def _without_filler(name: str) -> str:
    shorter = name.strip()[-_LONGEST_NAME:]
    while (name := shorter) != (shorter := _FILLER.sub("", name).strip()):
        pass
    return shorter
