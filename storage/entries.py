"""What a person says about a pair, checked, and the receipt for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from rmr1.errors import InputError, first_problem
from storage.columns import storable

Stage = Literal["blind", "verdict", "reasoning", "inspection"]
Action = Literal[
    "commit", "keep", "change", "sound", "wrong", "repair", "skip", "flag", "unflag", "undo"
]
Value = Literal["A", "B", "tie", "both_bad", "cannot_tell"]
PersonRole = Literal["visitor", "annotator", "lead", "admin"]


def _repaired(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_repaired)]

_ANYWHERE = {"skip", "flag", "unflag", "undo"}
_ACTIONS: dict[str, set[str]] = {
    "blind": {"commit"} | _ANYWHERE,
    "verdict": {"keep", "change"} | _ANYWHERE,
    "reasoning": {"sound", "wrong", "repair", "change"} | _ANYWHERE,
    "inspection": {"commit", "change", "sound", "wrong", "repair"} | _ANYWHERE,
}


class LabelEntry(BaseModel):
    """One thing that a person says about a pair, as a page or a request sends it.

    Making one from unusable values raises `InputError`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(
        min_length=8, max_length=64, description="idempotency key: sent again, nothing is added"
    )
    annotator: Words = Field(min_length=1, max_length=200, description="the person's name")
    role: PersonRole = Field(default="annotator", description="used when the person is new")
    pair_id: int | None = Field(default=None, description="this or `pair_hash`")
    pair_hash: str | None = None
    judgement_key: str | None = Field(default=None, description="the judgement that was shown")
    stage: Stage
    action: Action
    value: Value | None = Field(default=None, description="under the pair's own sides")
    strength: int | None = Field(default=None, ge=1, le=3)
    tags: tuple[Words, ...] | None = Field(
        default=None, description="what is wrong; None says nothing, empty clears"
    )
    note: Words | None = Field(default=None, max_length=20_000)
    sections: dict[str, Words] | None = Field(
        default=None, description="repaired sections: name and new text"
    )
    display_swapped: bool = Field(default=False, description="whether B was shown first")
    why: Words = Field(
        default="", description="why the pair was served: `random`, `filter:...`, `link`"
    )
    queue_id: int | None = None
    seconds: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="from shown to said"
    )
    undoes: int | None = Field(default=None, description="id of the event that is taken back")

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_sentence(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            where, what = first_problem(error)
            subject = f"The label's {where}" if where else "The label"
            raise InputError(f"{subject} cannot be used: {what}.") from error

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if problem := self._problem():
            raise InputError(f"The label cannot be used: {problem}.")
        return self

    def _problem(self) -> str | None:
        needs_value = self.action in ("commit", "change")
        rules = (
            (
                self.action not in _ACTIONS[self.stage],
                f"`{self.action}` is nothing that the stage `{self.stage}` knows",
            ),
            (needs_value and self.value is None, f"`{self.action}` needs a value"),
            (
                self.value is not None and not needs_value and self.action != "keep",
                f"`{self.action}` takes no value",
            ),
            (
                self.strength is not None and not needs_value and self.action != "keep",
                "a strength goes with a value",
            ),
            (
                (self.action == "repair") != bool(self.sections),
                "only a repair has sections, and it must",
            ),
            ((self.action == "undo") != (self.undoes is not None), "an undo names what it undoes"),
            ((self.pair_id is None) == (self.pair_hash is None), "give one of pair_id, pair_hash"),
            (
                self.stage in ("verdict", "reasoning") and self.judgement_key is None,
                f"the stage `{self.stage}` needs the judgement that was shown",
            ),
        )
        return next((problem for broken, problem in rules if broken), None)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that something a person said is on disk.

    Attributes:
        id: the event's number.
        duplicate: whether the same key had been recorded before; then this is the first receipt.
    """

    id: int
    key: str
    at: datetime
    pair_id: int
    duplicate: bool
