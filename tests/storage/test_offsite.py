"""The restart drill: the journal survives a wiped disk, through the Hub's real client."""

import json
import shutil
import time
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from rmr1.errors import StorageError
from rmr1.offsite_settings import OffsiteSettings
from storage import journal, labels, pairs
from storage.database import Database
from storage.offsite import Offsite
from storage.offsite_stores import BucketStore, part_store
from tests.hub_stand_in import hub_stand_in


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_stand_in")
    with hub_stand_in() as opened:
        yield opened


class Host:
    """A machine with a disk that can be wiped."""

    def __init__(self, folder, hub, empty_database):
        self.folder, self.hub, self.empty, self.starts = folder, hub, empty_database, 0

    def start(self):
        """The database and its off-site copy, as a start of the program opens them."""
        disk = self.folder / f"disk{self.starts}"
        if not disk.exists():
            disk.mkdir()
            shutil.copy(self.empty, disk / "rmr1.db")
        database = Database.open(f"sqlite:///{disk / 'rmr1.db'}", disk / "labels.jsonl")
        store = part_store("team/labels", "labels", endpoint=self.hub.url, attempts=1)
        return database, Offsite(database, store)

    def wipe(self):
        self.starts += 1


@pytest.fixture
def host(tmp_path, hub, empty_database):
    return Host(tmp_path, hub, empty_database)


def label(database, make_pair, make_entry, name, n):
    """`n` blind labels of a person on pairs of their own; the last receipt."""
    for number in range(n):
        with database.write() as session:
            pair_id = pairs.add(session, make_pair(f"{name} {number}"))
        receipt = labels.record(
            database, make_entry("blind", "commit", "A", pair_id=pair_id, annotator=name)
        )
    return receipt


def said(database):
    with database.read() as session:
        return sorted((one.annotator, one.pair_hash, one.value) for one in labels.current(session))


def test_labels_survive_a_wiped_disk(host, hub, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        assert offsite.restore() == 0  # the repository is made
        label(database, make_pair, make_entry, "Ada", 3)
        offsite.push()
        label(database, make_pair, make_entry, "Bob", 2)
        offsite.push()
        before = said(database)
    assert len(before) == 5
    assert len(hub.files) == len(hub.commits) == 2

    host.wipe()
    database, offsite = host.start()
    with database:
        assert said(database) == []
        assert offsite.restore() == 5
        assert said(database) == before
        assert journal.check(database, database.journal.path).agree
        assert offsite.push() == 0  # what came from there does not go there again
        assert offsite.restore() == 0
        assert said(database) == before
        receipt = label(database, make_pair, make_entry, "Cleo", 1)
        offsite.push()
        assert offsite.status().through["label"] == receipt.id
    lines = [json.loads(line) for data in hub.files.values() for line in data.splitlines()]
    keys = [line["key"] for line in lines if line["kind"] == "label"]
    assert len(keys) == len(set(keys)) == 6


def test_what_was_not_pushed_is_named_as_stored_here_only(host, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        offsite.restore()
        kept = label(database, make_pair, make_entry, "Ada", 2)
        offsite.push()
        lost = label(database, make_pair, make_entry, "Bob", 1)
        assert kept.id <= offsite.status().through["label"] < lost.id
    # killed here: nothing was closed

    host.wipe()
    database, offsite = host.start()
    with database:
        offsite.restore()
        assert {name for name, _, _ in said(database)} == {"Ada"}


def test_what_was_not_pushed_goes_after_a_restart_that_keeps_the_disk(host, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        offsite.restore()
        label(database, make_pair, make_entry, "Ada", 2)
    database, offsite = host.start()
    with database:
        assert offsite.restore() == 0
        assert offsite.push() == 4  # two pairs, two labels
        assert offsite.status().through["label"] == 2


def test_the_thread_pushes_by_itself_and_outlives_an_outage(host, hub, make_pair, make_entry):
    database, offsite = host.start()
    offsite = Offsite(
        database,
        part_store("team/labels", "labels", endpoint=hub.url, attempts=1),
        seconds=0.1,
    )
    hub.is_down = True
    with database:
        offsite.start()
        assert "cannot be reached" in offsite.status().problem
        receipt = label(database, make_pair, make_entry, "Ada", 1)
        assert offsite.status().through == {}
        hub.is_down = False
        for _ in range(200):
            if offsite.status().through.get("label") == receipt.id:
                break
            time.sleep(0.05)
        assert offsite.status().through == {"label": receipt.id}
        assert offsite.status().problem == ""
        offsite.close()


def test_an_outage_raises_one_sentence_and_loses_nothing(host, hub, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        offsite.restore()
        label(database, make_pair, make_entry, "Ada", 1)
        hub.is_down = True
        with pytest.raises(StorageError, match="team/labels cannot be reached"):
            offsite.push()
        assert offsite.status().waiting == 1
        hub.is_down = False
        assert offsite.push() == 2
        assert offsite.status().waiting == 0


def test_closing_pushes_what_waits(host, hub, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        offsite.start()
        label(database, make_pair, make_entry, "Ada", 1)
        offsite.close()
    assert len(hub.files) == 1


def test_parts_of_two_processes_are_put_back_in_any_order(host, hub, make_pair, make_entry):
    database, offsite = host.start()
    with database:
        offsite.restore()
        label(database, make_pair, make_entry, "Ada", 2)
        offsite.push()
    ((name, data),) = hub.files.items()
    lines = data.splitlines(keepends=True)
    hub.files = {"labels/1/b.jsonl": lines[0] + lines[2] + b"torn", name: lines[1] + lines[3]}
    hub.files["labels/0/a.jsonl"] = b"".join(lines[::-1]) + b"no json\n[]\n"
    host.wipe()
    database, offsite = host.start()
    with database:
        assert offsite.restore() == 2


class Bucket:
    """The bucket calls of the Hub's client, over a dictionary."""

    def __init__(self):
        self.files = {"other/readme.jsonl": b"not ours"}

    def list_bucket_tree(self, bucket, prefix, recursive):
        return [
            SimpleNamespace(type="file", path=path)
            for path in self.files
            if path.startswith(prefix)
        ]

    def download_bucket_files(self, bucket, files, raise_on_missing_files):
        for name, place in files:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.files[name])

    def batch_bucket_files(self, bucket, add):
        for data, name in add:
            assert name not in self.files
            self.files[name] = data


def test_labels_survive_in_a_bucket_too(host, make_pair, make_entry):
    bucket = Bucket()
    for added in (2, 0):
        database, _ = host.start()
        store = BucketStore(bucket, "team/labels", "labels", attempts=1)
        offsite = Offsite(database, store)
        with database:
            assert offsite.restore() == 2 - added
            if added:
                label(database, make_pair, make_entry, "Ada", added)
                assert offsite.push() == 4
            assert len(said(database)) == 2
        host.wipe()
    assert len(bucket.files) == 2


def test_a_setting_names_a_repository_or_a_bucket():
    assert part_store("team/labels", "labels").title == "datasets/team/labels"
    assert part_store("buckets/team/labels", "labels").title == "buckets/team/labels"
    assert OffsiteSettings(repo="buckets/team/labels").folder == "labels"
    with pytest.raises(ValidationError):
        OffsiteSettings(repo="https://somewhere/else")
