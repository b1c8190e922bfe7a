"""The wording that the published checkpoints were trained with, read from their training set."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as parquet
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its HTTP client

from rmr1.errors import InputError
from rmr1.pair import Message
from rmr1.prompt import Profile

TRAINING_SET = "gaotang/RM-R1-Entire-RLVR-Train"

# Source: the markers of RM-R1 at d4c2542, rm_r1/dataset/mix_data/mix_data.py.
_QUESTION = "[Client Question]"
_RESPONSE = "[The {edge} of Chatbot {side}'s Response]"
_DIALOGUE = "[The {edge} of the Conversation between Chatbot {side} and the Client]"


def fetch_published_prompt(source: str | Path = TRAINING_SET, name: str = "published") -> Profile:
    """Make a profile of the first row's `context_messages` of the published training set.

    The question and the responses of that row are cut out at the template's markers, so that only
    the instructions are left.

    Args:
        source: a data set on the Hub, or a local Parquet or JSON Lines file in its format.
        name: what the profile will be called.

    Raises:
        InputError: nothing can be read there, or the row does not hold the known markers.
    """
    try:
        messages = _first_messages(source)
    except (OSError, HTTPError, ValueError, LookupError) as error:
        raise InputError(
            f"no published prompt can be read from {str(source)!r}: {error}"
        ) from error
    system = "\n\n".join(turn.content for turn in messages if turn.role == "system")
    user = next((turn.content for turn in messages if turn.role == "user"), "")
    return Profile(
        name=name,
        title="As published",
        description="The instructions that a published checkpoint was trained with.",
        layout="cor" if "<rubric>" in system + user else "reasoning",
        system=system,
        user=_emptied(user, single_turn_block(), source),
        multi_turn=_emptied(user, dialogues_block(), source),
        source=f"the first row of {source}",
    )


def _first_messages(source: str | Path) -> Sequence[Message]:
    path = Path(source)
    if path.suffix in {".jsonl", ".json"}:
        with path.open(encoding="utf-8") as lines:
            row = json.loads(next(lines, "{}"))
    elif path.suffix == ".parquet":
        row = _first_row(parquet.ParquetFile(path))
    else:
        files = sorted(HfApi().list_repo_files(str(source), repo_type="dataset"))
        name = next(file for file in [*files, ""] if file.endswith(".parquet") or not file)
        if not name:
            raise ValueError("the data set holds no Parquet file")
        # Ranges are read over the network: the first rows, not the whole file.
        with HfFileSystem().open(f"datasets/{source}/{name}") as remote:
            row = _first_row(parquet.ParquetFile(remote))
    turns = row["context_messages"]
    if not isinstance(turns, list):
        raise ValueError("`context_messages` is not a list of messages")
    return [Message.model_validate(turn) for turn in turns]


def _first_row(file: parquet.ParquetFile) -> Mapping[str, object]:
    batch = next(file.iter_batches(batch_size=1, columns=["context_messages"]), None)
    rows: list[dict[str, object]] = batch.to_pylist() if batch is not None else []
    return rows[0] if rows else {}


def single_turn_block() -> str:
    """The published template for a single turn, without its instructions, with slots in braces."""
    sides = (_block(_RESPONSE, side, f"{{response_{side.lower()}}}") for side in "AB")
    return "\n\n".join([f"{_QUESTION}\n{{prompt}}", *sides])


def dialogues_block() -> str:
    """Likewise for several turns: both sides' whole dialogues."""
    sides = (_block(_DIALOGUE, side, f"{{conversation_{side.lower()}}}") for side in "AB")
    return "\n\n".join(sides)


def _block(marker: str, side: str, content: str) -> str:
    start, end = (marker.format(edge=edge, side=side) for edge in ("Start", "End"))
    return f"{start}\n{content}\n{end}"


def _emptied(user: str, block: str, source: str | Path) -> str:
    """The user message with everything between its first and last marker replaced by `block`."""
    openings = (_QUESTION, _DIALOGUE.format(edge="Start", side="A"))
    closings = (marker.format(edge="End", side="B") for marker in (_RESPONSE, _DIALOGUE))
    start = min((at for at in map(user.find, openings) if at >= 0), default=-1)
    end = max((at + len(mark) for mark in closings if (at := user.rfind(mark)) >= 0), default=-1)
    if start < 0 or end <= start:
        raise InputError(
            f"the first row of {str(source)!r} lacks the markers of a published prompt."
        )
    return user[:start] + block + user[end:]
