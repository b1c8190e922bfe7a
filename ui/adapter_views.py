"""Adapters, and who let which of them judge, as the dictionary that the Train page paints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage import adapters, trainings
from storage.adapters import Adapter, Promotion
from storage.database import Database
from ui import training_views
from ui.views import View


def adapters_view(database: Database, data_dir: Path, said: str = "", problem: str = "") -> View:
    """All adapters, which of them judges, who decided it, and runs whose adapter is unknown."""
    with database.read() as session:
        known = adapters.all(session)
        history = adapters.promotions(session)
        promoted = adapters.promoted(session)
        runs = trainings.recent(session)
    registered = {adapter.run_id for adapter in known}
    return {
        "said": said,
        "problem": problem,
        "adapters": [_adapter(adapter, promoted) for adapter in known],
        "promoted": promoted.version if promoted else _without(history[0] if history else None),
        "can_roll_back": bool(history) and history[0].adapter is not None,
        "history": [_promotion(one) for one in history],
        "unregistered": [
            {"run": one.run.id, "name": one.run.name}
            for one in runs
            if one.run.id not in registered
            and (
                training_views.run_folder(data_dir, one.run.id) / "adapter" / adapters.WEIGHTS
            ).is_file()
        ],
    }


def _adapter(adapter: Adapter, promoted: Adapter | None) -> View:
    return {
        "id": adapter.id,
        "version": adapter.version,
        "base": adapter.base,
        "profile": adapter.profile,
        "run": adapter.run_id,
        "at": f"{adapter.created_at:%Y-%m-%d %H:%M}",
        "figures": figure_rows(adapter.figures),
        "forms": [
            name for name, path in (("LoRA", adapter.gguf), ("merged", adapter.merged)) if path
        ],
        "promoted": promoted is not None and promoted.id == adapter.id,
    }


def figure_rows(figures: Mapping[str, Any], before: str = "") -> list[list[str]]:
    """Figures of an evaluation as names and values; intervals stand as `low to high`."""
    rows: list[list[str]] = []
    for name, value in figures.items():
        title = f"{before}{name}".replace("_", " ")
        if isinstance(value, Mapping) and {"share", "low", "high", "n"} <= value.keys():
            rows += [[title, words]] if (words := _share_words(value)) else []
        elif isinstance(value, Mapping):
            rows += figure_rows(value, f"{before}{name} ")
        elif isinstance(value, bool) or value in (None, "", []):
            continue
        elif isinstance(value, int | float):
            rows.append([title, f"{value:,.4g}"])
        elif isinstance(value, list) and all(isinstance(one, int | float) for one in value):
            rows.append([title, " to ".join(f"{one:,.3g}" for one in value)])
        elif isinstance(value, str):
            rows.append([title, value[:200]])
    return rows


def _share_words(share: Mapping[str, Any]) -> str:
    """A share with its interval; "" where nothing was shared."""
    known = [share[name] for name in ("share", "low", "high", "n")]
    if not all(isinstance(value, int | float) for value in known):
        return ""
    middle, low, high, n = known
    return f"{middle:.1%} ({low:.1%} to {high:.1%}), n = {n:,}".replace("%", " %")


def _without(promotion: Promotion | None) -> str:
    """What judges where no adapter on record does: a decision for the base, or the settings."""
    by_decision = promotion is not None and promotion.action == "promote"
    return "the base model alone" if by_decision else "the judge of the settings"


def _promotion(promotion: Promotion) -> View:
    return {
        "what": "promoted" if promotion.action == "promote" else "rolled back to",
        "adapter": promotion.adapter.version if promotion.adapter else _without(promotion),
        "by": promotion.by,
        "at": f"{promotion.created_at:%Y-%m-%d %H:%M} UTC",
    }
