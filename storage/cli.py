"""The command line of the store: bring files in, take training files out, look after labels.

Results are JSON, an object a line, on standard output; progress goes to standard error. What a
user can mend is raised as `RMR1Error`: the entry point turns it into a line and an exit code.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from tqdm import tqdm

from rmr1.errors import InputError, StorageError
from storage import exporting, importing, journal, judges_cli, runs, snapshots, visitors
from storage.console import DatabaseUrl, opened, say, sentence
from storage.database import Database
from storage.export_files import FORMATS
from storage.exporting import ExportOptions
from storage.shapes import ColumnMapping
from storage.snapshots import LabelFilter, Snapshot
from storage.splits import Fractions

app = typer.Typer(no_args_is_help=True)
imports = typer.Typer(no_args_is_help=True, help="Imports: list them, take one back.")
frozen = typer.Typer(no_args_is_help=True, help="Snapshots of labels: count, freeze, list.")
db = typer.Typer(no_args_is_help=True, help="The database: bring up to date, check, replay.")
app.add_typer(imports, name="imports")
app.add_typer(frozen, name="snapshots")
app.add_typer(db, name="db")
app.add_typer(judges_cli.app)

JournalPath = Annotated[Path | None, typer.Argument(help="a journal; by default the database's")]
ExportKind = Literal["sft", "rlvr", "dpo", "preference", "labels"]
Stage = Annotated[Literal["blind", "final"], typer.Option(help="which label of a person counts")]
Annotators = Annotated[list[str] | None, typer.Option("--annotator", help="only of this person")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="only pairs of this source")]
Known = Annotated[bool, typer.Option("--known", help="with better sides that a pair's source knew")]
Inspection = Annotated[
    bool, typer.Option("--inspection", help="with labels made with the verdict in view")
]
Adjudicated = Annotated[
    bool, typer.Option("--adjudicated", help="with leads' decisions, which then win over labels")
]
DropTies = Annotated[bool, typer.Option("--drop-ties", help="without ties and the undecided")]


@app.command("import")
def import_(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="a file, or hub:OWNER/NAME[:SPLIT]")],
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD, such as question=prompt")
    ] = None,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="bring usable rows in though others are not")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would come in")] = False,
    name: Annotated[str, typer.Option(help="what to call the import")] = "",
    database: DatabaseUrl = "",
) -> None:
    """Bring pairs or judgements in from JSON Lines, JSON, CSV, Parquet or the Hub.

    Exits with 2 if a row cannot be used, unless --keep-good is given.
    """
    mapping = _mapping(columns) if columns else None
    if dry_run:
        found = importing.preview(path, mapping)
        say(
            {
                "name": found.name,
                "shape": found.shape,
                "note": found.note,
                "mapping": found.mapping.model_dump(exclude_none=True),
                "counts": asdict(found.counts),
                "errors": [str(error) for error in found.errors],
            }
        )
        return
    with opened(context, database) as store, _bar() as bar:
        report = importing.import_file(
            store, path, mapping, keep_good=keep_good, name=name, progress=bar
        )
    say(
        {
            "import": report.run_id,
            "name": report.name,
            "shape": report.shape,
            "new_pairs": report.new_pairs,
            "duplicates": report.duplicates,
            "new_judgements": report.new_judgements,
            "counts": asdict(report.counts),
            "errors": [str(error) for error in report.errors],
            "seconds": round(report.seconds, 2),
        }
    )


@imports.command("list")
def list_imports(context: typer.Context, database: DatabaseUrl = "") -> None:
    """The newest imports."""
    with opened(context, database) as store, store.read() as session:
        for run in runs.recent(session, "import"):
            say(asdict(run))


@imports.command("undo")
def undo(
    context: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="ID", help="number of the import")],
    database: DatabaseUrl = "",
) -> None:
    """Take an import back."""
    with opened(context, database) as store, store.write() as session:
        undone = runs.undo_import(session, run_id)
    say({"import": run_id, **asdict(undone)})


@frozen.command("list")
def list_snapshots(context: typer.Context, database: DatabaseUrl = "") -> None:
    """All snapshots, newest first."""
    with opened(context, database) as store, store.read() as session:
        for snapshot in snapshots.newest_first(session):
            say(_described(snapshot))


@frozen.command("create")
def create_snapshot(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="what to call it")],
    stage: Stage = "blind",
    annotators: Annotators = None,
    sources: Sources = None,
    known: Known = False,
    inspection: Inspection = False,
    adjudicated: Adjudicated = False,
    drop_ties: DropTies = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count")] = False,
    database: DatabaseUrl = "",
) -> None:
    """Freeze the labels as they are now, for exports and trainings to refer to."""
    try:
        wanted = LabelFilter.model_validate(
            {
                "stage": stage,
                "annotators": annotators or (),
                "sources": sources or (),
                "ties": "drop" if drop_ties else "keep",
                "inspection": inspection,
                "known": known,
                "adjudicated": adjudicated,
            }
        )
    except ValidationError as error:
        raise InputError(sentence(error)) from error
    with opened(context, database) as store:
        if dry_run:
            with store.read() as session:
                say(asdict(snapshots.count(session, wanted)))
        else:
            say(_described(snapshots.create(store, name, wanted)))


@app.command()
def export(
    context: typer.Context,
    kind: Annotated[ExportKind, typer.Argument(help="the trainer's kind of data")],
    out: Annotated[Path, typer.Option(help="folder to write to")],
    snapshot: Annotated[str, typer.Option(help="its name; by default the newest")] = "",
    file_format: Annotated[
        Literal["jsonl", "parquet", "both"], typer.Option("--format", help="of the files")
    ] = "both",
    profile: Annotated[str, typer.Option(help="prompt profile of the judge to train")] = "cor",
    ties: Annotated[
        Literal["drop", "neutral", "margin"], typer.Option(help="in preference")
    ] = "drop",
    traces: Annotated[int, typer.Option(help="in sft and dpo: at most so many for a pair")] = 1,
    published_names: Annotated[
        bool, typer.Option("--published-names", help="in rlvr: the column names of RM-R1's data")
    ] = False,
    split: Annotated[str, typer.Option(help="shares TRAIN,VALIDATION,TEST")] = "0.9,0.05,0.05",
    distillation: Annotated[
        str, typer.Option(help="share of training pairs for sft and dpo, the rest for rlvr; or all")
    ] = "0.5",
    seed: Annotated[int, typer.Option(help="of splits and orders")] = 0,
    refuse: Annotated[
        list[Path] | None, typer.Option(help="benchmark file whose prompts are left out")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count")] = False,
    database: DatabaseUrl = "",
) -> None:
    """Write training files, or labels as CSV, out of a snapshot."""
    options = _options(
        profile=profile,
        ties=ties,
        traces_per_pair=traces,
        published_names=published_names,
        fractions=split.split(","),
        distillation=None if distillation == "all" else distillation,
        seed=seed,
        refuse=refuse or (),
    )
    with opened(context, database) as store:
        frozen_labels = _snapshot(store, snapshot)
        if kind == "labels" and dry_run:
            counts = frozen_labels.counts
            say({"rows": counts.labels + counts.known + counts.decided})
        elif kind == "labels":
            path = out / "labels.csv"
            written = exporting.export_labels(store, frozen_labels, path)
            say({"file": str(path), "rows": written})
        elif dry_run:
            with store.read() as session:
                counted = exporting.count(session, frozen_labels, kind, options)
            say(counted.model_dump())
        else:
            formats = FORMATS if file_format == "both" else (file_format,)
            manifest = exporting.export(store, frozen_labels, kind, out, formats, options)
            say(manifest.model_dump(mode="json"))


@db.command()
def upgrade(context: typer.Context, database: DatabaseUrl = "") -> None:
    """Bring the schema up to date; opening the database does the same."""
    with opened(context, database):
        say({"upgraded": True})


@db.command()
def check(
    context: typer.Context,
    path: JournalPath = None,
    database: DatabaseUrl = "",
) -> None:
    """Compare the labels with the journal; exits with 1 where they differ."""
    with opened(context, database) as store:
        report = journal.check(store, _journal(store, path))
    say({**asdict(report), "agree": report.agree})
    if not report.agree:
        raise StorageError("The database and the journal do not hold the same labels.")


@db.command()
def replay(
    context: typer.Context,
    path: JournalPath = None,
    database: DatabaseUrl = "",
) -> None:
    """Put labels back that the journal holds and the database lacks."""
    with opened(context, database) as store:
        say(asdict(journal.replay(store, _journal(store, path))))


@db.command("visitors")
def visitors_answers(context: typer.Context, database: DatabaseUrl = "") -> None:
    """What visitors answered in the gallery's game, an answer a line; no export has it."""
    with opened(context, database) as store, store.read() as session:
        for row in visitors.rows(session):
            say(row)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    with tqdm(unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def show(done: int, whole: int) -> None:
            bar.total = whole
            bar.update(done - bar.n)

        yield show


def _mapping(columns: list[str]) -> ColumnMapping:
    given = {field: column for column, _, field in (one.rpartition("=") for one in columns)}
    if not all(given.values()):
        raise InputError("--map wants COLUMN=FIELD, such as --map question=prompt.")
    try:
        return ColumnMapping.model_validate(given)
    except ValidationError as error:
        fields = ", ".join(ColumnMapping.model_fields)
        raise InputError(f"--map knows the fields {fields}.") from error


def _options(**values: object) -> ExportOptions:
    shares = values["fractions"]
    try:
        assert isinstance(shares, list)
        values["fractions"] = Fractions(*map(float, shares))
        return ExportOptions.model_validate(values)
    except (TypeError, ValueError) as error:
        if isinstance(error, ValidationError):
            raise InputError(sentence(error)) from error
        raise InputError("--split wants three shares, such as 0.8,0.1,0.1.") from error


def _snapshot(store: Database, name: str) -> Snapshot:
    with store.read() as session:
        if name:
            return snapshots.get(session, name)
        newest = snapshots.newest_first(session)
    if not newest:
        raise InputError("There is no snapshot yet: make one with `rmr1 snapshots create NAME`.")
    return newest[0]


def _journal(store: Database, path: Path | None) -> Path:
    if path is None:
        if store.journal is None:
            raise InputError("This database has no journal: name the file.")
        return store.journal.path
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}.")
    return path


def _described(snapshot: Snapshot) -> dict[str, object]:
    return {
        "snapshot": snapshot.name,
        "hash": snapshot.hash,
        "filter": snapshot.filter.model_dump(mode="json"),
        "counts": asdict(snapshot.counts),
        "created_at": snapshot.created_at.isoformat(),
    }
