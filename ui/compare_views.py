"""Two judge versions beside each other as the dictionary that the Compare page paints."""

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from pydantic import ValidationError
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RMR1Error, first_problem
from rmr1.share import Share
from storage import adapters, comparing, judge_versions, overview, pairs
from storage.common_pairs import CompareOptions
from storage.comparing import Comparison, Flip, JudgeFigures, Slice
from storage.database import Database
from storage.filters import JudgementFilter
from storage.hidden import EVERYTHING, Scope
from storage.paired import Paired
from ui import inspecting
from ui.views import View

TRUTHS = {
    "either": "people's labels, else the source",
    "labels": "people's labels",
    "known": "what the source knew",
}
"""What is taken for right, and its words."""

LABELS_HIDDEN = (
    "Only what the source knew is taken for right: what people said of a pair is hidden until you "
    "have labelled it yourself."
)
"""Why those below lead have no other choice."""

SLICES = {"source": "By source", "type": "By type of task", "length": "By length of the responses"}

FLIPS = 100
"""Pairs of a direction that are listed; the rest is counted."""

PROMPT = 160
"""Characters of a prompt that the list shows."""


def page_view(database: Database, query: str, shown: Scope = EVERYTHING) -> View:
    """Everything on the page, for its query string: `old`, `new`, `truth` and `all`.

    Args:
        shown: what lists show whoever looks; without people's labels the source alone is right.

    Returns:
        The choices and the comparison, or a sentence under `problem` in its place.
    """
    asked = dict(parse_qsl(query.removeprefix("?")))
    truths = TRUTHS if shown.people else {"known": TRUTHS["known"]}
    with database.read() as session:
        known = _versions(session)
        chosen = _chosen(session, asked, known)
        view: View = {
            "query": query,
            "versions": [[hash, f"{title} ({n:,} judged)"] for hash, (title, n) in known.items()],
            "truths": list(truths.items()),
            "truth": asked["truth"] if asked.get("truth") in truths else next(iter(truths)),
            "hidden": "" if shown.people else LABELS_HIDDEN,
            "all": asked.get("all") == "1",
            "old": chosen[0],
            "new": chosen[1],
            "problem": _why_not(asked, known, chosen),
        }
        if view["problem"]:
            return view
        try:
            compared = comparing.compare(session, *chosen, _options(view))
        except RMR1Error as error:
            return view | {"problem": str(error)}
        return view | comparison_view(session, compared, shown) | {"line": _line(view)}


def _options(view: View) -> CompareOptions:
    try:
        return CompareOptions(truth=view["truth"], held_out=not view["all"])
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"The comparison's {where}: {what}.") from error


def _versions(session: Session) -> dict[str, tuple[str, int]]:
    """Title and number of judgements of each judge version, by its hash, oldest first."""
    counts: dict[str, int] = {}
    for tally in overview.tallies(session, JudgementFilter()):
        counts[tally.judge_version] = counts.get(tally.judge_version, 0) + tally.judgements
    titles = judge_versions.titles(session)
    return {hash: (title, counts[hash]) for hash, title in titles.items() if counts.get(hash)}


def _chosen(
    session: Session, asked: Mapping[str, str], known: dict[str, tuple[str, int]]
) -> tuple[str, str]:
    """The old and the new version: those asked for, else the promoted one and the newest."""
    old = _hash_of(asked.get("old", ""), known)
    new = _hash_of(asked.get("new", ""), known)
    if not old:
        promoted = adapters.promoted(session)
        now = _hash_of(promoted.version, known) if promoted else ""
        base = next((hash for hash, (title, _) in known.items() if " + " not in title), "")
        old = next((hash for hash in (now, base, *known) if hash and hash != new), "")
    if not new and not asked.get("new"):
        new = next((hash for hash in reversed(known) if hash != old), "")
    return old, new


def _hash_of(text: str, known: dict[str, tuple[str, int]]) -> str:
    """The hash of the version that a hash, or an adapter's `name@hash`, stands for; "" if none."""
    if not text:
        return ""
    if text in known:
        return text
    named = re.compile(rf" \+ {re.escape(text)}( |$)")
    return next((hash for hash, (title, _) in reversed(known.items()) if named.search(title)), "")


def _why_not(
    asked: Mapping[str, str], known: dict[str, tuple[str, int]], chosen: tuple[str, str]
) -> str:
    for name, hash in zip(("old", "new"), chosen, strict=True):
        if asked.get(name) and not hash:
            return (
                f"{asked[name][:80]} has judged nothing yet: let it judge pairs whose better side "
                "is known, and import its judgements."
            )
    if len(known) < 2:
        return (
            "A comparison is between two judge versions that have judged the same pairs; "
            f"{len(known) or 'none'} has judged any so far."
        )
    return "" if all(chosen) else "Choose two judge versions."


def _line(view: View) -> str:
    parts = ["rmr1", "compare", view["old"][:12], view["new"][:12], "--truth", view["truth"]]
    return shlex.join(parts)


def comparison_view(session: Session, compared: Comparison, shown: Scope = EVERYTHING) -> View:
    """The comparison: what can be said, figures, slices, and pairs that changed."""
    paired = compared.paired
    return {
        "n": paired.n,
        "sentence": sentence(paired),
        "remarks": list(compared.remarks),
        "basis": basis(compared),
        "left_out": [[reason, number] for reason, number in compared.left_out.items()],
        "accuracy": paired_view(paired),
        "slices": slices_view(compared.slices),
        "figures": figures_view(compared.old, compared.new),
        "titles": [compared.old.title, compared.new.title],
        "flips": {
            "improved": _flips(session, _without(compared.improved, shown)),
            "worsened": _flips(session, _without(compared.worsened, shown)),
        },
    }


def sentence(paired: Paired) -> str:
    """What the pairs say about the two judges, and what chance has to do with it."""
    if not paired.n or paired.p_value is None or paired.difference is None:
        return "There is no pair that both judged and whose better side is known."
    changed = paired.only_old + paired.only_new
    if not changed:
        return f"Both are right and wrong on the very same pairs ({paired.n:,} of them)."
    points = abs(100 * paired.difference)
    lead = "better" if paired.difference > 0 else "worse"
    said = f"{points:.1f} points {lead} than the old" if paired.difference else "as good as the old"
    chance = (
        "chance alone would rarely do that"
        if paired.p_value < 0.05
        else "chance alone does as much easily"
    )
    return (
        f"The new judge is {said} on {paired.n:,} pairs: it puts {paired.only_new:,} right "
        f"that the old got wrong, and {paired.only_old:,} wrong that the old got right; {chance} "
        f"(McNemar's exact test, "
        f"p {_p_value(paired.p_value)})."
    )


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def basis(compared: Comparison) -> str:
    """On what the better side rests."""
    words = {"labels": "people's labels", "known": "their source"}
    parts = [f"{n:,} by {words.get(name, name)}" for name, n in compared.truths.items()]
    return f"The better side is known {', '.join(parts)}." if parts else ""


def paired_view(paired: Paired) -> View:
    """Both accuracies with their intervals, and how they differ."""
    return {
        "n": paired.n,
        "old": share_view(paired.old),
        "new": share_view(paired.new),
        "difference": "" if paired.difference is None else f"{100 * paired.difference:+.1f}",
        "p": "" if paired.p_value is None else _p_value(paired.p_value).removeprefix("= "),
        "only_old": paired.only_old,
        "only_new": paired.only_new,
    }


def share_view(share: Share) -> View | None:
    """A share with its interval, as numbers and in words; None where there is nothing to share."""
    if share.share is None or share.low is None or share.high is None:
        return None
    words = f"{share.share:.0%} ({share.low:.0%} to {share.high:.0%})".replace("%", " %")
    return {
        "share": share.share,
        "low": share.low,
        "high": share.high,
        "n": share.n,
        "words": words,
    }


def slices_view(slices: Sequence[Slice]) -> list[View]:
    """The slices in tables, one for each way of dividing that divides."""
    views = []
    for kind, title in SLICES.items():
        parts = [part for part in slices if part.kind == kind]
        if len(parts) > 1:
            rows = [{"name": part.name, **paired_view(part.paired)} for part in parts]
            views.append({"title": title, "rows": rows})
    return views


def figures_view(old: JudgeFigures, new: JudgeFigures) -> list[list[str]]:
    """What else there is to know of both: name, old, new, what it means."""
    rows = [
        ["Judged in all", f"{old.judged:,}", f"{new.judged:,}", "pairs, also those not compared"],
        ["Whole traces", _share(old.complete), _share(new.complete), "in the state complete"],
        ["No verdict", f"{old.no_verdict:,}", f"{new.no_verdict:,}", "counted as wrong"],
        [
            "Invented quotations",
            _share(old.absent_quotes),
            _share(new.absent_quotes),
            "of all quotations; they stand in no response",
        ],
        [
            "Names what it reads first",
            _share(old.named_first),
            _share(new.named_first),
            "about half would be without bias",
        ],
        [
            "Same in both orders",
            _share(old.swap_consistent),
            _share(new.swap_consistent),
            "of the judgements that compared both orders",
        ],
        ["Tokens", _number(old.tokens), _number(new.tokens), "median of a judgement"],
        [
            "Seconds",
            _number(old.seconds, ".1f"),
            _number(new.seconds, ".1f"),
            "median of a judgement",
        ],
        ["Plan", _plans(old), _plans(new), "how it was asked"],
    ]
    return [row for row in rows if row[1] != "–" or row[2] != "–"]


def _share(share: Share) -> str:
    view = share_view(share)
    return f"{view['words']}, n = {share.n:,}" if view else "–"


def _number(value: float | None, form: str = ",.0f") -> str:
    return "–" if value is None else format(value, form)


def _plans(figures: JudgeFigures) -> str:
    return "; ".join(
        f"{use.plan.orders}, {use.plan.votes} vote{'s' if use.plan.votes > 1 else ''}"
        f"{'' if use.plan.stop_at is None else f' or decided at {use.plan.stop_at:g}'}, "
        f"temperature {use.plan.temperature:g}, {use.plan.max_tokens:,} tokens"
        f"{', grammar' if use.plan.grammar else ''} ({use.judgements:,})"
        for use in figures.plans[:3]
    )


def _without(flips: Sequence[Flip], shown: Scope) -> list[Flip]:
    return [flip for flip in flips if flip.pair_id not in shown.without]


def _flips(session: Session, flips: Sequence[Flip]) -> View:
    return {
        "total": len(flips),
        "rows": [
            {
                "pair": flip.pair_id,
                "source": flip.source,
                "prompt": " ".join(pairs.get(session, flip.pair_id).pair.prompt.split())[:PROMPT],
                "truth": flip.truth,
                "old": flip.old_verdict,
                "new": flip.new_verdict,
                "old_key": flip.old_key,
                "new_key": flip.new_key,
            }
            for flip in flips[:FLIPS]
        ],
    }


def both_view(database: Database, old_key: str, new_key: str) -> View:
    """The two judgements of a pair beside each other."""
    return {
        "asked": f"{old_key} {new_key}",
        "old": inspecting.preview(database, old_key),
        "new": inspecting.preview(database, new_key),
    }
