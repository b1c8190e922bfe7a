"""Rows out of files: JSON Lines, JSON, CSV and Parquet, plain or gzipped, within limits."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Literal

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from rmr1.errors import InputError

FileFormat = Literal["jsonl", "json", "csv", "parquet"]
Tick = Callable[[int], None]

_PEEK = 65_536
_BLOCK = 1 << 20
_LINE = 8 << 20
_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some editors put before UTF-8."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of one file before it is refused.

    Attributes:
        rows: rows of the file.
        bytes: size after decompression.
        row_bytes: size of one row, in bytes of its line (of its texts, for CSV and Parquet).
        whole_bytes: size of a JSON document, which has to be held in memory as a whole.
    """

    rows: int = 2_000_000
    bytes: int = 4 << 30
    row_bytes: int = _LINE
    whole_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: its line in the file, from 1; for JSON arrays and Parquet, the number of the row.
    """

    line: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row, or a cell of it, cannot be used.

    Attributes:
        line: as in `Row`.
        column: name of the column, or "" where the row as a whole is wrong.
        reason: in words, fit to follow the column's name.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        column = f", column {self.column!r}" if self.column else ""
        return f"line {self.line}{column}: {self.reason}"


def file_format(path: Path) -> FileFormat:
    """Tell the format of a file from its first bytes, and from its name where they leave a choice.

    Raises:
        InputError: the file is missing, empty, or in none of the formats.
    """
    head = _head(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(_MARK).lstrip()
    if not text:
        raise InputError(f"{path.name!r} is empty.")
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        return "jsonl" if _is_lines(path) or _begins_with_object(path) else "json"
    if b"\x00" in head or not any(mark in head for mark in b",;\t"):
        raise InputError(
            f"{path.name!r} is none of JSON Lines, JSON, CSV and Parquet: save it as one of them."
        )
    return "jsonl" if _is_lines(path) else "csv"


def _is_lines(path: Path) -> bool:
    return any(suffix in {".jsonl", ".ndjson"} for suffix in path.suffixes[-2:])


def read_rows(
    path: Path, limits: Limits | None = None, tick: Tick | None = None
) -> Iterator[Row | RowError]:
    """Read the rows of a file, an unusable row as an error in its place.

    Args:
        limits: what is read at most.
        tick: told after every row how many bytes of the file have been read (rows, for Parquet).

    Raises:
        InputError: the file as a whole cannot be read, or goes past a limit.
    """
    limits = limits or Limits()
    readers = {"jsonl": _json_lines, "json": _json_array, "csv": _csv, "parquet": _parquet}
    rows = readers[file_format(path)](path, limits, tick or _silent)
    for count, row in enumerate(rows, start=1):
        if count > limits.rows:
            raise InputError(f"{path.name!r} has more than {limits.rows:,} rows: split the file.")
        yield row


def _silent(_done: int) -> None: ...


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file's content, unzipped if need be, and the file itself."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield (gzip.GzipFile(fileobj=file) if zipped else file), file  # type: ignore[misc]
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path.name!r}.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path.name!r} is a damaged gzip file: {error}.") from error
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}.") from error


def _head(path: Path) -> bytes:
    with _opened(path) as (content, _):
        return content.read(_PEEK)


def _begins_with_object(path: Path) -> bool:
    """Whether the first line is a JSON object by itself."""
    with _opened(path) as (content, _):
        line = content.readline(_LINE).removeprefix(_MARK)
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(path: Path, limits: Limits, tick: Tick) -> Iterator[tuple[int, bytes, bool]]:
    """Lines with their number; a line over the limit is cut, and said to be."""
    with _opened(path) as (content, file):
        number = total = 0
        while line := content.readline(limits.row_bytes + 1):
            number += 1
            whole = len(line) <= limits.row_bytes
            total += len(line)
            rest = line
            while not whole and rest and not rest.endswith(b"\n") and total <= limits.bytes:
                rest = content.readline(_BLOCK)
                total += len(rest)
            if total > limits.bytes:
                raise InputError(
                    f"{path.name!r} unpacks to more than {limits.bytes:,} bytes: split the file."
                )
            tick(file.tell())
            yield number, line, whole


def _json_lines(path: Path, limits: Limits, tick: Tick) -> Iterator[Row | RowError]:
    for number, line, whole in _lines(path, limits, tick):
        if number == 1:
            line = line.removeprefix(_MARK)
        if not whole:
            yield RowError(number, "", f"is longer than {limits.row_bytes:,} bytes")
        elif line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: bytes) -> Row | RowError:
    try:
        return _row(number, orjson.loads(line))
    except orjson.JSONDecodeError as error:
        return RowError(number, "", _json_reason(error, line))


def _json_reason(error: orjson.JSONDecodeError, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as problem:
        return f"is not UTF-8 at byte {problem.start + 1}"
    return f"is not JSON: {error.msg}, at character {error.colno}"


def _row(number: int, value: object) -> Row | RowError:
    if not isinstance(value, dict):
        return RowError(number, "", f"holds {_kind(value)} where an object is wanted")
    return Row(number, value)


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "a truth value", type(None): "nothing"}
    return names.get(type(value), "a number")


def _json_array(path: Path, limits: Limits, tick: Tick) -> Iterator[Row | RowError]:
    with _opened(path) as (content, file):
        data = content.read(limits.whole_bytes + 1)
        size = file.tell()
    if len(data) > limits.whole_bytes:
        raise InputError(
            f"{path.name!r} is a JSON document of more than {limits.whole_bytes:,} bytes: "
            "save it as JSON Lines, one object a line."
        )
    try:
        document = orjson.loads(data.removeprefix(_MARK))
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, character {error.colno}"
        reason = _json_reason(error, data).removesuffix(f", at character {error.colno}")
        raise InputError(f"{path.name!r} {reason} ({where}).") from error
    rows = [document] if isinstance(document, dict) else document
    for number, value in enumerate(rows, start=1):
        tick(size * number // len(rows))
        yield _row(number, value)


def _csv(path: Path, limits: Limits, tick: Tick) -> Iterator[Row | RowError]:
    csv.field_size_limit(limits.row_bytes)
    with _opened(path) as (content, file):
        # Bytes that are not UTF-8 become lone surrogates, so that only their own row is lost.
        text = io.TextIOWrapper(content, "utf-8-sig", errors="surrogateescape", newline="")
        head = text.readline(_PEEK)
        delimiter = max(",;\t", key=head.count)
        reader = csv.reader(chain([head], text), delimiter=delimiter)
        names = next(reader)
        if len(set(names)) < len(names):
            raise InputError(f"{path.name!r} names a column twice in its first line.")
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield RowError(number, "", f"is not CSV: {error}")
                continue
            tick(file.tell())
            if cells:
                yield _csv_row(number, names, cells, limits)


def _csv_row(number: int, names: list[str], cells: list[str], limits: Limits) -> Row | RowError:
    if len(cells) != len(names):
        return RowError(number, "", f"has {len(cells)} cells where {len(names)} are named")
    if sum(map(len, cells)) > limits.row_bytes:
        return RowError(number, "", f"is longer than {limits.row_bytes:,} characters")
    for name, cell in zip(names, cells, strict=True):
        if not cell.isascii() and any("\udc80" <= letter <= "\udcff" for letter in cell):
            return RowError(number, name, "is not UTF-8")
    return Row(number, dict(zip(names, cells, strict=True)))


def _parquet(path: Path, limits: Limits, tick: Tick) -> Iterator[Row | RowError]:
    try:
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > limits.rows:
                raise InputError(
                    f"{path.name!r} has more than {limits.rows:,} rows: split the file."
                )
            number = 0
            for batch in file.iter_batches(batch_size=256):
                for cells in batch.to_pylist():
                    number += 1
                    tick(number)
                    yield Row(number, cells)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name!r} is a damaged Parquet file: {error}.") from error


def plain(value: object, depth: int = 0) -> object:
    """A cell as JSON can keep it: no NaN, no bytes, not nested deeper than ten levels.

    What cannot be kept becomes None.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if depth >= 10:
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else None
