"""The steps from each released schema to the present one; a released step is never edited."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from rmr1.errors import StorageError


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the schema of `engine` up to date, in one transaction; harmless when it is.

    Processes that open one database at the same time wait for each other.

    Raises:
        StorageError: the database is of a newer version than this program.
    """
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            _upgrade(connection, to)
            return
        _turn_wal_on(connection)
        _driver(connection, "PRAGMA foreign_keys = OFF")  # while tables may be rewritten
        try:
            _upgrade(connection, to)
        finally:
            _driver(connection, "PRAGMA foreign_keys = ON")


def revision(engine: Engine) -> str | None:
    """The step that the database stands at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection, to: str) -> None:
    with connection.begin():
        config = _config(connection)
        if _is_current(connection, config):
            return
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise StorageError(
                "The database is of another version than this program: update the program, "
                f"or open another database ({error})."
            ) from error
        if connection.dialect.name == "sqlite":
            _check_foreign_keys(connection)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _is_current(connection: Connection, config: Config) -> bool:
    now = MigrationContext.configure(connection).get_current_revision()
    return now == ScriptDirectory.from_config(config).get_current_head()


def _turn_wal_on(connection: Connection) -> None:
    """Let readers go on while somebody writes; the setting stays in the file."""
    for attempt in range(50):
        try:
            _driver(connection, "PRAGMA journal_mode = WAL")
        except OperationalError:  # SQLite does not wait for others in this one statement
            if attempt == 49:
                raise
            time.sleep(0.1)
        else:
            return


def _driver(connection: Connection, statement: str) -> None:
    """Run a statement that SQLite takes outside a transaction only."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StorageError(
            f"The database was left as it was: {len(broken)} rows refer to rows that are gone."
        )
