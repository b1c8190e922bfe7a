"""Rows as CSV that a spreadsheet opens without running anything in it."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def defused(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula: what looks like one gets an apostrophe.

    Source: OWASP, CSV injection.
    """
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_ACTIVE) else text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> int:
    """Write rows, in UTF-8 with the mark that spreadsheets want.

    Returns:
        How many rows were written.
    """
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([defused(column) for column in columns])
        for row in rows:
            writer.writerow([defused(row.get(column)) for column in columns])
            count += 1
    return count
