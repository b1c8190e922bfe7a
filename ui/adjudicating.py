"""Adjudication as the page sees it: who said what without names, the decision, sent back."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rmr1.errors import InputError
from storage import adjudication, judgements, lead_events, pairs, queues
from storage.adjudication import Conflict
from storage.database import Database
from storage.labels import CurrentLabel
from storage.lead_events import REASONS, LeadEntry
from ui.annotating import blind_item, is_swapped, turned
from ui.views import View

LISTED = 100
PROMPT = 110


def list_view(database: Database, lead: str, queue: str, pair: str) -> View:
    """The conflicts of a queue, or of all, and one of them opened.

    Args:
        queue: the queue's id, or anything else for all.
        pair: id of the pair to open; the first conflict where it is none.
    """
    queue_id = int(queue) if queue.isdecimal() and len(queue) < 10 else None
    with database.read() as session:
        found = adjudication.conflicts(session, queue_id, LISTED)
        first = str(found.items[0].pair_id) if found.items else ""
        asked = pair if pair.isdecimal() and len(pair) < 10 else first
        return {
            "queue": queue_id or "all",
            "queues": [[one.id, one.name] for one in queues.all_queues(session)],
            "open": found.open,
            "returned": found.returned,
            "decided": found.decided,
            "items": [_line(session, one) for one in found.items],
            "reasons": list(REASONS.items()),
            "counts": [[REASONS[name], n] for name, n in adjudication.reasons(session).items()],
            "case": case_view(session, lead, int(asked)) if asked else None,
        }


def case_view(session: Session, lead: str, pair_id: int) -> View:
    """A pair and what people said of it, by number; names and judge once it is decided.

    Raises:
        RecordNotFound: there is no such pair.
    """
    stored = pairs.get(session, pair_id)
    swapped = is_swapped(lead, stored.pair.hash)
    decided = adjudication.decision(session, pair_id)
    sayings = adjudication.sayings(session, pair_id, stored.pair.hash)
    item = blind_item(stored, lead, queue_id=None, why="", flagged=False)
    view: View = {
        "pair_id": pair_id,
        "pair": item["pair"],
        "people": [_saying(n, one, swapped) for n, one in enumerate(sayings, start=1)],
        "before": [
            {"action": event.action, "note": event.note or "", "at": event.created_at.isoformat()}
            for event in lead_events.of_pair(session, pair_id)
            if event.action == "send_back"
        ],
        "decided": None,
    }
    if decided is not None:
        key = judgements.newest(session, pair_id)
        verdict = judgements.get(session, key).judgement.verdict if key else None
        view["decided"] = {
            "value": turned(decided.value, swapped),
            "reason": REASONS.get(decided.reason, decided.reason),
            "note": decided.note,
            "by": decided.by,
            "at": decided.at.isoformat(),
            "names": [one.annotator for one in sayings],
            "judgement": key,
            "verdict": turned(verdict.value, swapped) if verdict else None,
        }
    return view


def decide(database: Database, lead: str, said: Mapping[str, Any]) -> View:
    """Put a decision on record: the labels stay as they are.

    Raises:
        InputError: it is not whole.
        RecordNotFound: there is no such pair.
    """
    return _record(database, lead, said, "decide")


def send_back(database: Database, lead: str, said: Mapping[str, Any]) -> View:
    """Ask those who labelled a pair to look again, with a note."""
    return _record(database, lead, said, "send_back")


def withdraw(database: Database, lead: str, said: Mapping[str, Any]) -> View:
    """Take a decision back: the pair is a conflict again."""
    return _record(database, lead, said, "withdraw")


def _record(database: Database, lead: str, said: Mapping[str, Any], action: str) -> View:
    pair_id = said.get("pair_id")
    if not isinstance(pair_id, int):
        raise InputError("The page did not say which pair it is about.")
    with database.read() as session:
        swapped = is_swapped(lead, pairs.get(session, pair_id).pair.hash)
        if action == "withdraw" and adjudication.decision(session, pair_id) is None:
            raise InputError("There is no decision on this pair to take back.")
    value = said.get("value") if action == "decide" else None
    entry = LeadEntry.read(
        {
            "key": said.get("key"),
            "by": lead,
            "action": action,
            "pair_id": pair_id,
            "value": turned(value, swapped) if isinstance(value, str) else None,
            "reason": said.get("reason") if action == "decide" else None,
            "note": said.get("note") or None,
        }
    )
    (receipt,) = lead_events.record(database, entry)
    with database.read() as session:
        shown = case_view(session, lead, pair_id)
    return {
        "case": shown,
        "receipt": {"id": receipt.id, "at": receipt.at.isoformat(), "action": action},
    }


def _line(session: Session, one: Conflict) -> View:
    prompt = " ".join(pairs.get(session, one.pair_id).pair.prompt.split())[:PROMPT]
    return {"pair": one.pair_id, "prompt": prompt, "labels": one.labels, "most": one.most}


def _saying(number: int, label: CurrentLabel, swapped: bool) -> View:
    """What one person said; what they said blind shows where they changed it later."""
    return {
        "name": f"Person {number}",
        "value": turned(label.value, swapped),
        "blind": turned(label.blind_value, swapped),
        "changed": label.blind_value != label.value,
        "strength": label.strength,
        "reasoning": label.reasoning,
        "tags": list(label.tags),
        "note": label.note or "",
    }
