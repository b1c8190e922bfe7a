"""When enough votes are drawn: the chance that the side ahead would still lead after all of them.

After each round (one vote in every order of the plan) the votes still to come are predicted from
those drawn, each order for itself, because a judge that prefers a position has another rate in each
order. A flat prior on an order's rate makes the number of its votes to come beta-binomial. The side
ahead is kept once the chance that it has most votes at the end reaches the plan's `stop_at`.

The chance is of agreeing with the plan's full number of votes, not of being right. With 0.95, at
most one in twenty of the verdicts that it cuts short would have ended otherwise, as far as the
prior holds; with 1, none: only votes that cannot change the verdict are saved.

Source: predictive probability for stopping a trial early, J. J. Lee and D. D. Liu, Clinical Trials
5 (2008) 93-106. Stopping votes of a language model by a Beta posterior with a flat prior:
P. Aggarwal et al., Adaptive-Consistency, arXiv 2305.11860; its question, which side leads in the
long run, knows no last vote, so that it goes on where the rest cannot matter.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import comb

from rmr1.pair import Side
from rmr1.plan import Draw, Plan
from rmr1.rollout import Rollout

Tally = tuple[int, int, int]
"""Of one order: votes for one side, votes for the other, rollouts still to come."""


def next_draws(plan: Plan, drawn: Sequence[Rollout]) -> tuple[Draw, ...]:
    """What to draw next, all at once; nothing when the plan is fulfilled.

    A plan that stops early asks for the fewest rounds that could decide it, should every one of
    them name the same side. So an engine is kept busy, and what is drawn is the same as if every
    round were awaited before the next.

    Args:
        drawn: the plan's first rollouts, in its order; those without a verdict do not vote.
    """
    rest = tuple(plan.draws())[len(drawn) :]
    if plan.stop_at is None:
        return rest
    orders = plan.size // plan.votes
    return rest[: orders * rounds_to_decide(_tallies(plan, drawn), plan.stop_at)]


def rounds_to_decide(tallies: Sequence[Tally], stop_at: float) -> int:
    """The fewest further rounds after which the verdict may be decided; 0 if it is already.

    Without any left it is decided.

    Args:
        tallies: one for each order, all with the same number of rollouts still to come.
    """
    left = tallies[0][2]
    for rounds in range(left):
        if any(
            is_decided(tuple(_after(tally, rounds, side) for tally in tallies), stop_at)
            for side in (0, 1)
        ):
            return rounds
    return left


def is_decided(tallies: tuple[Tally, ...], stop_at: float) -> bool:
    """Whether a side is ahead and would still lead after all votes with at least this chance."""
    lead = sum(one - other for one, other, _ in tallies)
    if not lead:
        return not tallies[0][2]
    ahead = tallies if lead > 0 else [(other, one, left) for one, other, left in tallies]
    return chance_to_lead(tuple(sorted(ahead))) >= stop_at


@lru_cache(maxsize=2**16)
def chance_to_lead(tallies: tuple[Tally, ...]) -> float:
    """The chance that the first side has more votes than the other when all are drawn.

    Exact. Rollouts to come are all taken to name a side.
    """
    ways, all_ways = [1], 1
    for one, other, left in tallies:
        further = [comb(one + k, k) * comb(other + left - k, left - k) for k in range(left + 1)]
        ways = _convolved(ways, further)
        all_ways *= comb(one + other + left + 1, left)
    lead = sum(one - other - left for one, other, left in tallies)
    return sum(number for k, number in enumerate(ways) if lead + 2 * k > 0) / all_ways


def _tallies(plan: Plan, drawn: Sequence[Rollout]) -> list[Tally]:
    orders = list(dict.fromkeys(draw.order for draw in plan.draws()))
    tallies = []
    for order in orders:
        named = [rollout.verdict for rollout in drawn if rollout.order is order]
        tallies.append((named.count(Side.A), named.count(Side.B), plan.votes - len(named)))
    return tallies


def _after(tally: Tally, rounds: int, side: int) -> Tally:
    """The tally after rounds that all name one side."""
    one, other, left = tally
    return one + rounds * (side == 0), other + rounds * (side == 1), left - rounds


def _convolved(some: Sequence[int], others: Sequence[int]) -> list[int]:
    found = [0] * (len(some) + len(others) - 1)
    for i, number in enumerate(some):
        for j, other in enumerate(others):
            found[i + j] += number * other
    return found
