"""What the Train page starts a run with: snapshots, data set folders and recipes; no Gradio."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rmr1.backends.adapters import PACKAGED_FOLDER, PACKAGED_NAME, Adapter
from rmr1.errors import InputError, first_problem
from rmr1.prompt import profile_names
from storage import adapters, exporting, snapshots
from storage.database import Database
from storage.export_rows import Kind
from storage.exporting import Counted, ExportOptions
from storage.snapshots import LabelFilter, Snapshot
from storage.splits import SPLITS
from ui.trainer import Number, RecipeCard, TrainingCommand, changed_numbers, recipe_named
from ui.views import View

KINDS: dict[Kind, str] = {
    "sft": "distillation",
    "rlvr": "RL with a verifiable reward",
    "preference": "scalar reward model",
}
"""Kinds of rows that recipes ask for, and what for."""

NEEDS: dict[str, Kind] = {"sft": "sft", "grpo": "rlvr", "reward": "preference"}
"""Kind of rows that a kind of recipe is trained on."""

FOLDERS = ("datasets", "exports")
"""Where data set folders lie, inside the data folder."""

_PACKAGED = "packaged"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,59}")
_MANIFEST_BYTES = 5_000_000
_FILE_BYTES = 200_000_000


def snapshots_view(database: Database) -> list[View]:
    """The snapshots to choose from, newest first."""
    with database.read() as session:
        return [
            {
                "name": snapshot.name,
                "title": f"{snapshot.name} ({snapshot.counts.pairs:,} pairs, "
                f"{snapshot.created_at:%Y-%m-%d})",
            }
            for snapshot in snapshots.newest_first(session)
        ]


def datasets_view(data_dir: Path) -> list[View]:
    """The data set folders there are, newest first."""
    folders = [
        folder for name in FOLDERS for folder in (data_dir / name).glob("*") if folder.is_dir()
    ]
    folders.sort(key=lambda folder: (-folder.stat().st_mtime, folder.name))
    views = [dataset_view(folder) for folder in folders]
    return [view for view in views if view["kinds"]]


def dataset_view(folder: Path) -> View:
    """What a data set folder holds: for each kind its rows and what was left out."""
    kinds = []
    for kind, purpose in KINDS.items():
        counted = _counted(folder, kind)
        if counted.rows:
            kinds.append({"kind": kind, "purpose": purpose, **_counted_view(counted)})
    return {
        "id": f"{folder.parent.name}/{folder.name}",
        "name": folder.name,
        "folder": str(folder),
        "kinds": kinds,
    }


def _counted(folder: Path, kind: Kind) -> Counted:
    """Rows by the manifest, or by the files where it does not say."""
    try:
        path = folder / f"{kind}.manifest.json"
        if path.stat().st_size <= _MANIFEST_BYTES:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            return Counted.model_validate(manifest["counted"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    rows = {}
    for split in SPLITS:
        path = folder / f"{kind}.{split}.jsonl"
        if path.is_file() and path.stat().st_size <= _FILE_BYTES:
            with path.open("rb") as lines:
                rows[split] = sum(1 for line in lines if line.strip())
    return Counted(rows=rows)


def _counted_view(counted: Counted) -> View:
    return {
        "rows": {split: counted.rows.get(split, 0) for split in SPLITS},
        "funnel": [[reason, number] for reason, number in counted.dropped.items()],
    }


def benchmark_files(data_dir: Path) -> tuple[Path, ...]:
    """The files whose prompts no data set takes: all in `benchmarks/` of the data folder."""
    suffixes = (".jsonl", ".json", ".csv", ".parquet", ".gz")
    found = (data_dir / "benchmarks").glob("*")
    return tuple(sorted(path for path in found if path.is_file() and path.suffix in suffixes))


def options(form: Mapping[str, object], data_dir: Path) -> ExportOptions:
    """How the page makes a data set; the command line has more to choose.

    Raises:
        InputError: the profile or the seed cannot be used.
    """
    profile = form.get("profile")
    if profile not in profile_names():
        raise InputError(f"There is no prompt profile {profile!r}: choose one of the list.")
    values: dict[str, Any] = {
        "profile": profile,
        "seed": form.get("seed") or 0,
        "distillation": 0.5 if form.get("apart") else None,
        "refuse": benchmark_files(data_dir),
    }
    try:
        return ExportOptions.model_validate(values)
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"The data set's {where}: {what}.") from error


def preview(database: Database, data_dir: Path, form: Mapping[str, object]) -> View:
    """What a snapshot would give, for each kind of rows, without writing it.

    Raises:
        InputError: the form cannot be used.
        RecordNotFound: there is no such snapshot.
    """
    wanted = options(form, data_dir)
    with database.read() as session:
        snapshot = snapshots.get(session, str(form.get("snapshot") or ""))
        counts = {kind: exporting.count(session, snapshot, kind, wanted) for kind in KINDS}
    return {
        "snapshot": snapshot.name,
        "kinds": [
            {"kind": kind, "purpose": purpose, **_counted_view(counts[kind])}
            for kind, purpose in KINDS.items()
        ],
        "refused": [path.name for path in wanted.refuse],
    }


def make(database: Database, data_dir: Path, form: Mapping[str, object]) -> View:
    """Write a snapshot's rows of every kind into `datasets/<name>` of the data folder.

    Returns:
        The new folder's view.

    Raises:
        InputError: the form cannot be used, the name is taken, or no row is left.
        RecordNotFound: there is no such snapshot.
    """
    name = str(form.get("name") or "").strip()
    if not _NAME.fullmatch(name):
        raise InputError("A data set's name is of letters, digits, '.', '_' and '-'.")
    folder = data_dir / "datasets" / name
    if folder.exists():
        raise InputError(f"There is a data set named {name!r} already: choose another name.")
    wanted = options(form, data_dir)
    with database.read() as session:
        snapshot = snapshots.get(session, str(form.get("snapshot") or ""))
        counts = {kind: exporting.count(session, snapshot, kind, wanted) for kind in KINDS}
    kinds = [kind for kind, counted in counts.items() if counted.rows]
    if not kinds:
        raise InputError(f"No row of any kind is left of the snapshot {snapshot.name!r}.")
    for kind in kinds:
        exporting.export(database, snapshot, kind, folder, options=wanted)
    return dataset_view(folder)


def freeze(database: Database, form: Mapping[str, object]) -> Snapshot:
    """Freeze the labels of now under a name.

    Raises:
        InputError: the name is empty or taken, or there is no label.
    """
    wanted = LabelFilter(known=bool(form.get("known")))
    return snapshots.create(database, str(form.get("freeze") or ""), wanted)


def dataset_folder(data_dir: Path, given: object) -> Path:
    """The folder of a data set that the page named.

    Raises:
        InputError: there is none of that name; a page names no other folder.
    """
    for view in datasets_view(data_dir):
        if view["id"] == given:
            return Path(view["folder"])
    raise InputError("Choose a data set first: a run is trained on one.")


def recipe_view(recipe: RecipeCard) -> View:
    """A recipe to choose."""
    return {
        "name": recipe.name,
        "title": recipe.title or recipe.name,
        "description": recipe.description,
        "kind": recipe.kind,
        "needs": NEEDS.get(recipe.kind, ""),
        "numbers": [[name, value] for name, value in recipe.numbers.items()],
    }


def adapters_to_go_on_from(database: Database) -> list[View]:
    """The adapters that a run can begin with: those on record, newest first, then the package's."""
    with database.read() as session:
        found = [{"id": str(one.id), "title": one.version} for one in adapters.all(session)]
    if PACKAGED_FOLDER.is_dir():
        packaged = Adapter.at(PACKAGED_NAME, PACKAGED_FOLDER)
        found.append({"id": _PACKAGED, "title": f"{packaged.identity} (packaged)"})
    return found


def start(command: TrainingCommand, database: Database, form: Mapping[str, object]) -> int:
    """Start the run that the form describes; its id.

    Raises:
        InputError: the form cannot be used, or the training room refused.
        ConfigurationError: there is no such recipe, or no training room.
        RecordNotFound: there is no such adapter to begin with.
    """
    name, folder, changes = _wanted(command, database, form)
    return command.start(name, folder, changes)


def start_line(command: TrainingCommand, database: Database, form: Mapping[str, object]) -> str:
    """The same run as a command line.

    Raises:
        InputError: the form cannot be used.
        ConfigurationError: there is no such recipe, or no training room.
        RecordNotFound: there is no such adapter to begin with.
    """
    return command.start_line(*_wanted(command, database, form))


def _wanted(
    command: TrainingCommand, database: Database, form: Mapping[str, object]
) -> tuple[str, Path, dict[str, Number | str]]:
    """Recipe, data set folder and what differs from the recipe."""
    recipe = recipe_named(command.recipes(), str(form.get("recipe") or ""))
    folder = dataset_folder(command.data_dir, form.get("dataset"))
    numbers = form.get("numbers")
    changes = changed_numbers(recipe, numbers if isinstance(numbers, dict) else {})
    if base := str(form.get("base") or "").strip():
        changes["base"] = base
    adapter_id = str(form.get("adapter") or "")
    if adapter_id == _PACKAGED:
        changes["adapter_from"] = str(PACKAGED_FOLDER)
    elif adapter_id:
        with database.read() as session:
            changes["adapter_from"] = adapters.find(session, adapter_id).folder
    return recipe.name, folder, changes
