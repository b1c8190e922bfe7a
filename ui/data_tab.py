"""The Data page: files in, with a look before; snapshots frozen and exported, counted before."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import ValidationError

from rmr1.errors import InputError, RMR1Error
from rmr1.prompt import profile_names
from storage import exporting, importing, runs, snapshots
from storage.database import Database
from storage.export_rows import Kind
from storage.exporting import ExportOptions
from storage.shapes import ColumnMapping, UnmappedColumns
from storage.snapshots import LabelFilter
from ui.access import Role, require
from ui.batch_section import build_batch_section
from ui.context import Studio
from ui.data_views import (
    columns_view,
    counts_view,
    export_view,
    imports_view,
    preview_view,
    report_view,
)
from ui.panels import panel, payload
from ui.views import View

FILE_TYPES = [".jsonl", ".json", ".csv", ".parquet", ".gz"]
PURPOSES: dict[Kind, str] = {
    "sft": "judgements to imitate, for distillation",
    "rlvr": "pairs with the right verdict, for RL",
    "dpo": "a right judgement beside a wrong one of the same pair",
    "preference": "chosen and rejected responses, for scalar reward models",
}
"""What each kind of export is for."""


def look(file: str | None, hub_name: str, mapping: object = None) -> View:
    """What a file, or a data set of the Hub, would bring in."""
    columns = None
    try:
        columns = _mapping(mapping)
        found = importing.preview(_source(file, hub_name), columns)
        return preview_view(found, is_mapped=columns is not None)
    except UnmappedColumns as error:
        return {"error": str(error), **columns_view(error.columns, columns)}
    except RMR1Error as error:
        return {"error": str(error)}


def take(database: Database, file: str | None, hub_name: str, data: dict[str, Any]) -> View:
    """Import what was looked at."""
    try:
        report = importing.import_file(
            database,
            _source(file, hub_name),
            _mapping(data.get("mapping")),
            keep_good=bool(data.get("keep_good", True)),
        )
    except RMR1Error as error:
        return {"error": str(error)}
    return report_view(report)


def undo(database: Database, data: dict[str, Any]) -> View:
    """Take an import back; all imports as they are then."""
    try:
        run_id = data.get("run")
        if not isinstance(run_id, int):
            raise InputError("Which import is to be undone was not said.")
        with database.write() as session:
            undone = runs.undo_import(session, run_id)
    except RMR1Error as error:
        return {**list_imports(database), "said": str(error)}
    kept = (
        f"; {undone.pairs_kept:,} pairs stay because they are in use" if undone.pairs_kept else ""
    )
    said = (
        f"{undone.pairs_removed:,} pairs and {undone.judgements_removed:,} judgements "
        f"were taken back{kept}."
    )
    return {**list_imports(database), "said": said}


def list_imports(database: Database) -> View:
    """All imports, newest first."""
    with database.read() as session:
        return imports_view(runs.recent(session, "import"))


def count_labels(database: Database, *policy: object) -> View:
    """What a snapshot under this policy would freeze."""
    try:
        with database.read() as session:
            return counts_view(snapshots.count(session, _policy(*policy)))
    except RMR1Error as error:
        return {"error": str(error)}


def freeze(database: Database, name: str, *policy: object) -> tuple[View, gr.Dropdown]:
    """Freeze a snapshot; its counts, and the snapshots to choose from."""
    try:
        made = snapshots.create(database, name, _policy(*policy))
    except RMR1Error as error:
        return {"error": str(error)}, gr.Dropdown()
    sentence = f"“{made.name}” is frozen: {made.hash[:12]}."
    return (
        {**counts_view(made.counts), "sentence": sentence},
        gr.Dropdown(choices=snapshot_names(database), value=made.name),
    )


def snapshot_names(database: Database) -> list[str]:
    """All snapshots, newest first."""
    with database.read() as session:
        return [snapshot.name for snapshot in snapshots.newest_first(session)]


def count_export(
    database: Database, name: str | None, kind: str, profile: str, apart: object
) -> View:
    """What an export would hold."""
    if not name:
        return {"sentence": "Freeze a snapshot first: an export is made from one."}
    try:
        with database.read() as session:
            snapshot = snapshots.get(session, name)
            options = _options(profile, apart)
            return export_view(exporting.count(session, snapshot, _kind(kind), options))
    except RMR1Error as error:
        return {"error": str(error)}


def export(
    studio: Studio, name: str | None, kind: str, profile: str, apart: object
) -> tuple[View, gr.File]:
    """Write the training files; what they hold, and one archive of them to download.

    The files stay in the data folder under `exports/`; the archive is a temporary copy, because
    the server hands out nothing from the data folder.
    """
    try:
        if not name:
            raise InputError("Freeze a snapshot first: an export is made from one.")
        with studio.database.read() as session:
            snapshot = snapshots.get(session, name)
        folder = studio.data_dir / "exports" / f"{snapshot.hash[:12]}-{_kind(kind)}"
        options = _options(profile, apart)
        manifest = exporting.export(studio.database, snapshot, _kind(kind), folder, options=options)
    except RMR1Error as error:
        return {"error": str(error)}, gr.File(value=None, visible=False)
    # Uploads and downloads lie in one folder, which goes when the app ends.
    archive = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()) / folder.name
    sentence = f"Written to {folder} and packed for download."
    packed = shutil.make_archive(str(archive), "zip", folder)
    return {**export_view(manifest.counted), "sentence": sentence}, gr.File(packed, visible=True)


def _source(file: str | None, hub_name: str) -> Path | str:
    if hub_name.strip():
        return f"hub:{hub_name.strip().removeprefix('hub:')}"
    if not file:
        raise InputError("Choose a file, or write the name of a data set on the Hub.")
    return Path(file)


def _mapping(given: object) -> ColumnMapping | None:
    if not isinstance(given, dict):
        return None
    try:
        return ColumnMapping.model_validate(given)
    except ValidationError as error:
        raise InputError(
            f"The column mapping cannot be used: {error.errors()[0]['msg']}."
        ) from error


def _policy(
    stage: object, ties: object, known: object, inspection: object, adjudicated: object = False
) -> LabelFilter:
    values = {"stage": stage, "ties": ties, "known": known, "inspection": inspection}
    values["adjudicated"] = adjudicated
    try:
        return LabelFilter.model_validate(values)
    except ValidationError as error:
        raise InputError(f"The filter cannot be used: {error.errors()[0]['msg']}.") from error


def _options(profile: str, apart: object) -> ExportOptions:
    """The options of the page; the command line has more."""
    if profile not in profile_names():
        raise InputError(f"There is no prompt profile {profile!r}: choose one of the list.")
    share = ExportOptions().distillation if apart else None
    return ExportOptions(profile=profile, distillation=share)


def _kind(kind: str) -> Kind:
    if kind not in PURPOSES:
        raise InputError(f"There is no export {kind!r}: choose one of {', '.join(PURPOSES)}.")
    return kind


def build_data_tab(studio: Studio) -> None:
    """Lay the page out and wire it; it is refreshed each time it opens."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    with gr.Tab("Data", id="data", elem_id="tab-data") as tab:
        gr.Markdown("## Bring pairs or judgements in")
        with gr.Row(elem_classes="stacked"):
            file = gr.File(
                label="A file: JSONL, JSON, CSV, Parquet",
                file_types=FILE_TYPES,
                height=130,
                scale=2,
                elem_id="data-file",
            )
            with gr.Column(scale=1, min_width=260):
                hub_name = gr.Textbox(
                    label="or a data set on the Hub", placeholder="owner/name", elem_id="data-hub"
                )
                with gr.Row():
                    seek = gr.Button("Look at it", size="sm", scale=0, min_width=130)
        found = panel("importer", ("remap", "take", "undo"), elem_id="data-import")
        with gr.Accordion("Earlier imports", open=False):
            imports = panel("imports", ("undo",), elem_id="data-imports")

        build_batch_section(studio)

        gr.Markdown("## Freeze labels, export training data")
        with gr.Row(elem_classes="stacked"):
            with gr.Column():
                stage = gr.Radio(
                    [("what was said blind", "blind"), ("what was said in the end", "final")],
                    value="blind",
                    label="Which label of a pair counts",
                    interactive=True,
                )
                ties = gr.Radio(
                    [("keep", "keep"), ("drop", "drop")],
                    value="keep",
                    label="Ties, both bad, cannot tell",
                    interactive=True,
                )
                known = gr.Checkbox(
                    label="With the better side that a source knew", interactive=True
                )
                inspection = gr.Checkbox(
                    label="With labels made in view of the verdict", interactive=True
                )
                adjudicated = gr.Checkbox(
                    label="With leads' decisions, which then win over labels", interactive=True
                )
                name = gr.Textbox(label="Name of the snapshot", elem_id="data-snapshot-name")
                with gr.Row():
                    freezing = gr.Button(
                        "Freeze snapshot", size="sm", scale=0, min_width=160, elem_id="data-freeze"
                    )
            with gr.Column():
                frozen = panel("counts", elem_id="data-counts")
                snapshot = gr.Dropdown(
                    [], label="Snapshot", interactive=True, elem_id="data-snapshot"
                )
                kind = gr.Radio(
                    [(f"{name}: {purpose}", name) for name, purpose in PURPOSES.items()],
                    value="sft",
                    label="Export",
                    interactive=True,
                )
                with gr.Row():
                    profile = gr.Dropdown(
                        list(profile_names()),
                        label="Prompt profile of the judge to train",
                        interactive=True,
                    )
                    apart = gr.Checkbox(
                        True, label="Distillation and RL get different pairs", interactive=True
                    )
                counted = panel("counts", elem_id="data-export-counts")
                with gr.Row():
                    writing = gr.Button(
                        "Export",
                        variant="primary",
                        size="sm",
                        scale=0,
                        min_width=130,
                        elem_id="data-export",
                    )
                archive = gr.File(
                    label="Download", interactive=False, visible=False, elem_id="data-archive"
                )

    database = studio.database
    policy = [stage, ties, known, inspection, adjudicated]

    def on_look(path: str | None, hub: str, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        return look(path, hub)

    def on_remap(path: str | None, hub: str, event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        return look(path, hub, payload(event).get("mapping"))

    def on_take(
        path: str | None, hub: str, event: gr.EventData, request: gr.Request
    ) -> tuple[View, View]:
        require(studio, request, Role.LEAD)
        return take(database, path, hub, payload(event)), list_imports(database)

    def on_undo(event: gr.EventData, request: gr.Request) -> tuple[View, View]:
        require(studio, request, Role.LEAD)
        listed = undo(database, payload(event))
        return {"said": listed.pop("said")}, listed

    def on_count(request: gr.Request, *chosen: object) -> View:
        require(studio, request, Role.LEAD)
        return count_labels(database, *chosen)

    def on_freeze(request: gr.Request, title: str, *chosen: object) -> tuple[View, gr.Dropdown]:
        require(studio, request, Role.LEAD)
        return freeze(database, title, *chosen)

    def on_count_export(
        title: str | None, what: str, how: str, other: bool, request: gr.Request
    ) -> View:
        require(studio, request, Role.LEAD)
        return count_export(database, title, what, how, other)

    def on_export(
        title: str | None, what: str, how: str, other: bool, request: gr.Request
    ) -> tuple[View, gr.File]:
        require(studio, request, Role.LEAD)
        return export(studio, title, what, how, other)

    def on_open(request: gr.Request, *chosen: object) -> tuple[View, View, gr.Dropdown]:
        require(studio, request, Role.LEAD)
        names = snapshot_names(database)
        return (
            list_imports(database),
            count_labels(database, *chosen),
            gr.Dropdown(choices=names, value=names[0] if names else None),
        )

    file.upload(on_look, [file, hub_name], found, **quiet)
    file.clear(dict, None, found, **quiet)
    gr.on(
        [seek.click, hub_name.submit],
        on_look,
        [file, hub_name],
        found,
        show_progress="full",  # the Hub may take its time
        api_visibility="private",
    )
    found.remap(on_remap, [file, hub_name], found, **quiet)
    found.take(on_take, [file, hub_name], [found, imports], **quiet)
    found.undo(on_undo, None, [found, imports], **quiet)
    imports.undo(on_undo, None, [found, imports], **quiet)
    changed = [stage.input, ties.input, known.input, inspection.input, adjudicated.input]
    gr.on(changed, on_count, policy, frozen, **quiet)
    freezing.click(on_freeze, [name, *policy], [frozen, snapshot], **quiet)
    wanted = [snapshot, kind, profile, apart]
    changes = [snapshot.change, kind.input, profile.input, apart.input]
    gr.on(changes, on_count_export, wanted, counted, **quiet)
    writing.click(on_export, wanted, [counted, archive], **quiet)
    tab.select(on_open, policy, [imports, frozen, snapshot], **quiet)
