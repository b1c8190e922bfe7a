"""How a pair is judged: which orders, how many votes, at what temperature, within what budget."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from rmr1.pair import Order


@dataclass(frozen=True, slots=True)
class Draw:
    """One rollout that a plan asks for."""

    order: Order
    vote: int
    seed: int


class Plan(BaseModel):
    """How a pair is judged; same pair, same judge and same plan make the same judgement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orders: Literal["AB", "BA", "both"] = Field(
        default="AB", description="the order in which the judge reads the responses"
    )
    votes: int = Field(default=1, ge=1, le=64, description="rollouts for each order")
    temperature: float = Field(
        default=0.0, ge=0.0, le=2.0, description="0 is greedy; votes need more than 0 to differ"
    )
    max_tokens: int = Field(
        default=1024, ge=16, le=65_536, description="budget of one rollout, in tokens"
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the first rollout")
    grammar: bool = Field(
        default=False,
        description="hold the rollout to the protocol's grammar, where the backend can",
    )
    stop_at: float | None = Field(
        default=None,
        gt=0.5,
        le=1.0,
        description="draw votes only until the side ahead would still lead after all of them with "
        "this probability; by default all are drawn",
    )

    def draws(self) -> Iterator[Draw]:
        """The rollouts to draw, votes outermost, so that both orders are known early."""
        orders = [Order.AB, Order.BA] if self.orders == "both" else [Order(self.orders)]
        for vote in range(self.votes):
            for order in orders:
                yield Draw(order=order, vote=vote, seed=self.seed + vote)

    @property
    def size(self) -> int:
        """How many rollouts the plan asks for, at most where it may stop early."""
        return self.votes * (2 if self.orders == "both" else 1)

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of the plan: a part of a stored judgement's identity."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @model_serializer(mode="wrap")
    def _without_what_is_newer(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """All fields but an unused `stop_at`: hashes of plans older than it stay as they are."""
        return {
            name: value
            for name, value in dump(self).items()
            if name != "stop_at" or value is not None
        }
