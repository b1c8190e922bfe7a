"""Files brought into the database: read first, then stored whole or not at all."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.readers import Limits, RowError
from storage import judgements, pairs, runs
from storage.database import Database
from storage.incoming import Incoming, Source, open_source
from storage.shapes import ColumnMapping

Progress = Callable[[int, int], None]

_SHOWN_ROWS = 20
_KEPT_ERRORS = 200
_LOT = 5_000
_PAUSE_S = 0.02
"""Between two lots, for a writer that waits."""


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
    better: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, items: Iterable[Incoming | RowError]) -> None:
        for item in items:
            if isinstance(item, RowError):
                self._refuse(item)
            else:
                self._take(item)

    def _refuse(self, error: RowError) -> None:
        self.counts.errors += 1
        if len(self.errors) < _KEPT_ERRORS:
            self.errors.append(error)

    def _take(self, item: Incoming) -> None:
        if opposed := self._opposed(item):
            self._refuse(RowError(item.line, "", f"says the opposite of line {opposed}"))
            return
        if item.judgement:
            self.judgements.append(item.judgement)
            self.counts.judgements += 1
            self.counts.mismatches += not item.agrees
        digest = item.pair.hash
        if digest in self.seen:
            self.counts.repeated += not item.judgement
            return
        self.seen.add(digest)
        self.pairs.append(item.pair)
        self.counts.pairs += 1

    def _opposed(self, item: Incoming) -> int | None:
        """The line that prefers the other response of the same pair, in whatever order."""
        if item.pair.chosen is None:
            return None
        better = hash(item.pair.response(item.pair.chosen))
        line, other = self.better.setdefault(item.pair.content_hash, (item.line, better))
        return None if other == better else line


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
    lot: int = _LOT,
) -> ImportReport:
    """Bring a file in: read it first, then store it whole or not at all.

    A pair, or a judgement, that is on record already is not stored again. Up to `lot` of them
    are one transaction. More go in lots, so that a label in between waits for a second or two and
    not for a minute; if one fails, the lots before it are taken back, unless somebody has
    labelled their pairs meanwhile.

    Args:
        path: a file, or the name of a Hub data set that begins with `hub:`.
        mapping: which column is which; guessed where not given.
        keep_good: store the usable rows even if others are not; else one bad row stops it all.
        name: what the import is called; by default the file's name.
        progress: told how far the reading is, and how far it goes.
        lot: how many are stored in one transaction.

    Raises:
        InputError: the file cannot be used, or it has a bad row and `keep_good` is off.
    """
    started = time.perf_counter()
    source = open_source(path, mapping, limits, name)
    reading = _read(source, progress)
    if reading.counts.errors and not keep_good:
        raise InputError(
            f"{source.name!r} has {reading.counts.errors:,} unusable rows, so nothing was brought "
            f"in; the first is {reading.errors[0]}."
        )
    if not reading.pairs:
        raise InputError(f"{source.name!r} has no usable row: {reading.errors[0]}.")
    stored = _store(database, name or source.name, _params(source), reading, lot)
    return ImportReport(
        run_id=stored.run_id,
        name=name or source.name,
        shape=source.shape,
        counts=reading.counts,
        new_pairs=stored.new_pairs,
        new_judgements=stored.new_judgements,
        errors=tuple(reading.errors),
        seconds=time.perf_counter() - started,
    )


def _read(source: Source, progress: Progress | None) -> _Reading:
    reading = _Reading()
    size = source.size
    reading.take(source.items((lambda done: progress(min(done, size), size)) if progress else None))
    return reading


class _Stored(NamedTuple):
    run_id: int
    new_pairs: int
    new_judgements: int


def _store(
    database: Database, name: str, params: dict[str, Any], reading: _Reading, lot: int
) -> _Stored:
    first, *rest = _lots(reading, lot)
    with database.write() as session:
        run_id = runs.start(session, "import", name, params)
        new_pairs, new_judgements = _add(session, *first, run_id)
        if not rest:
            return _finish(session, reading, _Stored(run_id, new_pairs, new_judgements))
    try:
        for later in rest:
            time.sleep(_PAUSE_S)
            with database.write() as session:
                more_pairs, more_judgements = _add(session, *later, run_id)
            new_pairs, new_judgements = new_pairs + more_pairs, new_judgements + more_judgements
    except BaseException as error:
        with database.write() as session:
            runs.finish(session, run_id, state="failed", message=str(error))
        with suppress(InputError), database.write() as session:  # unless people labelled them
            runs.undo_import(session, run_id)
        raise
    with database.write() as session:
        return _finish(session, reading, _Stored(run_id, new_pairs, new_judgements))


def _finish(session: Session, reading: _Reading, stored: _Stored) -> _Stored:
    counts = asdict(reading.counts) | stored._asdict()
    counts.pop("run_id")
    runs.finish(session, stored.run_id, counts=counts)
    return stored


def _lots(reading: _Reading, lot: int) -> Iterator[tuple[Sequence[Pair], Sequence[Judgement]]]:
    """What is stored in one transaction after the other; the pairs go first."""
    found, judged = reading.pairs, reading.judgements
    if len(found) <= lot and len(judged) <= lot:
        yield found, judged
        return
    for start in range(0, len(found), lot):
        yield found[start : start + lot], ()
    for start in range(0, len(judged), lot):
        yield (), judged[start : start + lot]


def _params(source: Source) -> dict[str, Any]:
    return {
        "files": [path.name for path in source.paths],
        "shape": source.shape.value,
        "mapping": source.mapping.model_dump(exclude_none=True),
    }


def _add(
    session: Session, found: Sequence[Pair], judged: Sequence[Judgement], run_id: int
) -> tuple[int, int]:
    new_pairs = pairs.add_many(session, found, run_id=run_id).new
    return new_pairs, judgements.add_new(session, judged, origin="import", run_id=run_id)
