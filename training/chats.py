"""A judge's chat read back into the pair that it shows: published templates, and our profiles'."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rmr1.cells import CellError
from rmr1.markers import restore
from rmr1.pair import Message, Role
from rmr1.prompt import Profile
from rmr1.published import dialogues_block, single_turn_block

_SLOT = re.compile(r"\{(prompt|conversation|response_a|response_b|conversation_a|conversation_b)\}")
_TURN = re.compile(r"(?:\A|\n\n)\[(System|User|Assistant)\]\n")
# The published script spells side B "Chabot B" where the better response is A: `leaks` finds it.
_SPEAKER = re.compile(r"(?:\A|\n)(System|User|Chatbot [AB]|Chabot [AB]):[ ]?")

Reading = tuple[list[Message], str, str]
"""A conversation, and the two responses as the chat shows them."""


class Shown(NamedTuple):
    """What a chat shows: the prompt where it stands alone, and both sides."""

    frame: str
    first: str
    second: str


def read_published_chat(messages: Sequence[Message]) -> Reading:
    """Read the pair that a chat of the published data sets shows.

    Raises:
        CellError: it is in neither of the published templates, or the texts in it hold markers of
            the template, so that nobody can say where they end.
    """
    question = _question(messages)
    cuts = (_cut(question, template) for template in (single_turn_block(), dialogues_block()))
    texts = next((cut for cut in cuts if cut), None)
    if texts is None:
        raise CellError("context_messages", "does not hold the markers of a published prompt once")
    if "prompt" in texts:
        turns = [Message(role="user", content=texts["prompt"])]
        return turns, texts["response_a"], texts["response_b"]
    return _join(_dialogue(texts["conversation_a"]), _dialogue(texts["conversation_b"]))


def published_sides(question: str) -> Shown | None:
    """Cut a published question, as it is worded, into what stands around the sides, and the sides.

    Of a chat with several turns a side is its whole dialogue, names of speakers included.

    Returns:
        None where the markers are not there once each.
    """
    cuts = (_cut(question, template) for template in (single_turn_block(), dialogues_block()))
    texts = next((cut for cut in cuts if cut), None)
    if texts is None:
        return None
    first, second = (
        texts.get(f"response_{x}") or texts.get(f"conversation_{x}") or "" for x in "ab"
    )
    return Shown(texts.get("prompt", ""), first, second)


def read_chat(messages: Sequence[Message], profile: Profile) -> Reading:
    """Read the pair out of a chat that `rmr1.prompt.build_chat` made under `profile`.

    Raises:
        CellError: the chat is not this profile's.
    """
    question = _question(messages)
    cuts = (_cut(question, template) for template in (profile.user, profile.multi_turn))
    texts = next((cut for cut in cuts if cut), None)
    if texts is None:
        raise CellError("prompt", f"is not a chat of the profile {profile.name!r}")
    if "conversation_a" in texts:
        read = _join(_dialogue(texts["conversation_a"]), _dialogue(texts["conversation_b"]))
    else:
        turns = _turns(texts.get("conversation") or texts.get("prompt") or "")
        read = turns, texts["response_a"], texts["response_b"]
    turns = [turn.model_copy(update={"content": restore(turn.content)}) for turn in read[0]]
    return turns, restore(read[1]), restore(read[2])


def _question(messages: Sequence[Message]) -> str:
    return next((turn.content for turn in reversed(messages) if turn.role == "user"), "")


def _cut(text: str, template: str) -> dict[str, str] | None:
    """What stands in the template's slots; None unless every border is there exactly once.

    Around the first and the last border anything may stand: the published sets hold instructions
    there, in several wordings.
    """
    parts = _SLOT.split(template)
    borders, slots = parts[::2], parts[1::2]
    borders[0] = borders[0].splitlines(keepends=True)[-1] if borders[0] else ""
    borders[-1] = "\n".join(borders[-1].split("\n")[:2])
    edges: list[tuple[int, int]] = []
    for border in borders:
        if border and text.count(border) != 1:
            return None
        at = text.find(border) if border else (len(text) if edges else 0)
        edges.append((at, at + len(border)))
    if any(later[0] < sooner[1] for sooner, later in pairwise(edges)):
        return None
    spans = [(start, end) for (_, start), (end, _) in pairwise(edges)]
    return {slot: text[start:end] for slot, (start, end) in zip(slots, spans, strict=True)}


def _turns(text: str) -> list[Message]:
    before, *parts = _TURN.split(text)
    if before or not parts:
        return [Message(role="user", content=text)]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    roles: dict[str, Role] = {"System": "system", "User": "user", "Assistant": "assistant"}
    return [Message(role=roles[name], content=said) for name, said in pairs]


def _dialogue(text: str) -> list[Message]:
    """The turns of one side's dialogue; the speakers must take turns, the last is the chatbot's."""
    before, *parts = _SPEAKER.split(text)
    roles: dict[str, Role] = {"System": "system", "User": "user"}
    turns = [
        Message(role=roles.get(name, "assistant"), content=said)
        for name, said in zip(parts[::2], parts[1::2], strict=True)
    ]
    speaking = [turn.role for turn in turns if turn.role != "system"]
    wanted = ["user", "assistant"] * (len(speaking) // 2)
    if before or not turns or speaking != wanted:
        raise CellError("context_messages", "holds a dialogue whose speakers do not take turns")
    return turns


def _join(first: list[Message], second: list[Message]) -> Reading:
    if first[:-1] != second[:-1]:
        raise CellError("context_messages", "the conversations differ before their last turn")
    return first[:-1], first[-1].content, second[-1].content
