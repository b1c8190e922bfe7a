"""A mix of preference files, composed into the data set folder of a small judge."""

import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rmr1.benchmark.released import read_record
from rmr1.errors import InputError
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Profile, build_chat, load_profile
from rmr1.readers import Row, read_rows
from rmr1.record import pair_from_record
from storage.export_files import ExportFile, write_splits
from storage.export_rows import ExportRow
from training.composing import Known, compose, known_from_record
from training.condensing import condense
from training.easy import easy_pair
from training.observables import clear_pairs

_NAMES = {Side.A: "model_a", Side.B: "model_b"}
CountTokens = Callable[[list[dict[str, str]], str], int]
"""Tokens of a prompt (messages) and a completion together."""


class Share(BaseModel):
    """What a mix takes of one file.

    Attributes:
        file: its name in the folder of preference files.
        traces: rows with a composed trace, for distillation.
        easy: rows with a composed trace on a pair whose worse response was spoilt on purpose.
        verdicts: rows with the winner alone, for RL. No pair stands in two of the three.
        clear: of `traces` take only pairs to whose label a fit to plain observations gives this
            probability; see `training.observables`.
        tokens: longest prompt and trace together.
        verdict_tokens: longest prompt of an RL row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    traces: int = Field(default=0, ge=0)
    easy: int = Field(default=0, ge=0)
    verdicts: int = Field(default=0, ge=0)
    clear: float | None = Field(default=None, gt=0.5, lt=1)
    tokens: int = Field(default=600, ge=1)
    verdict_tokens: int = Field(default=260, ge=1)


class Mix(BaseModel):
    """Files, how much of each, and the seeds; one TOML file in `training/mixes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    profile: str
    seed: int = 7
    validation: int = Field(default=60, ge=0, description="rows kept from training, of each kind")
    released: str = Field(default="", description="file of released RM-R1 judgements to condense")
    released_tokens: int = 600
    steps: int = Field(default=3, ge=1, description="of a composed solution, at most")
    shares: tuple[Share, ...]


def load_mix(name: str) -> Mix:
    """Read a packaged mix by its name, or one by the path of its file.

    Raises:
        InputError: there is none of that name.
    """
    packaged = resources.files("training") / "mix" / f"{name}.toml"
    file = packaged if packaged.is_file() else Path(name)
    if not file.is_file():
        raise InputError(f"there is no mix {name!r}: name a packaged one or a TOML file.")
    return Mix.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def write_mix(mix: Mix, folder: Path, out: Path, count_tokens: CountTokens) -> list[ExportFile]:
    """Compose the traces of a mix and write `sft.*` and `rlvr.*` files.

    Args:
        folder: holds the files that the mix names.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    profile = load_profile(mix.profile)
    traced, bare = [], []
    for share in mix.shares:
        some, others = _share_rows(_Rows(mix, share, folder / share.file, profile, count_tokens))
        traced += some
        bare += others
    if mix.released:
        traced += _released_rows(mix, folder / mix.released, profile, count_tokens)
    if not traced and not bare:
        raise InputError(f"the mix {mix.name!r} gives no row: its limits leave nothing.")
    files: list[ExportFile] = []
    for kind, rows in (("sft", traced), ("rlvr", bare)):
        random.Random(mix.seed + 4).shuffle(rows)
        held_out = mix.validation if len(rows) > mix.validation else 0
        splits = {"train": rows[held_out:], "validation": rows[:held_out]}
        files += write_splits(out, kind, {k: v for k, v in splits.items() if v}, ("jsonl",))
    return files


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows that a mix's file gives, one pair at a time."""

    mix: Mix
    share: Share
    path: Path
    profile: Profile
    count_tokens: CountTokens

    def traced(self, known: Known) -> ExportRow | None:
        """With a composed trace; None where there is none, or it is too long."""
        order = _order(known.pair)
        text = compose(known, order, steps=self.mix.steps)
        row = _row(known.pair, order, self.profile, self.path) if text else None
        if row is None or not text or self.count_tokens(row["prompt"], text) > self.share.tokens:
            return None
        return {**row, "completion": [{"role": "assistant", "content": text}]}

    def spoilt(self, pair: Pair, others: Sequence[str]) -> ExportRow | None:
        """As `traced`, the worse response spoilt."""
        easy = easy_pair(pair, others, self.mix.seed)
        return self.traced(Known(easy[0], "help", fault=easy[1])) if easy else None

    def bare(self, pair: Pair) -> ExportRow | None:
        """With the winner alone; None where the prompt is too long."""
        order = _order(pair)
        row = _row(pair, order, self.profile, self.path)
        if row is None or self.count_tokens(row["prompt"], "") > self.share.verdict_tokens:
            return None
        a, b = pair.shown(order)
        return {**row, "response_a": a, "response_b": b}


def _share_rows(rows: _Rows) -> tuple[list[ExportRow], list[ExportRow]]:
    """Rows with a trace, and rows without one, of other pairs."""
    known = _known_pairs(rows)
    pairs = [one.pair for one in known]
    others = [pair.response(pair.chosen) for pair in pairs if pair.chosen]
    share = rows.share
    clear = clear_pairs(pairs, share.clear) if share.clear else None
    traced: list[ExportRow] = []
    spoilt: list[ExportRow] = []
    bare: list[ExportRow] = []
    for one in known:
        # A pair is offered to the first list that has room for its like, and to no other.
        if len(traced) < share.traces and (clear is None or one.pair.content_hash in clear):
            row, taken = rows.traced(one), traced
        elif len(spoilt) < share.easy:
            row, taken = rows.spoilt(one.pair, others), spoilt
        elif len(bare) < share.verdicts:
            row, taken = rows.bare(one.pair), bare
        else:
            continue
        if row is not None:
            taken.append(row)
    return traced + spoilt, bare


def _known_pairs(rows: _Rows) -> list[Known]:
    """What a trace can be composed from, in the mix's random order."""
    if not rows.path.is_file():
        raise InputError(f"the mix {rows.mix.name!r} needs {str(rows.path)!r}, which is not there.")
    records = [dict(row.cells) for row in read_rows(rows.path) if isinstance(row, Row)]
    random.Random(rows.mix.seed).shuffle(records)
    made = (known_from_record(record, pair_from_record(record)) for record in records)
    return [known for known in made if known is not None]


def _released_rows(
    mix: Mix, path: Path, profile: Profile, count_tokens: CountTokens
) -> Iterator[ExportRow]:
    for row in read_rows(path):
        if not isinstance(row, Row):
            continue
        for one in read_record(row.cells, path.name):
            judgement = one.judgement
            rollout = judgement.rollouts[0]
            if judgement.verdict is None or judgement.verdict is not judgement.pair.chosen:
                continue
            text = condense(rollout.trace, judgement.pair, rollout.order)
            made = _row(judgement.pair, rollout.order, profile, path) if text else None
            if made and text and count_tokens(made["prompt"], text) <= mix.released_tokens:
                yield {**made, "completion": [{"role": "assistant", "content": text}]}


def _order(pair: Pair) -> Order:
    """Which response a judge in training sees first: a coin, thrown by the pair itself."""
    lot = random.Random(f"o{pair.content_hash}")
    return Order.AB if lot.random() < 0.5 else Order.BA


def _row(pair: Pair, order: Order, profile: Profile, path: Path) -> dict[str, Any] | None:
    """What rows of either kind have; None where the pair forges the prompt's markers."""
    chat = build_chat(pair, profile, order)
    if chat.injected:
        return None
    assert pair.chosen
    return {
        "prompt": [turn.model_dump() for turn in chat.messages],
        "winner": _NAMES[order.to_pair(pair.chosen)],
        "order": order.value,
        "pair_hash": pair.hash,
        "source": path.name.partition(".")[0],
        "subset": pair.subset,
        "pair_id": pair.id or "",
    }
