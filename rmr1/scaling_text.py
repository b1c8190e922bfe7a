"""Curves of accuracy, savings and calibrations as Markdown."""

from collections.abc import Iterable, Iterator

from rmr1.calibration import Bin, Calibration
from rmr1.plan import Plan
from rmr1.scaling import Curve, Estimate, Point, Saving, Scaling

POINTS = ("plan", "accuracy", "no verdict", "rollouts", "tokens", "seconds")
SAVINGS = (
    "orders",
    "votes",
    "stops at",
    "share of tokens",
    "accuracy less that of all votes",
    "no verdict counted half",
    "within its interval",
    "no difference seen",
)
BINS = ("confidence", "verdicts", "mean confidence", "right")
_TITLES = {"votes": "By votes", "budget": "By budget of a rollout", "adaptive": "By early stop"}
_ORDERS = {"AB": "one order (A first)", "BA": "one order (B first)", "both": "both orders"}


def scaling_text(scaling: Scaling) -> str:
    """All figures in Markdown, each with its 95 % interval."""
    return "\n".join(_lines(scaling)) + "\n"


def plan_words(plan: Plan) -> str:
    """Orders, votes, budget and early stop of a plan, in a few words."""
    votes = f"{plan.votes} vote{'s' if plan.votes > 1 else ''}"
    stop = "" if plan.stop_at is None else f", stops at {plan.stop_at:g}"
    return f"{plan.orders}, {votes}, {plan.max_tokens:,} tokens{stop}"


def curve_title(curve: Curve) -> str:
    """What the points of a curve differ in, and what they share."""
    votes = "" if curve.votes is None else f", {curve.votes} vote{'s' if curve.votes > 1 else ''}"
    return f"{_TITLES[curve.kind]}: {_ORDERS[curve.orders]}{votes}"


def share_text(one: Estimate) -> str:
    """A share in per cent with its interval."""
    return _with_interval(one, 100, ".1f", " %")


def _lines(found: Scaling) -> Iterator[str]:
    yield (
        f"{found.pairs:,} pairs with {found.prompts:,} prompts; "
        f"drawn once with {plan_words(found.plan)}, temperature {found.plan.temperature:g}. "
        f"Each line is what its plan would have made of these rollouts, the mean of "
        f"{found.replays} shuffles; intervals: 95 %, bootstrap over prompts. An even number of "
        f"rollouts may end in a draw, which is no verdict and not right."
    )
    if found.skipped:
        yield f"\nLeft out, the better side not being known: {found.skipped:,} pairs."
    for curve in found.curves:
        yield f"\n#### {curve_title(curve)}\n"
        yield from _table(POINTS, map(point_row, curve.points))
    if found.savings:
        yield "\n#### Early stop beside all votes of the same plan\n"
        yield from _table(SAVINGS, map(saving_row, found.savings))
    for one in found.calibrations:
        yield f"\n#### Calibration of the confidence from {one.source}\n"
        yield from _calibration(one)


def point_row(point: Point) -> tuple[str, ...]:
    """A point of a curve in the columns `POINTS`."""
    return (
        plan_words(point.plan),
        share_text(point.accuracy),
        f"{100 * point.no_verdict:.1f} %",
        f"{point.rollouts:.2f}",
        _with_interval(point.tokens, 1, ",.0f", ""),
        "–" if point.seconds is None else _with_interval(point.seconds, 1, ",.2f", ""),
    )


def saving_row(saving: Saving) -> tuple[str, ...]:
    """A saving in the columns `SAVINGS`."""
    return (
        saving.orders,
        f"{saving.votes}",
        f"{saving.stop_at:g}",
        share_text(saving.tokens),
        _with_interval(saving.difference, 100, "+.2f", " points"),
        _with_interval(saving.half_difference, 100, "+.2f", " points"),
        "yes" if saving.reaches else "no",
        "yes" if saving.same else "no",
    )


def bin_row(part: Bin) -> tuple[str, ...]:
    """A bin of a calibration in the columns `BINS`."""
    return (
        f"{part.low:.1f} to {part.high:.1f}",
        f"{part.right.n:,}",
        "–" if part.confidence is None else f"{part.confidence:.3f}",
        str(part.right),
    )


def calibration_words(one: Calibration) -> str:
    """The scores of a calibration in a sentence."""
    missing = f" {one.without:,} without such a confidence are left out." if one.without else ""
    return (
        f"{one.n:,} verdicts, mean confidence {100 * one.confidence:.1f} %, right {one.right}; "
        f"expected calibration error {one.ece:.4f}, Brier score {one.brier:.4f} "
        f"(always naming the share that is right: {one.base_brier:.4f}).{missing}"
    )


def _with_interval(one: Estimate, factor: float, form: str, unit: str) -> str:
    value = f"{factor * one.value:{form}}{unit}"
    if one.low is None or one.high is None:
        return value
    return f"{value} ({factor * one.low:{form}} to {factor * one.high:{form}})"


def _calibration(one: Calibration) -> Iterator[str]:
    yield f"{calibration_words(one)}\n"
    yield from _table(BINS, (bin_row(part) for part in one.bins if part.right.n))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"| --- |{' ---: |' * (len(names) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
