import json
import multiprocessing
import random

import pytest
from sqlalchemy import select

from rmr1.errors import StorageError
from storage import journal, judgements, labels, pairs, queues
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.tables import LabelEventRow


@pytest.fixture
def busy(database, make_judgement, make_entry):
    """Labels of two people on three pairs: commits, changes, repairs, an undo, odd characters."""
    with database.write() as session:
        keys = [judgements.add(session, make_judgement(), profile_text="how") for _ in range(3)]
        places = [(judgements.get(session, key).pair_id, key) for key in keys]
        queue = queues.create(session, "Hard ones", JudgementFilter(verdict="A"), seed=5)
    for pair_id, key in places:
        for name in ("Ada", "Bob \ud800"):
            on = {"pair_id": pair_id, "annotator": name, "queue_id": queue.id}
            labels.record(database, make_entry("blind", "commit", "B", seconds=1 / 3, **on))
            on["judgement_key"] = key
            labels.record(database, make_entry("verdict", "change", "A", strength=1, **on))
            repair = {"sections": {"justify": "naïve\n\ud800\0"}, "tags": ["a", "b"], "note": "“n”"}
            labels.record(database, make_entry("reasoning", "repair", **on, **repair))
    labels.undo_last(database, "Ada", "undo-one")
    return places


def current(database):
    """The current labels without what differs from database to database."""
    with database.read() as session:
        found = labels.current(session)
    gone = ("event_id", "pair_id", "queue_id")
    return [
        {name: getattr(label, name) for name in label.__slots__ if name not in gone}
        for label in found
    ]


def test_a_line_is_there_for_every_label(database, journal_path, busy):
    lines = [json.loads(line) for line in journal_path.read_text().splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds[:4] == ["pair", "queue", "label", "judgement"]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "pair": 3,
        "judgement": 3,
        "queue": 1,
        "label": 19,
    }
    assert journal.check(database, journal_path).agree


def test_the_journal_alone_rebuilds_the_labels(database, journal_path, busy):
    with Database.open() as rebuilt:
        report = journal.replay(rebuilt, journal_path)
        again = journal.replay(rebuilt, journal_path)
        assert (report.added, again.added) == (19, 0)
        assert report.unreadable == again.unreadable == []
        assert journal.check(rebuilt, journal_path).agree
        assert current(rebuilt) == current(database)
        with database.read() as session, rebuilt.read() as other:
            for pair_id, key in busy:
                original = judgements.get(session, key)
                copy = judgements.get(other, key)
                assert copy.judgement == original.judgement
                assert copy.created_at == original.created_at
                pair = pairs.get(session, pair_id).pair
                assert pairs.find(other, pair.hash).pair == pair


def test_opening_an_empty_database_beside_a_journal_brings_the_labels_back(
    database, journal_path, busy, tmp_path
):
    url = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    with Database.open(url, journal_path) as fresh:
        assert current(fresh) == current(database)


def last_event(database):
    with database.read() as session:
        return session.scalar(select(LabelEventRow).order_by(LabelEventRow.id.desc()))


def die_before_commit(database, entry):
    """What a killed process leaves: the line is on disk, the transaction is not."""

    class Killed(BaseException):
        pass

    class Dying:
        path = database.journal.path

        def catch_up(self, session):
            database.journal.catch_up(session)

        def append(self, session, event):
            database.journal.append(session, event)
            raise Killed

    stand_in = Database.open(str(database.url))
    stand_in.journal = Dying()
    with stand_in, pytest.raises(Killed):
        labels.record(stand_in, entry)


def test_a_line_without_a_commit_is_put_back_before_the_next_label(
    database, journal_path, stored, make_entry
):
    lost = make_entry("blind", "commit", "A", pair_id=stored[0])
    die_before_commit(database, lost)
    assert last_event(database) is None
    receipt = labels.record(database, make_entry("blind", "commit", "B", pair_id=stored[0]))
    assert receipt.id == 2
    assert labels.record(database, lost).duplicate
    assert current(database)[0]["value"] == "B"
    assert journal.check(database, journal_path).agree


def test_a_line_without_a_commit_is_put_back_at_the_next_start(
    database, journal_path, stored, make_entry
):
    die_before_commit(database, make_entry("blind", "commit", "A", pair_id=stored[0]))
    with Database.open(str(database.url), journal_path) as reopened:
        assert current(reopened)[0]["value"] == "A"


@pytest.mark.parametrize("torn", [b'{"kind": "lab', b"\xff\xfe", b"x" * 10_000])
def test_a_torn_last_line_is_cut_off(database, journal_path, busy, make_entry, torn):
    whole = journal_path.read_bytes()
    journal_path.write_bytes(whole + torn)
    labels.record(database, make_entry("blind", "commit", "A", pair_id=busy[0][0]))
    assert journal_path.read_bytes().startswith(whole + b'{"kind": "label"')
    assert journal.check(database, journal_path).agree


def test_a_lost_journal_is_written_again_from_the_tables(database, journal_path, busy, make_entry):
    before = journal_path.read_text()
    journal_path.unlink()
    labels.record(database, make_entry("blind", "commit", "A", pair_id=busy[0][0]))
    assert journal_path.read_text().startswith(before)
    assert journal.check(database, journal_path).agree


def test_a_journal_given_to_an_older_database_gets_its_labels(tmp_path, make_judgement, make_entry):
    url, path = f"sqlite:///{tmp_path / 'old.sqlite'}", tmp_path / "new.jsonl"
    with Database.open(url) as database:
        with database.write() as session:
            pair_id = pairs.add(session, make_judgement().pair)
        labels.record(database, make_entry("blind", "commit", "A", pair_id=pair_id))
    with Database.open(url, path) as database:
        assert journal.check(database, path).agree
        assert len(path.read_text().splitlines()) == 2


def test_a_journal_of_another_database_is_taken_in_beside_its_own_labels(
    database, journal_path, busy, tmp_path, make_judgement, make_entry
):
    mine = tmp_path / "mine.jsonl"
    with Database.open(f"sqlite:///{tmp_path / 'mine.sqlite'}", mine) as other:
        with other.write() as session:
            pair_id = pairs.add(session, make_judgement().pair)
        labels.record(other, make_entry("blind", "commit", "A", pair_id=pair_id))
        assert journal.replay(other, journal_path).added == 19
        assert journal.check(other, mine).agree
        assert journal.check(other, journal_path).differing == []  # though numbers differ
        assert len(current(other)) == 7


def test_labels_replayed_without_a_journal_are_in_the_next_one(
    database, journal_path, busy, tmp_path, make_judgement, make_entry
):
    mine, url = tmp_path / "mine.jsonl", f"sqlite:///{tmp_path / 'mine.sqlite'}"
    with Database.open(url, mine) as other:
        with other.write() as session:
            pair_id = pairs.add(session, make_judgement().pair)
        labels.record(other, make_entry("blind", "commit", "A", pair_id=pair_id))
    with Database.open(url) as without:
        assert journal.replay(without, journal_path).added == 19
    with Database.open(url, mine) as again:
        assert journal.check(again, mine).agree


def test_lines_that_say_nothing_usable_are_reported_and_passed_over(
    database, journal_path, busy, tmp_path
):
    lines = journal_path.read_bytes().splitlines(keepends=True)
    bad = [b"\n", b"[]\n", b"not json\n", b'{"kind": "label"}\n', b'{"kind": "cake"}\n']
    bad += [b'{"kind": "pair", "pair": {"conversation": []}}\n', b"\xff\n"]
    bad += [b"[" * 100_000 + b"\n", b'{"kind": "label", "key": {"a": 1}}\n']
    label = json.loads(lines[-1]) | {"key": "odd", "undoes": None}
    odd = [{"seconds": {}}, {"id": 2**70}, {"created_at": "yesterday"}, {"pair": None}]
    late = [json.dumps(label | one).encode() + b"\n" for one in odd]
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(b"".join([*bad, *lines, *late]))
    with Database.open() as rebuilt:
        report = journal.replay(rebuilt, mixed)
        assert (report.added, len(report.unreadable)) == (19, len(bad) + len(late))
        assert current(rebuilt) == current(database)


def test_a_check_names_what_differs(database, journal_path, busy):
    lines = journal_path.read_text().splitlines(keepends=True)
    changed = json.loads(lines[-1]) | {"why": "tampered"}
    extra = json.loads(lines[2]) | {"key": "nowhere else"}
    journal_path.write_text(
        "".join([*lines[:2], *lines[3:-1], json.dumps(changed) + "\n", json.dumps(extra) + "\n"])
    )
    report = journal.check(database, journal_path)
    assert not report.agree
    assert report.missing_in_tables == ["nowhere else"]
    assert report.missing_in_journal == [json.loads(lines[2])["key"]]
    assert report.differing == [changed["key"]]


def test_a_folder_in_the_journals_place_is_said_to_be_unusable(tmp_path):
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(StorageError, match="journal"):
        Database.open(f"sqlite:///{tmp_path / 'd.sqlite'}", tmp_path / "journal.jsonl")


def _label_a_lot(url, path, name, pair_hash):
    with Database.open(url, path) as database:
        for number in range(15):
            entry = LabelEntry(
                key=f"{name}-{number:06}",
                annotator=name,
                pair_hash=pair_hash,
                stage="blind",
                action="commit",
                value=random.choice(["A", "B"]),
            )
            labels.record(database, entry)


def test_processes_that_label_at_once_write_one_journal(tmp_path, make_pair):
    url, path = f"sqlite:///{tmp_path / 'd.sqlite'}", tmp_path / "journal.jsonl"
    pair = make_pair()
    with Database.open(url, path) as database, database.write() as session:
        pairs.add(session, pair)
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_label_a_lot, args=(url, path, f"person {n}", pair.hash))
        for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with Database.open(url, path) as database, Database.open() as rebuilt:
        report = journal.check(database, path)
        assert report.agree
        assert report.events == report.lines == 45
        journal.replay(rebuilt, path)
        assert current(rebuilt) == current(database)
