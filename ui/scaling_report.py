"""Test-time scaling of judges as one HTML file that needs nothing else."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

import plotly.graph_objects as go

from rmr1.scaling import Scaling
from rmr1.scaling_text import (
    BINS,
    POINTS,
    SAVINGS,
    bin_row,
    calibration_words,
    curve_title,
    plan_words,
    point_row,
    saving_row,
)
from ui.scaling_views import (
    accuracy_figure,
    budget_figure,
    reliability_figure,
    saving_figure,
)

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #334155; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, h3 { color: #0f172a; line-height: 1.25; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: .5rem 0 1.5rem; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #cbd5e1; }
th:first-child, td:first-child { text-align: left; }
"""


def report_html(scalings: Sequence[Scaling]) -> str:
    """A page with figures and tables for each judge; Plotly's script is part of it."""
    return "\n".join(_page(scalings))


def _page(scalings: Sequence[Scaling]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Test-time scaling</title><style>{_STYLE}</style></head><body>"
    yield "<h1>Test-time scaling</h1>"
    script = True
    for scaling in scalings:
        yield from _head(scaling)
        figures = [
            accuracy_figure(scaling, "tokens"),
            accuracy_figure(scaling, "seconds"),
            budget_figure(scaling),
            saving_figure(scaling),
            reliability_figure(scaling.calibrations),
        ]
        for figure in figures:
            if figure is not None:
                yield _drawn(figure, script=script)
                script = False
        yield from _tables(scaling)
    yield "</body></html>\n"


def _head(scaling: Scaling) -> Iterator[str]:
    yield f"<h2>{escape(scaling.version.title)}</h2>"
    left_out = f" {scaling.skipped:,} pairs without a known better side are left out."
    yield (
        f"<p>{scaling.pairs:,} pairs with {scaling.prompts:,} prompts, drawn once with "
        f"{escape(plan_words(scaling.plan))}, temperature {scaling.plan.temperature:g}. Each point "
        f"is what its plan would have made of these rollouts: the mean of {scaling.replays} "
        f"shuffles; intervals of 95 %, bootstrap over prompts. An even number of rollouts may end "
        f"in a draw, which is no verdict and not right."
        f"{left_out if scaling.skipped else ''}</p>"
    )


def _tables(scaling: Scaling) -> Iterator[str]:
    for curve in scaling.curves:
        yield f"<h3>{escape(curve_title(curve))}</h3>"
        yield _table(POINTS, map(point_row, curve.points))
    if scaling.savings:
        yield "<h3>Early stop beside all votes of the same plan</h3>"
        yield _table(SAVINGS, map(saving_row, scaling.savings))
    for one in scaling.calibrations:
        yield f"<h3>Calibration of the confidence from {escape(one.source)}</h3>"
        yield f"<p>{escape(calibration_words(one))}</p>"
        yield _table(BINS, (bin_row(part) for part in one.bins if part.right.n))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def cells(tag: str, texts: Iterable[str]) -> str:
        return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _drawn(figure: go.Figure, *, script: bool) -> str:
    html: str = figure.to_html(
        full_html=False,
        include_plotlyjs=script,
        config={"responsive": True, "displaylogo": False},
    )
    return html
