"""What pages hide of a pair until whoever looks has labelled it, and the sentence that says so."""

from collections.abc import Iterable

from rmr1.errors import InputError
from rmr1.pair import Pair
from storage import hidden
from storage.database import Database
from storage.hidden import Scope, Seen
from storage.roles import NotAllowed, Person, Role
from ui.views import View

WAITS = (
    "This pair waits for your own label: what judges and other people say of it is hidden until "
    "you have given it on the Annotate page."
)
PEOPLE_HIDDEN = "What other people said of this pair is hidden until you have labelled it yourself."
FOR_THOSE_WHO_LABEL = "What people said of a pair is shown to those who label."


def scope(database: Database, who: Person) -> Scope:
    """What lists show somebody."""
    with database.read() as session:
        return hidden.scope(session, who)


def closed(database: Database, who: Person, *keys: str) -> View | None:
    """A view that says why one of these judgements (or probes) is not shown; None where all are."""
    with database.read() as session:
        for key in keys:
            pair_id = hidden.pair_of(session, key)
            if pair_id and hidden.seen(session, who, pair_id) is Seen.PAIR:
                return {"problem": WAITS, "asked": key, "waits": True}
    return None


def refuse(database: Database, who: Person, *keys: str) -> None:
    """Let nothing be done with judgements that are not shown.

    Raises:
        NotAllowed: one of their pairs waits for the person's own label.
    """
    if closed(database, who, *keys):
        raise NotAllowed(WAITS)


def refuse_pairs(database: Database, who: Person, asked: Iterable[Pair]) -> None:
    """Let pairs not be judged, which would show a verdict.

    Raises:
        InputError: one of them waits for the person's own label, in whatever order.
    """
    with database.read() as session:
        waiting = hidden.contents(session, hidden.scope(session, who))
    if waiting and any(pair.content_hash in waiting for pair in asked):
        raise InputError(WAITS)


def with_history(database: Database, who: Person, view: View) -> View:
    """The Judgement page with what this person may see of what people said, and why no more."""
    if who.role >= Role.LEAD or "history" not in view:
        return view
    with database.read() as session:
        pair_id = hidden.pair_of(session, view["key"])
        if pair_id and hidden.seen(session, who, pair_id) is Seen.PEOPLE:
            return view
    own = [one for one in view["history"] if one["who"] == who.name and who.is_known]
    why = PEOPLE_HIDDEN if who.role >= Role.ANNOTATOR else FOR_THOSE_WHO_LABEL
    return {**view, "history": own, "history_hidden": why}


def hashes(database: Database, who: Person) -> frozenset[str]:
    """The hashes of the pairs that wait for the person's own label."""
    with database.read() as session:
        return hidden.hashes(session, hidden.scope(session, who))
