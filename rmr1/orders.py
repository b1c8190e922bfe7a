"""What moved between two rollouts of a pair that differ in the order of the responses."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rmr1.consistency import winners_of
from rmr1.grounding import GroundedQuote
from rmr1.pair import Side
from rmr1.rollout import Rollout
from rmr1.totals import stated_totals
from rmr1.winners import Winner
from rmr1.words import split_words

_OVERLAP = 0.5  # of the shorter quotation: two that have less in common are two quotations
_SAME_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class CriterionBoth:
    """A criterion in both orders; None where an order has it not, or does not say."""

    name: str
    shares: tuple[float | None, float | None]
    winners: tuple[Winner | None, Winner | None]
    there: tuple[bool, bool]

    @property
    def moved(self) -> bool:
        """Whether it is in one order only, weighs differently, or changes hands."""
        first, second = self.shares
        known = [winner for winner in self.winners if winner]
        reweighed = first is not None and second is not None and abs(first - second) > _SAME_SHARE
        return not all(self.there) or reweighed or len(set(known)) > 1


@dataclass(frozen=True, slots=True)
class OrdersCompared:
    """What two rollouts say of the same pair, read in both orders, under the pair's own sides.

    Attributes:
        verdicts: of the first and the second rollout.
        criteria: of both, the first one's order first.
        quotes_kept: quotations of the first that the second has, too.
        only: numbers of the quotations that only the first, and only the second rollout has.
        totals: (A, B) as each adds them up, or None.
        moved: what moved, in sentences; empty where nothing did.
    """

    verdicts: tuple[Side | None, Side | None]
    criteria: tuple[CriterionBoth, ...]
    quotes_kept: int
    only: tuple[tuple[int, ...], tuple[int, ...]]
    totals: tuple[tuple[float, float] | None, tuple[float, float] | None]
    moved: tuple[str, ...]


def compare_orders(first: Rollout, second: Rollout) -> OrdersCompared:
    """Hold two rollouts of one pair against each other, section by section."""
    criteria = _criteria(first, second)
    kept, only = _quotes(first.quotes, second.quotes)
    totals = (_totals(first), _totals(second))
    return OrdersCompared(
        verdicts=(first.verdict, second.verdict),
        criteria=criteria,
        quotes_kept=kept,
        only=only,
        totals=totals,
        moved=tuple(_moved(first, second, criteria, kept, only, totals)),
    )


def _criteria(first: Rollout, second: Rollout) -> tuple[CriterionBoth, ...]:
    sides = [
        {
            _fold(one.name): (one.name, one.share, winner)
            for one, winner in zip(rollout.trace.criteria, winners_of(rollout), strict=True)
        }
        for rollout in (first, second)
    ]
    missing = ("", None, None)
    both = []
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        left, right = sides[0].get(name, missing), sides[1].get(name, missing)
        both.append(
            CriterionBoth(
                name=left[0] or right[0],
                shares=(left[1], right[1]),
                winners=(left[2], right[2]),
                there=(name in sides[0], name in sides[1]),
            )
        )
    return tuple(both)


def _fold(name: str) -> str:
    return " ".join(re.findall(r"\w+", name.casefold()))


def _quotes(
    first: Sequence[GroundedQuote], second: Sequence[GroundedQuote]
) -> tuple[int, tuple[tuple[int, ...], tuple[int, ...]]]:
    def lone(ours: Sequence[GroundedQuote], theirs: Sequence[GroundedQuote]) -> tuple[int, ...]:
        return tuple(n for n, one in enumerate(ours) if not any(_same(one, o) for o in theirs))

    only = (lone(first, second), lone(second, first))
    return len(first) - len(only[0]), only


def _same(one: GroundedQuote, other: GroundedQuote) -> bool:
    """Whether two quotations name the same passage, or the same words where there is none."""
    if one.side is not other.side:
        return False
    if None in (one.start, one.end, other.start, other.end):
        return _words(one.text) == _words(other.text)
    start, end = max(one.start or 0, other.start or 0), min(one.end or 0, other.end or 0)
    shorter = min((q.end or 0) - (q.start or 0) for q in (one, other))
    return end - start >= _OVERLAP * shorter and end > start


def _words(text: str) -> list[str]:
    return [word.text.casefold() for word in split_words(text)]


def _totals(rollout: Rollout) -> tuple[float, float] | None:
    own_words = [one.text for one in rollout.trace.evaluation or () if one.kind == "text"]
    found = stated_totals("\n".join(own_words))
    if found is None:
        return None
    return found[rollout.order.to_pair(Side.A)], found[rollout.order.to_pair(Side.B)]


def _moved(
    first: Rollout,
    second: Rollout,
    criteria: Sequence[CriterionBoth],
    kept: int,
    only: tuple[tuple[int, ...], tuple[int, ...]],
    totals: tuple[tuple[float, float] | None, tuple[float, float] | None],
) -> list[str]:
    said = []
    if first.verdict is not second.verdict:
        said.append(f"The verdict: {_verdict(first)} against {_verdict(second)}.")
    if first.trace.type is not second.trace.type:
        kinds = [r.trace.type or "none" for r in (first, second)]
        said.append(f"The type of task: {kinds[0]} against {kinds[1]}.")
    if moved := [one for one in criteria if one.moved]:
        lone = sum(not all(one.there) for one in moved)
        turned = sum(len({w for w in one.winners if w}) > 1 for one in moved)
        said.append(
            f"The rubric: of {len(criteria)} criteria {lone} stand in one order only, "
            f"{len(moved) - lone} weigh differently or change hands"
            + (f" ({turned} change hands)." if turned else ".")
        )
    if any(only):
        said.append(
            f"The quotations: {kept} in both, {len(only[0])} and {len(only[1])} in one order only."
        )
    if all(totals) and totals[0] != totals[1]:
        sums = [f"A {a:g}, B {b:g}" for a, b in filter(None, totals)]
        said.append(f"The totals: {sums[0]} against {sums[1]}.")
    return said


def _verdict(rollout: Rollout) -> str:
    return rollout.verdict or "none"
