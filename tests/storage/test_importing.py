import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from rmr1.errors import InputError, StorageError
from rmr1.judgement import Judgement, State, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.readers import RowError
from rmr1.record import judgement_record
from rmr1.rollout import read_rollout
from storage import judgements, labels, people, runs, snapshots
from storage.database import Database
from storage.entries import LabelEntry
from storage.importing import import_file, preview
from storage.incoming import Incoming, open_source, read_pairs
from storage.shapes import ColumnMapping
from storage.snapshots import LabelFilter
from storage.tables import JudgementRow, PairRow

SHARED = Path("../shared/data")
RELEASED = SHARED / "rm_r1_released_traces.jsonl.gz"


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"p{n}", "chosen": "good", "rejected": "bad"} for n in range(count)]


def on_record(database: Database, table: type = PairRow) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_preview_counts_and_stores_nothing(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [*rows(30), rows(1)[0], {"prompt": "p", "chosen": 3}])
    seen = preview(path)
    assert (seen.name, seen.shape) == ("t", "chosen and rejected")
    assert seen.mapping == ColumnMapping(prompt="prompt", chosen="chosen", rejected="rejected")
    assert len(seen.rows) == 20
    assert (seen.counts.pairs, seen.counts.repeated, seen.counts.errors) == (30, 1, 1)
    assert seen.errors == (RowError(32, "chosen", "is a number, not a text"),)


def test_a_file_comes_in_once(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", rows(3))
    first = import_file(database, path)
    again = import_file(database, path)
    assert (first.new_pairs, first.duplicates) == (3, 0)
    assert (again.new_pairs, again.duplicates) == (0, 3)
    assert on_record(database) == 3


def test_an_import_is_a_run_with_its_counts(database: Database, tmp_path: Path) -> None:
    report = import_file(database, lines(tmp_path / "t.jsonl", rows(3)), name="my pairs")
    with database.read() as session:
        run = runs.get(session, report.run_id)
    assert (run.kind, run.name, run.state) == ("import", "my pairs", "finished")
    assert run.counts["new_pairs"] == 3
    assert run.params["shape"] == "chosen and rejected"


def test_good_rows_are_kept_only_if_wanted(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [*rows(2), {"prompt": "p", "chosen": "x"}])
    with pytest.raises(InputError, match=r"1 unusable rows.*line 3, column 'rejected': is missing"):
        import_file(database, path, keep_good=False)
    assert on_record(database) == 0
    report = import_file(database, path)
    assert (report.new_pairs, report.counts.errors) == (2, 1)


def test_a_file_without_a_usable_row_is_refused(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [{"prompt": "p", "chosen": "", "rejected": "y"}])
    with pytest.raises(InputError, match="has no usable row: line 1"):
        import_file(database, path)
    broken = tmp_path / "b.jsonl"
    broken.write_text('{"prompt": \n')
    with pytest.raises(InputError, match="has no usable row: line 1: is not JSON"):
        import_file(database, broken)


def test_a_pair_that_is_preferred_both_ways_comes_in_once(
    database: Database, tmp_path: Path
) -> None:
    there = {"prompt": "p", "chosen": "x", "rejected": "y"}
    back = {"prompt": "p", "chosen": "y", "rejected": "x"}
    report = import_file(database, lines(tmp_path / "t.jsonl", [there, back, there]))
    assert (report.new_pairs, report.counts.repeated) == (1, 1)
    assert [str(error) for error in report.errors] == ["line 2: says the opposite of line 1"]


def test_a_log_out_of_its_folder_is_named_by_the_import(database: Database, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "good"}]
    other = [turns[0], {"role": "assistant", "content": "bad"}]
    record = {"text_chosen": turns, "text_rejected": other, "answers": "[[A]]", "results": 1}
    record["Is_Chosen_Answer_Shuffled_toPositionB"] = False
    path = lines(tmp_path / "logs.json", [record])
    with pytest.raises(InputError, match="names no RM-R1 model"):
        import_file(database, path)
    assert import_file(database, path, name="RM-R1-Qwen2.5-Instruct-7B").new_judgements == 1


def test_a_mapping_says_which_column_is_which(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", [{"q": "p", "yes": "good", "no": "bad"}])
    with pytest.raises(InputError, match="say which column"):
        preview(path)
    mapping = ColumnMapping(prompt="q", chosen="yes", rejected="no")
    assert import_file(database, path, mapping).new_pairs == 1
    with pytest.raises(InputError, match="no column 'nein'"):
        preview(path, ColumnMapping(prompt="q", chosen="yes", rejected="nein"))
    with pytest.raises(InputError, match="names no two responses"):
        preview(path, ColumnMapping(prompt="q"))


def test_pairs_without_a_source_get_the_files_name(tmp_path: Path) -> None:
    path = lines(tmp_path / "my_set.v2.jsonl", [rows(1)[0], {**rows(2)[1], "source": "HH"}])
    sources = [pair.source for pair in read_pairs(path) if isinstance(pair, Pair)]
    assert sources == ["my_set", "HH"]


def test_a_file_name_is_only_a_name(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "<img src=x onerror=alert(1)> 'x' {y}.jsonl", rows(1))
    assert import_file(database, path).name == "<img src=x onerror=alert(1)> 'x' {y}"


def test_judgements_come_in_as_judgements(
    database: Database, tmp_path: Path, make_judgement: Callable[..., Judgement]
) -> None:
    judged = make_judgement(plan=Plan(orders="both"), letter="B")
    cut = make_judgement(text="<type>Chat</type> <rubric>")
    path = lines(tmp_path / "out.jsonl", [judgement_record(one) for one in (judged, cut)])
    report = import_file(database, path)
    assert (report.shape, report.new_pairs, report.new_judgements) == ("judgements", 2, 2)
    same = (judged.pair.hash, judged.version.hash, judged.plan.hash)
    with database.read() as session:
        key = judgements.find_same(session, *same)
        assert key
        stored = judgements.get(session, key)
    assert stored.origin == "import"
    assert stored.judgement.verdict is Side.B
    assert stored.judgement.swap_consistent
    assert stored.judgement.state is State.COMPLETE
    assert import_file(database, path).new_judgements == 0


@pytest.mark.parametrize("text", ["", "  \n", "I cannot help with that.", "a\x85b\u2028c [[A]]"])
def test_what_a_judge_wrote_comes_in_whatever_it_is(
    tmp_path: Path, make_judgement: Callable[..., Judgement], text: str
) -> None:
    judged = make_judgement(text=text)
    (found,) = open_source(lines(tmp_path / "t.jsonl", [judgement_record(judged)])).items()
    assert isinstance(found, Incoming)
    assert found.judgement == judged


def test_a_judgement_under_an_own_profile_keeps_its_state(
    tmp_path: Path, make_judgement: Callable[..., Judgement]
) -> None:
    judged = make_judgement()
    read = read_rollout(judged.pair, Order.AB, "So.</think> [[B]]", layout="reasoning")
    version = replace(judged.version, profile="my own")
    record = judgement_record(conclude(judged.pair, version, judged.plan, [read]))
    (found,) = open_source(lines(tmp_path / "t.jsonl", [record])).items()
    assert isinstance(found, Incoming)
    assert found.judgement
    assert found.judgement.rollouts == (read,)
    assert found.judgement.state is State.COMPLETE


def test_a_failed_judgement_comes_in_once_and_without_a_verdict(
    database: Database, tmp_path: Path, make_judgement: Callable[..., Judgement]
) -> None:
    judged = make_judgement()
    cut = read_rollout(judged.pair, Order.AB, "[[A]]", error="the server died")
    failed = conclude(judged.pair, judged.version, judged.plan, [cut])
    path = lines(tmp_path / "t.jsonl", [judgement_record(failed)])
    (found,) = open_source(path).items()
    assert isinstance(found, Incoming)
    assert found.judgement == failed
    assert failed.verdict is None
    assert [import_file(database, path).new_judgements for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("part", "value", "column"),
    [
        ("rollouts", [{"order": "AB", "text": "", "seed": 2**63}], "rollouts"),
        ("rollouts", [{"order": "AB", "text": "", "probability_a": 7}], "rollouts"),
        ("rollouts", [{"order": "AB", "text": "", "injected": 7}], "rollouts"),
        ("pair", {"conversation": []}, "pair"),
        ("plan", {"votes": 0}, "plan"),
        ("judge_version", "me", "judge_version"),
        ("rollouts", [], "rollouts"),
        ("rollouts", ["x"], "rollouts"),
        ("rollouts", [{"order": "CD"}], "rollouts"),
        ("rollouts", [{"order": "AB", "text": 3}], "rollouts"),
    ],
)
def test_a_broken_judgement_names_the_part(
    tmp_path: Path, make_judgement: Callable[..., Judgement], part: str, value: Any, column: str
) -> None:
    record = judgement_record(make_judgement())
    (found,) = read_pairs(lines(tmp_path / "t.jsonl", [{**record, part: value}]))
    assert isinstance(found, RowError)
    assert found.column == column


def test_a_judgements_profile_never_opens_a_file(
    tmp_path: Path, make_judgement: Callable[..., Judgement]
) -> None:
    trap = tmp_path / "trap.toml"
    trap.write_text("not a profile")
    record = judgement_record(make_judgement())
    record["judge_version"]["profile"] = str(trap)
    (found,) = read_pairs(lines(tmp_path / "t.jsonl", [record]))
    assert isinstance(found, Pair)


def test_a_large_import_goes_in_lots_that_can_be_taken_back(
    database: Database, tmp_path: Path
) -> None:
    report = import_file(database, lines(tmp_path / "t.jsonl", rows(35)), lot=10)
    assert report.new_pairs == 35
    with database.write() as session:
        undone = runs.undo_import(session, report.run_id)
    assert undone.pairs_removed == 35
    assert on_record(database) == 0


def test_an_import_that_fails_midway_leaves_nothing(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        session.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON pair WHEN (SELECT COUNT(*) FROM pair) >= 12 "
                "BEGIN SELECT RAISE(ABORT, 'no more'); END"
            )
        )
    with pytest.raises((StorageError, DBAPIError), match="no more"):
        import_file(database, lines(tmp_path / "t.jsonl", rows(15)), lot=10)
    assert on_record(database) == 0
    with database.read() as session:
        assert runs.recent(session, "import")[0].state == "undone"


def test_an_import_that_people_have_labelled_stays(
    database: Database, tmp_path: Path, make_entry: Callable[..., LabelEntry]
) -> None:
    report = import_file(database, lines(tmp_path / "t.jsonl", rows(2)))
    labels.record(database, make_entry("blind", "commit", "A", pair_id=1))
    with database.write() as session, pytest.raises(InputError, match="cannot be taken back"):
        runs.undo_import(session, report.run_id)


def test_an_import_that_fails_midway_keeps_what_was_labelled_meanwhile(
    database: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        people.annotator_id(session, "ann")
        session.execute(
            text(
                "CREATE TRIGGER said AFTER INSERT ON pair WHEN NEW.id = 10 BEGIN "
                "INSERT INTO label_event (key, annotator_id, pair_id, stage, action, value, "
                "display_swapped, created_at, why) VALUES ('k', 1, 10, 'blind', 'commit', 'A', 0, "
                "'2026-01-01 00:00:00.000000', ''); END"
            )
        )
        session.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON pair WHEN (SELECT COUNT(*) FROM pair) >= 12 "
                "BEGIN SELECT RAISE(ABORT, 'no more'); END"
            )
        )
    with pytest.raises((StorageError, DBAPIError), match="no more"):
        import_file(database, lines(tmp_path / "t.jsonl", rows(15)), lot=10)
    with database.read() as session:
        (run,) = runs.recent(session, "import")
    assert run.state == "failed"
    assert on_record(database) == 10


def test_an_import_that_a_snapshot_holds_is_kept_in_part(
    database: Database, tmp_path: Path
) -> None:
    first = import_file(database, lines(tmp_path / "t.jsonl", rows(2)))
    snapshots.create(database, "s", LabelFilter(known=True))
    with database.write() as session:
        undone = runs.undo_import(session, first.run_id)
    assert (undone.pairs_removed, undone.pairs_kept) == (0, 2)


def test_progress_is_told_up_to_the_end(database: Database, tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", rows(50))
    told: list[tuple[int, int]] = []
    import_file(database, path, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.skipif(not RELEASED.exists(), reason="the released logs are not here")
def test_the_released_logs_come_in(database: Database) -> None:
    report = import_file(database, RELEASED)
    assert (report.new_judgements, report.new_pairs, report.counts.mismatches) == (428, 396, 0)
    assert on_record(database, JudgementRow) == 428
    with database.write() as session:
        undone = runs.undo_import(session, report.run_id)
    assert (undone.judgements_removed, undone.pairs_removed) == (428, 396)


@pytest.mark.skipif(not SHARED.exists(), reason="the public data is not here")
def test_every_public_file_is_read_or_refused_in_a_sentence() -> None:
    found = 0
    for path in sorted((SHARED / "preferences/dev").glob("*.gz")):
        if "pointwise" in path.name:
            with pytest.raises(InputError, match="rates single responses"):
                list(read_pairs(path))
            continue
        items = list(read_pairs(path))
        assert not [item for item in items if isinstance(item, RowError)], path.name
        found += len(items)
    assert found == 4483
