import os

import pytest


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch):
    """No variable of the machine reaches a test; PostgreSQL's address apart."""
    for name in os.environ:
        if name.startswith("RMR1_") and name != "RMR1_TEST_POSTGRES":
            monkeypatch.delenv(name)
