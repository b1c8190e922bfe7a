"""A scalar reward model in the place of a judge: two scores, a verdict, and no reasons."""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import exp, isfinite, log

from rmr1.backends.base import ScoringBackend
from rmr1.errors import BackendError
from rmr1.judge import Judge, Update
from rmr1.judgement import ConfidenceSource, Judgement, conclude
from rmr1.markers import neutralise
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Plan
from rmr1.prompt import Profile
from rmr1.rollout import Rollout, State, read_rollout

PROFILE = Profile(
    name="scalar",
    title="Scalar score",
    description="No prompt and no reasons: each response is scored at the end of its conversation.",
    layout="reasoning",
    user="{conversation_a}\n\n{conversation_b}",
    multi_turn="{conversation_a}\n\n{conversation_b}",
)


_LEAST = 1e-15
"""A margin of 34; probabilities are not told apart beyond it."""


class ScalarJudge(Judge):
    """Judges by which response scores higher; the same contract as a judge that writes.

    The model sees one response at a time, so that order, votes, temperature and budget of a plan
    mean nothing to it: there is a rollout for each order that the plan asks for, of the same two
    scores, with an empty trace and the state `partial`.
    """

    def __init__(self, scorer: ScoringBackend) -> None:
        """Put the judge together."""
        super().__init__(scorer, PROFILE)
        self._scorer = scorer

    def stream(self, pair: Pair, plan: Plan) -> Iterator[Update | Judgement]:
        """Judge one pair; there is nothing to see before the judgement."""
        rollout = self._scored(pair)
        orders = [Order.AB, Order.BA] if plan.orders == "both" else [Order(plan.orders)]
        rollouts = [replace(rollout, order=order, seed=plan.seed) for order in orders]
        rollouts[1:] = [replace(one, seconds=0.0) for one in rollouts[1:]]  # scored once
        judgement = conclude(pair, self.version, plan, rollouts)
        source: ConfidenceSource | None = None if judgement.confidence is None else "margin"
        yield replace(judgement, confidence_source=source)

    def _scored(self, pair: Pair) -> Rollout:
        """Both scores as a rollout; a model that fails makes one of state `failed`."""
        found: dict[str, None] = {}

        def clean(text: str) -> str:
            harmless, names = neutralise(text)
            found.update(dict.fromkeys(names))
            return harmless

        turns = [Message(role=turn.role, content=clean(turn.content)) for turn in pair.conversation]
        started = time.perf_counter()
        try:
            scores = {side: self._scorer.score(turns, clean(pair.response(side))) for side in Side}
        except BackendError as failure:
            return read_rollout(pair, Order.AB, "", error=str(failure), injected=tuple(found))
        seconds = time.perf_counter() - started
        empty = read_rollout(pair, Order.AB, "", injected=tuple(found), seconds=seconds)
        return _concluded(empty, scores[Side.A], scores[Side.B])


def _concluded(rollout: Rollout, a: float, b: float) -> Rollout:
    if not (isfinite(a) and isfinite(b)):
        return replace(rollout, state=State.FAILED, reason=f"it scores A {a} and B {b}")
    if a == b:
        return replace(
            rollout, state=State.CONTRADICTORY, reason=f"it scores both responses {a:.4g}"
        )
    return replace(
        rollout,
        state=State.PARTIAL,
        verdict=Side.A if a > b else Side.B,
        reason=f"a scalar reward model gives no reasons; it scores A {a:.4g} and B {b:.4g}",
        probability_a=_sigmoid(a - b),
    )


def _sigmoid(margin: float) -> float:
    """The chance that A is better by the Bradley-Terry model, which scalar rewards are fitted by.

    Source: https://arxiv.org/abs/2203.02155, equation 1.
    """
    return 1 / (1 + exp(-margin)) if margin >= 0 else 1 - 1 / (1 + exp(margin))


def margin_of(judgement: Judgement) -> float | None:
    """By how much the score of A is ahead, out of the probability that it amounts to.

    None where the model failed, and of a judge that is no scalar model.
    """
    scored = judgement.rollouts[0]
    if judgement.version.profile != PROFILE.name or scored.state is State.FAILED:
        return None
    if scored.probability_a is None:  # equal scores
        return 0.0
    a = min(max(scored.probability_a, _LEAST), 1 - _LEAST)
    return log(a / (1 - a))
