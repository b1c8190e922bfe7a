"""What the Agreement page's sections are built of: figures, tables and links as dictionaries."""

from collections.abc import Sequence

from rmr1.share import Share
from storage.estimate import Estimate
from storage.filters import JudgementFilter
from storage.opinions import StageOfLabel
from ui.views import View

STAGE_WORDS: dict[StageOfLabel, str] = {
    "blind": "blind, before the verdict",
    "verdict": "after the judge's verdict",
    "reasoning": "after the judge's reasoning",
    "final": "as the answer stands now",
}
VALUE_WORDS = {
    "A": "A is better",
    "B": "B is better",
    "tie": "tie",
    "both_bad": "both bad",
    "cannot_tell": "cannot tell",
    "none": "no verdict",
}
FIELD_WORDS = {
    "source": "By source",
    "subset": "By subset",
    "type": "By type of task",
    "state": "By how the judgement ended",
    "judge_version": "By judge",
}
NO_RANDOM = (
    "No answer here comes from the random stream, so there is no headline. Serve the queue of all "
    "pairs in random order to get one."
)
TARGETED = (
    "These pairs were chosen for a reason (a filter, an order, a link), so they say how the judge "
    "does on such pairs, not how it does in general."
)


def link(wanted: JudgementFilter, text: str = "", **changes: object) -> View:
    """A link to the judgements that a filter leaves, on the Explore page."""
    return {"text": text, "query": wanted.model_copy(update=changes).to_query()}


def per_cent(value: float) -> str:
    """A share in whole per cents."""
    return f"{100 * value:.0f} %"


def share_cell(share: Share, links: Sequence[View] = (), unit: str = "") -> View:
    """A share in words, with what a whisker needs; a dash where there is none."""
    if share.share is None or share.low is None or share.high is None:
        return {"words": "–", "why": "n = 0: nothing to take a share of.", "links": []}
    return {
        "words": f"{per_cent(share.share)} ({100 * share.low:.0f} to {per_cent(share.high)})",
        "n": f"n = {share.n:,}{' ' if unit else ''}{unit}",
        "at": [share.share, share.low, share.high],
        "scale": [0, 1],
        "links": list(links),
    }


def estimate_cell(
    found: Estimate,
    links: Sequence[View] = (),
    *,
    points: bool = False,
    scale: tuple[float, float] | None = None,
) -> View:
    """A figure in words; the sentence why where value or interval are missing.

    Args:
        points: the figure is a difference of shares, written in percentage points.
        scale: the ends of the line that it is drawn on; none is drawn without.
    """
    cell: View = {"n": f"n = {found.n:,} {found.unit}", "why": found.why, "links": list(links)}
    if found.value is None:
        return cell | {"words": "–"}
    words = _written(found.value, points=points)
    if found.low is not None and found.high is not None:
        low, high = _written(found.low, points=points), _written(found.high, points=points)
        words += f" ({low} to {high})"
        if scale:
            cell |= {"at": [found.value, found.low, found.high], "scale": list(scale)}
    return cell | {"words": f"{words} points" if points else words}


def _written(value: float, *, points: bool) -> str:
    return (f"{100 * value:+.1f}" if points else f"{value:.2f}").replace("-", "−")


def figure(name: str, cell: View, explained: str = "") -> View:
    """A figure with its name and what it means."""
    return {**cell, "name": name, "explained": explained}


def figures(rows: Sequence[View]) -> View:
    """A block of figures under each other."""
    return {"kind": "figures", "rows": list(rows)}


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[View | str]]) -> View:
    """A table; cells are texts or figures. The first of a row names it."""
    cells = [[{"words": one} if isinstance(one, str) else one for one in row] for row in rows]
    return {"kind": "table", "title": title, "columns": list(columns), "rows": cells}


def note(text: str, *, warning: bool = False) -> View:
    """A sentence that stands above figures."""
    return {"kind": "note", "text": text, "warning": warning}


def fold(title: str, blocks: Sequence[View]) -> View:
    """Blocks behind a summary line."""
    return {"kind": "fold", "title": title, "blocks": list(blocks)}


def targeted_title(n: int, unit: str) -> str:
    """The summary line of the targeted items of a section."""
    return f"Targeted items: {n:,} {unit}{'' if n == 1 else 's'}"


def help_block(paragraphs: Sequence[str]) -> View:
    """What the section's figures mean, behind a question mark."""
    return {"kind": "help", "paragraphs": list(paragraphs)}


def p_words(value: float | None) -> str:
    """A p value as it is written."""
    if value is None:
        return "–"
    return (
        "p < 0.001" if value < 0.001 else f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"
    )
