"""Figures of test-time scaling: accuracy by tokens, seconds and budget, savings, reliability.

Plotly takes long to import: whoever is to start at once imports this module late.
"""

from collections.abc import Sequence
from math import log10
from typing import Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from rmr1.benchmark.paper import paper_tables
from rmr1.calibration import Calibration
from rmr1.scaling import Curve, Estimate, Point, Saving, Scaling
from rmr1.scaling_text import curve_title, plan_words, share_text

TARGET = 0.6
"""Share of the tokens of all votes that an early stop is to stay under."""

_INK, _LINE = "#334155", "#cbd5e1"
_COLOURS = {"votes": "#4f46e5", "budget": "#64748b", "adaptive": "#b45309"}
_DASHES = {"AB": "solid", "BA": "dashdot", "both": "dash"}
_DOUBLINGS = {"type": "log", "dtick": log10(2), "tickformat": ",.4~r"}
_SYMBOLS = {"votes": "circle", "budget": "square", "adaptive": "diamond"}
_SOURCES = {
    "votes": "share of votes",
    "logprobs": "probability of the letter",
    "margin": "margin of the scores",
}


def accuracy_figure(
    scaling: Scaling, across: Literal["tokens", "seconds"] = "tokens"
) -> go.Figure | None:
    """Accuracy against what a judgement costs, a line for each curve; None where not measured."""
    figure = go.Figure()
    for curve in scaling.curves:
        costs = [point.tokens if across == "tokens" else point.seconds for point in curve.points]
        known = [cost.value for cost in costs if cost is not None]
        if len(known) < len(costs):
            return None
        figure.add_trace(_line(curve, known))
    unit = "tokens written" if across == "tokens" else "seconds of its rollouts, added up"
    _lay_out(figure, f"Accuracy by {across} (n = {scaling.pairs:,} pairs)", 470)
    figure.update_xaxes(**_DOUBLINGS, title=f"{unit}, mean of a judgement")
    figure.update_yaxes(tickformat=".0%", title="right verdicts, of all pairs")
    return figure


def budget_figure(scaling: Scaling) -> go.Figure:
    """Accuracy by the budget of a rollout, beside the published curve."""
    figure = make_subplots(
        cols=2,
        horizontal_spacing=0.12,
        subplot_titles=("This judge, rollouts cut at the budget", "RM-R1's, trained anew for each"),
    )
    for curve in scaling.curves:
        if curve.kind == "budget":
            budgets = [float(point.plan.max_tokens) for point in curve.points]
            figure.add_trace(_line(curve, budgets), row=1, col=1)
    figure.add_trace(_published_budgets(), row=1, col=2)
    _lay_out(figure, "Accuracy by budget", 420)
    figure.update_layout(margin={"t": 90}, legend={"y": -0.3})
    figure.update_xaxes(**_DOUBLINGS, title="tokens allowed for a rollout")
    figure.update_yaxes(tickformat=".0%")
    return figure


def saving_figure(scaling: Scaling) -> go.Figure | None:
    """What an early stop costs in accuracy and saves in tokens; None where nothing was voted on."""
    if not scaling.savings:
        return None
    figure = go.Figure()
    for orders in dict.fromkeys(one.orders for one in scaling.savings):
        found = [one for one in scaling.savings if one.orders == orders]
        figure.add_trace(
            go.Scatter(
                x=[one.tokens.value for one in found],
                y=[100 * one.difference.value for one in found],
                error_x=_whiskers([one.tokens for one in found]),
                error_y=_whiskers([one.difference for one in found], 100),
                text=_labels(found),
                customdata=[f"{one.stop_at:g}" for one in found],
                textposition="top center",
                mode="lines+markers+text",
                name=f"{orders}, {found[0].votes} votes; numbers: where it stops",
                line={"color": _COLOURS["adaptive"], "dash": _DASHES[orders]},
                marker={"symbol": "diamond" if orders == "both" else "circle", "size": 9},
                hovertemplate="stops at %{customdata}: %{x:.1%} of the tokens, "
                "%{y:+.2f} points<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": _LINE})
    figure.add_vline(
        x=TARGET, line={"color": _INK, "dash": "dot"}, annotation_text=f"{TARGET:.0%} of the tokens"
    )
    _lay_out(figure, f"Early stop beside all votes (n = {scaling.pairs:,} pairs)", 420)
    figure.update_xaxes(tickformat=".0%", title="share of the tokens of all votes")
    figure.update_yaxes(title="accuracy less that of all votes, in points")
    return figure


def reliability_figure(calibrations: Sequence[Calibration]) -> go.Figure | None:
    """How often verdicts are right by how sure they are, and how many; None where none is sure."""
    if not calibrations:
        return None
    figure = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06
    )
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": _LINE, "dash": "dot"},
            name="as often right as sure",
            hoverinfo="skip",
        ),
        row=1,
        col=1,
    )
    styles = zip(("#4f46e5", "#b45309", "#0f766e"), ("circle", "diamond", "square"), strict=True)
    for one, (colour, symbol) in zip(calibrations, styles, strict=False):
        _add_reliability(figure, one, colour, symbol)
    _lay_out(figure, "Reliability of the confidence", 520)
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02])
    figure.update_xaxes(title="confidence in the verdict", row=2, col=1)
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.02], title="right", row=1, col=1)
    figure.update_yaxes(title="verdicts", row=2, col=1)
    return figure


def _add_reliability(figure: go.Figure, one: Calibration, colour: str, symbol: str) -> None:
    held = [part for part in one.bins if part.confidence is not None]
    shares = [Estimate(part.right.share or 0.0, part.right.low, part.right.high) for part in held]
    name = f"{_SOURCES[one.source]}: ECE {one.ece:.3f}, Brier {one.brier:.3f}, n = {one.n:,}"
    figure.add_trace(
        go.Scatter(
            x=[part.confidence for part in held],
            y=[share.value for share in shares],
            error_y=_whiskers(shares),
            mode="lines+markers",
            name=name,
            legendgroup=one.source,
            line={"color": colour},
            marker={"symbol": symbol, "size": 8},
            text=[f"{part.right}" for part in held],
            hovertemplate="sure %{x:.1%}: right %{text}<extra></extra>",
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Bar(
            x=[(part.low + part.high) / 2 for part in one.bins],
            y=[part.right.n for part in one.bins],
            legendgroup=one.source,
            showlegend=False,
            marker={"color": colour},
            hovertemplate="%{y:,} verdicts<extra></extra>",
        ),
        row=2,
        col=1,
    )


def _labels(savings: Sequence[Saving]) -> list[str]:
    """Where each stops; those that come to about the same share the last one's label."""
    places = [(round(one.tokens.value, 2), round(one.difference.value, 3)) for one in savings]
    return [
        ""
        if place in places[number + 1 :]
        else ", ".join(
            f"{one.stop_at:g}" for one, at in zip(savings, places, strict=True) if at == place
        )
        for number, place in enumerate(places)
    ]


def _published_budgets() -> go.Scatter:
    """The published curve; its note goes where a pointer rests."""
    table = paper_tables()["scaling_budget"]
    numbers = list(table.numbers())
    return go.Scatter(
        x=[int(one.model) for one in numbers],
        y=[one.share for one in numbers],
        name=f"published ({table.citation}): {table.columns[0].lower()}, DeepSeek-R1-Distill-"
        f"Qwen-14B{', read off the figure' if table.approximate else ''}",
        mode="lines+markers",
        line={"color": "#0f766e", "dash": "dot"},
        marker={"symbol": "x", "size": 8},
        hovertemplate=f"%{{x:,}} tokens: %{{y:.1%}}<br>{table.note}<extra></extra>",
    )


def _line(curve: Curve, places: Sequence[float]) -> go.Scatter:
    return go.Scatter(
        x=list(places),
        y=[point.accuracy.value for point in curve.points],
        error_y=_whiskers([point.accuracy for point in curve.points]),
        mode="lines+markers",
        name=curve_title(curve),
        line={
            "color": _COLOURS[curve.kind],
            "dash": _DASHES[curve.orders],
            "width": 1.2 if curve.kind == "budget" else 2,
        },
        marker={
            "symbol": _SYMBOLS[curve.kind] + ("-open" if curve.orders == "both" else ""),
            "size": 8 if curve.votes != 1 else 6,
        },
        hovertext=[_point_words(point) for point in curve.points],
        hoverinfo="text",
    )


def _point_words(point: Point) -> str:
    seconds = "" if point.seconds is None else f", {point.seconds.value:,.2f} s"
    return (
        f"{plan_words(point.plan)}<br>{share_text(point.accuracy)} right"
        f"<br>{point.tokens.value:,.0f} tokens{seconds}, {point.rollouts:.1f} rollouts"
    )


def _whiskers(estimates: Sequence[Estimate], factor: float = 1) -> dict[str, object]:
    """The intervals as error bars; of no length where there is none."""

    def length(one: Estimate, end: float | None) -> float:
        return 0.0 if end is None else factor * abs(end - one.value)

    return {
        "type": "data",
        "symmetric": False,
        "array": [length(one, one.high) for one in estimates],
        "arrayminus": [length(one, one.low) for one in estimates],
        "thickness": 1,
        "width": 3,
    }


def _lay_out(figure: go.Figure, title: str, height: int) -> None:
    figure.update_layout(
        title={"text": title, "font": {"size": 15}},
        height=height,
        margin={"l": 60, "r": 20, "t": 60, "b": 50},
        font={"family": "system-ui, sans-serif", "size": 12, "color": _INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    )
    figure.update_xaxes(gridcolor=_LINE, zeroline=False)
    figure.update_yaxes(gridcolor=_LINE, zeroline=False)
