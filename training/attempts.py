"""The attempts of an oracle: one line each in a file that only grows, counted and priced."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import orjson
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rmr1.errors import BackendUnavailable, InputError
from rmr1.pair import Order, Pair, Side
from rmr1.rollout import State

Pass = Literal["blind", "told"]

PASSES: tuple[Pass, ...] = ("blind", "told")
_PATIENCE = 20
"""Backend failures in a row after which the backend is taken for dead."""

_REASONS = 20


class Prices(BaseModel):
    """What a million tokens cost, in any one currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float = Field(default=0.0, ge=0, description="of a million prompt tokens")
    completion: float = Field(default=0.0, ge=0, description="of a million completion tokens")

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


class Attempt(BaseModel):
    """One attempt, as a line of the file.

    Attributes:
        number: of the pair's attempts in this pass, from 0.
        text: what the judge wrote.
        faults: what stands against it; empty for a trace that is kept.
        plan_hash: of the plan that it was drawn under.
    """

    stage: Pass
    number: int
    order: Order
    text: str
    state: State
    verdict: Side | None
    faults: list[str]
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    plan_hash: str
    judge_version: dict[str, str]
    judge_hash: str
    pair_hash: str
    pair: Pair


class PassReport(BaseModel):
    """What a pass came to.

    Attributes:
        kept: attempts without faults.
        seconds: of model time, summed over attempts.
        cost: in the currency of the prices.
        faults: the first fault of each failed attempt, counted.
    """

    attempts: int = 0
    kept: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    faults: dict[str, int] = {}


@dataclass(slots=True)
class Book:
    """The attempts on record, and the file that the next ones go to."""

    file: BinaryIO
    attempts: dict[tuple[str, Pass], list[Attempt]] = field(
        default_factory=lambda: defaultdict(list)
    )
    failed: set[str] = field(default_factory=set)
    failed_in_a_row: int = 0

    def write(self, attempt: Attempt) -> None:
        """Put an attempt on record before anything else happens."""
        self.failed_in_a_row = 0
        self.file.write(orjson.dumps(attempt.model_dump(mode="json")) + b"\n")
        self.file.flush()
        self.attempts[attempt.pair_hash, attempt.stage].append(attempt)

    def fail(self, pair_hash: str, reason: str) -> None:
        """Count a failure of the backend, which is no attempt.

        Raises:
            BackendUnavailable: it was one too many in a row.
        """
        self.failed.add(pair_hash)
        self.failed_in_a_row += 1
        if self.failed_in_a_row >= _PATIENCE:
            raise BackendUnavailable(
                f"the backend failed {_PATIENCE} times in a row ({reason}): run it again once it "
                "answers, what was drawn is kept."
            )

    def kept(self, pair_hash: str) -> bool:
        """Whether there is a trace without faults on a pair."""
        return any(not one.faults for stage in PASSES for one in self.attempts[pair_hash, stage])

    def counted(self, prices: Prices) -> dict[Pass, PassReport]:
        """What the passes came to, earlier runs included."""
        return {
            stage: _counted(
                [one for (_, of), made in self.attempts.items() if of == stage for one in made],
                prices,
            )
            for stage in PASSES
        }


def _counted(attempts: list[Attempt], prices: Prices) -> PassReport:
    tokens = (
        sum(one.prompt_tokens for one in attempts),
        sum(one.completion_tokens for one in attempts),
    )
    faults = Counter(one.faults[0].split(":")[0] for one in attempts if one.faults)
    return PassReport(
        attempts=len(attempts),
        kept=sum(not one.faults for one in attempts),
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
        seconds=sum(one.seconds for one in attempts),
        cost=prices.cost(*tokens),
        faults=dict(faults.most_common(_REASONS)),
    )


@contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """Read the file of attempts, and hold it against other runs while it is written.

    Raises:
        InputError: another run holds it, it is not an oracle's, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=0), path.open("a+b") as file:
            book = Book(file)
            for attempt in _recorded(file, path):
                book.attempts[attempt.pair_hash, attempt.stage].append(attempt)
            yield book
    except Timeout as error:
        raise InputError(f"another run is writing {str(path)!r}: wait for it.") from error
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def _recorded(file: BinaryIO, path: Path) -> Iterator[Attempt]:
    """The attempts on record; a last line that was cut off when the run was killed is dropped."""
    file.seek(0)
    whole = 0
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        try:
            yield Attempt.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"line {number} of {str(path)!r} is no oracle's attempt: name another file."
            ) from error
    file.truncate(whole)
