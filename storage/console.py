"""What the store's commands have in common: the database they open, and how they print."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from pydantic import BaseModel, ValidationError

from rmr1.errors import ConfigurationError, first_problem
from storage.database import Database

DatabaseUrl = Annotated[
    str, typer.Option("--database", help="URL of the database; by default that of the settings")
]


@contextmanager
def opened(context: typer.Context, url: str) -> Iterator[Database]:
    """The database that the options name, else the one that the entry point hands over.

    Raises:
        ConfigurationError: there is neither.
    """
    opener: Callable[[], Database] | None = context.find_root().obj
    if not url and opener is None:
        raise ConfigurationError("No database is set: give --database URL.")
    store = Database.open(url) if url or opener is None else opener()
    with store:
        yield store


def say(record: dict[str, object]) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(orjson.dumps(record, default=_plain).decode() + "\n")


def _plain(value: object) -> object:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def sentence(error: ValidationError) -> str:
    """The first of pydantic's findings, as a sentence."""
    where, what = first_problem(error)
    said = what.removeprefix("Value error, ")
    return f"{where}: {said}." if where else f"{said[:1].upper()}{said[1:]}."
