"""The paper's tables, and those of the released runs: every number with its source."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Printed:
    """One number as it was printed.

    Attributes:
        share: the number in 0..1.
        source, version, table: where it stands.
        approximate: it was read off a figure.
        note: what is to be said of it; "" for nothing.
    """

    group: str
    model: str
    column: str
    share: float
    source: str
    version: str
    table: str
    approximate: bool
    note: str


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    column: str
    text: str


class PaperTable(BaseModel):
    """A table as it was printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: str = Field(description="the paper, or the repository of the released runs")
    version: str = Field(description="of the paper, or the commit")
    table: str = Field(description="the table's number, or the name of the files")
    unit: Literal["percent", "share"]
    benchmark: str = Field(default="", description="name of the one that it is about")
    approximate: bool = Field(default=False, description="read off a figure")
    note: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...] = Field(description="group, model, then the values")
    notes: tuple[_Note, ...] = ()

    def numbers(self) -> Iterator[Printed]:
        """Every number of the table."""
        scale = 100 if self.unit == "percent" else 1
        notes = {(note.model, note.column): note.text for note in self.notes}
        for group, model, *values in self.rows:
            name = str(model)
            for column, value in zip(self.columns, values, strict=True):
                if isinstance(value, str):
                    continue
                said = [notes.get((name, at), "") for at in ("", column)]
                yield Printed(
                    group=str(group),
                    model=name,
                    column=column,
                    share=round(value / scale, 6),
                    source=self.source,
                    version=self.version,
                    table=self.table,
                    approximate=self.approximate,
                    note="; ".join(filter(None, said)),
                )

    @property
    def decimals(self) -> int:
        """How many decimals of a per cent the table prints."""
        given = [repr(value) for row in self.rows for value in row[2:] if value != ""]
        most = max((len(text.partition(".")[2]) for text in given), default=0)
        return most if self.unit == "percent" else most - 2

    @property
    def citation(self) -> str:
        """Where the table stands, in words."""
        return f"{self.source} {self.version}, {self.table}"


def paper_tables() -> dict[str, PaperTable]:
    """All tables by name: `main`, `reward_bench`, `rm_bench`, `rmb`, `ablation` and others."""
    return dict(_tables())


@cache
def _tables() -> dict[str, PaperTable]:
    folder = files("rmr1.benchmark") / "tables"
    return {
        file.name.removesuffix(".toml"): PaperTable.model_validate(
            tomllib.loads(file.read_text(encoding="utf-8"))
        )
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    }
