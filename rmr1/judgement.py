"""What a judge concludes on a pair from one or more rollouts."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Literal

from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import Rollout, State
from rmr1.trace import TaskType

__all__ = ["ConfidenceSource", "JudgeVersion", "Judgement", "Rollout", "State", "conclude"]

ConfidenceSource = Literal["logprobs", "votes", "margin"]


@dataclass(frozen=True, slots=True)
class JudgeVersion:
    """Which judge spoke: everything but the plan that a judgement depends on.

    Attributes:
        backend: kind of backend.
        model: the base model's name.
        revision: hash of its weights, or "" where it cannot be known.
        engine: software and version.
        adapter: name of the LoRA adapter, or "".
        profile: name of the prompt profile.
        profile_hash: SHA-256 (hex) of the profile's content.
    """

    backend: str
    model: str
    revision: str = ""
    engine: str = ""
    adapter: str = ""
    profile: str = ""
    profile_hash: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over all fields."""
        return _version_hash(self)

    @property
    def title(self) -> str:
        """A short name for people."""
        adapter = f" + {self.adapter}" if self.adapter else ""
        return f"{self.model}{adapter} · {self.profile}"


@lru_cache(maxsize=256)  # a file has thousands of judgements by the same few judges
def _version_hash(version: JudgeVersion) -> str:
    return hashlib.sha256(json.dumps(asdict(version), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rollouts of a plan say together.

    Attributes:
        verdict: the side that most rollouts with a verdict name; None if none does, or on a draw.
        state: the commonest of the rollouts that name the verdict; without one `contradictory` on
            a draw, else the commonest of all. Some states but `complete` may have a verdict too.
        confidence: in 0..1, that `verdict` is what the judge means: from the verdict's
            log-probabilities where every voting rollout has them, else the share of votes; None
            for a single rollout without log-probabilities. Of a scalar reward model it is what the
            margin between its two scores amounts to.
        swap_consistent: whether both orders always name the same side; None unless each gave a
            verdict.
    """

    pair: Pair
    version: JudgeVersion
    plan: Plan
    rollouts: tuple[Rollout, ...]
    verdict: Side | None
    state: State
    reason: str = ""
    confidence: float | None = None
    confidence_source: ConfidenceSource | None = None
    swap_consistent: bool | None = None

    @property
    def type(self) -> TaskType | None:
        """The task type of the first rollout that says one."""
        return next((r.trace.type for r in self.rollouts if r.trace.type), None)

    @property
    def correct(self) -> bool | None:
        """Whether the verdict is the known better side; None where no better side is known.

        A judgement without a verdict on a pair with a known better side is not correct.
        """
        return None if self.pair.chosen is None else self.verdict is self.pair.chosen


def conclude(
    pair: Pair, version: JudgeVersion, plan: Plan, rollouts: Sequence[Rollout]
) -> Judgement:
    """What `rollouts` say together.

    A rollout without a verdict never votes.

    Args:
        rollouts: at least one.
    """
    votes = Counter(r.verdict for r in rollouts if r.verdict)
    winner = _winner(votes)
    confidence, source = _confidence(winner, rollouts) if winner else (None, None)
    state, reason = _state(winner, votes, rollouts)
    return Judgement(
        pair=pair,
        version=version,
        plan=plan,
        rollouts=tuple(rollouts),
        verdict=winner,
        state=state,
        reason=reason,
        confidence=confidence,
        confidence_source=source,
        swap_consistent=_swap_consistent(rollouts),
    )


def _winner(votes: Counter[Side]) -> Side | None:
    if not votes or votes[Side.A] == votes[Side.B]:
        return None
    return Side.A if votes[Side.A] > votes[Side.B] else Side.B


def _confidence(
    winner: Side, rollouts: Sequence[Rollout]
) -> tuple[float | None, ConfidenceSource | None]:
    voting = [r for r in rollouts if r.verdict]
    known = [r.probability_a for r in voting if r.probability_a is not None]
    if len(known) == len(voting):
        mean = sum(known) / len(known)
        return (mean if winner is Side.A else 1 - mean), "logprobs"
    if len(rollouts) == 1:
        return None, None
    return sum(r.verdict is winner for r in voting) / len(rollouts), "votes"


def _state(
    winner: Side | None, votes: Counter[Side], rollouts: Sequence[Rollout]
) -> tuple[State, str]:
    if winner is None and votes:
        return State.CONTRADICTORY, f"{votes[Side.A]} for A, {votes[Side.B]} for B"
    relevant = [r for r in rollouts if r.verdict is winner]
    state, _ = Counter(r.state for r in relevant).most_common(1)[0]
    return state, next(r.reason for r in relevant if r.state is state)


def _swap_consistent(rollouts: Sequence[Rollout]) -> bool | None:
    named: dict[Order, set[Side]] = {}
    for rollout in rollouts:
        if rollout.verdict:
            named.setdefault(rollout.order, set()).add(rollout.verdict)
    if len(named) < 2:
        return None
    first, second = named.values()
    return first == second and len(first) == 1


def swap(judgement: Judgement) -> Judgement:
    """The same judgement of the same pair with its sides exchanged, letters put right throughout.

    What a person sees who reads the responses in the other order; its own inverse.
    """
    rollouts = tuple(
        replace(
            rollout,
            order=Order.BA if rollout.order is Order.AB else Order.AB,
            verdict=rollout.verdict and rollout.verdict.other,
            probability_a=None if rollout.probability_a is None else 1 - rollout.probability_a,
            quotes=tuple(replace(quote, side=quote.side.other) for quote in rollout.quotes),
        )
        for rollout in judgement.rollouts
    )
    orders = {"AB": "BA", "BA": "AB", "both": "both"}[judgement.plan.orders]
    return replace(
        judgement,
        pair=judgement.pair.swapped(),
        plan=judgement.plan.model_copy(update={"orders": orders}),
        rollouts=rollouts,
        verdict=judgement.verdict and judgement.verdict.other,
    )
