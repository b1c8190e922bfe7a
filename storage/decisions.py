"""What the labels on a pair come to, taken together."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rmr1.pair import Side
from storage.snapshots import FrozenLabel


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pair's labels come to.

    Attributes:
        value: what a lead decided, else what more labels say than any other value; None where
            two values lead.
        strength: mean strength of the labels that say so, in 1..3; None where none was given.
        adjudicated: whether a lead decided.
    """

    pair_id: int
    value: str | None
    strength: float | None
    labels: tuple[FrozenLabel, ...]
    adjudicated: bool = False

    @property
    def winner(self) -> Side | None:
        """The better side, if that is what was decided."""
        return Side(self.value) if self.value in ("A", "B") else None


def decide(pair_id: int, labels: Sequence[FrozenLabel]) -> Decision:
    """Let a lead decide where one did, else the most labels.

    Args:
        labels: at least one.
    """
    by_lead = next((label.value for label in labels if label.decided), None)
    value = by_lead or _majority([label.value for label in labels])
    strengths = [one.strength for one in labels if one.value == value and one.strength]
    strength = sum(strengths) / len(strengths) if strengths else None
    return Decision(pair_id, value, strength, tuple(labels), adjudicated=by_lead is not None)


def _majority(values: Sequence[str]) -> str | None:
    counted = Counter(values).most_common(2)
    leads = len(counted) == 1 or counted[0][1] > counted[1][1]
    return counted[0][0] if leads else None


def decisions(labels: Iterable[FrozenLabel]) -> Iterator[Decision]:
    """The decision on each pair.

    Args:
        labels: those of a pair one after the other.
    """
    for pair_id, group in groupby(labels, key=lambda label: label.pair_id):
        yield decide(pair_id, list(group))
