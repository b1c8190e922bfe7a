"""Rows written as JSON Lines and Parquet, each file with its hash."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

Format = Literal["jsonl", "parquet"]

FORMATS: tuple[Format, ...] = ("jsonl", "parquet")


class ExportFile(BaseModel):
    """One written file."""

    name: str
    split: str
    rows: int
    bytes: int
    sha256: str


def write_splits(
    folder: Path,
    kind: str,
    splits: Mapping[Any, Sequence[Mapping[str, Any]]],
    formats: Sequence[Format],
) -> list[ExportFile]:
    """Write `<kind>.<split>.<format>` files in place of those of an earlier export.

    Args:
        splits: the rows of each split; at least one row in each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{kind}.*"):
        if old.suffix in (".jsonl", ".parquet") or old.name == f"{kind}.manifest.json":
            old.unlink()
    files = []
    for split, rows in splits.items():
        for file_format in formats:
            path = folder / f"{kind}.{split}.{file_format}"
            if file_format == "jsonl":
                _write_lines(path, rows)
            else:
                pq.write_table(pa.Table.from_pylist(list(rows)), path)
            files.append(
                ExportFile(
                    name=path.name,
                    split=split,
                    rows=len(rows),
                    bytes=path.stat().st_size,
                    sha256=file_sha256(path),
                )
            )
    return files


def _write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
