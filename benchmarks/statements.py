"""The statements that a piece of work sends to the database, timed again one by one."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from storage.database import Database

Values = tuple[object, ...]


@dataclass(slots=True)
class Statement:
    """A statement with its values; how long it takes to its last row, and how SQLite runs it."""

    text: str
    values: Values
    seconds: float = 0.0
    plan: list[str] = field(default_factory=list)


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Gathers every statement of all connections while the block runs."""
    found: list[Statement] = []

    def note(
        connection: Connection,
        cursor: DBAPICursor,
        text: str,
        values: object,
        context: ExecutionContext,
        many: bool,
    ) -> None:
        del connection, cursor, context
        if not many and isinstance(values, tuple):
            found.append(Statement(text, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def slowest(database: Database, statements: list[Statement]) -> Statement | None:
    """The slowest of the statements that read, run again on a connection of its own."""
    connection = sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True)
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")
    asked = {
        (one.text, one.values): one
        for one in statements
        if one.text.lstrip().upper().startswith(("SELECT", "WITH"))
    }
    for one in asked.values():
        started = time.perf_counter()
        for _ in connection.execute(one.text, one.values):
            pass
        one.seconds = time.perf_counter() - started
    last = max(asked.values(), key=lambda one: one.seconds, default=None)
    if last is not None:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {last.text}", last.values).fetchall()
        last.plan = _tree(rows)
    connection.close()
    return last


def _tree(rows: list[tuple[int, int, int, str]]) -> list[str]:
    depth = {0: 0}
    lines = []
    for id_, parent, _, detail in rows:
        depth[id_] = depth.get(parent, 0) + 1
        lines.append("  " * (depth[id_] - 1) + detail)
    return lines
