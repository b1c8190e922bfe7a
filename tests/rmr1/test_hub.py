import pytest

from rmr1.errors import InputError
from rmr1.hub import fetch, split_files

LISTED = [
    ".gitattributes",
    "README.md",
    "default/test/0000.parquet",
    "default/train/0001.parquet",
    "default/train/0000.parquet",
    "other/train/0000.parquet",
]


@pytest.mark.parametrize(
    ("listed", "split", "expected"),
    [
        (LISTED, None, ["default/train/0000.parquet", "default/train/0001.parquet"]),
        (LISTED, "test", ["default/test/0000.parquet"]),
        (LISTED, "validation", []),
        (
            ["b/x/0.parquet", "a/y/0.parquet", "a/z/0.parquet"],
            None,
            ["a/y/0.parquet", "a/z/0.parquet"],
        ),
        ([], None, []),
    ],
)
def test_the_files_of_a_split_are_chosen(
    listed: list[str], split: str | None, expected: list[str]
) -> None:
    assert split_files(listed, split) == expected


@pytest.mark.parametrize(
    "name", ["hub:", "hub:one", "hub:a/b/c", "hub:../etc/passwd", "hub:a/b:c:d"]
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is no data set's name"):
        fetch(name)
