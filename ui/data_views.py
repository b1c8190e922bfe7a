"""Imports, snapshots and exports as the dictionaries that the Data page paints; no Gradio."""

from collections.abc import Sequence

from rmr1.pair import Pair
from rmr1.readers import RowError
from storage.exporting import Counted
from storage.importing import ImportReport, Preview
from storage.runs import Run
from storage.shapes import ColumnMapping, Shape
from storage.snapshots import LabelCounts
from ui.views import View

CELL = 240
"""Characters of a text that a preview shows."""


def preview_view(preview: Preview, *, is_mapped: bool = False) -> View:
    """What a file would bring in.

    Args:
        is_mapped: a person said which column is which. A file of a known shape is otherwise read
            by its shape, so its import must not name columns.
    """
    counts = preview.counts
    is_plain = preview.shape in (Shape.PAIRS, Shape.PREFERENCES)
    return {
        "name": preview.name,
        "shape": preview.shape,
        "note": preview.note,
        "figures": [
            ["pairs", counts.pairs],
            ["judgements", counts.judgements or None],
            ["repeated pairs", counts.repeated or None],
            ["unusable rows", counts.errors],
            ["results that differ from our reading", counts.mismatches or None],
        ],
        **(columns_view(preview.columns, preview.mapping) if is_plain else {}),
        "is_mapped": is_mapped,
        "rows": [_row(pair) for pair in preview.rows],
        "errors": _errors(preview.errors),
        "error_count": counts.errors,
    }


def columns_view(columns: Sequence[str], mapping: ColumnMapping | None) -> View:
    """Which column is which, for a person to say."""
    fields = ColumnMapping.model_fields.items()
    return {
        "mapping": (mapping or ColumnMapping()).model_dump(),
        "fields": [[name, field.description or name] for name, field in fields],
        "columns": list(columns),
    }


def report_view(report: ImportReport) -> View:
    """What came in."""
    return {
        "report": {
            "run": report.run_id,
            "sentence": f"“{report.name}” is in, in {report.seconds:.1f} s. "
            "Its pairs are in the queue “Everything”, its judgements on the Explore page.",
            "figures": [
                ["new pairs", report.new_pairs],
                ["new judgements", report.new_judgements],
                ["there already", report.duplicates],
                ["unusable rows", report.counts.errors],
            ],
            "errors": _errors(report.errors),
            "error_count": report.counts.errors,
        }
    }


def imports_view(imports: Sequence[Run]) -> View:
    """All imports."""
    return {
        "runs": [
            {
                "id": run.id,
                "at": f"{run.created_at:%Y-%m-%d %H:%M}",
                "name": run.name,
                "pairs": run.counts.get("new_pairs", 0),
                "judgements": run.counts.get("new_judgements", 0),
                "errors": run.counts.get("errors", 0),
                "undone": run.undone_at is not None,
            }
            for run in imports
        ]
    }


def counts_view(counts: LabelCounts) -> View:
    """What a snapshot takes."""
    words = {"A": "A", "B": "B", "tie": "tie", "both_bad": "both bad", "cannot_tell": "cannot tell"}
    return {
        "figures": [
            ["labels", counts.labels],
            ["known by the source", counts.known or None],
            ["decided by a lead", counts.decided or None],
            ["pairs", counts.pairs],
            ["annotators", counts.annotators],
            *([words.get(value, value), number] for value, number in counts.values.items()),
        ],
        "funnel": [[reason, number] for reason, number in counts.left_out.items()],
    }


def export_view(counted: Counted) -> View:
    """What an export holds."""
    return {
        "figures": [
            ["pairs", counted.pairs],
            *([f"rows for {split}", number] for split, number in counted.rows.items()),
            *(
                [f"{name.removeprefix('model_').upper()} is better", number]
                for name, number in counted.winners.items()
            ),
        ],
        "funnel": [[reason, number] for reason, number in counted.dropped.items()],
    }


def _row(pair: Pair) -> list[str | None]:
    texts = (pair.prompt, pair.response_a, pair.response_b)
    cut = [text if len(text) <= CELL else text[:CELL] + "…" for text in texts]
    return [*cut, pair.chosen, pair.subset]


def _errors(errors: Sequence[RowError]) -> list[list[object]]:
    return [[error.line, error.column, error.reason] for error in errors]
