import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from rmr1.errors import ConfigurationError, InputError, RMR1Error, StorageError
from rmr1.pair import Pair
from storage import labels, pairs
from storage.cli import app
from storage.database import Database
from storage.entries import LabelEntry


@pytest.fixture
def run(tmp_path: Path, journal_path: Path) -> Callable[..., list[Any]]:
    """Runs a command on a database file; the lines that it printed, read."""
    root = typer.Typer()
    root.add_typer(app)
    url = f"sqlite:///{tmp_path / 'database.sqlite'}"

    @root.callback()
    def _remember(context: typer.Context) -> None:
        context.obj = lambda: Database.open(url, journal_path)

    def call(*arguments: object) -> list[Any]:
        result = CliRunner().invoke(root, [str(one) for one in arguments])
        if isinstance(result.exception, RMR1Error):
            raise result.exception
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"p{n}", "chosen": "good", "rejected": "bad"} for n in range(20)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_a_dry_run_says_what_would_come_in(run: Callable[..., list[Any]], file: Path) -> None:
    (said,) = run("import", file, "--dry-run")
    assert said["counts"]["pairs"] == 20
    assert said["mapping"] == {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
    assert run("imports", "list") == []


def test_a_file_comes_in_and_is_taken_back(run: Callable[..., list[Any]], file: Path) -> None:
    (said,) = run("import", file, "--name", "mine")
    assert (said["name"], said["new_pairs"], said["duplicates"]) == ("mine", 20, 0)
    (listed,) = run("imports", "list")
    assert (listed["id"], listed["state"]) == (said["import"], "finished")
    (undone,) = run("imports", "undo", said["import"])
    assert undone["pairs_removed"] == 20
    with pytest.raises(InputError, match="already"):
        run("imports", "undo", said["import"])


def test_a_bad_row_stops_an_import_unless_good_ones_are_kept(
    run: Callable[..., list[Any]], file: Path
) -> None:
    file.write_text(file.read_text() + '\n{"prompt": "p"}\n')
    with pytest.raises(InputError, match="line 21, column 'chosen': is missing"):
        run("import", file)
    (said,) = run("import", file, "--keep-good")
    assert said["new_pairs"] == 20
    assert said["errors"] == ["line 21, column 'chosen': is missing"]


def test_columns_can_be_mapped(run: Callable[..., list[Any]], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("q=?,yes,no\np,good,bad\n")
    maps = ("--map", "q=?=prompt", "--map", "yes=chosen", "--map", "no=rejected")
    assert run("import", path, *maps)[0]["new_pairs"] == 1
    with pytest.raises(InputError, match="knows the fields prompt"):
        run("import", path, "--map", "yes=better")
    with pytest.raises(InputError, match="COLUMN=FIELD"):
        run("import", path, "--map", "yes")


def test_a_snapshot_is_counted_frozen_and_exported(
    run: Callable[..., list[Any]], file: Path, tmp_path: Path
) -> None:
    run("import", file)
    (counts,) = run("snapshots", "create", "s", "--known", "--dry-run")
    assert counts["known"] == 20
    (made,) = run("snapshots", "create", "s", "--known", "--source", "pairs")
    assert made["filter"]["sources"] == ["pairs"]
    assert run("snapshots", "list") == [made]
    out = tmp_path / "out"
    counting = ("export", "rlvr", "--out", out, "--dry-run", "--split", "0.5,0.25,0.25")
    (dry,) = run(*counting, "--distillation", "all")
    assert sum(dry["rows"].values()) == 20
    (shared,) = run(*counting)
    kept = shared["dropped"]["kept for distillation"]
    assert sum(shared["rows"].values()) == 20 - kept < 20
    assert not out.exists()
    (manifest,) = run("export", "rlvr", "--out", out, "--snapshot", "s", "--format", "jsonl")
    assert {Path(one["name"]).suffix for one in manifest["files"]} == {".jsonl"}
    assert run("export", "labels", "--out", out / "no", "--dry-run") == [{"rows": 20}]
    assert not (out / "no").exists()
    assert run("export", "labels", "--out", out) == [{"file": str(out / "labels.csv"), "rows": 20}]
    with pytest.raises(InputError, match="cannot be written"):
        run("export", "labels", "--out", out / "labels.csv")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--split", "0.5,0.5"), "add up to 1|three shares"),
        (("--split", "a,b,c"), "three shares"),
        (("--split", "0.5,0.1,0.1"), "add up to 1"),
        (("--split", "0.9,nan,0.1"), "add up to 1"),
        (("--traces", "0"), "traces_per_pair"),
        (("--snapshot", "gone"), "no snapshot named 'gone'"),
        (("--profile", "gone"), "no prompt profile 'gone'"),
        (("--refuse", "gone.jsonl"), r"no file 'gone\.jsonl'"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(
    run: Callable[..., list[Any]], file: Path, tmp_path: Path, arguments: Any, what: str
) -> None:
    run("import", file)
    run("snapshots", "create", "s", "--known")
    with pytest.raises(RMR1Error, match=what) as caught:
        run("export", "rlvr", "--out", tmp_path / "out", *arguments)
    assert "\n" not in str(caught.value)


def test_an_export_needs_a_snapshot(run: Callable[..., list[Any]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no snapshot yet"):
        run("export", "sft", "--out", tmp_path)


def test_labels_are_checked_against_the_journal_and_replayed(
    run: Callable[..., list[Any]],
    database: Database,
    journal_path: Path,
    make_pair: Callable[..., Pair],
    make_entry: Callable[..., LabelEntry],
    tmp_path: Path,
) -> None:
    with database.write() as session:
        pair_id = pairs.add(session, make_pair())
    labels.record(database, make_entry("blind", "commit", "A", pair_id=pair_id))
    database.close()
    assert run("db", "upgrade") == [{"upgraded": True}]
    (report,) = run("db", "check")
    assert (report["agree"], report["events"]) == (True, 1)
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    with pytest.raises(StorageError, match="do not hold the same labels"):
        run("db", "check", journal_path, "--database", other)
    (replayed,) = run("db", "replay", journal_path, "--database", other)
    assert (replayed["added"], replayed["unreadable"]) == (1, [])
    assert run("db", "check", journal_path, "--database", other)[0]["agree"]
    with pytest.raises(InputError, match="has no journal"):
        run("db", "check", "--database", other)


def test_a_journal_that_is_not_there_is_not_taken_for_an_empty_one(
    run: Callable[..., list[Any]], tmp_path: Path
) -> None:
    for command in ("check", "replay"):
        with pytest.raises(InputError, match=r"no file '.*gone\.jsonl'"):
            run("db", command, tmp_path / "gone.jsonl")


def test_without_an_entry_point_the_database_must_be_named(file: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["imports", "list"])
    assert isinstance(result.exception, ConfigurationError)
    url = f"sqlite:///{tmp_path / 'database.sqlite'}"
    result = CliRunner().invoke(app, ["import", str(file), "--database", url])
    assert json.loads(result.stdout)["new_pairs"] == 20
    assert result.stderr == ""
