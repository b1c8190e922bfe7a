"""What the Judgement page says of a judgement's evidence, as plain dictionaries; no Gradio."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rmr1.answers import Same
from rmr1.consistency import Consistency, check, weighed
from rmr1.judgement import Judgement
from rmr1.orders import compare_orders
from rmr1.pair import Order
from rmr1.rollout import Rollout
from rmr1.symbolic import same_mathematics
from rmr1.weighing import Row, Weighed, weigh
from ui.views import View

_MOST_ROWS = 60
_MOST_WEIGHT = 1_000.0


def evidence(judgement: Judgement, mathematics: Same = same_mathematics) -> View:
    """What the checks say of each rollout, and what moved between the orders."""
    checked = [(one, check(judgement.pair, one, mathematics)) for one in judgement.rollouts]
    first, second = (_first(judgement, order) for order in (Order.AB, Order.BA))
    return {
        "rollouts": [_rollout(rollout, found) for rollout, found in checked],
        "moved": asdict(compare_orders(first, second)) if first and second else None,
        "pending": False,
    }


def quick_evidence(judgement: Judgement) -> View:
    """As `evidence`, but answers that need a computer algebra system are left for later.

    Returns:
        Under `pending`, whether anything was left.
    """
    left: list[str] = []

    def later(first: str, second: str) -> None:
        left.append(first)

    return {**evidence(judgement, later), "pending": bool(left)}


def reweighed(rows: object) -> View:
    """What weights and winners that a person chose add up to.

    Args:
        rows: as the page sent them; what is no row counts as one of weight 0 without a winner.
    """
    given = rows[:_MOST_ROWS] if isinstance(rows, list) else []
    return weighed_view(weigh([_row(one) for one in given]))


def weighed_view(sums: Weighed) -> View:
    """What weights add up to, in words where words are due."""
    return {**asdict(sums), "sentence": _verdict_sentence(sums)}


def _first(judgement: Judgement, order: Order) -> Rollout | None:
    return next((rollout for rollout in judgement.rollouts if rollout.order is order), None)


def _rollout(rollout: Rollout, found: Consistency) -> View:
    return {
        "order": rollout.order,
        "vote": rollout.vote,
        "verdict": rollout.verdict,
        "findings": [asdict(finding) for finding in found.findings],
        "rows": [
            {"name": one.name, "share": one.share, "winner": winner}
            for one, winner in zip(rollout.trace.criteria, found.winners, strict=True)
        ],
        "weighed": weighed_view(weighed(rollout, found.winners)) if found.winners else None,
    }


def _row(given: Any) -> Row:
    row: Mapping[str, object] = given if isinstance(given, dict) else {}
    weight = row.get("weight")
    number = float(weight) if isinstance(weight, int | float) else 0.0
    number = min(max(number, 0.0), _MOST_WEIGHT) if math.isfinite(number) else 0.0
    winner = row.get("winner")
    return Row(number, winner if winner in ("A", "B", "=") else None)


def _verdict_sentence(sums: Weighed) -> str:
    if sums.verdict is None:
        both = "Nothing is weighed yet: say who wins a criterion."
        return "Level: the weights give no verdict." if sums.a else both
    if sums.settled:
        return f"These weights give {sums.verdict}."
    return f"{sums.verdict} leads; the rows without a winner could still turn it."
