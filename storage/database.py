"""An open database: its schema brought up to date, one block one transaction, one writer."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from rmr1.errors import ConfigurationError, StorageError
from storage import migrations
from storage.journal import Journal

BUSY_TIMEOUT_S = 30
"""How long a writer waits for another one before it gives up."""

_WRITE_LOCK_KEY = 0x726D7231  # any number will do, as long as all processes use the same


class Database:
    """An open database; safe to share between threads.

    Attributes:
        url: where it is.
        journal: where labels are written down before they are committed; None for none.
    """

    def __init__(self, url: URL, journal: Journal | None, folder: TemporaryDirectory[str] | None):
        self.url = url
        self.journal = journal
        self._folder = folder
        self._readers = _engine(url, readonly=True)
        self._writers = _engine(url, readonly=False)
        self._lock = threading.Lock()
        self._writing_thread: int | None = None

    @classmethod
    def open(cls, url: str = "sqlite://", journal_path: Path | None = None) -> Self:
        """Open the database at `url`, made or brought up to date where needed.

        Labels that the journal holds and the tables lack are put back.

        Args:
            url: an SQLAlchemy URL. `sqlite://` without a path is a database that is gone when
                it is closed.
            journal_path: the file that labels are also appended to; None for no journal.

        Raises:
            ConfigurationError: the URL cannot be understood, or its driver is not installed.
            StorageError: the file is no database, is locked, or is of a newer version.
        """
        folder = None
        parsed = _parse(url)
        if parsed.get_backend_name() == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                folder = TemporaryDirectory(prefix="rmr1-", ignore_cleanup_errors=True)
                parsed = parsed.set(database=str(Path(folder.name) / "database.sqlite"))
            else:
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(journal_path) if journal_path else None
        database = cls(parsed, journal, folder)
        try:
            database._bring_up_to_date()
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent view of the data; it never waits for a writer and cannot change a row."""
        with _storage_errors(), Session(self._readers, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends well, undone when it raises.

        Writers take turns, across threads and processes, so keep the block short: no model
        call and no download in it. Blocks do not nest.

        Raises:
            StorageError: another writer held the database for too long, or the disk is full.
        """
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("write blocks do not nest: pass the session on")
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_S):
            raise StorageError("The database is busy: another writer held it for too long.")
        try:
            self._writing_thread = threading.get_ident()
            with _storage_errors(), Session(self._writers) as session, session.begin():
                session.connection()  # takes the write lock now, not at the first change
                yield session
        finally:
            self._writing_thread = None
            self._lock.release()

    def close(self) -> None:
        """Let all connections go; safe to call twice."""
        self._readers.dispose()
        self._writers.dispose()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bring_up_to_date(self) -> None:
        with _storage_errors():
            migrations.upgrade(self._writers)
        if self.journal:
            with self.write() as session:
                self.journal.catch_up(session)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            f"The database URL {url!r} cannot be used ({error}): "
            "write sqlite:///path/to/file or postgresql+psycopg://user@host/name."
        ) from error
    return parsed


def _engine(url: URL, *, readonly: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, readonly=readonly)
    engine = create_engine(
        url, pool_pre_ping=True, execution_options={"postgresql_readonly": readonly}
    )
    if not readonly:

        @event.listens_for(engine, "begin")
        def take_turns(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK_KEY})

    return engine


def _sqlite_engine(url: URL, *, readonly: bool) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"
    # Lists and charts walk whole tables: with SQLite's own 2 MB they read the file again each time.
    memory = ["cache_size = -32768", "temp_store = MEMORY"]
    pragmas = (
        ["query_only = ON", *memory] if readonly else ["foreign_keys = ON", "synchronous = FULL"]
    )

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver would begin on its own, too late
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError) as error:
        cause = getattr(error, "orig", None) or error
        raise StorageError(f"The database refused: {cause}.") from error
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and type(error) is DatabaseError:
            raise StorageError(f"The file is no usable database: {error.orig}.") from error
        raise
