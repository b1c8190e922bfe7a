"""Full-text search over pairs and rollouts, and label events that nobody can change (SQLite)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = {
    "pair_search": ("pair_text", "pair_id", ("prompt", "context", "response_a", "response_b")),
    "rollout_search": ("rollout", "id", ("text",)),
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, (table, key, columns) in INDEXES.items():
        _index(name, table, key, columns)
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER label_event_no_{change.lower()} BEFORE {change} ON label_event "
            "BEGIN SELECT RAISE(ABORT, 'label events are never changed'); END"
        )


def _index(name: str, table: str, key: str, columns: tuple[str, ...]) -> None:
    names = ", ".join(columns)
    old = ", ".join(f"old.{column}" for column in columns)
    new = ", ".join(f"new.{column}" for column in columns)
    add = f"INSERT INTO {name} (rowid, {names}) VALUES (new.{key}, {new});"
    remove = f"INSERT INTO {name} ({name}, rowid, {names}) VALUES ('delete', old.{key}, {old});"
    op.execute(
        f"CREATE VIRTUAL TABLE {name} USING fts5({names}, content='{table}', content_rowid='{key}', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    op.execute(f"CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN {add} END")
    op.execute(f"CREATE TRIGGER {name}_delete AFTER DELETE ON {table} BEGIN {remove} END")
    op.execute(
        f"CREATE TRIGGER {name}_update AFTER UPDATE OF {names} ON {table} BEGIN {remove} {add} END"
    )
    op.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
