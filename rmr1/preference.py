"""A better and a worse response, as data sets name them, made into a pair."""

from collections.abc import Sequence

from pydantic import ValidationError

from rmr1.cells import CellError
from rmr1.pair import Message, Pair, Side


def preference(
    conversation: Sequence[Message],
    better: str,
    worse: str,
    *,
    id: str | None = None,
    source: str = "",
    subset: str = "",
    meta: dict[str, object] | None = None,
) -> Pair:
    """A pair of a better response (on side A) and a worse one.

    Raises:
        CellError: the conversation does not end with a user's turn, or both responses are one.
    """
    if better == worse:
        raise CellError("", "both responses are the same")
    try:
        return Pair(
            conversation=tuple(conversation),
            response_a=better,
            response_b=worse,
            chosen=Side.A,
            id=id,
            source=source,
            subset=subset,
            meta=meta or {},
        )
    except ValidationError as error:
        raise CellError("", error.errors()[0]["msg"].removeprefix("Value error, ")) from error
