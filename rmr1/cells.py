"""Cells of a row checked: texts, ids, lists and conversations, in the spellings of the field."""

import math
import re
from collections.abc import Mapping, Sequence

from rmr1.pair import Message, Role

Cells = Mapping[str, object]

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
}
_SPEAKER = re.compile(r"\n\n(Human|Assistant):[ ]?")


class CellError(ValueError):
    """A cell that cannot be used: its column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


def conversation(value: object, column: str) -> list[Message]:
    """A prompt as messages: from a text, or from a list of messages in one of the usual spellings.

    Raises:
        CellError: it is neither.
    """
    if not isinstance(value, list):
        return [Message(role="user", content=text(value, column))]
    if not value:
        raise CellError(column, "is an empty list")
    return [_message(turn, column) for turn in value]


def _message(turn: object, column: str) -> Message:
    if not isinstance(turn, Mapping):
        raise CellError(column, f"holds {kind(turn)} where a message is wanted")
    name = turn.get("role", turn.get("from"))
    role = _ROLES.get(name.lower()) if isinstance(name, str) else None
    if role is None:
        raise CellError(column, f"holds a message of the unknown role {str(name)[:40]!r}")
    said = turn.get("content", turn.get("value"))
    if isinstance(said, list):
        said = "".join(text(_part(part, column), column) for part in said)
    if said == "" and role != "user":
        return Message(role=role, content="")
    return Message(role=role, content=text(said, column))


def _part(part: object, column: str) -> object:
    if not isinstance(part, Mapping) or part.get("type") != "text":
        raise CellError(column, "holds a message with something else than text")
    return part.get("text")


def is_transcript(value: str) -> bool:
    """Whether a text is a dialogue in paragraphs that begin with `Human:` or `Assistant:`."""
    return _SPEAKER.match(value) is not None


def transcript_turns(said: str) -> list[Message]:
    """The turns of such a dialogue."""
    _, *parts = _SPEAKER.split(said)
    return [
        Message(role=_ROLES[name.lower()], content=words.strip())
        for name, words in zip(parts[::2], parts[1::2], strict=True)
    ]


def text(value: object, column: str) -> str:
    """A cell that must hold a text.

    Raises:
        CellError: it is missing, empty, not a text, or holds what no database keeps.
    """
    if not isinstance(value, str):
        raise CellError(column, "is missing" if value is None else f"is {kind(value)}, not a text")
    if not value.strip():
        raise CellError(column, "is empty")
    if "\x00" in value:
        raise CellError(column, "holds a NUL character")
    return value


def judge_text(value: object, column: str) -> str:
    """A cell with what a judge wrote; nothing at all is an outcome too, not a mistake of the file.

    Raises:
        CellError: it is not a text.
    """
    if not isinstance(value, str):
        raise CellError(column, f"holds {kind(value)} where a judge's text is wanted")
    return value.replace("\x00", "")


def identifier(value: object) -> str | None:
    """An id, a source or a subset as a short text; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).replace("\x00", "")[:200] or None


def kind(value: object) -> str:
    """What a value is, in words."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    names = {list: "a list", dict: "an object", bool: "a truth value", bytes: "bytes"}
    return names.get(type(value), "nothing" if value is None else "a number")


def sequence(cells: Cells, column: str) -> Sequence[object]:
    """A cell that must hold a list with something in it.

    Raises:
        CellError: it does not.
    """
    value = cells.get(column)
    if not isinstance(value, list) or not value:
        raise CellError(column, f"is {kind(value)} where a list is wanted")
    return value
