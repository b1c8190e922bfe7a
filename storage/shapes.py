"""Which kind of file it is, and which of its columns means what."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from rmr1.errors import InputError


class Shape(StrEnum):
    """What a file's rows are."""

    PAIRS = "pairs"
    PREFERENCES = "chosen and rejected"
    RATED = "rated completions"
    JUDGEMENTS = "judgements"
    RELEASED = "released RM-R1 log"
    REWARD_BENCH = "RewardBench"
    RM_BENCH = "RM-Bench"
    RMB_PAIRS = "RMB pairs"
    RMB_BEST_OF_N = "RMB best of N"

    @property
    def note(self) -> str:
        """What becomes of a row of this shape, where that is not one pair."""
        return _NOTES.get(self, "")


_NOTES = {
    Shape.RATED: "Each row gives the best-rated completion against every lower-rated one.",
    Shape.RELEASED: "Each output in the log comes in as a judgement of RM-R1, with its pair.",
    Shape.RM_BENCH: "Each row gives nine pairs: three chosen styles against three rejected ones.",
    Shape.RMB_BEST_OF_N: "Each row gives the best response against every loser.",
}

_MARKS: Sequence[tuple[frozenset[str], Shape]] = (
    (frozenset({"rollouts", "judge_version", "plan"}), Shape.JUDGEMENTS),
    (frozenset({"text_chosen", "text_rejected", "answers", "results"}), Shape.RELEASED),
    (frozenset({"chosen", "rejected", "output", "result"}), Shape.RELEASED),
    (frozenset({"conversation_input", "bon_best", "loser_list"}), Shape.RMB_BEST_OF_N),
    (frozenset({"conversation_input", "chosen", "reject"}), Shape.RMB_PAIRS),
    (frozenset({"chosen", "rejected", "chosen_model", "subset", "id"}), Shape.REWARD_BENCH),
)
"""Columns that only one kind of file has, the more telling first."""


class ColumnMapping(BaseModel):
    """Which column holds what; None where the file has no such column.

    Either both sides (`response_a`, `response_b`, or a list of two in `responses`) or `chosen` and
    `rejected`. Columns that are named nowhere are kept as the pair's `meta`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str | None = Field(
        default=None,
        description="text or messages; may be missing where the responses are whole conversations",
    )
    context: str | None = Field(default=None, description="text that belongs below the prompt")
    system: str | None = Field(default=None, description="the system message")
    response_a: str | None = Field(default=None, description="the first response")
    response_b: str | None = Field(default=None, description="the second response")
    responses: str | None = Field(default=None, description="a list of both responses")
    chosen: str | None = Field(default=None, description="the better response")
    rejected: str | None = Field(default=None, description="the worse response")
    winner: str | None = Field(default=None, description="which side is better: A, B or tie")
    id: str | None = Field(default=None, description="the source's own id")
    source: str | None = Field(default=None, description="the data set it comes from")
    subset: str | None = Field(default=None, description="the part of that data set")

    @property
    def is_usable(self) -> bool:
        """Whether two responses, and a prompt to them, can be found."""
        return bool((self.response_a and self.response_b) or self.responses) or bool(
            self.chosen and self.rejected
        )

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it names."""
        return frozenset(name for name in self.model_dump().values() if name)


class UnmappedColumns(InputError):
    """The two responses are in no column known so far: somebody has to say which is which."""

    def __init__(self, sentence: str, columns: Sequence[str]) -> None:
        super().__init__(sentence)
        self.columns = tuple(columns)


_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "prompt": (
        *("prompt", "conversation", "instruction", "question", "query", "messages"),
        *("context_messages", "input"),
    ),
    "context": ("input", "context"),
    "system": ("system", "system_prompt"),
    "response_a": (
        *("response_a", "responsea", "answer_a", "output_a", "completion_a", "conversation_a"),
        *("response_1", "response1", "answer_1", "output_1", "completion_1"),
    ),
    "response_b": (
        *("response_b", "responseb", "answer_b", "output_b", "completion_b", "conversation_b"),
        *("response_2", "response2", "answer_2", "output_2", "completion_2"),
    ),
    "responses": ("responses",),
    "chosen": ("chosen", "chosen_response", "accepted", "preferred", "full_chosen"),
    "rejected": ("rejected", "rejected_response", "reject", "full_rejected"),
    "winner": ("winner", "better", "preference"),
    "id": ("id", "pair_id", "uid", "prompt_id", "question_id"),
    "source": ("source", "dataset"),
    "subset": ("subset", "category", "domain"),
}


def propose_mapping(columns: Iterable[str]) -> ColumnMapping:
    """Guess from their names which column holds what."""
    by_key = {name.strip().lower().replace(" ", "_"): name for name in reversed(list(columns))}
    found: dict[str, str] = {}
    for field, spellings in _SPELLINGS.items():
        free = (by_key[key] for key in spellings if key in by_key)
        name = next((name for name in free if name not in found.values()), None)
        if name:
            found[field] = name
    if {"response_a", "response_b"} <= found.keys() or "responses" in found:
        # Beside two sides, a column `chosen` says which of them it is.
        if "winner" not in found and "chosen" in found:
            found["winner"] = found["chosen"]
        found.pop("chosen", None)
        found.pop("rejected", None)
    if "prompt" not in found and "context" in found:
        found["prompt"] = found.pop("context")
    return ColumnMapping(**found)


def detect(rows: Sequence[Mapping[str, object]], name: str) -> tuple[Shape, ColumnMapping]:
    """Tell what the rows are, and propose which column means what.

    Args:
        rows: the first rows of the file, at least one.
        name: the file's name, for the message.

    Raises:
        InputError: the rows hold no pairs; the sentence says what they hold.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    mapping = propose_mapping(columns)
    present = set(columns)
    for marks, shape in _MARKS:
        if marks <= present:
            return shape, mapping
    if _is_list_of(rows[0].get("chosen"), str) and _is_list_of(rows[0].get("rejected"), str):
        return Shape.RM_BENCH, mapping
    if _is_list_of(rows[0].get("completions"), dict):
        return Shape.RATED, mapping
    if not mapping.is_usable:
        raise _refusal(name, columns)
    return (Shape.PREFERENCES if mapping.chosen else Shape.PAIRS), mapping


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value)


def _refusal(name: str, columns: Sequence[str]) -> InputError:
    if "response" in columns and {"score", "label"} & set(columns):
        return InputError(
            f"{name!r} rates single responses; a pair needs two responses to the same prompt, "
            "so bring in a file that compares them."
        )
    shown = ", ".join(repr(column[:40]) for column in columns[:12])
    return UnmappedColumns(
        f"{name!r} has no two responses in it (its columns are {shown}): say which column is "
        "which, such as prompt, chosen and rejected.",
        columns,
    )
