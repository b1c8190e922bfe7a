"""What the Explore page shows, as plain dictionaries; no Gradio in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self, get_args
from urllib.parse import parse_qsl, urlencode

from rmr1.errors import InputError
from storage import judge_versions, judgements, queues
from storage.database import Database
from storage.filters import JudgementFilter
from storage.hidden import EVERYTHING, Scope
from storage.judgements import Facets, Page, Sort
from storage.summaries import JudgementSummary
from ui.views import View

PAGE_SIZE = 50
FACET_OPTIONS = 200

SORTS: dict[Sort, str] = {
    "newest": "newest first",
    "oldest": "oldest first",
    "least confident": "least confident first",
    "most confident": "most confident first",
    "most absent quotes": "most invented quotations first",
    "slowest": "slowest first",
}

FACETS: dict[str, tuple[str, dict[str, str]]] = {
    "correct": (
        "Outcome",
        {"yes": "correct", "no": "wrong", "unknown": "better side unknown"},
    ),
    "verdict": ("Verdict", {"A": "A is better", "B": "B is better", "none": "no verdict"}),
    "state": ("State", {}),
    "type": ("Task type", {"none": "not said"}),
    "quotes": (
        "Quotations",
        {"absent": "some not found", "near": "some only near", "none": "none quoted"},
    ),
    "swap": ("Order of responses", {"consistent": "same in both", "flipped": "flips"}),
    "source": ("Source", {"": "(none)"}),
    "subset": ("Subset", {"": "(none)"}),
    "judge_version": ("Judge", {}),
    "labelled": ("Labelled by people", {}),
    "agreement": (
        "People and judge",
        {"agrees": "agree", "disagrees": "disagree", "split": "people are split"},
    ),
    "multi_turn": ("Several turns", {}),
}
"""The filters in the order of the page: title, and words for values that need some."""


_BENCHMARK = {"benchmark": "Benchmark run {}", "part": "Figure – {}", "credit": "Counts as {}"}
_BENCHMARK_NAMES = {
    "benchmark": ["benchmark", "part", "rule", "credit"],
    "credit": ["credit", "rule"],
}
"""What goes with a filter when it is taken away."""


_PEOPLE = {
    "stage": "Answers: {}",
    "stream": "Served: {}",
    "annotator": "Answered by {}",
    "other": "And by {}",
    "queue_id": "Answered from queue {}",
    "label": "Somebody says {}",
    "agrees": "The answer is the verdict: {}",
    "people": "People {} on the pair",
    "pull": "After the verdict the answer moved: {}",
    "newest": "Newest of each judge",
}
"""Filters about people's answers, which no list of counts offers."""

_JUDGE_AND_PEOPLE = "agreement"
"""The filter whose values tell what people said of a pair whose verdict is in view."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is in the list: which judgements, in which order, at which page."""

    wanted: JudgementFilter = field(default_factory=JudgementFilter)
    sort: Sort = "newest"
    page: int = 1

    @classmethod
    def from_query(cls, query: str, shown: Scope = EVERYTHING) -> Self:
        """Read a page's query string; what is not about the list is passed over.

        Args:
            shown: what lists show whoever looks.

        Raises:
            InputError: a filter or an order that does not exist.
        """
        given = dict(parse_qsl(query.removeprefix("?")))
        sort = given.get("sort", "newest")
        if sort not in get_args(Sort):
            raise InputError(f"There is no order {sort!r}: choose one of {', '.join(SORTS)}.")
        page = given.get("list_page", "1")  # Gradio itself reads `page`
        return cls(
            wanted=JudgementFilter.from_query(given).model_copy(
                update={"without": shown.without or None}
            ),
            sort=sort,  # type: ignore[arg-type]  # is one of them
            page=int(page) if page.isdecimal() and len(page) < 9 else 1,
        )


def without_people(query: str, name: str = "") -> str:
    """A query string without what it asks of people's answers: only leads may look by those.

    Args:
        name: whoever asks; their own answers they may look by.
    """
    given = parse_qsl(query.removeprefix("?"))
    asked = dict(given)
    is_own = name and asked.get("annotator") == name and not {"other", "people"} & asked.keys()
    gone = {_JUDGE_AND_PEOPLE} if is_own else {*_PEOPLE, _JUDGE_AND_PEOPLE}
    if not gone & asked.keys():
        return query
    return urlencode([(name, value) for name, value in given if name not in gone])


def list_view(database: Database, query: str, shown: Scope = EVERYTHING) -> View:
    """The list, its filters with their counts, and what is chosen, for a page's query string.

    Args:
        shown: what lists show whoever looks.
    """
    try:
        place, problem = Place.from_query(query, shown), ""
    except InputError as error:
        place, problem = (
            Place.from_query("", shown),
            f"{error} All judgements are shown instead.",
        )
    with database.read() as session:
        facets = judgements.facets(session, place.wanted)
        found = judgements.page(
            session, place.wanted, place.sort, place.page, PAGE_SIZE, facets.total
        )
        titles = judge_versions.titles(session)
    views = facet_views(facets, place.wanted, titles)
    return {
        "query": query,
        "problem": problem,
        "hidden": left_out(shown),
        "sort": place.sort,
        "sorts": [[name, words] for name, words in SORTS.items()],
        "chips": chips(place.wanted, titles),
        "facets": [one for one in views if shown.people or one["name"] != _JUDGE_AND_PEOPLE],
        **_pager(found),
        "rows": [row_view(summary) for summary in found.items],
    }


def left_out(shown: Scope) -> str:
    """What a list leaves out for whoever looks, and why, in a sentence; "" where it is nothing."""
    if shown.people:
        return ""
    n = len(shown.without)
    said = "What other people said of a pair is hidden until you have labelled it yourself"
    if not n:
        return f"{said}."
    pairs = "1 pair that waits" if n == 1 else f"{n:,} pairs that wait"
    return f"{said}; {pairs} for your label {'is' if n == 1 else 'are'} left out of this list."


def _pager(found: Page[JudgementSummary]) -> View:
    before = (found.number - 1) * found.size
    return {
        "total": found.total,
        "page": found.number,
        "pages": found.pages,
        "first": before + bool(found.items),
        "last": before + len(found.items),
    }


def chips(wanted: JudgementFilter, titles: Mapping[str, str]) -> list[View]:
    """The filters in force, each removable: the query's names that it takes away, and words."""
    chosen = wanted.model_dump(exclude_none=True)
    low, high = chosen.pop("confidence_min", None), chosen.pop("confidence_max", None)
    chosen.pop("rule", None)  # it goes with `credit`, and says nothing alone
    found = [
        {"names": _BENCHMARK_NAMES.get(name, [name]), "text": chip_text(name, str(value), titles)}
        for name, value in chosen.items()
    ]
    if low is not None or high is not None:
        words = f"Confidence {100 * (low or 0):.0f}–{100 * (1 if high is None else high):.0f} %"
        found.append({"names": ["confidence_min", "confidence_max"], "text": words})
    return found


def chip_text(name: str, value: str, titles: Mapping[str, str]) -> str:
    """A filter in words."""
    if name == "text":
        return f"Text: {value}"
    if name == "run_id":
        return f"Run {value}"
    if name in _PEOPLE:
        return _PEOPLE[name].format(value.replace("_", " ") if name == "label" else value)
    if name in _BENCHMARK:
        return _BENCHMARK[name].format(value)
    return f"{FACETS[name][0]}: {_words(name, value, titles)}"


def _words(name: str, value: str, titles: Mapping[str, str]) -> str:
    if name == "judge_version":
        return titles.get(value, f"unknown judge {value[:12]}")
    return FACETS[name][1].get(value, value)


def facet_views(facets: Facets, wanted: JudgementFilter, titles: Mapping[str, str]) -> list[View]:
    """The filters with how many judgements each value would leave."""
    views = []
    for name, (title, _) in FACETS.items():
        chosen = getattr(wanted, name)
        counts = {
            value: n for value, n in facets.counts[name].items() if value or name != "agreement"
        }
        if chosen is not None:
            counts.setdefault(chosen, 0)
        options = [
            {
                "value": value,
                "title": _words(name, value, titles),
                "count": count,
                "on": value == chosen,
            }
            for value, count in list(counts.items())[:FACET_OPTIONS]
        ]
        views.append({"name": name, "title": title, "options": options})
    return views


def row_view(summary: JudgementSummary) -> View:
    """One row of the list."""
    found = summary.quotes_total - summary.quotes_near - summary.quotes_absent
    quotes = ((found, "exact"), (summary.quotes_near, "near"), (summary.quotes_absent, "absent"))
    return {
        "key": summary.key,
        "prompt": " ".join(summary.prompt.split()) or "(empty prompt)",
        "origin": " · ".join(part for part in (summary.source, summary.subset) if part),
        "judge": summary.judge,
        "verdict": summary.verdict,
        "outcome": outcome(summary),
        "type": summary.type,
        "state": summary.state,
        "quotes": [[number, match] for number, match in quotes if number],
        "confidence": summary.confidence,
        "swap": summary.swap_consistent,
        "rollouts": summary.rollout_count,
        "labels": len(summary.labels),
        "multi_turn": summary.multi_turn,
        "tokens": summary.tokens,
        "date": f"{summary.created_at.day} {summary.created_at:%b}",
        "time": f"{summary.created_at:%Y-%m-%d %H:%M} UTC",
    }


def outcome(summary: JudgementSummary) -> str:
    """`correct`, `wrong`, `none` (no verdict) or `unknown` (no better side is known)."""
    if summary.verdict is None:
        return "none"
    return {True: "correct", False: "wrong", None: "unknown"}[summary.correct]


def make_queue(database: Database, query: str, name: str) -> View:
    """Make a queue to label out of the filter in force, and say so above the list.

    Raises:
        InputError: the name is empty or taken, or the filter is not one.
    """
    place = Place.from_query(query)
    with database.write() as session:
        queue = queues.create(session, name[:120], place.wanted)
    return {**list_view(database, query), "made": {"id": queue.id, "name": queue.name}}
