"""Queues as the dictionaries that the Queues page paints: terms, progress, people, gold pairs."""

from collections.abc import Mapping
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from sqlalchemy.orm import Session

from rmr1.errors import InputError, RMR1Error
from rmr1.share import Share
from storage import adjudication, gold, lead_events, pairs, queue_progress, queues
from storage.courses import ORDERS, QueueOrder
from storage.database import Database
from storage.filters import JudgementFilter
from storage.gold import Checked
from storage.lead_events import LeadEntry
from storage.queue_progress import PersonProgress
from storage.queues import Queue
from storage.roles import Person, Role
from storage.terms import Terms
from ui.views import View

PROMPT = 120
"""Characters of a prompt that a list shows."""

CHOICE_HIDDEN = (
    "By what its pairs were chosen is hidden from those who label: it may be what a judge or "
    "somebody else said of them."
)

GOLD_LISTED = 200
_SORTED_BY = ("sort", "list_page")
_TERMS = ("overlap", "hold_minutes", "gold_share", "screening", "pass_mark")


def page_view(database: Database, who: Person, query: str) -> View:
    """Everything on the page for its query string, as far as this person may see it.

    Args:
        who: a lead sees everybody's figures, others their own.
    """
    asked = dict(parse_qsl(query.removeprefix("?"))).get("queue", "")
    is_lead = who.role >= Role.LEAD
    with database.write() as session:  # the queue of everything is made where it is missing
        queues.everything(session)
    with database.read() as session:
        counts = queue_progress.label_counts(session)
        known = [one for one in queues.all_queues(session) if is_lead or one.terms.state == "open"]
        view: View = {
            "query": query,
            "is_lead": is_lead,
            "orders": list(ORDERS.items()),
            "queues": [_line(one, counts.get(one.id, 0), is_lead) for one in known],
            "conflicts": adjudication.conflicts(session, limit=1).open if is_lead else None,
            "chosen": None,
            "problem": "",
        }
        chosen = next((one for one in known if str(one.id) == asked), None)
        if chosen is not None:
            view["chosen"] = detail_view(session, chosen, who)
        elif asked.isdecimal():
            view["problem"] = f"There is no queue {asked}, or it is not open."
        return view


def detail_view(session: Session, queue: Queue, who: Person) -> View:
    """One queue: its terms, how far it is, and who did what."""
    is_lead = who.role >= Role.LEAD
    whole = queue_progress.whole(session, queue)
    people = queue_progress.by_person(session, queue)
    view: View = {
        **_line(queue, whole.labels, is_lead),
        **(_choice(queue) if is_lead or queue.why == "random" else {"hidden": CHOICE_HIDDEN}),
        "whole": {
            "total": whole.total,
            "full": whole.full,
            "begun": whole.begun,
            "labels": whole.labels,
        },
        "terms": queue.terms.model_dump(include=set(_TERMS)),
        "people": [_person(one, is_lead) for one in people if is_lead or one.annotator == who.name],
        "mirror": _mirror(gold.mirror(session, queue, who.name)),
    }
    if is_lead:
        view["gold"] = _gold(session, queue)
        view["conflicts"] = adjudication.conflicts(session, queue.id, limit=1).open
        view["waiting"] = _unseen(session, queue, people)
    return view


def make(database: Database, by: str, form: Mapping[str, Any]) -> int:
    """Make a queue of what a form says.

    Returns:
        The queue's id.

    Raises:
        InputError: a field cannot be used; the sentence names it.
    """
    order = str(form.get("order") or "random")
    if order not in get_args(QueueOrder):
        raise InputError("There is no such order: choose one of the list.")
    wanted = filter_of(str(form.get("link") or ""))
    seed = _whole(form.get("seed"), "seed")
    terms = read_terms(form).model_copy(update={"made_by": by})
    name = str(form.get("name") or "")[:120]
    with database.write() as session:
        made = queues.create(session, name, wanted, order, seed=seed or 0)  # type: ignore[arg-type]
    return queues.settle(database, made.id, terms).id


def settle(database: Database, queue_id: int, form: Mapping[str, Any]) -> None:
    """Change a queue's terms; what the form does not name stays.

    Raises:
        InputError: a field cannot be used.
        RecordNotFound: there is no such queue.
    """
    with database.read() as session:
        now = queues.get(session, queue_id).terms
    queues.settle(database, queue_id, read_terms(form, now))


def mark(database: Database, by: str, queue_id: int, form: Mapping[str, Any]) -> View:
    """Make gold pairs of pairs whose answer is known, as a form says; see `gold.mark`."""
    made = gold.mark(database, queue_id, by, _draw(form))
    return {"marked": made.pairs, "batch": made.batch}


def foretell(database: Database, queue_id: int, form: Mapping[str, Any]) -> View:
    """What `mark` would do: pairs that qualify, and those of them that would become gold."""
    draw = _draw(form)
    with database.read() as session:
        found = gold.count(session, queue_id, draw)
    return {"qualify": found, "would": min(found, draw.n or gold.MOST, gold.MOST)}


def _draw(form: Mapping[str, Any]) -> gold.Draw:
    n = _whole(form.get("n"), "number of gold pairs")
    if n is not None and not 1 <= n <= gold.MOST:
        raise InputError(f"Give a number of gold pairs from 1 to {gold.MOST:,}, or none for all.")
    seed = _whole(form.get("seed"), "seed")
    if seed is not None and not 0 <= seed < 2**31:
        raise InputError("The seed must be a whole number from 0 on.")
    link = str(form.get("link") or "").strip()
    known: gold.Known = "decided" if form.get("known") == "decided" else "chosen"
    return gold.Draw(known, n, filter_of(link) if link else None, seed)


def unmark(database: Database, by: str, queue_id: int, pair_id: int) -> None:
    """Make a pair gold no longer."""
    lead_events.record(
        database,
        LeadEntry(key=uuid4().hex, by=by, action="ungold", queue_id=queue_id, pair_id=pair_id),
    )


def let_in(database: Database, by: str, queue_id: int, name: str) -> None:
    """Let a person go on with a queue whose screening they did not pass."""
    lead_events.record(
        database, LeadEntry(key=uuid4().hex, by=by, action="admit", queue_id=queue_id, about=name)
    )


def filter_of(link: str) -> JudgementFilter:
    """The filter in a link to the Explore page, or in its query string alone.

    Raises:
        InputError: it holds a filter that does not exist.
    """
    link = link.strip()
    query = urlsplit(link).query if "?" in link else link
    return JudgementFilter.from_query(query)


def read_terms(form: Mapping[str, Any], now: Terms | None = None) -> Terms:
    """Terms as a form has them; an empty overlap stands for everybody.

    Raises:
        InputError: a field cannot be used.
    """
    values = (now or Terms()).model_dump()
    for name in (*_TERMS, "state"):
        if name in form:
            values[name] = form[name] if form[name] != "" else None
    return Terms.read(values)


def _choice(queue: Queue) -> View:
    return {
        "order_words": ORDERS.get(queue.order, queue.order),
        "filter": [[name.replace("_", " "), str(value)] for name, value in _filter(queue).items()],
        "explore": urlencode({"tab": "explore", **_filter(queue)}),
    }


def _line(queue: Queue, labels: int, is_lead: bool) -> View:
    return {
        "id": queue.id,
        "name": queue.name,
        "state": queue.terms.state,
        "order": queue.order if is_lead else "",
        "random": queue.why == "random",
        "overlap": queue.terms.overlap,
        "labels": labels,
    }


def _filter(queue: Queue) -> dict[str, Any]:
    return queue.filter.model_dump(exclude_none=True)


def _person(one: PersonProgress, is_lead: bool) -> View:
    """A row of the table; how somebody did on gold pairs is for leads."""
    view: View = {
        "name": one.annotator,
        "labels": one.labels,
        "today": one.today,
        "hour": one.hour,
        "seconds": one.median_seconds,
        "last": one.last_at.isoformat(timespec="minutes"),
    }
    if is_lead and one.checked:
        view |= {"gold": _share(one.checked.accuracy), "screening": _screening(one.checked)}
    return view


def _screening(checked: Checked) -> View:
    state = {None: "going on", True: "passed", False: "not passed"}[checked.passed]
    return {
        "needed": checked.needed,
        "done": checked.screened,
        "state": "let in" if checked.admitted else state if checked.needed else "",
    }


def _share(share: Share) -> str:
    return share.rounded


def _mirror(share: Share) -> str:
    if not share.n:
        return ""
    return (
        "Among your labels were pairs whose answer is known. You agree with it on "
        f"{share.rounded}; this moves once every {gold.BLOCK} such pairs."
    )


def _gold(session: Session, queue: Queue) -> View:
    marks = gold.of_queue(session, queue.id)
    rows = []
    for pair_id, value in list(marks.items())[:GOLD_LISTED]:
        prompt = " ".join(pairs.get(session, pair_id).pair.prompt.split())[:PROMPT]
        rows.append({"pair": pair_id, "value": value, "prompt": prompt})
    return {"total": len(marks), "rows": rows}


def _unseen(session: Session, queue: Queue, people: list[PersonProgress]) -> str:
    """What keeps the screening from working; "" where nothing does."""
    needed, there = queue.terms.screening, len(gold.of_queue(session, queue.id))
    if needed > there:
        return (
            f"The screening is to have {needed} gold pairs and the queue has {there}: "
            "mark more, or people are screened with fewer."
        )
    if queue.terms.gold_share and not there:
        return "Gold pairs are to be mixed in, and none is marked yet."
    return ""


def _whole(value: object, name: str) -> int | None:
    if value in (None, ""):
        return None
    try:
        return int(str(value))
    except ValueError as error:
        raise InputError(f"The {name} must be a whole number.") from error


def said(error: RMR1Error) -> View:
    """A refusal as the page shows it beside the form."""
    return {"refused": str(error)}
