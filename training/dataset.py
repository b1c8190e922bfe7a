"""A data set folder for a trainer, out of public sets, local files, logs and an oracle's attempts.

Files and rows are those of `storage.exporting`; the manifest tells what was read, refused, found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from rmr1.errors import InputError
from rmr1.pair import Order, Side, transcript
from rmr1.prompt import load_profile
from storage.decisions import Decision
from storage.export_files import FORMATS, ExportFile, Format, write_splits
from storage.export_rows import ExportRow, Kind, RowMaker
from storage.exporting import Counted, software
from storage.splits import SPLITS, Split, draw
from training.contamination import ContaminationReport
from training.leaks import LeakReport, Shown, scan
from training.selection import STAGES, Chosen, DataOptions, Selection, SourceReport, select
from training.sources import Example

_LETTERS = {"model_a": Side.A, "model_b": Side.B}


class DataManifest(BaseModel):
    """What was written, from what, and how.

    Attributes:
        leaks: what a scan of the rows found, as a judge reads them.
        contamination: training prompts that came too close to a benchmark's; none of them is in
            the rows.
    """

    kind: Kind
    software: str
    sources: list[SourceReport]
    options: dict[str, Any]
    profile_hash: str
    counted: Counted
    leaks: LeakReport
    contamination: ContaminationReport
    judge_versions: dict[str, dict[str, str]]
    files: list[ExportFile] = []


@dataclass(slots=True)
class _Rows:
    """The rows of a data set, and what is to be told about them."""

    manifest: DataManifest
    splits: dict[Split, list[ExportRow]] = field(default_factory=dict)


def count(
    names: Sequence[str | Path],
    kind: Kind,
    options: DataOptions | None = None,
    *,
    more: Iterable[Example] = (),
) -> DataManifest:
    """Say what `build` would write, without writing it.

    Raises:
        ConfigurationError: the profile does not exist.
        InputError: a source or a benchmark cannot be read.
    """
    return _gather(names, kind, options or DataOptions(), more).manifest


def build(
    names: Sequence[str | Path],
    kind: Kind,
    out_dir: Path,
    options: DataOptions | None = None,
    formats: Sequence[Format] = FORMATS,
    *,
    more: Iterable[Example] = (),
) -> DataManifest:
    """Write the training files of one kind, and `<kind>.manifest.json` beside them.

    Files of the same kind that are in the folder are replaced. A split without rows has no file.

    Args:
        names: short names of published sets, `hub:OWNER/NAME`, or files; see
            `training.sources.open_training_sources`.
        more: examples that are made in the program rather than read.

    Raises:
        ConfigurationError: the profile does not exist.
        InputError: a source cannot be read, nothing is left to write, the form of the pairs tells
            their label, or the folder cannot be written.
    """
    options = options or DataOptions()
    rows = _gather(names, kind, options, more)
    manifest = rows.manifest
    if not rows.splits:
        why = ", ".join(f"{reason}: {n:,}" for reason, n in manifest.counted.dropped.items())
        raise InputError(
            f"No row is left for {kind} out of {manifest.counted.pairs:,} pairs ({why})."
        )
    if manifest.leaks.blocking and not options.allow_leaks:
        raise InputError(_refusal(manifest.leaks))
    try:
        manifest.files.extend(write_splits(out_dir, kind, rows.splits, formats))
        text = manifest.model_dump_json(indent=2)
        (out_dir / f"{kind}.manifest.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(out_dir)!r} cannot be written: {error.strerror}.") from error
    return manifest


def _refusal(report: LeakReport) -> str:
    first, *others = report.blocking
    more = f"; {len(others)} more cues do likewise" if others else ""
    where = f" of {first.source!r}" if first.source else ""
    return (
        f"The form of the pairs tells the label: {first.feature!r} points to {first.points_to} "
        f"and is right in {first.share:.1%} of {first.rows:,} rows{where}{more}. Mend the data, or "
        "write them all the same with --allow-leaks."
    )


def _gather(
    names: Sequence[str | Path], kind: Kind, options: DataOptions, more: Iterable[Example]
) -> _Rows:
    profile = load_profile(options.profile)
    selection = select(names, STAGES[kind], options, layout=profile.layout, more=more)
    maker = RowMaker(kind, options, profile, selection.dropped, Counter())
    by_hash = {one.pair.hash: one for one in selection.pairs}
    splits: dict[Split, list[ExportRow]] = {}
    for one in selection.pairs:
        decision = Decision(0, one.winner.value, None, ())
        rows = maker.rows(decision, one.pair, one.order, one.texts)
        if rows:
            splits.setdefault(one.split, []).extend(rows)
    for split, rows in splits.items():
        rows.sort(key=lambda row: draw(f"{kind}:{split}", str(row["pair_hash"])))
        if kind in ("sft", "dpo") and options.surplus == "drop":
            splits[split] = _balanced(rows, selection.dropped)
    in_order = {split: splits[split] for split in SPLITS if split in splits}
    counted = _counted(selection, in_order, maker)
    return _Rows(
        DataManifest(
            kind=kind,
            software=software(),
            sources=selection.sources,
            options=options.model_dump(mode="json"),
            profile_hash=profile.hash,
            counted=counted,
            leaks=scan(_shown(in_order, by_hash)),
            contamination=selection.contamination,
            judge_versions={
                digest: asdict(selection.versions[digest]) for digest in counted.judge_versions
            },
        ),
        in_order,
    )


def _balanced(rows: list[ExportRow], dropped: Counter[str]) -> list[ExportRow]:
    """The rows without the last ones of the letter that wins too often."""
    letters = Counter(row["winner"] for row in rows)
    least = min(letters[name] for name in _LETTERS)
    kept: list[ExportRow] = []
    taken: Counter[str] = Counter()
    for row in rows:
        if taken[row["winner"]] <= least and taken.total() < 2 * least + 1:
            kept.append(row)
            taken[row["winner"]] += 1
    if surplus := len(rows) - len(kept):
        dropped["one letter would win too often"] += surplus
    return kept


def _shown(splits: dict[Split, list[ExportRow]], by_hash: dict[str, Chosen]) -> Iterator[Shown]:
    """The rows as a judge reads them, in the order of their files."""
    for rows in splits.values():
        for row in rows:
            one = by_hash[row["pair_hash"]]
            order = Order(row.get("order", one.order))
            yield Shown(
                transcript(one.pair.conversation),
                *one.pair.shown(order),
                winner=order.to_pair(one.winner),
                source=one.pair.source,
            )


def _counted(
    selection: Selection, splits: dict[Split, list[ExportRow]], maker: RowMaker
) -> Counted:
    everything = [row for rows in splits.values() for row in rows]
    return Counted(
        pairs=selection.found,
        rows={split: len(rows) for split, rows in splits.items()},
        dropped=dict(maker.dropped.most_common()),
        winners=dict(Counter(row["winner"] for row in everything if "winner" in row)),
        sources=dict(Counter(str(row["source"]) for row in everything).most_common()),
        judge_versions=dict(maker.versions.most_common()),
    )
