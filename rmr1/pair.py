"""What is judged: a conversation with two candidate responses."""

import hashlib
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from rmr1.errors import InputError

Role = Literal["system", "user", "assistant"]


def _writable(text: str) -> str:
    """Refuse what no encoding can write: JSON can spell half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"is no valid Unicode text: half a surrogate pair at character {error.start}"
        ) from error
    return text


Text = Annotated[str, AfterValidator(_writable)]


class Side(StrEnum):
    """One of the two responses of a pair."""

    A = "A"
    B = "B"

    @property
    def other(self) -> "Side":
        """The response that this one is compared with."""
        return Side.B if self is Side.A else Side.A


class Order(StrEnum):
    """In which order a judge reads the responses of a pair."""

    AB = "AB"
    BA = "BA"

    def to_pair(self, shown: Side) -> Side:
        """The pair's side that the judge saw under the letter `shown` (its own inverse)."""
        return shown if self is Order.AB else shown.other


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Role
    content: Text


class Pair(BaseModel):
    """A conversation that ends with a user's turn, and two candidate responses to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: tuple[Message, ...] = Field(min_length=1)
    response_a: Text
    response_b: Text
    id: str | None = Field(default=None, description="the id that the source gave it")
    chosen: Side | None = Field(default=None, description="the better side, where it is known")
    source: str = Field(default="", description="the data set or the place it came from")
    subset: str = Field(default="", description="the part of the source")
    meta: dict[str, Any] = Field(default_factory=dict, description="whatever else the source says")

    @field_validator("conversation")
    @classmethod
    def _ends_with_the_user(cls, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        if turns[-1].role != "user":
            raise ValueError("the conversation must end with a user's turn")
        if not any(turn.content.strip() for turn in turns if turn.role == "user"):
            raise ValueError("the prompt is empty")
        return turns

    @classmethod
    def of(cls, prompt: str, response_a: str, response_b: str, **rest: Any) -> Self:
        """A single-turn pair."""
        turn = Message(role="user", content=prompt)
        return cls(conversation=(turn,), response_a=response_a, response_b=response_b, **rest)

    @property
    def prompt(self) -> str:
        """The last user's turn."""
        return self.conversation[-1].content

    @property
    def is_multi_turn(self) -> bool:
        """Whether anything but one user's turn (and a system message) came before the responses."""
        return sum(turn.role != "system" for turn in self.conversation) > 1

    def response(self, side: Side) -> str:
        """The text of one side."""
        return self.response_a if side is Side.A else self.response_b

    def shown(self, order: Order) -> tuple[str, str]:
        """The responses as a judge reads them under `order`: first, second."""
        pair = (self.response_a, self.response_b)
        return pair if order is Order.AB else (pair[1], pair[0])

    def swapped(self) -> Self:
        """The same pair with the responses, and the known better side, the other way round."""
        chosen = self.chosen.other if self.chosen else None
        return self.model_copy(
            update={
                "response_a": self.response_b,
                "response_b": self.response_a,
                "chosen": chosen,
            }
        )

    def placed(self, seed: int = 0) -> Self:
        """The pair with its responses laid on the sides by its own hash.

        For a pair whose better side is known: that side is A as often as B over many pairs, and
        the same one whenever the pair comes again, whichever way round.

        Args:
            seed: another one lays about half of the pairs the other way.
        """
        better_first = self if self.chosen is not Side.B else self.swapped()
        bits = int(self.content_hash, 16) >> seed % 256
        return better_first.swapped() if bits % 2 else better_first

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of conversation and responses in their order: the identity of a pair."""
        return _digest([self._turns(), self.response_a, self.response_b])

    @property
    def content_hash(self) -> str:
        """As `hash`, blind to the order of the responses: what data splits go by."""
        return _digest([self._turns(), *sorted((self.response_a, self.response_b))])

    @property
    def prompt_hash(self) -> str:
        """SHA-256 (hex) of the conversation alone."""
        return _digest(self._turns())

    def _turns(self) -> list[list[str]]:
        return [[turn.role, turn.content] for turn in self.conversation]


def transcript(turns: Sequence[Message]) -> str:
    """A conversation as plain text, with the speakers' names when there is more than one turn."""
    if len(turns) == 1:
        return turns[0].content
    return "\n\n".join(f"{turn.role.capitalize()}: {turn.content}" for turn in turns)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()


_SPEAKER = re.compile(r"^(System|User|Assistant):[ \t]*", re.MULTILINE)


def read_transcript(text: str) -> tuple[Message, ...]:
    """Read a conversation whose turns begin with `User:`, `Assistant:` or `System:` on a line.

    Raises:
        InputError: it does not begin with a speaker, or does not end with a user's turn.
    """
    before, *parts = _SPEAKER.split(text)
    if before.strip() or not parts:
        raise InputError("The conversation must begin with `User:` or `System:` on its first line.")
    turns = tuple(
        Message.model_validate({"role": speaker.lower(), "content": content.strip()})
        for speaker, content in zip(parts[::2], parts[1::2], strict=True)
    )
    if turns[-1].role != "user":
        raise InputError("The conversation must end with a turn of the user: `User: ...`.")
    return turns
