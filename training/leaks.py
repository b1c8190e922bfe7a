"""Label leaks: what tells the winner of a pair without a look at what the responses say.

A feature is something that only one side of a pair has, or that a row as a whole has. By chance
it stands with the winner in half of the rows; an exact binomial test, corrected for the number of
features that were looked at (Bonferroni), says which ones do not.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic import BaseModel
from rapidfuzz import fuzz

from rmr1.pair import Side

Kind = Literal["form", "word", "row"]

_ALPHA = 1e-3
_FAR = {"form": 0.9, "word": 0.9, "row": 0.7}
"""The share of right guesses from which on a feature is worth a report."""

_CERTAIN = 0.98
"""Lower end of the interval of that share from which on a mere word is a leak, not a habit."""

_FEWEST = 12
_MOST_FEATURES = 400_000
_SHOWN = 20

_TAG = re.compile(r"<[|｜/]{0,2}[A-Za-z][\w.｜▁-]{0,30}[|｜]?>|\[/?[A-Z_]{3,12}\]|<</?SYS>>")
_LABEL = re.compile(r"^[ \t#*]*([A-Z][A-Za-z]{1,14}(?: [A-Z0-9])?)\**:", re.MULTILINE)
_WORD = re.compile(r"\w+|[^\w\s]+")
_SPEAKERS = ("user", "human", "client", "assistant", "chatbot", "system", "prompter", "bot")
_ALIKE = 85
_AROUND = "around the responses: "
_PLAIN = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as a judge would read it.

    Attributes:
        frame: everything but the two sides, such as the prompt.
        winner: the letter of the better side as it is shown.
        source: where the pair comes from: what tells the winner may do so in one source alone.
    """

    frame: str
    first: str
    second: str
    winner: Side
    source: str = ""


class Leak(BaseModel):
    """A feature that tells the winner.

    Attributes:
        source: the one in which it tells the winner, or "" for all together.
        kind: `form` (a marker, a speaker's name, a count of turns, space), `word`, or `row` (what
            stands around both sides, or the row's place in the file).
        rows: rows in which it says something.
        share: of them, those in which its better guess is right.
        points_to: whom it speaks for: the side that has it, the other one, A, or B.
        p: corrected probability of as much by chance.
        blocking: whether it is a cue that has nothing to do with what the responses say.
    """

    feature: str
    source: str
    kind: Kind
    rows: int
    share: float
    points_to: str
    p: float
    blocking: bool


class LeakReport(BaseModel):
    """What a scan found.

    Attributes:
        features: how many features were tested.
        first_wins: share of rows whose better side is A.
        longer_wins: share of rows, of those with sides of different length, whose longer side is
            better: a bias to know of, not a leak.
        leaks: blocking ones first, the surest first.
    """

    rows: int = 0
    features: int = 0
    first_wins: float | None = None
    longer_wins: float | None = None
    leaks: list[Leak] = []

    @property
    def blocking(self) -> list[Leak]:
        """The leaks that should stop a training."""
        return [leak for leak in self.leaks if leak.blocking]


class _Feature(NamedTuple):
    source: str
    kind: Kind
    name: str


@dataclass(slots=True)
class _Tally:
    """In how many rows each feature says something, and how often it stands with the winner."""

    counts: dict[_Feature, list[int]] = field(default_factory=dict)

    def add(self, source: str, kind: Kind, feature: str, right: bool) -> None:
        count = self.counts.setdefault(_Feature(source, kind, feature), [0, 0])
        count[0] += 1
        count[1] += right

    def prune(self) -> None:
        """Forget the rarest features when there are too many, so that memory stays bounded."""
        least = 0
        while len(self.counts) > (_MOST_FEATURES // 2 if least else _MOST_FEATURES):
            least += 1
            self.counts = {key: one for key, one in self.counts.items() if one[0] > least}


@dataclass(slots=True)
class LeakScan:
    """Looks for leaks, row by row, in the order of the file."""

    _tally: _Tally = field(default_factory=_Tally)
    _rows: int = 0
    _firsts: int = 0
    _longer: list[int] = field(default_factory=lambda: [0, 0])
    _before: Side | None = None

    def add(self, row: Shown) -> None:
        """Take the next row."""
        first_wins = row.winner is Side.A
        for kind, feature, has_first in _one_sided(row.first, row.second):
            for source in {"", row.source}:
                self._tally.add(source, kind, feature, has_first == first_wins)
        for word in set(_WORD.findall(row.frame.casefold())):
            self._tally.add("", "row", f"{_AROUND}{word}", first_wins)
        self._tally.add("", "row", "the letter", first_wins)
        if self._rows % 2:
            self._tally.add("", "row", "every other row", first_wins)
        if self._before is not None:
            self._tally.add("", "row", "the winner of the row before", row.winner is self._before)
        if len(row.first) != len(row.second):
            self._longer[0] += 1
            self._longer[1] += (len(row.first) > len(row.second)) == first_wins
        self._before = row.winner
        self._rows += 1
        self._firsts += first_wins
        self._tally.prune()

    def report(self) -> LeakReport:
        """What was found so far."""
        tested = {key: one for key, one in self._tally.counts.items() if one[0] >= _FEWEST}
        base = self._firsts / max(1, self._rows)
        found = (_leak(key, tally, len(tested), base) for key, tally in tested.items())
        leaks: dict[str, Leak] = {}
        for leak in sorted(filter(None, found), key=lambda leak: (not leak.blocking, leak.p)):
            leaks.setdefault(leak.feature, leak)
        return LeakReport(
            rows=self._rows,
            features=len(tested),
            first_wins=_share(self._firsts, self._rows),
            longer_wins=_share(self._longer[1], self._longer[0]),
            leaks=list(leaks.values())[:_SHOWN],
        )


def scan(rows: Iterable[Shown]) -> LeakReport:
    """Look for leaks in rows, given in the order of their file."""
    looking = LeakScan()
    for row in rows:
        looking.add(row)
    return looking.report()


def _leak(key: _Feature, tally: list[int], tests: int, base: float) -> Leak | None:
    """What a feature tells, if it is more than chance.

    Args:
        base: share of rows whose better side is A, which a word around the responses must beat.
    """
    source, kind, name = key
    rows, right = tally
    with_it = right * 2 > rows
    chance = (base if with_it else 1 - base) if name.startswith(_AROUND) else 0.5
    most = max(right, rows - right)
    share = most / rows
    if share < _FAR[kind]:
        return None
    # Imported late: statsmodels takes seconds, and most commands look for no leak.
    from statsmodels.stats.proportion import binom_test, proportion_confint

    p = min(1.0, float(binom_test(most, rows, chance)) * tests)
    if p > _ALPHA:
        return None
    sides = ("A", "B") if kind == "row" else ("the side that has it", "the other side")
    certain, _ = proportion_confint(most, rows, method="wilson")
    return Leak(
        feature=name,
        source=source,
        kind=kind,
        rows=rows,
        share=share,
        points_to=sides[0] if with_it else sides[1],
        p=p,
        blocking=kind != "word" or float(certain) >= _CERTAIN,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _one_sided(first: str, second: str) -> Iterator[tuple[Kind, str, bool]]:
    """The features that one side has and the other has not: kind, name, whether A has it."""
    forms = (_forms(first), _forms(second))
    for feature in forms[0] ^ forms[1]:
        yield "form", feature, feature in forms[0]
    turns = (_turns(first), _turns(second))
    if turns[0] != turns[1]:
        yield "form", "more turns than the other side", turns[0] > turns[1]
    words = tuple(set(_WORD.findall(text.casefold())) for text in (first, second))
    for word in words[0] ^ words[1]:
        yield "word", word, word in words[0]


def _forms(text: str) -> set[str]:
    """Markers, speakers' names and space: what a text has before anyone reads it."""
    found = {f"the marker {tag}" for tag in _TAG.findall(text)}
    found |= {f"the speaker {name}" for name in _speakers(text)}
    if text[:1].isspace():
        found.add("space at its start")
    if text[-1:].isspace():
        found.add("space at its end")
    if not text.strip():
        found.add("no text at all")
    if not text.isascii() or not text.isprintable():
        odd = (letter for letter in set(text) if _is_odd(letter))
        found |= {f"the character U+{ord(letter):04X}" for letter in odd}
    return found


def _is_odd(letter: str) -> bool:
    """Whether a character is one that nobody sees."""
    return unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cn"} and letter not in _PLAIN


def _turns(text: str) -> int:
    return sum(_is_speaker(name) for name in _LABEL.findall(text))


def _speakers(text: str) -> set[str]:
    """Names of speakers before a colon; the letter of the side itself is taken out."""
    return {_bare(name) for name in _LABEL.findall(text) if _is_speaker(name)}


def _bare(name: str) -> str:
    return re.sub(r" [AB]$", "", name)


def _is_speaker(name: str) -> bool:
    bare = _bare(name).casefold()
    return any(fuzz.ratio(bare, speaker) >= _ALIKE for speaker in _SPEAKERS)
