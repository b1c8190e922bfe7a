"""What has been judged already: results of our own runs and released logs, read as outcomes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from rmr1.benchmark.catalogue import by_title
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.manifest import SUFFIX as MANIFEST
from rmr1.benchmark.manifest import Manifest
from rmr1.benchmark.outcome import Key, Outcome, outcome_of
from rmr1.benchmark.released import read_record
from rmr1.cells import CellError, Cells
from rmr1.errors import InputError
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.plan import Plan
from rmr1.readers import RowError, read_rows
from rmr1.record import judgement_from_record

_SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz", ".parquet")
_REASONS_KEPT = 20


@dataclass(slots=True)
class Judged:
    """The outcomes of one judge under one plan on one benchmark.

    Attributes:
        outcomes: by item, each as it was judged last; one whose backend failed gives way to any
            other.
        again: judgements of an item that had been judged before.
        manifest: what the run was asked to judge, where it left word.
    """

    benchmark: Benchmark
    version: JudgeVersion
    plan: Plan
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    again: int = 0
    manifest: Manifest | None = None

    def add(self, outcome: Outcome) -> None:
        """Take one outcome."""
        before = self.outcomes.get(outcome.key)
        self.again += before is not None
        if before is None or before.broken or not outcome.broken:
            self.outcomes[outcome.key] = outcome


@dataclass(slots=True)
class Pile:
    """What some files hold.

    Attributes:
        unusable: rows that are no judgement, or on no benchmark, and files without rows.
        reasons: why the first of them are not, with file and line.
    """

    groups: dict[tuple[str, str, str], Judged] = field(default_factory=dict)
    unusable: int = 0
    reasons: list[str] = field(default_factory=list)

    def take(
        self,
        judgement: Judgement,
        benchmark: Benchmark,
        outcome: Outcome,
        manifest: Manifest | None,
    ) -> None:
        """Lay an outcome with those of its judge, plan and benchmark."""
        version, plan = judgement.version, judgement.plan
        key = (benchmark.name, version.hash, plan.hash)
        group = self.groups.setdefault(key, Judged(benchmark, version, plan))
        group.add(outcome)
        group.manifest = manifest or group.manifest

    def refuse(self, reason: str) -> None:
        """Count what cannot be used."""
        self.unusable += 1
        if len(self.reasons) < _REASONS_KEPT:
            self.reasons.append(reason)


def read_judged(paths: Iterable[Path], benchmark: Benchmark | None = None) -> Pile:
    """Read judgements, those of one judge under one plan on one benchmark together.

    Args:
        paths: files as `rmr1 judge --out` or RM-R1's evaluation scripts wrote them, or folders of
            such; the path of a log tells its model.
        benchmark: count every pair as one of it; by default the pair's source tells.

    Raises:
        InputError: a path is missing, or no judgement on a benchmark is in any of them.
    """
    pile = Pile()
    manifests: dict[Path, Manifest | None] = {}
    for file, row in judged_rows(paths, benchmark):
        if isinstance(row, str):
            pile.refuse(row)
            continue
        if file not in manifests:
            manifests[file] = Manifest.beside(file)
        pile.take(row.judgement, row.benchmark, row.outcome, manifests[file])
    if not pile.groups:
        why = f": {pile.reasons[0]}" if pile.reasons else ""
        raise InputError(f"No judgement on a benchmark is there{why}.")
    return pile


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.name.endswith(_SUFFIXES) and not file.name.endswith(MANIFEST)
    )


class JudgedRow(NamedTuple):
    """A judgement on an item of a benchmark."""

    judgement: Judgement
    benchmark: Benchmark
    outcome: Outcome


def judged_rows(
    paths: Iterable[Path], benchmark: Benchmark | None = None
) -> Iterator[tuple[Path, JudgedRow | str]]:
    """Read judgements one after another, or why a row is none; each with its file.

    Args:
        paths, benchmark: as in `read_judged`.

    Raises:
        InputError: a path is missing.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"There is no file or folder {str(path)!r}.")
        for file in _files(path):
            for row in _read(file, benchmark):
                yield file, row


def _read(file: Path, benchmark: Benchmark | None) -> Iterator[JudgedRow | str]:
    alike: Counter[Key] = Counter()
    try:
        for row in read_rows(file):
            if isinstance(row, RowError):
                yield f"{file.name}, {row}"
                continue
            try:
                for judgement, agrees in _judgements(row.cells, str(file)):
                    known = benchmark or by_title(judgement.pair.source)
                    outcome = outcome_of(judgement, known.locate(judgement.pair), agrees)
                    if agrees is not None:
                        outcome = _numbered(outcome, alike)
                    yield JudgedRow(judgement, known, outcome)
            except (InputError, CellError) as error:
                yield f"{file.name}, line {row.line}: {error}"
    except InputError as error:
        yield str(error)


def _numbered(outcome: Outcome, alike: Counter[Key]) -> Outcome:
    """An outcome out of a log, which does not number the items that are alike."""
    alike[outcome.key] += 1
    return replace(outcome, key=(*outcome.key[:2], alike[outcome.key]))


def _judgements(cells: Cells, path: str) -> Iterator[tuple[Judgement, bool | None]]:
    """The judgements of a row and, out of a log, whether the log's result is what we read."""
    if "rollouts" in cells:
        judgement = judgement_from_record(cells)
        if judgement.pair.chosen is None:
            raise InputError("the better response is not known")
        yield judgement, None
    elif "answers" in cells or "output" in cells:
        for released in read_record(cells, path):
            yield released.judgement, released.agrees
    else:
        raise InputError("is no judgement")
