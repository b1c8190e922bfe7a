"""Candidate responses to one prompt: what is ranked, and what gets rewards."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rmr1.errors import InputError, first_problem
from rmr1.pair import Message, Pair, Text
from rmr1.record import read_conversation


class Group(BaseModel):
    """Candidate responses to one prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: tuple[Message, ...] = Field(min_length=1)
    responses: tuple[Text, ...] = Field(min_length=1)
    reference: Text | None = Field(default=None, description="a response to be compared with")
    id: str | None = Field(default=None, description="the id that the source gave it")

    @field_validator("conversation")
    @classmethod
    def _as_in_a_pair(cls, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        return Pair(conversation=turns, response_a="", response_b="").conversation

    @classmethod
    def of(cls, prompt: str, *responses: str, reference: str | None = None) -> "Group":
        """Responses to a single-turn prompt."""
        turn = Message(role="user", content=prompt)
        return cls(conversation=(turn,), responses=responses, reference=reference)

    def pair(self, first: str, second: str, name: str) -> Pair:
        """Two responses as a pair with the id `name`."""
        return Pair(conversation=self.conversation, response_a=first, response_b=second, id=name)


def group_from_record(record: Mapping[str, Any]) -> Group:
    """Read a group: `prompt` (a text or messages), `responses`, perhaps `reference` and `id`.

    Raises:
        InputError: a key is missing or holds something else; the sentence names it.
    """
    responses = record.get("responses")
    if not isinstance(responses, list) or not responses:
        raise InputError("responses: expected a list of texts")
    try:
        return Group(
            conversation=read_conversation(record.get("prompt", record.get("conversation"))),
            responses=tuple(responses),
            reference=record.get("reference"),
            id=None if record.get("id") is None else str(record["id"]),
        )
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{where or 'the group'}: {what}") from error
