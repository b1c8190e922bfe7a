"""Files brought into the database: read first, then stored in one transaction."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from storage import judgements, pairs, runs
from storage.database import Database
from storage.incoming import Incoming, Source, open_source
from storage.readers import Limits, RowError
from storage.shapes import ColumnMapping

Progress = Callable[[int, int], None]

_SHOWN_ROWS = 20
_KEPT_ERRORS = 200


@dataclass(slots=True)
class Counts:
    """What a file brings, counted.

    Attributes:
        pairs: different pairs in it.
        repeated: pairs that came earlier in the same file.
        judgements: judgements in it.
        errors: rows that cannot be used.
        mismatches: logged results that differ from our reading of the same text.
    """

    pairs: int = 0
    repeated: int = 0
    judgements: int = 0
    errors: int = 0
    mismatches: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come in.

    Attributes:
        columns: names of the file's columns, as far as they were looked at.
        rows: the first pairs.
        errors: the first unusable rows; `counts` has the number of all.
    """

    name: str
    shape: str
    note: str
    mapping: ColumnMapping
    columns: tuple[str, ...]
    rows: tuple[Pair, ...]
    errors: tuple[RowError, ...]
    counts: Counts


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came in.

    Attributes:
        run_id: what `runs.undo_import` takes.
        new_pairs: pairs that were not on record before.
        new_judgements: likewise.
        seconds: from the first look to the end of the transaction.
    """

    run_id: int
    name: str
    shape: str
    counts: Counts
    new_pairs: int
    new_judgements: int
    errors: tuple[RowError, ...]
    seconds: float

    @property
    def duplicates(self) -> int:
        """Pairs that were there already, in the file or on record."""
        return self.counts.repeated + self.counts.pairs - self.new_pairs


@dataclass(slots=True)
class _Reading:
    """A source being read: everything that is to come in, each pair once."""

    pairs: list[Pair] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    seen: set[str] = field(default_factory=set)

    def take(self, items: Iterable[Incoming | RowError]) -> None:
        for item in items:
            if isinstance(item, RowError):
                self.counts.errors += 1
                if len(self.errors) < _KEPT_ERRORS:
                    self.errors.append(item)
            else:
                self._take(item)

    def _take(self, item: Incoming) -> None:
        digest = item.pair.hash
        if item.judgement:
            self.judgements.append(item.judgement)
            self.counts.judgements += 1
            self.counts.mismatches += not item.agrees
        if digest in self.seen:
            self.counts.repeated += not item.judgement
            return
        self.seen.add(digest)
        self.pairs.append(item.pair)
        self.counts.pairs += 1


def preview(
    path: Path | str, mapping: ColumnMapping | None = None, limits: Limits | None = None
) -> Preview:
    """Read a file to its end without storing anything.

    Args:
        path: a file, or the name of a Hub data set that begins with `hub:`.
        mapping: which column is which; guessed where not given.

    Raises:
        InputError: the file as a whole cannot be used.
    """
    source = open_source(path, mapping, limits)
    reading = _Reading()
    reading.take(source.items())
    return Preview(
        name=source.name,
        shape=source.shape,
        note=source.shape.note,
        mapping=source.mapping,
        columns=source.columns,
        rows=tuple(reading.pairs[:_SHOWN_ROWS]),
        errors=tuple(reading.errors),
        counts=reading.counts,
    )


def import_file(
    database: Database,
    path: Path | str,
    mapping: ColumnMapping | None = None,
    *,
    keep_good: bool = True,
    name: str = "",
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Bring a file in: read it first, then store it in one transaction.

    A pair, or a judgement, that is on record already is not stored again.

    Args:
        path: a file, or the name of a Hub data set that begins with `hub:`.
        mapping: which column is which; guessed where not given.
        keep_good: store the usable rows even if others are not; else one bad row stops it all.
        name: what the import is called; by default the file's name.
        progress: told how far the reading is, and how far it goes.

    Raises:
        InputError: the file cannot be used, or it has a bad row and `keep_good` is off.
    """
    started = time.perf_counter()
    source = open_source(path, mapping, limits)
    reading = _read(source, progress)
    if reading.counts.errors and not keep_good:
        raise InputError(
            f"{source.name!r} has {reading.counts.errors:,} unusable rows, so nothing was brought "
            f"in; the first is {reading.errors[0]}."
        )
    if not reading.pairs:
        raise InputError(f"{source.name!r} has no usable row: {reading.errors[0]}.")
    with database.write() as session:
        run_id = runs.start(session, "import", name or source.name, _params(source))
        added = pairs.add_many(session, reading.pairs, run_id=run_id)
        new_judgements = _add_judgements(session, reading.judgements, run_id)
        counts = {**asdict(reading.counts), "new_pairs": added.new}
        runs.finish(session, run_id, counts={**counts, "new_judgements": new_judgements})
    return ImportReport(
        run_id=run_id,
        name=name or source.name,
        shape=source.shape,
        counts=reading.counts,
        new_pairs=added.new,
        new_judgements=new_judgements,
        errors=tuple(reading.errors),
        seconds=time.perf_counter() - started,
    )


def _read(source: Source, progress: Progress | None) -> _Reading:
    reading = _Reading()
    size = source.size
    reading.take(source.items((lambda done: progress(min(done, size), size)) if progress else None))
    return reading


def _params(source: Source) -> dict[str, object]:
    return {
        "files": [path.name for path in source.paths],
        "shape": source.shape.value,
        "mapping": source.mapping.model_dump(exclude_none=True),
    }


def _add_judgements(session: Session, found: Iterable[Judgement], run_id: int) -> int:
    new = 0
    for judgement in found:
        same = (judgement.pair.hash, judgement.version.hash, judgement.plan.hash)
        if judgements.find_same(session, *same) is None:
            judgements.add(session, judgement, origin="import", run_id=run_id)
            new += 1
    return new
