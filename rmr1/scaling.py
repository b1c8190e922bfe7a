"""How accuracy grows with tokens and seconds: votes, both orders, budgets, early stopping."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from rmr1.calibration import Calibration, calibrate_all
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.plan import Plan
from rmr1.replay import Numbers, Pool, Replayed

STOPS = (0.8, 0.9, 0.95, 0.99, 1.0)
"""Chances at which voting stops early, for the curves of adaptive voting."""

RESAMPLES = 2_000
_AT_ONCE = 100
"""Resamples held in memory at once."""

Kind = Literal["votes", "budget", "adaptive"]
Orders = Literal["AB", "BA", "both"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval: percentiles of a bootstrap over prompts.

    Attributes:
        low, high: None with a single prompt.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """What one plan would reach.

    Attributes:
        accuracy: verdicts that name the better side, of all pairs.
        no_verdict: share of pairs without a verdict; they are not right.
        rollouts: drawn for a pair, in the mean.
        tokens: written for a pair, in the mean.
        seconds: of a pair's rollouts added up, in the mean, as measured when they were drawn;
            None where not measured. Rollouts that run at once are waited for less.
    """

    plan: Plan
    accuracy: Estimate
    no_verdict: float
    rollouts: float
    tokens: Estimate
    seconds: Estimate | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points that differ in one thing.

    Attributes:
        kind: in what: the votes, the budget of a rollout, or the chance at which voting stops.
        orders: of all of them.
        votes: of all of them, at most; None where they differ in it.
    """

    kind: Kind
    orders: Orders
    votes: int | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Saving:
    """An early stop beside all votes of the same plan, pair by pair.

    Attributes:
        stop_at: the chance at which it stops.
        tokens: its tokens as a share of those of all votes.
        difference: its accuracy less that of all votes.
        half_difference: the same if a pair without a verdict were half right: without what is
            gained only because fewer judgements end in a draw.
        reaches: its accuracy is not below the interval of that of all votes, in either count.
        same: the interval of the difference holds 0 or lies above it: with many pairs a harder
            question than `reaches`.
    """

    orders: Orders
    votes: int
    stop_at: float
    tokens: Estimate
    difference: Estimate
    half_difference: Estimate
    reaches: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Scaling:
    """The curves of one judge on one set of pairs.

    Attributes:
        plan: under which the rollouts were drawn.
        pairs: whose better side is known.
        prompts: different ones among them.
        skipped: judgements left out, because their pair's better side is not known.
        replays: shuffles behind each point.
        calibrations: of the judgements as they were drawn, by each kind of confidence they have.
    """

    version: JudgeVersion
    plan: Plan
    pairs: int
    prompts: int
    skipped: int
    replays: int
    curves: tuple[Curve, ...]
    savings: tuple[Saving, ...]
    calibrations: tuple[Calibration, ...]

    def as_record(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {
            **asdict(self),
            "plan": self.plan.model_dump(),
            "curves": list(map(_curve, self.curves)),
        }


def scale(
    judgements: Sequence[Judgement],
    *,
    stops: Sequence[float] = STOPS,
    replays: int = 20,
    seed: int = 0,
) -> Scaling:
    """Work the curves out from one run with many votes.

    Args:
        judgements: of one judge under one plan, each pair once.
        stops: chances at which adaptive voting stops.
        replays: shuffles of the votes behind each point.
        seed: of shuffles and bootstrap.

    Raises:
        InputError: no better side is known, or rollouts are missing.
    """
    pool = Pool.of(judgements)
    curves, savings = scale_pool(pool, stops=stops, replays=replays, seed=seed)
    return Scaling(
        version=judgements[0].version,
        plan=pool.plan,
        pairs=len(pool.prompts),
        prompts=len(set(pool.prompts)),
        skipped=pool.skipped,
        replays=replays,
        curves=curves,
        savings=savings,
        calibrations=calibrate_all(judgements),
    )


def scale_pool(
    pool: Pool, *, stops: Sequence[float] = STOPS, replays: int = 20, seed: int = 0
) -> tuple[tuple[Curve, ...], tuple[Saving, ...]]:
    """Curves and savings of a pool of rollouts; the arguments are those of `scale`."""
    drawn: Sequence[Orders] = ("AB", "both") if pool.plan.orders == "both" else (pool.plan.orders,)
    families = [
        (kind, orders, votes, plans)
        for orders in drawn
        for kind, votes, plans in _families(pool.plan, orders, stops)
    ]
    wanted = {plan.hash: plan for *_, plans in families for plan in plans}
    replayed = {key: pool.replay(plan, times=replays, seed=seed) for key, plan in wanted.items()}
    means = Resampled(pool.prompts, replayed, seed=seed)
    curves = tuple(
        Curve(
            kind, orders, votes, tuple(_point(plan, replayed[plan.hash], means) for plan in plans)
        )
        for kind, orders, votes, plans in families
    )
    savings = tuple(
        saving_of(plan, means)
        for kind, *_, plans in families
        if kind == "adaptive"
        for plan in plans
    )
    return curves, savings


class Resampled:
    """Means over pairs of what plans made of them, and the same means when prompts are drawn anew.

    Of m prompts m - 1 are drawn with all their pairs, the same ones for every plan, so that plans
    can be compared.

    Source: J. N. K. Rao and C. F. J. Wu, JASA 83 (1988), the rescaled bootstrap.
    """

    def __init__(
        self, prompts: Sequence[str], replayed: dict[str, Replayed], *, seed: int = 0
    ) -> None:
        """Draw prompts anew.

        Args:
            prompts: of each pair.
            replayed: by a plan's hash.
        """
        columns: dict[tuple[str, str], Numbers] = {}
        for key, one in replayed.items():
            columns[key, "right"], columns[key, "tokens"] = one.right, one.tokens
            columns[key, "half"] = one.right + one.mute / 2
            if one.seconds is not None:
                columns[key, "seconds"] = one.seconds
        self._column = {name: number for number, name in enumerate(columns)}
        table = np.stack([*columns.values(), np.ones(len(prompts))], axis=1)
        self._means = table[:, :-1].mean(axis=0)
        self._drawn = _bootstrap(prompts, table, seed)

    def knows(self, plan: Plan, measure: str) -> bool:
        """Whether there is such a measure of a plan."""
        return (plan.hash, measure) in self._column

    def mean(self, plan: Plan, measure: str) -> Estimate:
        """The mean of a measure: `right`, `half` (no verdict half right), `tokens`, `seconds`."""
        column = self._column[plan.hash, measure]
        drawn = None if self._drawn is None else self._drawn[:, column]
        return _estimate(float(self._means[column]), drawn)

    def difference(self, plan: Plan, other: Plan, measure: str = "right") -> Estimate:
        """A measure of a plan less that of another."""
        here, there = (self._column[one.hash, measure] for one in (plan, other))
        drawn = None if self._drawn is None else self._drawn[:, here] - self._drawn[:, there]
        return _estimate(float(self._means[here] - self._means[there]), drawn)

    def ratio(self, plan: Plan, other: Plan) -> Estimate:
        """The tokens of a plan as a share of another's; 1 where the other writes none."""
        here, there = (self._column[one.hash, "tokens"] for one in (plan, other))
        if not self._means[there]:
            return Estimate(1.0, None, None)
        drawn = None if self._drawn is None else self._drawn[:, here] / self._drawn[:, there]
        return _estimate(float(self._means[here] / self._means[there]), drawn)


def saving_of(plan: Plan, means: Resampled) -> Saving:
    """A plan that stops early beside all votes of the same plan."""
    assert plan.stop_at is not None
    every = plan.model_copy(update={"stop_at": None})
    difference = means.difference(plan, every)
    return Saving(
        orders=plan.orders,
        votes=plan.votes,
        stop_at=plan.stop_at,
        tokens=means.ratio(plan, every),
        difference=difference,
        half_difference=means.difference(plan, every, "half"),
        reaches=all(_reaches(means, plan, every, measure) for measure in ("right", "half")),
        same=difference.high is not None and difference.high >= 0,
    )


def _reaches(means: Resampled, plan: Plan, every: Plan, measure: str) -> bool:
    low = means.mean(every, measure).low
    return low is not None and means.mean(plan, measure).value >= low


def _families(
    drawn: Plan, orders: Orders, stops: Iterable[float]
) -> list[tuple[Kind, int | None, list[Plan]]]:
    """Plans that can be played on what was drawn, those together that make one curve."""
    base = drawn.model_copy(update={"orders": orders})

    def plans(name: str, values: Iterable[float], **rest: int) -> list[Plan]:
        return [base.model_copy(update={**rest, name: value}) for value in values]

    most = drawn.votes
    found: list[tuple[Kind, int | None, list[Plan]]] = [
        ("votes", None, plans("votes", _doubled(1, most))),
        ("budget", 1, plans("max_tokens", _doubled(128, drawn.max_tokens), votes=1)),
    ]
    if most > 1:
        found.append(("budget", most, plans("max_tokens", _doubled(128, drawn.max_tokens))))
        found.append(("adaptive", most, plans("stop_at", stops)))
    return found


def _doubled(first: int, last: int) -> list[int]:
    """`first` and its doubles below `last`, and `last`."""
    found = []
    while first < last:
        found.append(first)
        first *= 2
    return [*found, last]


def _point(plan: Plan, replayed: Replayed, means: Resampled) -> Point:
    return Point(
        plan=plan,
        accuracy=means.mean(plan, "right"),
        no_verdict=float(replayed.mute.mean()),
        rollouts=float(replayed.rollouts.mean()),
        tokens=means.mean(plan, "tokens"),
        seconds=means.mean(plan, "seconds") if means.knows(plan, "seconds") else None,
    )


def _estimate(value: float, drawn: Numbers | None) -> Estimate:
    if drawn is None:
        return Estimate(value, None, None)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, min(float(low), value), max(float(high), value))


def _bootstrap(prompts: Sequence[str], table: Numbers, seed: int) -> Numbers | None:
    """Means of the columns but the last, a row a resample; the last column counts pairs."""
    names, unit = np.unique(np.array(prompts), return_inverse=True)
    if len(names) < 2:
        return None
    sums = np.zeros((len(names), table.shape[1]))
    np.add.at(sums, unit, table)
    random = np.random.default_rng(seed)
    even = np.full(len(names), 1 / len(names))
    drawn = np.concatenate(
        [
            random.multinomial(len(names) - 1, even, size=_AT_ONCE) @ sums
            for _ in range(RESAMPLES // _AT_ONCE)
        ]
    )
    means: Numbers = drawn[:, :-1] / drawn[:, -1:]
    return means


def _curve(curve: Curve) -> dict[str, Any]:
    points = [{**asdict(point), "plan": point.plan.model_dump()} for point in curve.points]
    return {**asdict(curve), "points": points}
