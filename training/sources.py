"""Public training sets, local files and logs, read as pairs whose better side is known.

From the Hub (`hub:OWNER/NAME[:SPLIT]`) or from local files with the same columns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from rmr1 import hub
from rmr1.cells import CellError, Cells, conversation, identifier, text
from rmr1.errors import InputError, first_problem
from rmr1.judgement import JudgeVersion
from rmr1.pair import Message, Order, Pair, Side
from rmr1.preference import preference
from rmr1.prompt import Profile, load_profile, profile_names
from rmr1.readers import Limits, Row, RowError, read_rows
from rmr1.verdict import training_verdict
from storage.incoming import Incoming, Source
from storage.shapes import detect
from training.chats import Reading, read_chat, read_published_chat

PUBLISHED: dict[str, tuple[str, ...]] = {
    "mix": (
        "hub:Vezora/Code-Preference-Pairs",
        "hub:Skywork/Skywork-Reward-Preference-80K-v0.2",
        "hub:xinlai/Math-Step-DPO-10K",
    ),
    "distill-sft": ("hub:gaotang/RM-R1-Distill-SFT",),
    "after-distill-rlvr": ("hub:gaotang/RM-R1-after-Distill-RLVR",),
    "entire-rlvr": ("hub:gaotang/RM-R1-Entire-RLVR-Train",),
}
"""Short names of what RM-R1 was trained on.

Source: RM-R1 at d4c2542, rm_r1/dataset/mix_data/mix_data.py, and README.
"""

_LOOK = 20
_CODE_PAIRS = 8_000
_CODE_SEED = 42
_LEFT_OUT = "magpie_ultra"
_TEACHER = JudgeVersion(
    backend="published set", model="claude-3-7-sonnet or o3", profile="published"
)
_MARK_OF_ATTEMPTS = {"stage", "text", "pair", "order", "faults"}


class Layout(StrEnum):
    """What the rows of a training set look like."""

    PUBLISHED_RL = "RM-R1 pairs with their winner"
    PUBLISHED_SFT = "RM-R1 pairs with a trace"
    CODE_PAIRS = "Code-Preference-Pairs"
    MATH_STEPS = "Math-Step-DPO"
    EXPORT = "our rlvr or sft rows"
    ATTEMPTS = "an oracle's attempts"
    OTHER = "pairs, preferences or logs"


@dataclass(frozen=True, slots=True)
class Example:
    """A pair out of a training set.

    Attributes:
        trace: a judge's text on it, or "".
        order: the order of the responses that the trace speaks of.
        version: who wrote the trace.
        chat: the question as the set itself words it, or "" where it holds bare pairs.
    """

    pair: Pair
    trace: str = ""
    order: Order = Order.AB
    version: JudgeVersion | None = None
    chat: str = ""


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """A training set that has been looked at.

    Attributes:
        name: of the file or the Hub's data set; pairs without a source of their own get it.
    """

    name: str
    layout: Layout
    paths: tuple[Path, ...]
    columns: tuple[str, ...]

    def examples(self) -> Iterator[Example | RowError]:
        """Read it from the start; a row that cannot be used is an error in its place.

        Raises:
            InputError: a file cannot be read to its end.
        """
        if self.layout is Layout.OTHER:
            yield from self._others()
            return
        wanted = self._wanted()
        profiles = [load_profile(name) for name in profile_names()]
        number = -1
        for path in self.paths:
            for row in read_rows(path):
                number += 1
                if wanted is not None and number not in wanted:
                    continue
                yield row if isinstance(row, RowError) else self._read(row, profiles)

    def _wanted(self) -> frozenset[int] | None:
        """Of Code-Preference-Pairs, the rows that the published mix took; else all (None)."""
        if self.layout is not Layout.CODE_PAIRS:
            return None
        count = sum(1 for path in self.paths for _ in read_rows(path))
        # What `datasets.Dataset.shuffle(seed=42)` draws.
        shuffled = np.random.default_rng(_CODE_SEED).permutation(count)
        return frozenset(shuffled[:_CODE_PAIRS].tolist())

    def _read(self, row: Row, profiles: Sequence[Profile]) -> Example | RowError:
        try:
            match self.layout:
                case Layout.PUBLISHED_RL | Layout.PUBLISHED_SFT:
                    return self._published(row.cells)
                case Layout.EXPORT:
                    return self._exported(row.cells, profiles)
                case Layout.ATTEMPTS:
                    return _attempt(row.cells)
                case _:
                    return Example(self._preference(row.cells))
        except CellError as error:
            return RowError(row.line, error.column, error.reason)
        except ValidationError as error:
            return RowError(row.line, *first_problem(error))

    def _published(self, cells: Cells) -> Example:
        messages = conversation(cells.get("context_messages"), "context_messages")
        said = text(cells.get("winner"), "winner")
        trace = "" if said in _WINNERS else said
        winner = _WINNERS.get(said) or training_verdict(said)
        if winner is None:
            raise CellError("winner", "is neither model_a, model_b nor a text that ends in one")
        pair = _pair(read_published_chat(messages), winner, source=self.name)
        chat = next(turn.content for turn in reversed(messages) if turn.role == "user")
        return Example(pair, trace, version=_TEACHER if trace else None, chat=chat)

    def _exported(self, cells: Cells, profiles: Sequence[Profile]) -> Example:
        messages = conversation(cells.get("prompt"), "prompt")
        order = Order(text(cells.get("order"), "order"))
        pair = _given_back(messages, profiles, cells, order)
        trace = ""
        if "completion" in cells:
            trace = conversation(cells.get("completion"), "completion")[-1].content
        version = None
        if trace:
            version = JudgeVersion(backend="export", model=str(cells.get("judge_version") or ""))
        return Example(pair, trace, order, version)

    def _preference(self, cells: Cells) -> Pair:
        column = "prompt" if self.layout is Layout.MATH_STEPS else "input"
        better, worse = (
            ("full_chosen", "full_rejected")
            if self.layout is Layout.MATH_STEPS
            else ("accepted", "rejected")
        )
        before = cells.get("initial_reason_steps") or ""
        pair = preference(
            conversation(cells.get(column), column),
            f"{before}{text(cells.get(better), better)}",
            f"{before}{text(cells.get(worse), worse)}",
            source=self.name,
        )
        return pair.placed()

    def _others(self) -> Iterator[Example | RowError]:
        rows = [row.cells for row in _first_rows(self.paths[0]) if isinstance(row, Row)]
        shape, mapping = detect(rows, self.paths[0].name)
        source = Source(self.name, "", self.paths, shape, mapping, Limits(), self.columns)
        for item in source.items():
            if isinstance(item, RowError):
                yield item
            elif item.pair.source == _LEFT_OUT:
                yield RowError(item.line, "source", f"is {_LEFT_OUT}, whose form tells the label")
            else:
                yield from _examples(item)


_WINNERS = {"model_a": Side.A, "model_b": Side.B}


def open_training_sources(name: str | Path) -> list[TrainingSource]:
    """Look at a training set.

    Args:
        name: a short name of `PUBLISHED`, `hub:OWNER/NAME[:SPLIT]`, or a file.

    Raises:
        InputError: it cannot be read, or holds no pairs.
    """
    return [_open(one) for one in PUBLISHED.get(str(name), (str(name),))]


def _open(name: str) -> TrainingSource:
    fetched = tuple(hub.fetch(name)) if name.startswith("hub:") else ()
    paths = fetched or (Path(name),)
    title = name.split(":")[1].rpartition("/")[2] if fetched else paths[0].name.split(".")[0]
    first = _first_rows(paths[0])
    rows = [row.cells for row in first if isinstance(row, Row)]
    if not rows:
        why = f": {first[0]}" if first else ""
        raise InputError(f"{paths[0].name!r} has no usable row{why}.")
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    layout = _layout(set(columns), rows)
    if layout is Layout.OTHER:
        detect(rows, paths[0].name)  # which refuses a file without pairs
    return TrainingSource(title, layout, paths, columns)


def _first_rows(path: Path) -> list[Row | RowError]:
    rows = read_rows(path)
    return [row for row, _ in zip(rows, range(_LOOK), strict=False)]


def _layout(columns: set[str], rows: Sequence[Cells]) -> Layout:
    if columns >= _MARK_OF_ATTEMPTS:
        return Layout.ATTEMPTS
    if columns >= {"pair_hash", "order", "winner", "prompt"}:
        return Layout.EXPORT
    if columns >= {"context_messages", "winner"}:
        named = all(row.get("winner") in _WINNERS for row in rows)
        return Layout.PUBLISHED_RL if named else Layout.PUBLISHED_SFT
    if columns >= {"prompt", "initial_reason_steps", "full_chosen", "full_rejected"}:
        return Layout.MATH_STEPS
    if columns >= {"input", "accepted", "rejected"}:
        return Layout.CODE_PAIRS
    return Layout.OTHER


def _pair(shown: Reading, winner: Side | None, **rest: str | None) -> Pair:
    turns, first, second = shown
    if first == second:
        raise CellError("", "both responses are the same")
    known = {key: value for key, value in rest.items() if value is not None}
    return Pair(
        conversation=tuple(turns), response_a=first, response_b=second, chosen=winner, **known
    )


def _given_back(
    messages: Sequence[Message], profiles: Sequence[Profile], cells: Cells, order: Order
) -> Pair:
    """The pair of an exported row, whichever profile it was shown under; its hash proves it."""
    for profile in profiles:
        try:
            shown = read_chat(messages, profile)
        except CellError:
            continue
        pair = _pair(
            shown,
            _WINNERS.get(str(cells.get("winner"))),
            id=identifier(cells.get("pair_id")),
            source=identifier(cells.get("source")),
            subset=identifier(cells.get("subset")),
        )
        pair = pair if order is Order.AB else pair.swapped()
        if pair.hash == cells.get("pair_hash"):
            return pair
    raise CellError("prompt", "does not give the row's pair back under any packaged profile")


def _examples(item: Incoming) -> Iterator[Example]:
    pair = item.pair.model_copy(update={"meta": {}})
    if item.judgement is None:
        yield Example(pair)
        return
    for rollout in item.judgement.rollouts:
        yield Example(pair, rollout.trace.text, rollout.order, item.judgement.version)


def _attempt(cells: Cells) -> Example:
    if cells.get("stage") == "told" and cells.get("faults"):
        raise CellError("faults", "speak against an attempt with the verdict in view")
    pair = Pair.model_validate(cells.get("pair"))
    version = cells.get("judge_version")
    known = version if isinstance(version, dict) else {}
    fields = JudgeVersion.__dataclass_fields__
    return Example(
        pair,
        str(cells.get("text") or ""),
        Order(text(cells.get("order"), "order")),
        JudgeVersion(**{name: str(known.get(name) or "") for name in fields}),
    )
