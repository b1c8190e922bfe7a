"""Texts as sequences of words with their places, normalised so that quotations compare."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

ELLIPSIS = "…"
QUOTE_MARK = '"'

# Chinese, Japanese and Korean write without spaces: there every character is a word.
_DENSE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_LETTERS = rf"(?:(?![{_DENSE}])\w)+"
_WORD = re.compile(rf"[{_DENSE}]|{_LETTERS}(?:'{_LETTERS})*|\.{{2,}}|\\[A-Za-z]+|[^\w\s]")
_MARKUP = re.compile(
    r"^(?:[ \t\"“]*(?:`{3,}\w*|#{1,6}(?=[ \t])|[-*+•](?=[ \t])|\d{1,2}[.)](?=[ \t])))+"  # lines
    r"|\*{2,}|`+|~~|(?<!\w)\*(?=\w)|(?<=[\w.,:;!?)])\*(?!\w)"  # emphasis and code
    r"|\\[()\[\]]|\$"  # borders of formulas
    r"|(?<=\s)/(?=\s)",  # a verse's line break when quoted in running text
    re.MULTILINE,
)
_TYPOGRAPHIC = {
    **dict.fromkeys(map(ord, "“”„«»"), QUOTE_MARK),
    **dict.fromkeys(map(ord, "‘’‚`´′"), "'"),
    **dict.fromkeys(map(ord, "–—‑‐−"), "-"),
}
_FORMULA = {
    r"\times": "×",
    r"\cdot": "·",
    r"\div": "÷",
    r"\le": "≤",
    r"\leq": "≤",
    r"\ge": "≥",
    r"\geq": "≥",
    r"\approx": "≈",
    r"\neq": "≠",
    r"\dots": ELLIPSIS,
    r"\ldots": ELLIPSIS,
    r"\cdots": ELLIPSIS,
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark as it compares, and its place in the text.

    Attributes:
        text: with plain quotation marks and dashes, emphasis gone, its case kept.
        start: where it starts, in code points.
        end: where it ends (exclusive).
    """

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """The words and marks of a text; white space, list markers and emphasis are none."""
    flat = _MARKUP.sub(lambda match: " " * len(match[0]), text).translate(_TYPOGRAPHIC)
    return [Word(_plain(m[0]), m.start(), m.end()) for m in _WORD.finditer(flat)]


def _plain(word: str) -> str:
    if word[0] == ".":
        return ELLIPSIS if len(word) > 1 else word
    if word[0] == "\\":
        return _FORMULA.get(word, word)
    if word == "'":
        return QUOTE_MARK
    return word.strip("_") or word


class Alphabet:
    """One character for every distinct word, so that fast string functions compare words."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def spell(self, words: Sequence[str]) -> str:
        """The words as a string of one character each."""
        letters = self._letters
        return "".join([letters.setdefault(word, _letter(len(letters))) for word in words])


def _letter(index: int) -> str:
    return chr(min(0x10000 + index, 0x10FFFF))
