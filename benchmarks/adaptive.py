"""What adaptive voting costs and saves: simulated judges whose bias is known, fixed seed.

python -m benchmarks.adaptive

Each judge votes on 2,000 pairs; a pair has its own chance that a vote is right, in each order
another where the judge prefers a position. The pool of votes is replayed under fixed and adaptive
plans. Printed for each: accuracy of all votes and of the early stop, their difference pair by pair
with its 95 % interval, the same with a judgement without verdict as half right (an even number of
votes may end in a draw, which an early stop evades), and tokens as a share of those of all votes;
beside it the share that the rule of Adaptive-Consistency (arXiv 2305.11860) takes at the same
chance. Last, the judge itself
draws adaptively from a scripted backend, to show that a replay says what it does.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from rmr1.backends.base import ChatRequest
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.replay import Numbers, Pool
from rmr1.scaling import Estimate, Resampled, saving_of
from rmr1.stopping import Tally

TARGET = 0.6
"""Share of the tokens of all votes that an early stop is to stay under."""

Random = np.random.Generator


@dataclass(frozen=True)
class Simulated:
    """A judge that is known through and through.

    Attributes:
        chances: of pairs, that a vote is right when position does not matter.
        pull: added to the chance where the better response stands first, taken off where second.
        mute: share of rollouts without a verdict.
        longer: tokens of a rollout on a pair that nobody can tell, over those on a clear one.
    """

    name: str
    chances: Callable[[Random, int], Numbers]
    pull: float = 0.0
    mute: float = 0.0
    longer: float = 1.0


JUDGES = (
    Simulated("sure: most pairs unanimous", lambda random, n: random.beta(4, 0.5, n)),
    Simulated("trained: clear and hard pairs", lambda random, n: random.beta(1.5, 0.5, n)),
    Simulated("trained, longer where unsure", lambda random, n: random.beta(1.5, 0.5, n), longer=3),
    Simulated(
        "trained, a fifth without verdict", lambda random, n: random.beta(1.5, 0.5, n), mute=0.2
    ),
    Simulated("trained, prefers the first", lambda random, n: random.beta(1.5, 0.5, n), pull=0.25),
    Simulated("middling: flat over pairs", lambda random, n: random.beta(3, 1.5, n)),
    Simulated("noisy: 0.6 on every pair", lambda _, n: np.full(n, 0.6)),
    Simulated("a coin", lambda _, n: np.full(n, 0.5)),
)


def simulate(judge: Simulated, random: Random, pairs: int, votes: int) -> Pool:
    """A pool of votes in both orders."""
    chance = judge.chances(random, pairs)
    # The better response stands first in AB for half of the pairs, in BA for the others.
    first = np.where(random.random(pairs) < 0.5, 1, -1)[:, None] * np.array([1, -1])[None, :]
    by_order = np.clip(chance[:, None] + judge.pull * first, 0, 1)
    shape = (pairs, 2, votes)
    says = np.where(random.random(shape) < by_order[:, :, None], 1, -1)
    says[random.random(shape) < judge.mute] = 0
    unsure = 1 + (judge.longer - 1) * (1 - np.abs(2 * chance - 1))
    tokens = np.ceil(unsure[:, None, None] * random.gamma(16, 400 / 16, shape))
    return Pool(
        plan=Plan(orders="both", votes=votes, temperature=1.0, max_tokens=65_536),
        prompts=tuple(f"{pair}" for pair in range(pairs)),
        says=says,
        tokens=tokens,
        seconds=None,
    )


def in_the_long_run(tallies: tuple[Tally, ...], stop_at: float) -> bool:
    """The rule of Adaptive-Consistency: the Beta posterior that the side ahead leads for ever."""
    one, other = (sum(tally[side] for tally in tallies) for side in (0, 1))
    one, other = max(one, other), min(one, other)
    n = one + other + 1
    return bool(one > other and sum(comb(n, k) for k in range(one + 1)) >= stop_at * 2**n)


def rows(pool: Pool, stops: tuple[float, ...]) -> Iterator[tuple[str, bool]]:
    """A line for each plan that stops early, and whether it holds what is asked."""
    for orders in ("AB", "both"):
        for votes in (4, 8, 9, 15) if orders == "AB" else (4, 8):
            every = pool.plan.model_copy(update={"orders": orders, "votes": votes})
            early = [every.model_copy(update={"stop_at": stop_at}) for stop_at in stops]
            replayed = {plan.hash: pool.replay(plan, times=10) for plan in (every, *early)}
            means = Resampled(pool.prompts, replayed)
            for plan in early:
                saving = saving_of(plan, means)
                beta = pool.replay(plan, times=10, rule=in_the_long_run)
                share = beta.tokens.mean() / replayed[every.hash].tokens.mean()
                holds = saving.reaches and saving.tokens.value <= TARGET
                word = "holds" if holds else "MORE TOKENS" if saving.reaches else "LESS RIGHT"
                yield (
                    f"  {orders:4} {votes:2} votes, stops at {plan.stop_at:<4g}: "
                    f"{means.mean(every, 'right').value:6.1%} -> "
                    f"{means.mean(plan, 'right').value:6.1%}, difference "
                    f"{_points(saving.difference)}, draws half {_points(saving.half_difference)}, "
                    f"tokens {saving.tokens.value:6.1%}  {word:11}  [long run: {share:6.1%}]",
                    holds,
                )


def _points(one: Estimate) -> str:
    """A difference of accuracies in points, with its interval."""
    low, high = one.low or 0.0, one.high or 0.0
    return f"{100 * one.value:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"


def drawn(pairs: int, plans: list[Plan]) -> list[list[Judgement]]:
    """The same pairs judged by the real judge under several plans, from one script."""
    random = np.random.default_rng(5)
    chances = random.beta(1.5, 0.5, pairs)
    luck = random.random((pairs, 2, max(plan.votes for plan in plans)))

    def reply(request: ChatRequest) -> str:
        text = request.messages[-1].content
        number = int(text.partition("Question number ")[2].split(".")[0])
        swapped = text.index("Good.") > text.index("Bad.")
        right = luck[number, int(swapped), request.sampling.seed or 0] < chances[number]
        return f"<eval>Words.</eval><answer>[[{'A' if right != swapped else 'B'}]]</answer>"

    judge = Judge(ScriptedBackend(reply), load_profile("cor"))
    asked = [
        Pair.of(f"Question number {number}.", "Good.", "Bad.", chosen=Side.A)
        for number in range(pairs)
    ]
    return [[judge.judge(pair, plan) for pair in asked] for plan in plans]


def main() -> None:
    """Print the table, and the judge beside its replay."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--live", type=int, default=100, help="pairs that the judge itself judges")
    options = parser.parse_args()
    kept = total = 0
    for number, judge in enumerate(JUDGES):
        print(judge.name)
        pool = simulate(judge, np.random.default_rng(number), options.pairs, 16)
        for line, holds in rows(pool, (0.9, 0.95, 0.99)):
            print(line, flush=True)
            kept, total = kept + holds, total + 1
    print(
        f"{kept} of {total} hold: within the interval of all votes at {TARGET:.0%} of the tokens."
    )
    if options.live:
        every = Plan(orders="both", votes=8, temperature=1.0)
        early = every.model_copy(update={"stop_at": 0.95})
        fixed, adaptive = drawn(options.live, [every, early])
        for name, judged in (("all votes", fixed), ("stops at 0.95", adaptive)):
            right = np.mean([bool(one.correct) for one in judged])
            count = np.mean([len(one.rollouts) for one in judged])
            print(f"drawn by the judge, {name}: {right:.1%} right, {count:.2f} rollouts")
        played = Pool.of(fixed).replay(early, times=50)
        print(f"replayed: {played.right.mean():.1%} right, {played.rollouts.mean():.2f} rollouts")


if __name__ == "__main__":
    main()
