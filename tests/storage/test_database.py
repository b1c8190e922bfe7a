import multiprocessing
import sqlite3
import threading
import time
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, func, inspect, select, text

from rmr1.errors import ConfigurationError, StorageError
from storage import migrations, pairs, runs, trainings
from storage.database import Database
from storage.table_views import current_label
from storage.tables import AnnotatorRow, PairRow, Row


def test_the_migrated_schema_is_the_declared_one(database):
    def include(name, kind, parents):
        return not (kind == "table" and "_search" in name)

    with database.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"include_name": include, "compare_type": True}
        )
        assert compare_metadata(context, Row.metadata) == []


def test_the_view_has_the_columns_that_are_declared(database):
    with database.read() as session:
        columns = inspect(session.connection()).get_columns("current_label")
    assert [column["name"] for column in columns] == list(current_label.c.keys())


def test_a_database_of_the_first_version_opens_and_its_texts_can_be_searched(tmp_path, make_pair):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    migrations.upgrade(engine, "0001")
    assert migrations.revision(engine) == "0001"
    engine.dispose()
    connection = sqlite3.connect(tmp_path / "old.sqlite")
    with connection:
        connection.execute(
            "INSERT INTO pair (hash, content_hash, prompt_hash, lot, source, subset, multi_turn,"
            " created_at) VALUES ('h', 'c', 'p', 1, '', '', 0, '2026-01-01 00:00:00.000000')"
        )
        connection.execute(
            "INSERT INTO pair_text (pair_id, prompt, context, response_a, response_b,"
            " conversation, meta) VALUES (1, 'an old prompt', '', 'a', 'b', '[]', '{}')"
        )
    connection.close()
    with Database.open(url) as database, database.read() as session:
        found = session.execute(text("SELECT rowid FROM pair_search WHERE pair_search MATCH 'old'"))
        assert found.scalars().all() == [1]


def test_a_database_from_before_trainings_keeps_its_runs(tmp_path):
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(url)
    migrations.upgrade(engine, "0003")
    engine.dispose()
    connection = sqlite3.connect(tmp_path / "old.sqlite")
    with connection:
        connection.execute(
            "INSERT INTO run (kind, name, state, message, params, counts, created_at) VALUES"
            " ('import', 'a file', 'finished', '', '{}', '{}', '2026-01-01 00:00:00.000000')"
        )
    connection.close()
    with Database.open(url) as database, database.write() as session:
        assert [run.name for run in runs.recent(session)] == ["a file"]
        assert trainings.recent(session) == []
        trainings.open_run(session, "first")
        assert [run.name for run in runs.recent(session)] == ["first", "a file"]


def test_a_database_from_the_future_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    with Database.open(url) as database, database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="another version"):
        Database.open(url)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing to see here " * 500)
    with pytest.raises(StorageError, match="database"):
        Database.open(f"sqlite:///{path}")
    assert path.read_text().startswith("nothing")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", "mysql+nodriver://x/y"])
def test_an_unusable_url_is_a_matter_of_configuration(url):
    with pytest.raises(ConfigurationError, match="database URL"):
        Database.open(url)


def test_a_block_that_raises_leaves_nothing(database, make_pair):
    def stop_halfway():
        with database.write() as session:
            pairs.add(session, make_pair())
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        stop_halfway()
    with database.read() as session:
        assert session.scalar(select(func.count(PairRow.id))) == 0


def test_write_blocks_do_not_nest(database):
    with database.write(), pytest.raises(RuntimeError, match="nest"), database.write():
        pass
    with database.write():
        pass


def test_a_reader_goes_on_while_somebody_writes(database, make_pair):
    with database.write() as writing:
        pairs.add(writing, make_pair())
        before = time.monotonic()
        with database.read() as session:
            assert session.scalar(select(func.count(PairRow.id))) == 0
        assert time.monotonic() - before < 1


def test_a_reader_sees_one_state_from_start_to_end(database, make_pair):
    with database.read() as reading:
        assert reading.scalar(select(func.count(PairRow.id))) == 0
        with database.write() as session:
            pairs.add(session, make_pair())
        assert reading.scalar(select(func.count(PairRow.id))) == 0


def test_a_database_without_a_path_is_gone_when_closed():
    database = Database.open("sqlite://")
    with database.write() as session:
        session.add(AnnotatorRow(name="Ada"))
    with database.read() as session:
        assert session.scalar(select(AnnotatorRow.name)) == "Ada"
    database.close()
    database.close()


def test_a_naive_time_is_refused(database):
    with pytest.raises(Exception, match="without zone"), database.write() as session:
        session.add(AnnotatorRow(name="Ada", created_at=datetime(2026, 1, 1)))


def test_foreign_keys_hold(database):
    with pytest.raises(Exception, match="FOREIGN KEY"), database.write() as session:
        session.execute(
            text(
                "INSERT INTO artifact (run_id, kind, name, path, hash, meta,"
                " created_at) VALUES (9, '', '', '', '', '{}', '')"
            )
        )


def test_threads_lose_nothing(database):
    def work(number):
        for i in range(20):
            with database.write() as session:
                session.add(AnnotatorRow(name=f"{number}-{i}"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalar(select(func.count(AnnotatorRow.id))) == 160


def _open_and_write(url, name):
    with Database.open(url) as database:
        for i in range(10):
            with database.write() as session:
                session.add(AnnotatorRow(name=f"{name}-{i}"))


def test_processes_that_open_a_new_database_together_lose_nothing(tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=_open_and_write, args=(url, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Database.open(url) as database, database.read() as session:
        assert session.scalar(select(func.count(AnnotatorRow.id))) == 40
