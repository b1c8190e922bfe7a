"""Test-time scaling of what is on record, as the dictionary that the page paints; no Gradio."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rmr1.errors import InputError, RMR1Error
from rmr1.scaling import Scaling, scale
from storage import pools
from storage.database import Database
from storage.pools import MOST, PoolOnRecord
from ui.views import View


def pools_view(database: Database) -> View:
    """The pools to choose from."""
    with database.read() as session:
        found = pools.pools(session)
    return {"pools": [{"id": _id(one), "title": _title(one)} for one in found]}


def scaling_view(database: Database, chosen: str) -> View:
    """Curves, savings and calibration of one pool: figures, and the same numbers as tables."""
    view = pools_view(database)
    try:
        with database.read() as session:
            pool = next((one for one in pools.pools(session) if _id(one) == chosen), None)
        if pool is None:
            raise InputError("These votes are not on record any more: choose others.")
        found = _scaled(database, pool)
    except RMR1Error as error:
        return {**view, "chosen": chosen, "problem": str(error)}
    return {**view, "chosen": chosen, **_painted(found)}


@lru_cache(maxsize=8)
def _scaled(database: Database, pool: PoolOnRecord) -> Scaling:
    """Worked out once for as long as no judgement comes to the pool."""
    with database.read() as session:
        judgements = pools.judgements_of(session, pool)
    if not judgements:
        raise InputError("The judge failed on all of these pairs: there is nothing to replay.")
    return scale(judgements)


def _painted(found: Scaling) -> View:
    # Late: Plotly and what is behind it take long to import, and few open this part of the page.
    from rmr1 import scaling_text as words
    from ui import scaling_views as views

    figures = [
        views.accuracy_figure(found, "tokens"),
        views.accuracy_figure(found, "seconds"),
        views.saving_figure(found),
        views.reliability_figure(found.calibrations),
        views.budget_figure(found),
    ]
    tables = [
        {
            "title": words.curve_title(curve),
            "head": words.POINTS,
            "rows": [words.point_row(point) for point in curve.points],
        }
        for curve in found.curves
    ]
    if found.savings:
        rows = [words.saving_row(one) for one in found.savings]
        tables.append({"title": "Early stop beside all votes", "head": words.SAVINGS, "rows": rows})
    tables += list(_calibrations(found))
    return {
        "sentence": _sentence(found),
        "figures": [json.loads(figure.to_json()) for figure in figures if figure is not None],
        "tables": tables,
    }


def _calibrations(found: Scaling) -> Iterator[dict[str, Any]]:
    from rmr1 import scaling_text as words

    for one in found.calibrations:
        yield {
            "title": f"Calibration of the confidence from {one.source}",
            "note": words.calibration_words(one),
            "head": words.BINS,
            "rows": [words.bin_row(part) for part in one.bins if part.right.n],
        }


def _sentence(found: Scaling) -> str:
    cut = f" The newest {MOST:,} pairs are worked on." if found.pairs >= MOST else ""
    reached = [one for one in found.savings if one.reaches]
    best = min(reached, key=lambda one: one.tokens.value, default=None)
    early = (
        ""
        if not found.savings
        else " No early stop reaches the accuracy of all votes."
        if best is None
        else f" Stopping at {best.stop_at:g} reaches the accuracy of all votes with "
        f"{best.tokens.value:.0%} of the tokens."
    )
    return (
        f"{found.pairs:,} pairs with {found.prompts:,} prompts; each point is what its plan would "
        f"have made of these rollouts, the mean of {found.replays} shuffles; intervals of 95 % by "
        f"bootstrap over prompts.{early}{cut}"
    )


def _id(pool: PoolOnRecord) -> str:
    return f"{pool.version[:16]}-{pool.plan_hash[:16]}"


def _title(pool: PoolOnRecord) -> str:
    from rmr1.scaling_text import plan_words

    temperature = f"temperature {pool.plan.temperature:g}"
    return f"{pool.title}: {plan_words(pool.plan)}, {temperature} · {pool.pairs:,} pairs"
