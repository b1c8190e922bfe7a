"""What the Annotate page asks and says: hostile payloads checked, answers stored."""

import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy.orm import Session

from rmr1.errors import InputError, first_problem
from rmr1.judgement import Judgement
from rmr1.pair import Side
from storage import judgements, labels, pairs, queues
from storage.compile import check_target, recompile
from storage.database import Database
from storage.entries import LabelEntry, Receipt
from storage.pairs import StoredPair
from ui import faults
from ui.annotating import (
    is_swapped,
    item_as_it_stands,
    key_to_show,
    reveal,
    seen,
    shown_why,
    standing,
    turned,
    why_served,
)
from ui.views import View

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Id = Annotated[int, Field(ge=1, lt=2**63)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Text = Annotated[str, StringConstraints(max_length=200_000)]
Section = Literal["type", "rubric", "justify", "solution", "eval", "answer"]

_A_DAY = 86_400


class Ask(BaseModel):
    """What every payload of the page carries.

    Attributes:
        request: the page's own mark, sent back so that it knows which answer belongs to what.
        named: whether judges are named; the server says so, whatever the page sent.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    request: Key
    annotator: Name
    named: bool = True


class Place(BaseModel):
    """A pair as the page holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    pair_id: Id
    queue_id: Id | None = None
    judgement_key: Key | None = None


class Open(Ask):
    """The page was opened, or another queue or person was chosen."""

    queue_id: Id | None = None
    first: Place | None = None


class More(Ask):
    """The page wants one more pair."""

    queue_id: Id
    exclude: list[Id] = Field(default_factory=list, max_length=500)


class Say(Ask, Place):
    """The person said something about a pair.

    Attributes:
        value: under the sides as they are shown.
        sections: repaired sections in the letters of the judge, save for the answer, which names
            a side as it is shown.
        seconds: for how long the step was in view.
    """

    key: Key
    stage: Literal["blind", "verdict", "reasoning"]
    action: Literal[
        "commit", "keep", "change", "sound", "wrong", "repair", "skip", "flag", "unflag"
    ]
    value: Literal["A", "B", "tie", "both_bad", "cannot_tell"] | None = None
    strength: Literal[1, 2, 3] | None = None
    tags: list[str] | None = Field(default=None, max_length=len(faults.FAULTS))
    note: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    sections: dict[Section, Text] | None = None
    seconds: float | None = None


class Undo(Ask, Place):
    """The person takes back what they said last."""

    key: Key
    undoes: Id


class JudgeNow(Ask, Place):
    """The person wants a judgement of a pair that has none."""


Asked = TypeVar("Asked", bound=Ask)


def read(model: type[Asked], data: dict[str, Any]) -> Asked:
    """A payload, checked.

    Raises:
        InputError: a field is missing or holds something else; the sentence names it.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"The page sent something unusable ({where}: {what}).") from error


def say(database: Database, said: Say) -> View:
    """Store what a person said.

    Returns:
        The receipt and, after a blind answer, the judgement (None where there is none); after a
        repair, whether the repaired trace can be trained on.

    Raises:
        InputError: it does not fit what is on record.
        RecordNotFound: its pair, judgement or queue does not exist.
        StorageError: it was not stored.
    """
    with database.read() as session:
        stored = pairs.get(session, said.pair_id)
        why = why_served(session, said.queue_id, said.annotator, said.pair_id)
        swapped = is_swapped(said.annotator, stored.pair.hash)
        if said.stage != "blind":
            check_committed(session, said)
        if said.action == "commit":  # which judgement it is, nobody was told before
            key = key_to_show(session, said.queue_id, said.pair_id)
            said = said.model_copy(update={"judgement_key": key})
        judgement = (
            judgements.get(session, said.judgement_key).judgement
            if said.sections and said.judgement_key
            else None
        )
    sections = _sections(said, judgement, swapped) if judgement else said.sections
    receipt = labels.record(database, _entry(said, why, swapped, sections))
    answer: View = {"receipt": _receipt(receipt)}
    if said.action == "commit":
        answer["judgement_key"] = said.judgement_key
        answer["reveal"] = _reveal(database, said, swapped, why)
    if judgement and sections:
        answer["check"] = _check(database, said, stored, judgement, sections)
        answer["sections"] = sections
    return answer


def undo(database: Database, asked: Undo) -> View:
    """Take back what a person said, and show the pair again as it stands now.

    Raises:
        InputError: something was said about this pair since, or by somebody else.
        RecordNotFound: its pair, judgement or queue does not exist.
    """
    with database.read() as session:
        why = why_served(session, asked.queue_id, asked.annotator, asked.pair_id)
        swapped = is_swapped(asked.annotator, pairs.get(session, asked.pair_id).pair.hash)
    receipt = labels.record(
        database,
        LabelEntry(
            key=asked.key,
            annotator=asked.annotator,
            pair_id=asked.pair_id,
            judgement_key=asked.judgement_key,
            stage="blind",
            action="undo",
            undoes=asked.undoes,
            display_swapped=swapped,
            why=why,
            queue_id=asked.queue_id,
        ),
    )
    with database.read() as session:
        item = item_as_it_stands(
            session,
            asked.annotator,
            asked.pair_id,
            asked.queue_id,
            asked.judgement_key,
            named=asked.named,
        )
    return {"receipt": _receipt(receipt), "item": item}


def judged(database: Database, asked: JudgeNow, key: str) -> View:
    """The judgement `key` that was just made of a pair, for the person who asked for it."""
    with database.read() as session:
        why = why_served(session, asked.queue_id, asked.annotator, asked.pair_id)
        swapped = is_swapped(asked.annotator, pairs.get(session, asked.pair_id).pair.hash)
    asked = asked.model_copy(update={"judgement_key": key})
    return {"judgement_key": key, "reveal": _reveal(database, asked, swapped, why)}


def check_committed(session: Session, said: Say | JudgeNow) -> None:
    """Refuse what needs a blind answer before it.

    Raises:
        InputError: there is none on record.
    """
    if standing(session, said.annotator, said.pair_id).step == "blind":
        raise InputError("Give a blind answer first: the judgement is shown after it.")


def _entry(said: Say, why: str, swapped: bool, sections: dict[Any, str] | None) -> LabelEntry:
    unknown = set(said.tags or ()) - faults.NAMES
    if unknown:
        raise InputError(f"There is no tag {min(unknown)[:40]!r}: pick from the list.")
    seconds = said.seconds if said.seconds and math.isfinite(said.seconds) else 0.0
    return LabelEntry(
        key=said.key,
        annotator=said.annotator,
        pair_id=said.pair_id,
        judgement_key=said.judgement_key,
        stage=said.stage,
        action=said.action,
        value=turned(said.value, swapped),
        strength=said.strength,
        tags=None if said.tags is None else tuple(said.tags),
        note=said.note or None,
        sections=sections,
        display_swapped=swapped,
        why=why,
        queue_id=said.queue_id,
        seconds=min(max(seconds, 0.0), _A_DAY),
    )


def _sections(said: Say, judgement: Judgement, swapped: bool) -> dict[Any, str]:
    """The repaired sections, all in the letters that the judge used."""
    sections = dict(said.sections or {})
    answer = sections.get("answer")
    if answer in list(Side):
        shown = seen(judgement, swapped).rollouts[0]
        sections["answer"] = shown.order.to_pair(Side(answer)).value
    return sections


def _reveal(database: Database, asked: Say | JudgeNow, swapped: bool, why: str) -> View | None:
    if asked.judgement_key is None:
        return None
    with database.read() as session:
        if asked.queue_id:
            why = shown_why(queues.get(session, asked.queue_id), why)
        stored = judgements.get(session, asked.judgement_key)
        return reveal(stored, swapped, why, named=asked.named)


def _check(
    database: Database,
    said: Say,
    stored: StoredPair,
    judgement: Judgement,
    sections: dict[Any, str],
) -> View:
    """Whether the repaired trace can be trained on, in the letters that are shown."""
    swapped = is_swapped(said.annotator, stored.pair.hash)
    with database.read() as session:
        value = turned(standing(session, said.annotator, said.pair_id).value, swapped)
    if value not in list(Side):
        return {"ready": False, "faults": ["your answer names no better response"]}
    shown = seen(judgement, swapped)
    first = shown.rollouts[0]
    found = check_target(
        shown.pair, first.order, recompile(first.trace, sections), winner=Side(value)
    )
    return {"ready": not found, "faults": found}


def _receipt(receipt: Receipt) -> View:
    return {
        "id": receipt.id,
        "at": receipt.at.isoformat(),
        "pair_id": receipt.pair_id,
        "duplicate": receipt.duplicate,
    }
