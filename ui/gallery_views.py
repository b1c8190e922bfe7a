"""What the Gallery page shows, and the game in which a visitor judges first; no Gradio in here."""

import hashlib
from collections.abc import Collection

from rmr1.errors import InputError, RecordNotFound
from rmr1.pair import Pair
from storage import visitors
from storage.database import Database
from storage.visitors import Score, VisitorEntry
from ui import gallery as galleries
from ui.annotating import is_swapped, seen, turned
from ui.gallery import Gallery
from ui.inspecting import what_happened
from ui.views import View, judgement_view, pair_view


def list_view(database: Database, run: str, gone: frozenset[str] = frozenset()) -> View:
    """The cards of a gallery, or a sentence under `problem`.

    Args:
        gone: hashes of pairs that are left out, here and in what follows.
    """
    try:
        found = galleries.open_gallery(database, run, gone)
    except RecordNotFound as error:
        return {"run": run, "problem": str(error), "cards": [], "figures": []}
    return {
        "run": run,
        "title": found.title,
        "cards": list(found.cards),
        "figures": list(found.figures),
        "total": found.total,
    }


def case_view(database: Database, run: str, name: str, gone: frozenset[str] = frozenset()) -> View:
    """One judgement, whole.

    Raises:
        RecordNotFound: there is none of this name.
    """
    found = galleries.open_gallery(database, run, gone)
    card = found.card(name)
    judgement = galleries.judgement_of(database, found, name)
    shown = judgement_view(judgement, "reasoning", name if found.run is not None else None)
    return {
        **shown,
        "card": name,
        "pair_hash": judgement.pair.hash,
        "sentence": what_happened(judgement),
        "outcome": card["outcome"],
    }


def example_view() -> View:
    """A shipped judgement that shows well what a judge writes, for a first visit."""

    def merit(card: View) -> tuple[bool, bool, int]:
        quotes = card["quotes"]
        return card["outcome"] == "correct", bool(card["swap"]), quotes["exact"] - quotes["absent"]

    found = galleries.shipped()
    best = max(found.cards, key=merit)
    judgement = galleries.judgement_of_shipped(best["id"])
    return {
        **judgement_view(judgement, "reasoning"),
        "status": "",
        "sentence": what_happened(judgement),
        "outcome": best["outcome"],
        "card": best["id"],
        "pair_hash": judgement.pair.hash,
    }


def deal(
    database: Database,
    run: str,
    visit: str,
    watched: Collection[str],
    gone: frozenset[str] = frozenset(),
) -> View:
    """The next pair of a game, blind, and how the visit stands.

    Args:
        visit: what the visitor's browser calls itself.
        watched: hashes of pairs whose verdict was in view already.
    """
    found = galleries.open_gallery(database, run, gone)
    with database.read() as session:
        done = visitors.answered(session, visit)
        now = visitors.score(session, visit)
    cards = _playable(found)
    left = [card for card in cards if card["pair"] not in done and card["pair"] not in watched]
    view: View = {"score": _score(now), "left": len(left), "of": len(cards)}
    if not left:
        return {**view, "item": None}
    card = min(left, key=lambda one: hashlib.sha256(f"{visit}{one['pair']}".encode()).digest())
    pair = galleries.judgement_of(database, found, card["id"]).pair
    shown = pair.swapped() if is_swapped(visit, pair.hash) else pair
    return {**view, "item": card["id"], "judge": card["judge"], "pair": pair_view(_bare(shown))}


def answer(database: Database, run: str, said: View, gone: frozenset[str] = frozenset()) -> View:
    """Keep a visitor's answer; then what the judge said, and what is known.

    Args:
        said: `item`, `visit`, `value` under the sides as shown, `seconds`, `consent` and `key`.

    Raises:
        RecordNotFound: there is no such item.
        InputError: the answer cannot be used, or there is no consent.
    """
    visit = str(said.get("visit"))
    found = galleries.open_gallery(database, run, gone)
    card = found.card(str(said.get("item")))
    if said.get("consent") != visitors.CONSENT:
        raise InputError("Agree first that your answers are kept: nothing was stored.")
    judgement = galleries.judgement_of(database, found, card["id"])
    swapped = is_swapped(visit, judgement.pair.hash)
    value = said.get("value")
    entry = VisitorEntry.read(
        {
            **{name: said.get(name) for name in ("key", "seconds", "consent")},
            "session": visit,
            "item": card["id"],
            "pair_hash": judgement.pair.hash,
            "judge_version": judgement.version.hash,
            "value": turned(value, swapped) if value in ("A", "B") else value,
            "chosen": judgement.pair.chosen,
            "verdict": judgement.verdict,
            "display_swapped": swapped,
        }
    )
    receipt = visitors.record(database, entry)
    with database.read() as session:
        now = visitors.score(session, visit)
    shown = seen(judgement, swapped)
    return {
        "score": _score(now),
        "value": value,
        "verdict": shown.verdict,
        "chosen": shown.pair.chosen,
        "receipt": {"id": receipt.id, "at": receipt.at.isoformat()},
        "case": {**judgement_view(shown, "reasoning"), "status": ""},
    }


def _playable(found: Gallery) -> list[View]:
    """Cards of pairs whose better side is known: one judge's, each pair once."""
    if not found.cards:
        return []
    known = [card for card in found.cards if card["chosen"]]
    own = [card for card in known if card["version"] == found.cards[0]["version"]]
    return list({card["pair"]: card for card in own}.values())


def _score(now: Score) -> View:
    return {"n": now.n, "visitor": now.visitor, "judge": now.judge}


def _bare(pair: Pair) -> Pair:
    """The pair without what may tell the answer."""
    return pair.model_copy(update={"chosen": None, "source": "", "subset": ""})
