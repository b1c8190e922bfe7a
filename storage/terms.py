"""The terms of a queue: how many labels a pair needs, reservations, checks, open or not."""

from datetime import datetime, timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rmr1.errors import InputError, first_problem

QueueState = Literal["open", "paused", "archived"]


class Terms(BaseModel):
    """What a lead settles about a queue, beside its filter and its order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overlap: int | None = Field(
        default=None, ge=1, le=100, description="labels wanted per pair; None: one of everybody"
    )
    hold_minutes: float = Field(
        default=5, gt=0, le=1440, description="for how long a served pair is kept for a person"
    )
    gold_share: float = Field(
        default=0, ge=0, le=0.5, description="share of served pairs that are gold ones"
    )
    screening: int = Field(
        default=0, ge=0, le=100, description="gold pairs that a new person gets before all others"
    )
    pass_mark: float = Field(
        default=0.7, ge=0, le=1, description="share of the screening that has to be right"
    )
    state: QueueState = "open"
    made_by: str = Field(default="", max_length=200)
    changed_at: datetime | None = None

    @property
    def hold(self) -> timedelta:
        """How long a served pair is kept for a person."""
        return timedelta(minutes=self.hold_minutes)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Terms from values that somebody typed.

        Raises:
            InputError: a value is none; the sentence names it.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            where, what = first_problem(error)
            raise InputError(f"The queue's {where.replace('_', ' ')}: {what}.") from error
