"""Rows of a known shape made into pairs."""

import math
from collections.abc import Mapping

import orjson

from rmr1.benchmark.rm_bench import rm_bench_pairs
from rmr1.benchmark.rmb import best_of_n_pairs, rmb_pair
from rmr1.cells import (
    CellError,
    Cells,
    conversation,
    identifier,
    is_transcript,
    kind,
    sequence,
    text,
    transcript_turns,
)
from rmr1.pair import Message, Pair, Side
from rmr1.preference import preference
from rmr1.readers import plain
from storage.shapes import ColumnMapping, Shape

_SIDES = {
    **dict.fromkeys(("a", "model_a", "response_a", "assistant_a", "[[a]]"), Side.A),
    **dict.fromkeys(("b", "model_b", "response_b", "assistant_b", "[[b]]"), Side.B),
}
_NO_SIDE = {"", "tie", "tie (bothbad)", "both_bad", "bothbad", "cannot_tell", "none", "null"}


def pairs_of(shape: Shape, cells: Cells, mapping: ColumnMapping) -> list[Pair]:
    """Make the pairs of one row.

    Raises:
        CellError: the row cannot be used.
    """
    match shape:
        case Shape.RM_BENCH:
            return [pair.placed() for pair in rm_bench_pairs(cells)]
        case Shape.RMB_PAIRS:
            return [rmb_pair(cells).placed()]
        case Shape.RMB_BEST_OF_N:
            return [pair.placed() for pair in best_of_n_pairs(cells)]
        case Shape.RATED:
            return _rated_pairs(cells, mapping)
        case Shape.REWARD_BENCH:
            return [_mapped_pair(cells, mapping).model_copy(update={"source": "RewardBench"})]
        case _:
            return [_mapped_pair(cells, mapping)]


def _rated_pairs(cells: Cells, mapping: ColumnMapping) -> list[Pair]:
    prompt = conversation(cells.get(mapping.prompt or "prompt"), mapping.prompt or "prompt")
    rated = []
    for one in sequence(cells, "completions"):
        if not isinstance(one, Mapping):
            raise CellError("completions", f"holds {kind(one)} where an object is wanted")
        keys = ("overall_score", "score", "fine-grained_score")
        score = next((v for v in map(one.get, keys) if isinstance(v, int | float)), None)
        if score is None or math.isnan(score):
            raise CellError("completions", "holds a completion without a score")
        rated.append((score, text(one.get("response"), "completions"), str(one.get("model") or "")))
    rated.sort(key=lambda one: -one[0])
    uid = identifier(cells.get(mapping.id)) if mapping.id else None
    return [
        preference(
            prompt,
            rated[0][1],
            worse,
            id=f"{uid}:{n}" if uid else None,
            source=identifier(cells.get(mapping.source or "")) or "",
            meta={"chosen_model": rated[0][2], "rejected_model": model},
        ).placed()
        for n, (score, worse, model) in enumerate(rated)
        if score < rated[0][0]
    ]


def _mapped_pair(cells: Cells, mapping: ColumnMapping) -> Pair:
    known = bool(mapping.chosen and mapping.rejected)
    columns = _response_columns(mapping)
    first, second = (_reply(cells, column, mapping) for column in columns)
    if first[0] != second[0]:
        raise CellError(columns[1], "the conversations differ before their last turn")
    named = mapping.columns
    pair = preference(
        _with_system(cells, mapping, first[0]),
        first[1],
        second[1],
        meta={
            key: plain(value)
            for key, value in cells.items()
            if key not in named and value is not None
        },
        id=identifier(cells.get(mapping.id or "")),
        source=identifier(cells.get(mapping.source or "")) or "",
        subset=identifier(cells.get(mapping.subset or "")) or "",
    )
    if known:
        return pair.placed()
    winner = cells.get(mapping.winner) if mapping.winner else None
    side = _winner(winner, mapping.winner or "")
    meta = pair.meta if side or winner is None else {**pair.meta, "winner": str(winner)}
    return pair.model_copy(update={"chosen": side, "meta": meta})


def _response_columns(mapping: ColumnMapping) -> tuple[str, str]:
    if mapping.chosen and mapping.rejected:
        return mapping.chosen, mapping.rejected
    if mapping.responses:
        return f"{mapping.responses}[0]", f"{mapping.responses}[1]"
    return mapping.response_a or "", mapping.response_b or ""


def _reply(cells: Cells, column: str, mapping: ColumnMapping) -> tuple[list[Message], str]:
    """The conversation before a response, and the response."""
    value = _response_cell(cells, column, mapping)
    prompt = cells.get(mapping.prompt) if mapping.prompt else None
    if isinstance(value, list):
        turns = conversation(value, column)
    elif prompt is None and isinstance(value, str) and is_transcript(value):
        turns = transcript_turns(value)
    else:
        response = text(value, column)
        if not mapping.prompt:
            raise CellError(column, "comes without a prompt")
        return _prompt(cells, mapping), response
    if turns[-1].role != "assistant":
        raise CellError(column, "does not end with the assistant's turn")
    before = turns[:-1]
    if prompt is not None and (not before or before[0].role == "assistant"):
        before = _prompt(cells, mapping) + before
    return before, text(turns[-1].content, column)


def _response_cell(cells: Cells, column: str, mapping: ColumnMapping) -> object:
    if not mapping.responses or (mapping.chosen and mapping.rejected):
        return _unpacked(cells.get(column))
    both = _unpacked(cells.get(mapping.responses))
    if not isinstance(both, list) or len(both) != 2:
        raise CellError(mapping.responses, "is not a list of two responses")
    return both[int(column.endswith("[1]"))]


def _prompt(cells: Cells, mapping: ColumnMapping) -> list[Message]:
    column = mapping.prompt or ""
    turns = conversation(_unpacked(cells.get(column)), column)
    extra = cells.get(mapping.context) if mapping.context else None
    if isinstance(extra, str) and extra.strip() and turns[-1].role == "user":
        turns[-1] = Message(role="user", content=f"{turns[-1].content}\n\n{extra}")
    return turns


def _with_system(cells: Cells, mapping: ColumnMapping, turns: list[Message]) -> list[Message]:
    said = cells.get(mapping.system) if mapping.system else None
    if not isinstance(said, str) or not said.strip() or (turns[:1] and turns[0].role == "system"):
        return turns
    return [Message(role="system", content=text(said, mapping.system or "")), *turns]


def _unpacked(value: object) -> object:
    """The messages in a cell that holds them as JSON, as spreadsheets must; else the cell."""
    if isinstance(value, str) and value.startswith("[{") and '"content"' in value:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _winner(value: object, column: str) -> Side | None:
    if value is None:
        return None
    key = value.strip().lower() if isinstance(value, str) else None
    if key in _NO_SIDE:
        return None
    if key not in _SIDES:
        raise CellError(column, f"is {str(value)[:40]!r} where A, B or tie is wanted")
    return _SIDES[key]
