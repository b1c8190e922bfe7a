"""The journal: every label as a line in a file beside the database."""

from pathlib import Path

from sqlalchemy.orm import Session


class Journal:
    """An append-only file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def catch_up(self, session: Session) -> None:
        """Put back what the journal holds and the tables lack."""
        raise NotImplementedError
