"""What a rubric's weights give when each criterion has a winner, and what would turn it round."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from rmr1.pair import Side
from rmr1.winners import Winner

_EVEN = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """A criterion's weight, at least 0, and who wins it; None where nobody has said."""

    weight: float
    winner: Winner | None


@dataclass(frozen=True, slots=True)
class Flip:
    """The smallest change of weights after which the other side is level.

    Attributes:
        points: share of the whole that has to move, in 0..1; anything more turns the verdict.
        source: number of the row to take it from, the heaviest that the leader wins.
        target: number of the row to give it to, the heaviest that the other side wins.
        enough: whether `source` alone has as much; else further rows of the leader must give.
    """

    points: float
    source: int
    target: int
    enough: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the rows add up to, as shares of the whole.

    Attributes:
        a, b: won by each side.
        even: won by neither.
        unknown: nobody has said who wins.
        verdict: who has more; None where it is level, or nothing is weighed.
        settled: whether `verdict` stands whoever wins the unknown rows.
        flip: None where there is no verdict, or the other side wins no row.
    """

    a: float
    b: float
    even: float
    unknown: float
    verdict: Side | None
    settled: bool
    flip: Flip | None


def weigh(rows: Sequence[Row]) -> Weighed:
    """Add the weights up by winner.

    Weights count by their share of all weights; where all are 0 nothing is won.
    """
    total = fsum(row.weight for row in rows)
    shares = [row.weight / total if total > 0 else 0.0 for row in rows]

    def won(winner: Winner | None) -> float:
        return fsum(s for s, row in zip(shares, rows, strict=True) if row.winner == winner)

    a, b, unknown = won("A"), won("B"), won(None)
    verdict = None if abs(a - b) < _EVEN else Side.A if a > b else Side.B
    return Weighed(
        a=a,
        b=b,
        even=won("="),
        unknown=unknown,
        verdict=verdict,
        settled=verdict is not None and abs(a - b) - unknown > _EVEN,
        flip=_flip(shares, rows, verdict, abs(a - b)) if verdict else None,
    )


def _flip(shares: Sequence[float], rows: Sequence[Row], verdict: Side, lead: float) -> Flip | None:
    """A share moved from the leader's rows to the other side's closes the lead twice over.

    No other move closes it faster, so half the lead is the least that has to move.
    """
    source = _heaviest(shares, rows, verdict)
    target = _heaviest(shares, rows, verdict.other)
    if source is None or target is None:
        return None
    points = lead / 2
    return Flip(points, source, target, enough=shares[source] >= points - _EVEN)


def _heaviest(shares: Sequence[float], rows: Sequence[Row], side: Side) -> int | None:
    won = [number for number, row in enumerate(rows) if row.winner == side]
    return max(won, key=lambda number: shares[number], default=None)
