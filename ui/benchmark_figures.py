"""Numbers of a benchmark run as the page paints them, each with the query that shows behind it."""

from collections.abc import Mapping
from typing import Any

from rmr1.benchmark.outcome import Rule
from rmr1.plan import Plan
from storage.benchmark_parts import EFFECTS, Credit, part_name
from storage.filters import JudgementFilter
from ui.views import View

Record = Mapping[str, Any]
"""A score as `Score.as_record` gives it, or a part of one."""


def plan_words(plan: Mapping[str, Any]) -> str:
    """A plan in a few words."""
    made = Plan.model_validate(plan)
    orders = "both orders" if made.orders == "both" else f"order {made.orders}"
    votes = f", {made.votes} votes" if made.votes > 1 else ""
    heat = "greedy" if not made.temperature else f"temperature {made.temperature:g}"
    early = ", stops early" if made.stop_at is not None else ""
    grammar = ", grammar" if made.grammar else ""
    return f"{orders}{votes}, {heat}{early}{grammar}, {made.max_tokens:,} tokens"


def cost_words(record: Record) -> list[str]:
    """Median seconds and tokens of a judgement, as far as they were measured."""
    cost, said = record["cost"], []
    if cost["median_seconds"] is not None:
        said.append(f"{cost['median_seconds']:,.1f} s")
    if cost["median_tokens"] is not None:
        said.append(f"{cost['median_tokens']:,.0f} tokens")
    return said


def figure_view(figure: Record, run_id: int, part: str, rule: Rule) -> View:
    """A number with what stands behind it, and the query that shows it on the Explore page."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    interval = "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"
    return {
        "name": figure["name"],
        "value": value,
        "low": low,
        "high": high,
        "text": "–" if value is None else f"{100 * value:.2f}",
        "interval": interval,
        "how": _HOW[figure["interval"]],
        "n": figure["n"],
        "failures": figure["failures"],
        "failure_rate": figure["failure_rate"],
        "missing": list(figure["missing"]),
        "query": explore(run_id, part, rule),
        "failed": explore(run_id, part, rule, "no verdict"),
    }


_HOW = {
    "wilson": "95 % interval of Wilson",
    "mover": "95 % interval put together of the parts' intervals",
    "bootstrap": "95 % interval by a bootstrap over prompts",
    "none": "no interval: a part of it stands on a single prompt",
}


def explore(run_id: int, part: str | None, rule: Rule, credit: Credit | None = None) -> str:
    """The query of the Explore page for the judgements behind a number."""
    known = rule if credit or (part or "").startswith(EFFECTS) else None
    return JudgementFilter(benchmark=run_id, part=part, rule=known, credit=credit).to_query()


def table_view(title: str, table: Record, run_id: int, rule: Rule) -> View:
    """A table of figures."""
    return {
        "title": title,
        "note": table["note"],
        "figures": [
            figure_view(figure, run_id, part_name(title, name), rule)
            for name, figure in table["figures"].items()
        ],
    }


def shares(record: Record, run_id: int, rule: Rule) -> list[View]:
    """Quotations, failures and agreement between orders: shares with intervals."""
    rows: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
        (
            "Quotations that stand in no response",
            "absent_quotes",
            "quotations",
            {"quotes": "absent"},
        ),
        ("Without a verdict", "failures", "judgements", {"rule": rule, "credit": "no verdict"}),
        ("Same verdict in both orders", "swap_consistent", "judgements", {"swap": "consistent"}),
        ("Log's results that our reading confirms", "log_agrees", "results", {}),
    )
    return [
        {
            "name": name,
            "of": of,
            "query": JudgementFilter(benchmark=run_id, **narrow).to_query(),
            **record[key],
        }
        for name, key, of, narrow in rows
        if record[key]["n"]
    ]


def costs(record: Record) -> list[list[str]]:
    """Seconds and tokens."""
    cost = record["cost"]
    rows: list[list[str]] = []
    if cost["seconds"] is not None:
        rows.append(
            [
                "Seconds",
                f"{cost['seconds']:,.0f} in all rollouts, one after another; "
                f"{cost['median_seconds']:,.2f} for a judgement (median)",
            ]
        )
    if cost["completion_tokens"] is not None:
        rows.append(
            [
                "Tokens written",
                f"{cost['completion_tokens']:,}; {cost['median_tokens']:,.0f} for a judgement "
                "(median)",
            ]
        )
    if cost["prompt_tokens"] is not None:
        rows.append(["Tokens read", f"{cost['prompt_tokens']:,}"])
    if record["judged_again"]:
        rows.append(["Judged again", f"{record['judged_again']:,}; the last judgement counts"])
    return rows
