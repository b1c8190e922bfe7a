"""What the Judgement page shows of one judgement, as plain dictionaries; no Gradio in here."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from rmr1.errors import InputError, RecordNotFound
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Order
from rmr1.plan import Plan
from rmr1.prompt import Profile, build_chat
from rmr1.record import Record, judgement_record
from rmr1.rollout import Rollout
from storage import judge_versions, judgements, labels
from storage.database import Database
from storage.hidden import EVERYTHING, Scope
from storage.judgements import StoredJudgement
from storage.labels import LabelEvent
from ui import evidence_views
from ui.exploring import Place
from ui.views import STATE_TITLES, View, judgement_view

LONG_TEXT = 60_000
"""Characters of one text that a page shows at once; a browser chokes on a line of a megabyte."""

_UNKNOWN = (
    "There is no judgement under this link. It may have been made in another database, or taken "
    "away with the import that it came with."
)


def page_view(
    database: Database,
    key: str,
    query: str = "",
    *,
    whole: bool = False,
    shown: Scope = EVERYTHING,
) -> View:
    """Everything about one judgement.

    Args:
        query: the Explore page's query string, in which the neighbours are looked up.
        whole: show long texts to their end.
        shown: what lists show whoever looks: no neighbour is among what they leave out.

    Returns:
        A case with all that stands around it, or a sentence under `problem`.
    """
    try:
        with database.read() as session:
            stored = judgements.get(session, key)
            profile = _profile(session, stored.judgement.version)
            place = _place(query, shown)
            neighbours = judgements.neighbours(session, place.wanted, key, place.sort)
            history = labels.history(session, stored.pair_id)
    except RecordNotFound:
        return {"problem": _UNKNOWN, "asked": key}
    view, cut = shortened(_case(stored, profile), None if whole else LONG_TEXT)
    return {
        **view,
        "asked": key,
        "cut": cut,
        "list": query,
        "previous": neighbours.previous,
        "following": neighbours.following,
        "about": about(stored),
        "prompts": prompts(stored.judgement, profile),
        "history": [event_view(event) for event in history],
        "evidence": evidence_views.quick_evidence(stored.judgement),
    }


def checked(database: Database, key: str) -> View:
    """The evidence of one judgement, with the answers compared that take their time."""
    try:
        with database.read() as session:
            stored = judgements.get(session, key)
    except RecordNotFound:
        return {}
    view, _ = shortened(evidence_views.evidence(stored.judgement), LONG_TEXT)
    return {"evidence": view}


def preview(database: Database, key: str) -> View:
    """One judgement beside the list: the case alone."""
    try:
        with database.read() as session:
            stored = judgements.get(session, key)
            profile = _profile(session, stored.judgement.version)
    except RecordNotFound:
        return {"problem": _UNKNOWN, "asked": key}
    view, cut = shortened(_case(stored, profile), LONG_TEXT)
    return {**view, "asked": key, "cut": cut}


def record(database: Database, key: str) -> Record:
    """The judgement as a JSON object.

    Raises:
        RecordNotFound: there is no such judgement.
    """
    with database.read() as session:
        stored = judgements.get(session, key)
    return {
        "key": stored.key,
        "created_at": stored.created_at.isoformat(),
        "origin": stored.origin,
        **judgement_record(stored.judgement),
    }


def _case(stored: StoredJudgement, profile: Profile | None) -> View:
    # Without a profile the layout is read off the trace: sections are sections, the rest is prose.
    layout = profile.layout if profile else "reasoning"
    view = judgement_view(stored.judgement, layout, stored.key)
    return {**view, "sentence": what_happened(stored.judgement), "outcome": _mark(stored.judgement)}


def _place(query: str, shown: Scope) -> Place:
    try:
        return Place.from_query(query, shown)
    except InputError:
        return Place.from_query("", shown)


def _profile(session: Session, version: JudgeVersion) -> Profile | None:
    text = judge_versions.profile_text(session, version.hash)
    try:
        return Profile.model_validate_json(text) if text else None
    except ValidationError:  # written by another version of this program
        return None


def what_happened(judgement: Judgement) -> str:
    """Verdict, truth and order in two sentences."""
    return f"{_verdict_sentence(judgement)} {_order_sentence(judgement)}"


def _verdict_sentence(judgement: Judgement) -> str:
    chosen, verdict = judgement.pair.chosen, judgement.verdict
    if verdict is None:
        reason = judgement.reason or STATE_TITLES[judgement.state]
        known = f" The data set prefers {chosen}." if chosen else ""
        return f"The judge gave no verdict: {reason.rstrip('.')}.{known}"
    if chosen is None:
        return f"The judge answered {verdict}; which response is better is not on record."
    which = "chosen" if verdict is chosen else "rejected"
    return f"The judge answered {verdict}, the {which} response."


def _order_sentence(judgement: Judgement) -> str:
    rollouts, verdict = judgement.rollouts, judgement.verdict
    behind = sum(rollout.verdict is verdict for rollout in rollouts)
    votes = (
        f" {behind} of {len(rollouts)} rollouts stand behind the verdict."
        if verdict and len(rollouts) > 1
        else ""
    )
    orders = {rollout.order for rollout in rollouts}
    if orders == {Order.BA}:
        letter = f", so its own letter was {verdict.other}" if verdict else ""
        return f"It read response B first{letter}.{votes}"
    if orders == {Order.AB}:
        return f"It read the responses as stored, A first.{votes}"
    swap: dict[bool | None, str] = {
        True: " and names the same response in each",
        False: ", and the order changes the verdict",
    }
    return f"It read the pair in both orders{swap.get(judgement.swap_consistent, '')}.{votes}"


def _mark(judgement: Judgement) -> str:
    if judgement.verdict is None:
        return "none"
    return {True: "correct", False: "wrong", None: "unknown"}[judgement.correct]


def about(stored: StoredJudgement) -> list[View]:
    """What is known of a judgement beside its text: groups of names and values, and a table."""
    version, pair = stored.judgement.version, stored.judgement.pair
    groups: list[tuple[str, Mapping[str, object]]] = [
        ("Judgement", _made(stored)),
        (
            "Judge version",
            {
                "model": version.model,
                "adapter": version.adapter,
                "backend": version.backend,
                "engine": version.engine,
                "weights": version.revision,
                "prompt profile": version.profile,
                "profile hash": version.profile_hash,
                "version hash": version.hash,
            },
        ),
        ("Plan", _plan(stored.judgement.plan)),
        (
            "Pair",
            {
                "source": pair.source,
                "subset": pair.subset,
                "id at its source": pair.id,
                "better side": pair.chosen,
                "pair number": stored.pair_id,
                "pair hash": pair.hash,
                **{f"source says: {name}": value for name, value in pair.meta.items()},
            },
        ),
    ]
    tables = [{"title": title, "rows": _rows(values)} for title, values in groups]
    return [*tables, _rollouts(stored.judgement)]


def _made(stored: StoredJudgement) -> Mapping[str, object]:
    judgement = stored.judgement
    origins = {
        "live": "this studio",
        "batch": "a batch",
        "import": "an import",
        "benchmark": "a benchmark run",
    }
    return {
        "key": stored.key,
        "made": f"{stored.created_at:%Y-%m-%d %H:%M:%S} UTC",
        "came by": origins.get(stored.origin, stored.origin),
        "run": stored.run_id,
        "state": STATE_TITLES[judgement.state],
        "reason": judgement.reason,
    }


def _plan(plan: Plan) -> Mapping[str, object]:
    return {
        "orders": {"AB": "A first", "BA": "B first", "both": "both"}[plan.orders],
        "votes per order": plan.votes,
        "stops early": None if plan.stop_at is None else f"at {plan.stop_at:g}",
        "temperature": plan.temperature,
        "budget": f"{plan.max_tokens:,} tokens",
        "seed": plan.seed,
        "grammar": "held to it" if plan.grammar else "free",
        "plan hash": plan.hash,
    }


def _rows(values: Mapping[str, object]) -> list[list[str]]:
    return [[name, str(value)[:2000]] for name, value in values.items() if value not in (None, "")]


def _rollouts(judgement: Judgement) -> View:
    table = [_rollout(rollout) for rollout in judgement.rollouts]
    names = [name for name in table[0] if any(row[name] for row in table)]
    return {
        "title": "Rollouts",
        "head": names,
        "table": [[row[name] for name in names] for row in table],
    }


def _rollout(rollout: Rollout) -> dict[str, str]:
    return {
        "order": "A first" if rollout.order is Order.AB else "B first",
        "vote": str(rollout.vote + 1),
        "seed": str(rollout.seed),
        "verdict": rollout.verdict or "none",
        "state": rollout.state,
        "P(A)": _figure(rollout.probability_a, ".3f"),
        "tokens in": _figure(rollout.prompt_tokens, ","),
        "tokens out": _figure(rollout.completion_tokens, ","),
        "seconds": _figure(rollout.seconds, ".2f"),
        "to the first token": _figure(rollout.first_seconds, ".2f"),
    }


def _figure(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def prompts(judgement: Judgement, profile: Profile | None) -> list[View]:
    """What the judge was asked, once for each order; empty where its profile was not kept."""
    if profile is None:
        return []
    orders = sorted({rollout.order for rollout in judgement.rollouts})
    return [
        {
            "title": "A first" if order is Order.AB else "B first",
            "text": "\n\n".join(
                f"[{turn.role}]\n{turn.content}"
                for turn in build_chat(judgement.pair, profile, order).messages
            ),
        }
        for order in orders
    ]


def event_view(event: LabelEvent) -> View:
    """One thing that a person said about the pair."""
    return {
        "id": event.id,
        "who": event.annotator,
        "stage": event.stage,
        "action": event.action,
        "value": event.value,
        "tags": list(event.tags or ()),
        "note": event.note or "",
        "when": f"{event.created_at:%Y-%m-%d %H:%M} UTC",
        "undone": event.undone,
    }


def shortened(value: Any, limit: int | None) -> tuple[Any, int]:
    """The same value with its long texts cut.

    Args:
        limit: characters that a text may keep; None cuts nothing.

    Returns:
        The value, and how many texts were cut.
    """
    if limit is None:
        return value, 0
    if isinstance(value, str) and len(value) > limit:
        return f"{value[:limit]}\n… {len(value) - limit:,} more characters", 1
    if isinstance(value, dict):
        parts = {name: shortened(part, limit) for name, part in value.items()}
        return {name: part for name, (part, _) in parts.items()}, sum(n for _, n in parts.values())
    if isinstance(value, list):
        items = [shortened(part, limit) for part in value]
        return [part for part, _ in items], sum(n for _, n in items)
    return value, 0
