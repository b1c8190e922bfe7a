import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError
from rmr1.readers import Limits, Row, RowError, file_format, plain, read_rows


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(path: Path, **limits: int) -> list[object]:
    return [
        dict(row.cells) if isinstance(row, Row) else row
        for row in read_rows(path, Limits(**limits))
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json", '{\n "a": 1\n}', "json"),
        ("a.txt", ' \n[{"a": 1}]', "json"),
        ("a.jsonl", "{broken\n", "jsonl"),
        ("a.csv", "a,b\n1,2\n", "csv"),
        ("a.tsv", "a\tb\n1\t2\n", "csv"),
        ("a.json", b"\xef\xbb\xbf" + b'{"a": 1}\n{"a": 2}', "jsonl"),
        ("a.json", '{"a": "' + "x" * 200_000 + '"}\n{"a": 2}\n', "jsonl"),
    ],
)
def test_the_content_tells_the_format(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    assert file_format(write(tmp_path, name, content)) == expected


def test_the_same_rows_come_out_of_every_format(tmp_path: Path) -> None:
    rows = [{"a": "x, “y”", "b": "two\nlines"}, {"a": "ü", "b": "="}]
    lines = "\n".join(json.dumps(row) for row in rows)
    quoted = 'a,b\n"x, “y”","two\nlines"\nü,=\n'
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    paths = [
        write(tmp_path, "t.jsonl", lines),
        write(tmp_path, "z.jsonl.gz", gzip.compress(lines.encode())),
        write(tmp_path, "t.json", json.dumps(rows)),
        write(tmp_path, "t.csv", quoted),
        write(tmp_path, "z.csv.gz", gzip.compress(b"\xef\xbb\xbf" + quoted.encode())),
        tmp_path / "t.parquet",
    ]
    assert [cells(path) for path in paths] == [rows] * len(paths)


def test_a_bad_line_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    deep = '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}"
    lines = [
        b'{"a": 1}',
        b"",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[1]",
        deep.encode(),
        b'{"a": "\\ud800"}',
        b'{"a": 2}',
    ]
    rows = cells(write(tmp_path, "t.jsonl", b"\n".join(lines)))
    assert rows[0] == {"a": 1}
    assert rows[-1] == {"a": 2}
    errors = [row for row in rows if isinstance(row, RowError)]
    assert [error.line for error in errors] == [3, 4, 5, 6, 7]
    assert errors[1].reason == "is not UTF-8 at byte 8"
    assert errors[2].reason == "holds a list where an object is wanted"
    assert str(errors[2]) == "line 5: holds a list where an object is wanted"


def test_a_line_that_is_too_long_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "t.jsonl", '{"a": 1}\n{"a": "' + "x" * 5000 + '"}\n{"a": 2}\n')
    first, error, last = cells(path, row_bytes=1000)
    assert (first, last) == ({"a": 1}, {"a": 2})
    assert error == RowError(2, "", "is longer than 1,000 bytes")


@pytest.mark.parametrize(
    ("limits", "what"),
    [({"bytes": 50}, "unpacks to more than 50 bytes"), ({"rows": 3}, "more than 3 rows")],
)
def test_a_file_over_a_limit_is_refused(tmp_path: Path, limits: dict[str, int], what: str) -> None:
    path = write(tmp_path, "t.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 1000))
    with pytest.raises(InputError, match=what):
        cells(path, **limits)


def test_a_json_document_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save it as JSON Lines"):
        cells(write(tmp_path, "t.json", "[" + '{"a": 1},' * 100 + "{}]"), whole_bytes=100)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("t.jsonl", b"", "is empty"),
        ("t.json", b'[{"a": 1}', "is not JSON"),
        ("t.json", b'[{"a": "\xff"}]', "is not UTF-8"),
        ("t.jsonl.gz", gzip.compress(b'{"a": 1}\n' * 9000)[:-12], "damaged gzip"),
        ("t.gz", b"\x1f\x8bnot really", "damaged gzip"),
        ("t.parquet", b"PAR1 and nothing more", "damaged Parquet"),
        ("t.exe", b"\x7fELF\x00\x00,", "none of JSON Lines"),
        ("t.txt", b"a sentence", "none of JSON Lines"),
        ("t.csv", b"a,a\n1,2\n", "names a column twice"),
    ],
)
def test_an_unusable_file_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    with pytest.raises(InputError, match=what) as caught:
        cells(write(tmp_path, name, content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file 'gone\.csv'"):
        cells(tmp_path / "gone.csv")


def test_spreadsheet_rows_that_do_not_fit_are_errors(tmp_path: Path) -> None:
    content = b'a;b\n1;2\n1;2;3\n\n\xff;2\n"open;2\n'
    rows = cells(write(tmp_path, "t.csv", content))
    assert rows[0] == {"a": "1", "b": "2"}
    assert rows[1:3] == [
        RowError(3, "", "has 3 cells where 2 are named"),
        RowError(5, "a", "is not UTF-8"),
    ]
    assert isinstance(rows[3], RowError)


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "t.jsonl", '{"a": 1}\n' * 20_000)
    seen: list[int] = []
    list(read_rows(path, tick=seen.append))
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


def test_what_json_cannot_keep_is_dropped_from_a_cell() -> None:
    value = {"n": float("nan"), "b": b"x", "l": [1, "x", True]}
    assert plain(value) == {"n": None, "b": None, "l": [1, "x", True]}
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    assert plain(deep) == [[[[[[[[[[None]]]]]]]]]]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(content=st.binary(max_size=300), name=st.sampled_from(["t.jsonl", "t.csv", "t.json"]))
def test_any_bytes_give_rows_errors_or_one_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = write(tmp_path_factory.mktemp("any"), name, content)
    try:
        rows = list(read_rows(path))
    except InputError:
        return
    assert all(isinstance(row, Row | RowError) for row in rows)


def test_the_name_of_a_column_may_run_over_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'a,"b\nc"\n1,"2\n3"\n4\n')
    first, second = read_rows(path, Limits())
    assert isinstance(first, Row)
    assert dict(first.cells) == {"a": "1", "b\nc": "2\n3"}
    assert second == RowError(5, "", "has 1 cells where 2 are named")
