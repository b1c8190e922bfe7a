"""Training files out of a snapshot: split, counted, hashed, with a manifest."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import load_profile
from storage import pairs, snapshots
from storage.census import census
from storage.database import Database
from storage.decisions import Decision, decisions
from storage.export_files import FORMATS, ExportFile, Format, file_sha256, write_splits
from storage.export_rows import ExportRow, Kind, RowMaker, RowOptions, candidates
from storage.incoming import read_pairs
from storage.judgement_rows import version_from_row
from storage.kept import Kept
from storage.snapshots import Snapshot
from storage.splits import SPLITS, Fractions, Split, draw, is_for_distillation, split_of
from storage.spreadsheet import write_csv
from storage.tables import JudgeVersionRow, PairRow

_CHUNK = 500
_DISTILLED: frozenset[Kind] = frozenset(("sft", "dpo"))
_T = TypeVar("_T")


class ExportOptions(RowOptions):
    """What goes into an export, and how it is split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fractions: Fractions = Field(
        default=Fractions(), description="shares of train, validation and test"
    )
    seed: int = Field(default=0, description="of the splits and of the order of the responses")
    distillation: float | None = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the training pairs that is kept for distillation (`sft`, `dpo`), "
        "the rest being for RL (`rlvr`); None lets both have all",
    )
    refuse: tuple[Path, ...] = Field(
        default=(), description="benchmark files whose prompts must not be trained on"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> "ExportOptions":
        if not (min(self.fractions) >= 0 and abs(sum(self.fractions) - 1) <= 1e-9):  # NaN too
            raise ValueError("the shares of train, validation and test must add up to 1")
        return self


class Counted(BaseModel):
    """What an export holds.

    Attributes:
        pairs: pairs of the snapshot.
        rows: rows of each split.
        dropped: why pairs gave no row, and how many for each reason.
        winners: how often the better response stands under each letter, where there is an order.
        sources: rows from each source.
        judge_versions: traces taken from each judge version, by its hash.
    """

    pairs: int = 0
    rows: dict[Split, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
    winners: dict[str, int] = Field(default_factory=dict)
    sources: dict[str, int] = Field(default_factory=dict)
    judge_versions: dict[str, int] = Field(default_factory=dict)


class Manifest(BaseModel):
    """What was exported, from what, and how."""

    kind: Kind
    software: str
    snapshot: str
    snapshot_hash: str
    filter: dict[str, Any]
    labels: dict[str, Any]
    options: dict[str, Any]
    profile_hash: str
    refused_files: dict[str, str]
    counted: Counted
    judge_versions: dict[str, dict[str, str]]
    files: list[ExportFile]


class _Place(NamedTuple):
    """Where a pair goes, with all pairs of its prompt, and the order of its responses."""

    prompt_hash: str
    split: Split
    order: Order


_COUNTED: Kept[Counted] = Kept(16)


@dataclass(slots=True)
class _Batch:
    """Rows of one export while they are made."""

    rows: dict[Split, list[ExportRow]] = field(default_factory=dict)
    counted: Counted = field(default_factory=Counted)


def count(
    session: Session, snapshot: Snapshot, kind: Kind, options: ExportOptions | None = None
) -> Counted:
    """Count what an export would hold, without writing it.

    Raises:
        ConfigurationError: the profile does not exist.
        InputError: a benchmark file cannot be read.
    """
    asked = options or ExportOptions()
    if asked.refuse:  # the files may have changed
        return _gather(session, snapshot, kind, asked).counted
    key = (snapshot.id, kind, asked.model_dump_json())
    state = census(session).mark
    return _COUNTED.get(
        session, key, state, lambda: _gather(session, snapshot, kind, asked).counted
    )


def export(
    database: Database,
    snapshot: Snapshot,
    kind: Kind,
    out_dir: Path,
    formats: Sequence[Format] = FORMATS,
    options: ExportOptions | None = None,
) -> Manifest:
    """Write the training files of one kind, and `<kind>.manifest.json` beside them.

    Files of the same kind that are in the folder are replaced. A split without rows has no file.

    Raises:
        ConfigurationError: the profile does not exist.
        InputError: nothing is left to write, or the folder cannot be written.
    """
    options = options or ExportOptions()
    with database.read() as session:
        batch = _gather(session, snapshot, kind, options)
        judges = _judges(session, batch.counted.judge_versions)
    if not batch.rows:
        why = ", ".join(f"{reason}: {n:,}" for reason, n in batch.counted.dropped.items())
        raise InputError(f"No row is left for {kind} out of {batch.counted.pairs:,} pairs ({why}).")
    manifest = Manifest(
        kind=kind,
        software=software(),
        snapshot=snapshot.name,
        snapshot_hash=snapshot.hash,
        filter=snapshot.filter.model_dump(mode="json"),
        labels=asdict(snapshot.counts),
        options=options.model_dump(mode="json", exclude={"refuse"}),
        profile_hash=load_profile(options.profile).hash,
        refused_files={path.name: file_sha256(path) for path in options.refuse},
        counted=batch.counted,
        judge_versions=judges,
        files=[],
    )
    try:
        manifest.files.extend(write_splits(out_dir, kind, batch.rows, formats))
        text = manifest.model_dump_json(indent=2)
        (out_dir / f"{kind}.manifest.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(out_dir)!r} cannot be written: {error.strerror}.") from error
    return manifest


def export_labels(database: Database, snapshot: Snapshot, path: Path) -> int:
    """Write a snapshot's labels as CSV, a row for each, safe to open in a spreadsheet.

    Returns:
        How many labels were written.

    Raises:
        InputError: the file cannot be written.
    """
    columns = (
        *("pair_hash", "pair_id", "source", "subset", "annotator", "value", "blind_value"),
        *("strength", "reasoning", "tags", "note", "prompt", "response_a", "response_b"),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with database.read() as session:
            return write_csv(path, columns, _label_rows(session, snapshot))
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}.") from error


def _label_rows(session: Session, snapshot: Snapshot) -> Iterator[dict[str, object]]:
    labels = list(snapshots.labels(session, snapshot))
    for some in _chunks(labels):
        known = _pairs(session, {label.pair_id for label in some})
        for label in some:
            pair = known[label.pair_id]
            yield {
                "pair_hash": pair.hash,
                "pair_id": pair.id,
                "source": pair.source,
                "subset": pair.subset,
                "annotator": label.annotator or ("(a lead)" if label.decided else "(the source)"),
                "value": label.value,
                "blind_value": label.blind_value,
                "strength": label.strength,
                "reasoning": label.reasoning,
                "tags": "; ".join(label.tags),
                "note": label.note,
                "prompt": pair.prompt,
                "response_a": pair.response_a,
                "response_b": pair.response_b,
            }


def _gather(session: Session, snapshot: Snapshot, kind: Kind, options: ExportOptions) -> _Batch:
    """Make all rows of an export."""
    maker = RowMaker(kind, options, load_profile(options.profile), Counter(), Counter())
    batch = _Batch()
    decided = list(decisions(snapshots.labels(session, snapshot)))
    batch.counted.pairs = len(decided)
    clean, refused = _without_benchmarks(session, decided, options)
    if refused:
        maker.dropped["the prompt is a benchmark's"] = refused
    places = _places(session, clean, options)
    decided_here = [
        one for one in clean if not _is_for_other_stage(places[one.pair_id], kind, options)
    ]
    if kept := len(clean) - len(decided_here):
        maker.dropped[f"kept for {'RL' if kind in _DISTILLED else 'distillation'}"] = kept
    for some in _chunks(decided_here):
        known = _pairs(session, {one.pair_id for one in some})
        texts = candidates(session, some) if kind in _DISTILLED else {}
        for decision in some:
            place = places[decision.pair_id]
            found = texts.get(decision.pair_id, [])
            rows = maker.rows(decision, known[decision.pair_id], place.order, found)
            if rows:
                batch.rows.setdefault(place.split, []).extend(rows)
    _tally(batch, maker)
    return batch


def _without_benchmarks(
    session: Session, decided: Sequence[Decision], options: ExportOptions
) -> tuple[list[Decision], int]:
    """The decisions on pairs whose prompt no benchmark file holds, and how many were left out."""
    prompts = {
        item.prompt_hash
        for path in options.refuse
        for item in read_pairs(path)
        if isinstance(item, Pair)
    }
    if not prompts:
        return list(decided), 0
    hashes = pairs.columns(session, {one.pair_id for one in decided}, PairRow.prompt_hash)
    clean = [one for one in decided if hashes[one.pair_id][0] not in prompts]
    return clean, len(decided) - len(clean)


def _places(
    session: Session, decided: Sequence[Decision], options: ExportOptions
) -> dict[int, _Place]:
    """The place of each pair; by lot, every other better response is A."""
    ids = {one.pair_id for one in decided}
    hashes = pairs.columns(session, ids, PairRow.content_hash, PairRow.prompt_hash)
    seed = options.seed
    by_lot = sorted(decided, key=lambda one: draw(f"{seed}:order", hashes[one.pair_id][0]))
    letters: Counter[Split] = Counter()
    places: dict[int, _Place] = {}
    for decision in by_lot:
        prompt = hashes[decision.pair_id][1]
        split = split_of(prompt, options.fractions, seed)
        letter = Side.B if letters[split] % 2 else Side.A
        letters[split] += decision.winner is not None
        order = Order.AB if decision.winner in (letter, None) else Order.BA
        places[decision.pair_id] = _Place(prompt, split, order)
    return places


def _is_for_other_stage(place: _Place, kind: Kind, options: ExportOptions) -> bool:
    """Whether a pair is kept for the stage of training that this kind is not for."""
    if options.distillation is None or place.split != "train" or kind == "preference":
        return False
    distilled = is_for_distillation(place.prompt_hash, options.distillation, options.seed)
    return distilled != (kind in _DISTILLED)


def _tally(batch: _Batch, maker: RowMaker) -> None:
    counted = batch.counted
    everything = [row for rows in batch.rows.values() for row in rows]
    counted.rows = {split: len(batch.rows[split]) for split in SPLITS if split in batch.rows}
    counted.dropped = dict(maker.dropped.most_common())
    counted.winners = dict(Counter(row["winner"] for row in everything if "winner" in row))
    counted.sources = dict(Counter(str(row["source"]) for row in everything).most_common())
    counted.judge_versions = dict(maker.versions.most_common())
    for split, rows in batch.rows.items():
        rows.sort(key=lambda row: draw(f"{maker.kind}:{split}", str(row["pair_hash"])))


def _pairs(session: Session, ids: set[int]) -> dict[int, Pair]:
    rows = session.scalars(select(PairRow).where(PairRow.id.in_(ids)))
    return {row.id: pairs.from_row(row) for row in rows}


def _judges(session: Session, hashes: Iterable[str]) -> dict[str, dict[str, str]]:
    """The judge versions of these hashes, as they are recorded."""
    rows = session.scalars(select(JudgeVersionRow).where(JudgeVersionRow.hash.in_(list(hashes))))
    return {row.hash: asdict(version_from_row(row)) for row in rows}


def software() -> str:
    """This software and its version, for manifests."""
    try:
        return f"rmr1 {version('rmr1')}"
    except PackageNotFoundError:
        return "rmr1 (not installed)"


def _chunks(items: Sequence[_T]) -> Iterator[list[_T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
