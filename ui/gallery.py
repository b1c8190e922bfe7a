"""Judgements to look at without any model: those the studio ships, and those of any run."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from rmr1.grounding import Match
from rmr1.judgement import Judgement
from rmr1.record import Record, judgement_from_record, judgement_record
from rmr1.share import Share
from storage import judgements, pairs, runs
from storage.database import Database
from storage.filters import JudgementFilter
from ui.views import View

FILE = "gallery.jsonl.gz"
SHOWN = 300
"""Judgements of a run that a gallery shows; the Explore page has them all."""

PROMPT = 160
"""Characters of a prompt on a card."""

_KEPT = ("judge_version", "plan", "pair", "rollouts", "verdict", "state", "reason")
_SAID = ("confidence", "confidence_source", "swap_consistent")


@dataclass(frozen=True, slots=True)
class Gallery:
    """Judgements to look at.

    Attributes:
        run: the run that they came with; None for those that the studio ships.
        cards: what a list shows of each, as plain dictionaries.
        figures: for each judge how often it was right, and the same in both orders.
        total: how many there are; more than cards where the list is cut.
    """

    title: str
    run: int | None
    cards: Sequence[View]
    figures: Sequence[View]
    total: int
    records: dict[str, Record] = field(default_factory=dict)

    def card(self, name: str) -> View:
        """The card of this name.

        Raises:
            RecordNotFound: there is none.
        """
        found = next((card for card in self.cards if card["id"] == name), None)
        if found is None:
            raise RecordNotFound("There is no such judgement in this gallery.")
        return found


def open_gallery(database: Database, run: str = "", gone: frozenset[str] = frozenset()) -> Gallery:
    """The gallery of a run, by its number; without one the gallery that the studio ships.

    Args:
        gone: hashes of pairs that are left out.

    Raises:
        RecordNotFound: there is no such run.
    """
    if run:
        number = int(run) if run.isdecimal() and len(run) < 10 else 0
        with database.read() as session:
            found = _of_run(session, number)
    else:
        found = shipped()
    if not gone:
        return found
    left = [card for card in found.cards if card["pair"] not in gone]
    total = found.total - len(found.cards) + len(left)
    return replace(found, cards=left, figures=figures(left), total=total)


def judgement_of(database: Database, gallery: Gallery, name: str) -> Judgement:
    """The judgement behind a card.

    Raises:
        RecordNotFound: there is none of this name.
    """
    if gallery.run is None:
        gallery.card(name)
        return judgement_of_shipped(name)
    with database.read() as session:
        found = judgements.get(session, name)
    gallery.card(name)
    return found.judgement


@cache
def shipped() -> Gallery:
    """The gallery that the studio ships; it needs no database and no model."""
    packed = (resources.files("ui") / FILE).read_bytes()
    head, *lines = (json.loads(line) for line in gzip.decompress(packed).splitlines())
    records = {line["card"]["id"]: line["judgement"] for line in lines}
    cards = [line["card"] for line in lines]
    return Gallery(head["title"], None, cards, head["figures"], len(cards), records)


@cache
def judgement_of_shipped(name: str) -> Judgement:
    """The judgement behind a card of the gallery that the studio ships."""
    return judgement_from_record(shipped().records[name])


def pack(found: Sequence[Judgement], titles: dict[str, str], title: str) -> bytes:
    """A gallery as the file that the studio ships.

    Args:
        titles: of pairs, by their id.

    Raises:
        InputError: there is no judgement.
    """
    if not found:
        raise InputError("There is no judgement to make a gallery of.")
    cards = [card_of(judgement, titles) for judgement in found]
    lines: list[Record] = [{"title": title, "figures": figures(cards)}]
    for card, judgement in zip(cards, found, strict=True):
        whole = judgement_record(judgement)
        lines.append({"card": card, "judgement": {name: whole[name] for name in _KEPT + _SAID}})
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return gzip.compress(text.encode(), mtime=0)


def card_of(judgement: Judgement, titles: dict[str, str]) -> View:
    """What a list shows of a judgement."""
    pair, first = judgement.pair, judgement.rollouts[0]
    matches = Counter(quote.match for rollout in judgement.rollouts for quote in rollout.quotes)
    named = pair.id or pair.hash[:12]
    prompt = pair.conversation[-1].content
    return {
        "id": f"{named}.{judgement.version.hash[:8]}",
        "pair": pair.hash,
        "title": titles.get(named, ""),
        "prompt": prompt[:PROMPT] + ("…" if len(prompt) > PROMPT else ""),
        "subset": pair.subset,
        "type": first.trace.type or "",
        "judge": judgement.version.title,
        "version": judgement.version.hash,
        "verdict": judgement.verdict,
        "chosen": pair.chosen,
        "outcome": outcome(judgement.verdict, pair.chosen),
        "swap": judgement.swap_consistent,
        "quotes": {match.value: matches[match] for match in Match},
    }


def outcome(verdict: str | None, chosen: str | None) -> str:
    """A verdict against the known answer, in a word that the pages have a mark for."""
    if verdict is None:
        return "none"
    if chosen is None:
        return "unknown"
    return "correct" if verdict == chosen else "wrong"


def figures(cards: Iterable[View]) -> list[View]:
    """For each judge how often it was right, and named the same response in both orders."""
    by_judge: dict[str, list[View]] = {}
    for card in cards:
        by_judge.setdefault(card["judge"], []).append(card)
    return [
        {
            "judge": judge,
            "n": len(own),
            "right": _share([card["outcome"] == "correct" for card in own if card["chosen"]]),
            "same": _share([card["swap"] for card in own if card["swap"] is not None]),
        }
        for judge, own in by_judge.items()
    ]


def _share(held: Sequence[bool]) -> View:
    share = Share.of(sum(held), len(held))
    return {"count": share.count, "n": share.n, "words": share.rounded}


def _of_run(session: Session, number: int) -> Gallery:
    run = runs.get(session, number)
    page = judgements.page(session, JudgementFilter(run_id=number), "newest", 1, SHOWN)
    hashes = pairs.hashes(session, {row.pair_id for row in page.items})
    cards = [
        {
            "id": row.key,
            "pair": hashes[row.pair_id],
            "title": "",
            "prompt": row.prompt,
            "subset": " · ".join(filter(None, (row.source, row.subset))),
            "type": row.type or "",
            "judge": row.judge,
            "version": row.judge_version,
            "verdict": row.verdict,
            "chosen": row.chosen,
            "outcome": outcome(row.verdict, row.chosen),
            "swap": row.swap_consistent,
            "quotes": {
                "exact": row.quotes_total - row.quotes_near - row.quotes_absent,
                "near": row.quotes_near,
                "absent": row.quotes_absent,
            },
        }
        for row in page.items
    ]
    title = f"{run.kind.capitalize()} {run.id}: {run.name}"
    return Gallery(title, number, cards, figures(cards), page.total)
