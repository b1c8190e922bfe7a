"""What other plans would have made of rollouts that are drawn already: votes, orders, budgets.

One run with many votes holds the outcomes of all plans that ask for less of the same: fewer votes,
one order, a smaller budget, an early stop. Each is played on the drawn rollouts, shuffled with a
seed, as often as asked, and averaged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rmr1.errors import InputError
from rmr1.judgement import Judgement
from rmr1.pair import Order
from rmr1.plan import Plan
from rmr1.stopping import Tally, is_decided

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

StopRule = Callable[[tuple[Tally, ...], float], bool]
"""Whether voting may stop, by the tallies of the orders and the plan's `stop_at`."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a plan makes of each pair, the mean over its replays.

    Attributes:
        right: how often the verdict is the better side.
        mute: how often there is no verdict.
        rollouts: how many it draws.
        tokens: how many it writes.
        seconds: of its rollouts added up; None where they were not measured.
    """

    right: Numbers
    mute: Numbers
    rollouts: Numbers
    tokens: Numbers
    seconds: Numbers | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Rollouts of many pairs, as arrays by pair, order and vote.

    Attributes:
        plan: under which they were drawn.
        prompts: of each pair, a name of its prompt.
        says: 1 for the better side, -1 for the other, 0 for no verdict.
        tokens: written.
        seconds: taken; None where not measured.
        skipped: judgements left out, because their pair's better side is not known.
    """

    plan: Plan
    prompts: tuple[str, ...]
    says: Counts
    tokens: Numbers
    seconds: Numbers | None
    skipped: int = 0

    @classmethod
    def of(cls, judgements: Sequence[Judgement]) -> "Pool":
        """The rollouts of judgements that one judge made under one plan, each pair once.

        Raises:
            InputError: no better side is known, the plan stopped early, or a rollout or its count
                of tokens is missing.
        """
        known = [one for one in judgements if one.pair.chosen]
        if not known:
            raise InputError("no pair says which response is better: there is nothing to measure.")
        plan = known[0].plan
        if plan.stop_at is not None:
            raise InputError(
                "the plan stopped voting early, so that the votes it went without are unknown: "
                "judge without --adaptive, which is then worked out from all votes."
            )
        drawn = [[_drawn(one, order) for order in orders_of(plan)] for one in known]
        table = np.array(drawn, dtype=np.float64)  # pair, order, vote, measure
        timed = not np.isnan(table[..., 2]).any()
        return cls(
            plan=plan,
            prompts=tuple(one.pair.prompt_hash for one in known),
            says=table[..., 0].astype(np.int64),
            tokens=table[..., 1],
            seconds=table[..., 2] if timed else None,
            skipped=len(judgements) - len(known),
        )

    @property
    def votes(self) -> int:
        """Rollouts of each order."""
        return int(self.says.shape[2])

    def replay(
        self, plan: Plan, *, times: int = 20, seed: int = 0, rule: StopRule = is_decided
    ) -> Replayed:
        """Play a plan on the drawn rollouts.

        A rollout longer than the plan's budget is cut there: it has no verdict, and its seconds
        shrink with its tokens. The same seed shuffles the same way for every plan, so that plans
        can be compared pair by pair.

        Args:
            plan: asks for no more than was drawn; its temperature, seed and grammar do not matter.
            times: shuffles; one is enough, and made, where the plan asks for all votes.
            rule: when to stop; the plans' own unless another is to be compared with it.

        Raises:
            ValueError: the plan asks for votes, orders or tokens that were not drawn.
        """
        cut = self._cut(plan)
        random = np.random.default_rng(seed)
        everything = plan.votes == self.votes and plan.stop_at is None
        played = [
            _played(cut._shuffled(random), plan, rule) for _ in range(1 if everything else times)
        ]
        right, mute, rollouts, tokens, seconds = np.mean(played, axis=0)
        timed = self.seconds is not None
        return Replayed(right, mute, rollouts, tokens, seconds if timed else None)

    def _cut(self, plan: Plan) -> "Pool":
        """The rollouts as far as the plan's budget lets them write, in the plan's orders."""
        drawn, asked = orders_of(self.plan), orders_of(plan)
        if plan.votes > self.votes or not set(asked) <= set(drawn):
            raise ValueError(f"{plan!r} asks for more votes or orders than {self.plan!r} drew")
        if plan.max_tokens > self.plan.max_tokens:
            raise ValueError(f"no more than {self.plan.max_tokens} tokens were allowed in the pool")
        # All orders are shuffled alike whichever of them a plan wants, so they are kept until then.
        kept = np.array([order in asked for order in drawn])[None, :, None]
        tokens = np.minimum(self.tokens, plan.max_tokens)
        whole = self.tokens <= plan.max_tokens
        shares = np.divide(tokens, self.tokens, out=np.ones_like(tokens), where=self.tokens > 0)
        return Pool(
            plan=self.plan,
            prompts=self.prompts,
            says=np.where(whole & kept, self.says, 0),
            tokens=tokens * kept,
            seconds=None if self.seconds is None else self.seconds * shares * kept,
        )

    def _shuffled(self, random: np.random.Generator) -> "Pool":
        """The votes of every pair and order in another succession."""
        places = np.broadcast_to(np.arange(self.votes), self.says.shape)
        places = random.permuted(places, axis=2)
        seconds = self.seconds
        return Pool(
            plan=self.plan,
            prompts=self.prompts,
            says=np.take_along_axis(self.says, places, axis=2),
            tokens=np.take_along_axis(self.tokens, places, axis=2),
            seconds=None if seconds is None else np.take_along_axis(seconds, places, axis=2),
        )


def orders_of(plan: Plan) -> list[Order]:
    """The orders that a plan asks for."""
    return [Order.AB, Order.BA] if plan.orders == "both" else [Order(plan.orders)]


def _drawn(judgement: Judgement, order: Order) -> list[tuple[float, float, float]]:
    """Of each rollout in one order: what it says, its tokens, its seconds (NaN if unknown)."""
    rollouts = [rollout for rollout in judgement.rollouts if rollout.order is order]
    where = f"pair {judgement.pair.id or judgement.pair.hash[:16]}"
    if len(rollouts) != judgement.plan.votes:
        raise InputError(
            f"{where}: {len(rollouts)} rollouts in the order {order}, and the plan asks for "
            f"{judgement.plan.votes}: judge it again."
        )
    found = []
    for rollout in rollouts:
        if rollout.completion_tokens is None:
            raise InputError(f"{where}: a rollout does not say how many tokens it wrote.")
        says = (
            0 if rollout.verdict is None else 1 if rollout.verdict is judgement.pair.chosen else -1
        )
        seconds = float("nan") if rollout.seconds is None else rollout.seconds
        found.append((float(says), float(rollout.completion_tokens), seconds))
    return found


def _played(pool: Pool, plan: Plan, rule: StopRule) -> Numbers:
    """Right, mute, rollouts, tokens and seconds of each pair, in one replay."""
    used = np.array([order in orders_of(plan) for order in orders_of(pool.plan)])
    right = np.cumsum(pool.says == 1, axis=2)
    wrong = np.cumsum(pool.says == -1, axis=2)
    rounds = _rounds(right[:, used], wrong[:, used], plan, rule)
    last = (rounds - 1)[:, None, None]

    def until_then(sums: npt.NDArray[np.generic]) -> Numbers:
        found: Numbers = np.take_along_axis(sums, last, axis=2).sum(axis=(1, 2)).astype(np.float64)
        return found

    lead = until_then(right) - until_then(wrong)
    tokens = until_then(np.cumsum(pool.tokens, axis=2))
    seconds = np.zeros_like(tokens)
    if pool.seconds is not None:
        seconds = until_then(np.cumsum(pool.seconds, axis=2))
    return np.stack([lead > 0, lead == 0, rounds * used.sum(), tokens, seconds]).astype(np.float64)


def _rounds(right: Counts, wrong: Counts, plan: Plan, rule: StopRule) -> Counts:
    """Of each pair, the rounds until the plan stops."""
    rounds = np.full(len(right), plan.votes, dtype=np.int64)
    if plan.stop_at is None:
        return rounds
    going = np.arange(len(right))
    for drawn in range(1, plan.votes):
        counts = np.concatenate([right[going, :, drawn - 1], wrong[going, :, drawn - 1]], axis=1)
        digits = (plan.votes + 1) ** np.arange(counts.shape[1])
        _, first, kind = np.unique(counts @ digits, return_index=True, return_inverse=True)
        decided = [_stops(counts[one], plan, drawn, rule) for one in first]
        stops = np.array(decided, dtype=bool)[kind]
        rounds[going[stops]] = drawn
        going = going[~stops]
        if not len(going):
            break
    return rounds


def _stops(counts: Counts, plan: Plan, drawn: int, rule: StopRule) -> bool:
    """Whether a plan stops after `drawn` rounds, so often right and wrong in each order."""
    votes = zip(*np.split(counts, 2), strict=True)
    tallies = tuple((int(one), int(other), plan.votes - drawn) for one, other in votes)
    assert plan.stop_at is not None
    return rule(tallies, plan.stop_at)
