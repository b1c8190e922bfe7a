"""Charts of the judgements that a filter leaves: figures, words and what a click filters by.

A chart is a plain dictionary that `assets/chart.js` draws: `names` along one axis, `series` stacked
on the other, and for each mark the changes of the filter that a click on it makes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

from rmr1.errors import InputError
from rmr1.share import Share
from storage import judge_versions, overview
from storage.database import Database
from storage.hidden import EVERYTHING, Scope
from storage.overview import ConfidenceBin, CriterionUse, Tally
from ui.exploring import Place
from ui.views import View

By = Literal["source", "subset", "judge_version"]

SHOWN = 12
"""Bars of a chart; the rest is added up, and says so."""

OUTCOMES: dict[str, tuple[str, str, str]] = {
    "yes": ("correct", "good", ""),
    "no": ("wrong", "bad", "/"),
    "no verdict": ("no verdict", "none", "x"),
    "unknown": ("better side unknown", "plain", "."),
}
"""For each outcome its word, tone and pattern: colour is never the only difference."""


def charts_view(database: Database, query: str, by: str = "", shown: Scope = EVERYTHING) -> View:
    """All charts for the Explore page's query string.

    Args:
        by: what outcomes are split by; chosen by the filter where empty.
        shown: what lists show whoever looks.
    """
    try:
        wanted = Place.from_query(query, shown).wanted
    except InputError:
        wanted = Place.from_query("", shown).wanted
    with database.read() as session:
        tallies = overview.tallies(session, wanted)
        bins = overview.confidences(session, wanted)
        criteria = overview.criteria(session, wanted)
        titles = judge_versions.titles(session)
    split = _split(by, tallies)
    charts = [
        outcome_chart(tallies, split, titles),
        quote_chart(tallies),
        state_chart(tallies),
        criteria_chart(criteria),
        confidence_chart(bins),
    ]
    return {
        "query": query,
        "by": split,
        "accuracy": accuracy_line(tallies),
        "charts": [chart for chart in charts if chart],
        "total": sum(tally.judgements for tally in tallies),
    }


def _split(by: str, tallies: Sequence[Tally]) -> By:
    if by in ("source", "subset", "judge_version"):
        return by  # type: ignore[return-value]  # is one of them
    if len({tally.source for tally in tallies}) > 1:
        return "source"
    return "subset" if len({tally.subset for tally in tallies}) > 1 else "judge_version"


def accuracy(tallies: Sequence[Tally]) -> str:
    """`82 % (78 to 86), n = 210`; "" where no better side is known.

    A judgement without a verdict counts as not correct.
    """
    counts = _outcomes(tallies)
    n = counts["yes"] + counts["no"] + counts["no verdict"]
    return Share.of(counts["yes"], n).rounded


def accuracy_line(tallies: Sequence[Tally]) -> str:
    """The accuracy of what the filter leaves, or why there is no single one."""
    known = [tally for tally in tallies if tally.correct != "unknown"]
    if not known:
        return "No accuracy: which response is better is not on record for any of these."
    sources = {tally.source for tally in known}
    judges = {tally.judge_version for tally in known}
    mixed = [
        f"{len(found)} {word}"
        for found, word in ((sources, "sources"), (judges, "judges"))
        if len(found) > 1
    ]
    if mixed:
        return (
            f"No single accuracy: these judgements mix {' and '.join(mixed)}. "
            "Choose one of each for a figure."
        )
    missing = _outcomes(known)["no verdict"]
    counted = f" {missing:,} without a verdict count as not correct." if missing else ""
    return f"Accuracy {accuracy(known)}; 95 % Wilson interval.{counted}"


def _outcomes(tallies: Sequence[Tally]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tally in tallies:
        counts[tally.correct] += tally.judgements
    return counts


def outcome_chart(tallies: Sequence[Tally], by: By, titles: Mapping[str, str]) -> View | None:
    """Right, wrong and no verdict, split by source, subset or judge."""
    if not tallies:
        return None
    groups: defaultdict[tuple[str, ...], list[Tally]] = defaultdict(list)
    for tally in tallies:
        groups[_group(tally, by)].append(tally)
    ranked = sorted(groups, key=lambda key: -_total(groups[key]))
    shown, rest = ranked[:SHOWN], ranked[SHOWN:]
    parts = [groups[key] for key in shown]
    narrowings = [_narrowing(key, by) for key in shown]
    alone = len({key[0] for key in ranked}) == 1
    names = [
        _group_title(key[1:] if alone and by == "subset" else key, by, titles) for key in shown
    ]
    if rest:
        parts.append([tally for key in rest for tally in groups[key]])
        narrowings.append({})
        names.append(f"{len(rest)} others")
    asides = [_aside(part) for part in parts[: len(shown)]] + [""] * bool(rest)
    counts = [_outcomes(part) for part in parts]
    word = {"source": "source", "subset": "subset", "judge_version": "judge"}[by]
    return _chart(
        "outcomes",
        f"Outcomes by {word}",
        _total(tallies),
        "bars",
        names,
        [
            _series(
                words,
                tone,
                pattern,
                [count[outcome] for count in counts],
                [{**narrowing, "correct": outcome} for narrowing in narrowings],
            )
            for outcome, (words, tone, pattern) in OUTCOMES.items()
        ],
        asides=asides,
        note="Beside each bar: accuracy with its 95 % Wilson interval." if any(asides) else "",
        legend=True,
    )


def _group(tally: Tally, by: By) -> tuple[str, ...]:
    return (tally.source, tally.subset) if by == "subset" else (getattr(tally, by),)


def _narrowing(key: tuple[str, ...], by: By) -> dict[str, str]:
    names = ("source", "subset") if by == "subset" else (by,)
    return {name: value for name, value in zip(names, key, strict=True) if value}


def _group_title(key: tuple[str, ...], by: By, titles: Mapping[str, str]) -> str:
    if by == "judge_version":
        return titles.get(key[0], key[0][:12])
    return " · ".join(part for part in key if part) or "(none)"


def _aside(tallies: Sequence[Tally]) -> str:
    judges = len({tally.judge_version for tally in tallies})
    sources = len({tally.source for tally in tallies})
    if judges > 1:
        return f"{judges} judges mixed"
    return f"{sources} sources mixed" if sources > 1 else accuracy(tallies)


def _total(tallies: Sequence[Tally]) -> int:
    return sum(tally.judgements for tally in tallies)


def state_chart(tallies: Sequence[Tally]) -> View | None:
    """How the judgements ended."""
    counts: Counter[str] = Counter()
    for tally in tallies:
        counts[tally.state] += tally.judgements
    if not counts:
        return None
    ranked = counts.most_common()
    return _chart(
        "states",
        "How judgements ended",
        counts.total(),
        "bars",
        [state for state, _ in ranked],
        [
            _series(
                "judgements",
                "accent",
                "",
                [number for _, number in ranked],
                [{"state": state} for state, _ in ranked],
            )
        ],
        asides=[f"{number / counts.total():.1%}".replace("%", " %") for _, number in ranked],
    )


def quote_chart(tallies: Sequence[Tally]) -> View | None:
    """How the quotations stand in the responses."""
    kinds = (
        ("exact", "good", "", "quotes_exact", "all exact"),
        ("near", "near", "/", "quotes_near", "near"),
        ("not found", "bad", "x", "quotes_absent", "absent"),
    )
    numbers = [sum(getattr(tally, field) for tally in tallies) for *_, field, _ in kinds]
    total = sum(numbers)
    if not total:
        return None
    series = [
        _series(
            words,
            tone,
            pattern,
            [number if other == i else 0 for other in range(len(kinds))],
            [{"quotes": value}] * len(kinds),
        )
        for i, ((words, tone, pattern, _, value), number) in enumerate(
            zip(kinds, numbers, strict=True)
        )
    ]
    return _chart(
        "quotes",
        "Quotations, looked up",
        total,
        "bars",
        [words for words, *_ in kinds],
        series,
        unit="quotations",
        asides=[f"{number / total:.1%}".replace("%", " %") for number in numbers],
        note="Found nowhere in the response that they name, so invented: "
        f"{Share.of(numbers[-1], total).rounded}. "
        "A click shows judgements by their worst quotation.",
    )


def confidence_chart(bins: Sequence[ConfidenceBin]) -> View | None:
    """How sure the judge was, right and wrong apart."""
    if not bins:
        return None
    first = min(0.5, *(part.low for part in bins))
    lows = [i / overview.BINS for i in range(round(first * overview.BINS), overview.BINS)]
    width = 1 / overview.BINS
    counts: Counter[tuple[str, float]] = Counter()
    for part in bins:
        counts[part.correct, part.low] += part.judgements
    series = [
        _series(
            words,
            tone,
            pattern,
            [counts[outcome, low] for low in lows],
            # A hair below the edge: the filter's ends are inclusive, a bin's upper end is not.
            [
                {
                    "confidence_min": f"{low:g}",
                    "confidence_max": "1" if low + width >= 1 else f"{low + width - 1e-9:.9f}",
                    "correct": outcome,
                }
                for low in lows
            ],
        )
        for outcome, (words, tone, pattern) in OUTCOMES.items()
    ]
    return _chart(
        "confidence",
        "Confidence",
        sum(counts.values()),
        "columns",
        [f"{100 * low:.0f}–{100 * (low + width):.0f} %" for low in lows],
        series,
        note="Judgements that have one: from the letters' probabilities, or from votes.",
        legend=True,
    )


def criteria_chart(uses: Sequence[CriterionUse]) -> View | None:
    """The commonest criteria of the rubrics, and how much weight they got."""
    if not uses:
        return None
    return _chart(
        "criteria",
        "Commonest criteria",
        sum(use.rubrics for use in uses),
        "bars",
        [use.name[:60] for use in uses],
        [
            _series(
                "rubrics",
                "accent",
                "",
                [use.rubrics for use in uses],
                [{"text": use.name} for use in uses],
            )
        ],
        unit="criteria",
        asides=[
            "" if use.mean_share is None else f"mean weight {use.mean_share:.0%}".replace("%", " %")
            for use in uses
        ],
        note=f"In the first rollouts of the newest {overview.NEWEST:,} judgements. "
        "A click searches for the name.",
    )


def _series(
    name: str, tone: str, pattern: str, values: list[int], narrow: list[dict[str, str]]
) -> View:
    return {"name": name, "tone": tone, "pattern": pattern, "values": values, "narrow": narrow}


def _chart(
    id: str,
    title: str,
    n: int,
    kind: Literal["bars", "columns"],
    names: list[str],
    series: list[View],
    *,
    unit: str = "judgements",
    asides: list[str] | None = None,
    note: str = "",
    legend: bool = False,
) -> View:
    series = [part for part in series if any(part["values"])]
    if n == 1:
        unit = {"judgements": "judgement", "quotations": "quotation"}.get(unit, unit)
    return {
        "id": id,
        "title": f"{title} (n = {n:,} {unit})",
        "kind": kind,
        "legend": legend,
        "names": names,
        "series": series,
        "asides": asides or [],
        "note": note,
        "summary": summary(title, n, unit, names, series),
    }


def summary(title: str, n: int, unit: str, names: Sequence[str], series: Sequence[View]) -> str:
    """What a chart shows, in words, for those who do not see it."""
    parts = []
    for i, name in enumerate(names):
        figures = [f"{part['values'][i]:,} {part['name']}" for part in series if part["values"][i]]
        if figures:
            parts.append(f"{name}: {', '.join(figures)}")
    return f"{title}, {n:,} {unit}. {'; '.join(parts)}."
