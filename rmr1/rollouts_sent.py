"""Rollouts of a policy as OpenRLHF sends them for rewards: made groups, and put back in order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from rmr1.errors import InputError, first_problem
from rmr1.group import Group
from rmr1.templated import completion_of, read_templated

_MOST_ROLLOUTS: Final = 4096
"""In one request: older releases of OpenRLHF send those of a whole batch."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the URL asks for.

    Attributes:
        group: responses of a prompt that are waited for; 0 compares those of one request.
        against_labels: whether a rollout's label is the response that it is compared with.
        missing: the reward where no verdict speaks of a prompt's responses.
    """

    group: int = 0
    against_labels: bool = False
    missing: float = 0.5


class Placed(NamedTuple):
    """A group, and the place of each of its responses among the rollouts."""

    group: Group
    places: tuple[int, ...]

    @classmethod
    def whole(cls, group: Group) -> "Placed":
        """A group that is all there is."""
        return cls(group, tuple(range(len(group.responses))))


@dataclass(frozen=True, slots=True)
class RolloutsSent:
    """Rollouts of one request, in its order.

    Attributes:
        prompts: as the policy's chat template wrote them.
        completions: without the tokens that end a turn.
        labels: None where there is none.
    """

    prompts: tuple[str, ...]
    completions: tuple[str, ...]
    labels: tuple[str | None, ...]

    def groups(self, *, with_labels: bool = False) -> list[Placed]:
        """Rollouts of the same prompt together.

        Args:
            with_labels: a label is the reference, and rollouts are together that share it, too.

        Raises:
            InputError: a prompt cannot be judged, or a label that is needed is not there.
        """
        together: dict[tuple[str, str | None], list[int]] = {}
        for place, (prompt, label) in enumerate(zip(self.prompts, self.labels, strict=True)):
            if with_labels and not label:
                raise InputError(f"labels.{place}: expected the text of a reference response")
            together.setdefault((prompt, label if with_labels else None), []).append(place)
        return [self._placed(*key, places) for key, places in together.items()]

    def _placed(self, prompt: str, label: str | None, places: list[int]) -> Placed:
        try:
            group = Group(
                conversation=read_templated(prompt),
                responses=tuple(self.completions[place] for place in places),
                reference=label,
            )
        except ValidationError as error:
            where, what = first_problem(error)
            raise InputError(f"prompts.{places[0]}: {where}: {what}") from error
        return Placed(group, tuple(places))


def in_order(placed: Sequence[Placed], values: Sequence[Sequence[_Value]]) -> list[_Value]:
    """Values for the responses of each group, in the order of the rollouts."""
    found: dict[int, _Value] = {}
    for one, its in zip(placed, values, strict=True):
        found.update(zip(one.places, its, strict=True))
    return [found[place] for place in range(len(found))]


def read_rollouts(record: Mapping[str, Any]) -> RolloutsSent:
    """Read OpenRLHF's form: `query` and `prompts`, and perhaps `labels`, a list each.

    Raises:
        InputError: it is something else.
    """
    queries = _texts(record, "query")
    if record.get("prompts") is None:
        raise InputError("prompts: expected the prompt of each query, to tell it from the response")
    prompts = _texts(record, "prompts")
    labels = record.get("labels") or [None] * len(queries)
    if not isinstance(labels, list) or not len(prompts) == len(labels) == len(queries):
        raise InputError("query, prompts and labels: expected lists of one length")
    completions = []
    for place, (query, prompt) in enumerate(zip(queries, prompts, strict=True)):
        try:
            completions.append(completion_of(query, prompt))
        except InputError as error:
            raise InputError(f"query.{place}: {error}") from error
    texts = tuple(label if isinstance(label, str) else None for label in labels)
    return RolloutsSent(tuple(prompts), tuple(completions), texts)


def read_wanted(query: Mapping[str, str], most: int) -> Wanted:
    """What the query of the URL asks for: `group`, `reference`, `missing`.

    Args:
        most: how many responses a group may have.

    Raises:
        InputError: a value that none of them has.
    """
    group, reference = query.get("group", "0"), query.get("reference", "")
    known = group.isascii() and group.isdigit() and len(group) < 5
    if not known or not (int(group) == 0 or 2 <= int(group) <= most):
        raise InputError(f"?group: expected a number of responses from 2 to {most}")
    if reference not in ("", "labels"):
        raise InputError("?reference: expected labels")
    if reference and int(group):
        raise InputError("?group and ?reference: one of them says what is compared, not both")
    try:
        missing = float(query.get("missing", "0.5"))
    except ValueError:
        missing = math.nan
    if not math.isfinite(missing):
        raise InputError("?missing: expected a number")
    return Wanted(int(group), bool(reference), missing)


def _texts(record: Mapping[str, Any], key: str) -> list[str]:
    found = record.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise InputError(f"{key}: expected a list of texts")
    if len(found) > _MOST_ROLLOUTS:
        raise InputError(f"{key}: {len(found):,}, at most {_MOST_ROLLOUTS:,} at once")
    return found
