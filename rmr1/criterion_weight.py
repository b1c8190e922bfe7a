"""The weight of a criterion, in the forms that models write: 40%, 0.3, 2/5, 30 points."""

import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["percent", "fraction", "points"]

_S = r"[ \t]{0,3}"
_NUMBER = r"\d{1,4}(?:[.,]\d{1,4})?"
_LABEL = rf"(?:relative{_S})?weight(?:ing|age|ed)?(?:{_S}(?:of|at|is))?{_S}[:=]?{_S}"
_PLAIN = (
    rf"(?:~|≈|about\b|approximately\b)?{_S}(?<![\d.])(?P<number>{_NUMBER})"
    rf"(?:{_S}/{_S}(?P<of>{_NUMBER}))?{_S}(?P<unit>%|％|percent\b|per cent\b|points?\b|pts?\b)?"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_AFTER = rf"{_S}(?:of{_S})?(?:the{_S})?weight"
_ALONE = _pattern(rf"(?:{_LABEL})?{_PLAIN}(?:{_AFTER})?")
_LABELLED = _pattern(rf"\b{_LABEL}{_PLAIN}")
_BRACKETED = _pattern(rf"[(\[（]{_S}(?P<label>{_LABEL})?{_PLAIN}(?P<after>{_AFTER})?{_S}[)\]）]")
_LEADING = _pattern(rf"{_S}{_PLAIN}{_S}(?:[:.,–—-]+{_S}|(?=(?-i:[(A-Z]))|$)")
_ENDING = _pattern(rf"(?:[:=–—,-]|\bat\b|\bworth\b){_S}{_PLAIN}{_S}[.;]?{_S}$")


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight as it stands in a text.

    Attributes:
        text: as written, without brackets around it.
        value: the number in its own unit; a fraction written a/b is the quotient.
        start: where it starts in the text, brackets included.
        end: where it ends (exclusive).
    """

    text: str
    value: float
    unit: Unit
    start: int = 0
    end: int = 0

    @property
    def scaled(self) -> float:
        """The weight where 1 is the whole; points count as hundredths."""
        return self.value if self.unit == "fraction" else self.value / 100


def read_weight(text: str) -> Weight | None:
    """The weight that is all of `text`, or None ("40%", "weight: 0.3", "(30 points)")."""
    bare = text.strip(" \t.;")
    match = _BRACKETED.fullmatch(bare) or _ALONE.fullmatch(bare)
    return _weight(match) if match else None


def leading_weight(text: str) -> Weight | None:
    """A weight with a unit, or in brackets, that `text` begins with ("40% - Accuracy")."""
    match = _BRACKETED.match(text.lstrip()) or _LEADING.match(text)
    if match is None or not (match["unit"] or match["of"] or match[0][0] in "([（"):
        return None
    return _weight(match)


def weight_in_name(name: str) -> Weight | None:
    """The weight beside a criterion's name, where any bracketed number is one."""
    found = (pattern.search(name) for pattern in (_BRACKETED, _LABELLED, _ENDING))
    return next((weight for match in found if match and (weight := _weight(match))), None)


def weight_in_description(text: str) -> Weight | None:
    """The weight in a criterion's description.

    A description may speak of other numbers, so a weight must be labelled as one, or stand in
    brackets with its unit at the end.
    """
    for match in _BRACKETED.finditer(text):
        ends = not text[match.end() :].strip(" \t\n.;")
        if match["label"] or match["after"] or (ends and match["unit"]):
            return _weight(match)
    labelled = _LABELLED.search(text)
    if labelled is None:
        return None
    before, after = text[: labelled.start()].strip(), text[labelled.end() :].strip(" \t\n.;")
    return None if before and after else _weight(labelled)


def weights_in_prose(text: str) -> list[Weight]:
    """Every number with a unit, in order: what a rubric in running text has for weights."""
    pattern = _pattern(rf"[(\[]?{_S}{_PLAIN}{_S}[)\]]?")
    found = (_weight(m) for m in pattern.finditer(text) if m["unit"])
    return [weight for weight in found if weight]


def _weight(match: re.Match[str]) -> Weight | None:
    value = float(match["number"].replace(",", "."))
    written = (match["unit"] or "").lower()
    unit: Unit
    if match["of"]:
        whole = float(match["of"].replace(",", "."))
        if whole == 0 or value > whole:
            return None
        value, unit = value / whole, "fraction"
    elif written.startswith(("%", "％", "per")):
        unit = "percent"
    else:
        unit = "points" if written or value > 1 else "fraction"
    if unit == "points" and not written and value > 100:
        return None
    text = match[0].strip(" \t:=–—,-;.()[]（）")
    return Weight(text, value, unit, match.start(), match.end())
