"""What a file brings: pairs and judgements in the order of its rows, unusable rows as errors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rmr1 import hub
from rmr1.benchmark import released
from rmr1.cells import CellError, Cells, judge_text, kind
from rmr1.errors import InputError, first_problem
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order, Pair
from rmr1.plan import Plan
from rmr1.prompt import Layout, load_profile, profile_names
from rmr1.readers import Limits, Row, RowError, Tick, read_rows
from rmr1.rollout import Rollout, State, read_rollout
from storage.records import pairs_of
from storage.shapes import ColumnMapping, Shape, UnmappedColumns, detect

_M = TypeVar("_M", Pair, Plan)

_LOOK = 20
"""Rows that are looked at to tell what a file is."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One pair that a row brings, with the judgement on it where the row holds one.

    Attributes:
        agrees: whether a released log's own result equals our reading; True for all else.
    """

    line: int
    pair: Pair
    judgement: Judgement | None = None
    agrees: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or a Hub data set, that has been looked at.

    Attributes:
        name: the file's name without its suffixes; what pairs without a source of their own get.
        title: what the import is called, or ""; a released log's judge may be named in it.
        columns: of the first rows, in their order.
    """

    name: str
    title: str
    paths: tuple[Path, ...]
    shape: Shape
    mapping: ColumnMapping
    limits: Limits
    columns: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(path.stat().st_size for path in self.paths)

    def items(self, tick: Tick | None = None) -> Iterator[Incoming | RowError]:
        """Read it from the start.

        Raises:
            InputError: a file cannot be read to its end.
        """
        for path in self.paths:
            for row in read_rows(path, self.limits, tick):
                if isinstance(row, RowError):
                    yield row
                else:
                    yield from self._row(row, path)

    def _row(self, row: Row, path: Path) -> Iterator[Incoming | RowError]:
        try:
            # A row is used as a whole or not at all.
            yield from list(self._items(row, path))
        except CellError as error:
            yield RowError(row.line, error.column, error.reason)
        except (ValidationError, RecursionError) as error:
            yield RowError(row.line, "", f"cannot be used: {str(error).splitlines()[0]}")

    def _items(self, row: Row, path: Path) -> Iterator[Incoming]:
        if self.shape is Shape.RELEASED:
            for one in released.read_record(row.cells, f"{self.title}/{path}"):
                yield Incoming(row.line, one.judgement.pair, one.judgement, one.agrees)
        elif self.shape is Shape.JUDGEMENTS:
            judgement = read_judgement(row.cells)
            yield Incoming(row.line, judgement.pair, judgement)
        else:
            for pair in pairs_of(self.shape, row.cells, self.mapping):
                named = pair if pair.source else pair.model_copy(update={"source": self.name})
                yield Incoming(row.line, named)


def open_source(
    path: Path | str,
    mapping: ColumnMapping | None = None,
    limits: Limits | None = None,
    title: str = "",
) -> Source:
    """Look at a file, or fetch a data set whose name begins with `hub:`, and tell what it holds.

    Args:
        mapping: which column is which; where given, nothing is guessed.

    Raises:
        InputError: it cannot be read, or holds no pairs.
    """
    paths = tuple(hub.fetch(path)) if isinstance(path, str) and path.startswith("hub:") else ()
    name = str(path).split(":")[1] if paths else _stem(Path(path))
    paths = paths or (Path(path),)
    limits = limits or Limits()
    rows = []
    first_error = None
    for row in read_rows(paths[0], limits):
        if isinstance(row, Row):
            rows.append(row.cells)
        first_error = first_error or (row if isinstance(row, RowError) else None)
        if len(rows) == _LOOK:
            break
    if not rows:
        why = f": {first_error}" if first_error else ""
        raise InputError(f"{paths[0].name!r} has no usable row{why}.")
    columns = tuple(dict.fromkeys(column for row in rows for column in row))
    if mapping is None:
        shape, mapping = detect(rows, paths[0].name)
    else:
        shape = _mapped_shape(mapping, columns)
    return Source(name, title, paths, shape, mapping, limits, columns)


def read_pairs(
    path: Path | str, mapping: ColumnMapping | None = None, limits: Limits | None = None
) -> Iterator[Pair | RowError]:
    """Read the pairs of a file; a row that cannot be used becomes an error in its place.

    Raises:
        InputError: the file as a whole cannot be used.
    """
    for item in open_source(path, mapping, limits).items():
        yield item.pair if isinstance(item, Incoming) else item


def _stem(path: Path) -> str:
    return path.name.split(".")[0] or path.name


def _mapped_shape(mapping: ColumnMapping, columns: Sequence[str]) -> Shape:
    missing = sorted(mapping.columns - set(columns))
    if missing:
        raise InputError(f"The file has no column {missing[0]!r}.")
    if not mapping.is_usable:
        raise UnmappedColumns(
            "The mapping names no two responses: name response_a and response_b, or chosen and "
            "rejected.",
            columns,
        )
    return Shape.PREFERENCES if mapping.chosen and mapping.rejected else Shape.PAIRS


def read_judgement(cells: Cells) -> Judgement:
    """Read a judgement as `rmr1 judge` writes it; sections and states are read again from the text.

    Raises:
        CellError: a part is missing or holds something else.
    """
    pair = _model(Pair, cells, "pair")
    plan = _model(Plan, cells, "plan")
    version = _version(cells.get("judge_version"))
    layouts = _layouts(version.profile)
    written = cells.get("rollouts")
    if not isinstance(written, list) or not written:
        raise CellError("rollouts", "is not a list of rollouts")
    return conclude(pair, version, plan, [_rollout(pair, one, layouts) for one in written])


def _model(model: type[_M], cells: Cells, column: str) -> _M:
    try:
        return model.model_validate(cells.get(column))
    except ValidationError as error:
        where, what = first_problem(error)
        raise CellError(column, f"{where}: {what}" if where else what) from error


def _version(value: object) -> JudgeVersion:
    if not isinstance(value, Mapping):
        raise CellError("judge_version", "is not an object")
    names = [field.name for field in fields(JudgeVersion)]
    return JudgeVersion(**{name: str(value.get(name) or "")[:200] for name in names})


@lru_cache(maxsize=64)
def _layouts(profile: str) -> tuple[Layout, ...]:
    """The layouts that a profile of this name may have."""
    # Packaged profiles alone: a name out of a file must not make us open another file.
    return (load_profile(profile).layout,) if profile in profile_names() else get_args(Layout)


class _Written(BaseModel):
    """What a rollout's text cannot say, as it is written in a file."""

    model_config = ConfigDict(extra="ignore")

    order: Order
    vote: int = Field(default=0, ge=0, lt=2**31)
    seed: int = Field(default=0, ge=0, lt=2**32)
    state: str = ""
    reason: str = ""
    probability_a: float | None = Field(default=None, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    first_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    prompt_tokens: int | None = Field(default=None, ge=0, lt=2**31)
    completion_tokens: int | None = Field(default=None, ge=0, lt=2**31)
    injected: tuple[str, ...] = ()


def _rollout(pair: Pair, value: object, layouts: Sequence[Layout]) -> Rollout:
    """A rollout, read under the layout that gives the state that is written."""
    if not isinstance(value, Mapping):
        raise CellError("rollouts", f"holds {kind(value)} where a rollout is wanted")
    try:
        written = _Written.model_validate(value)
    except ValidationError as error:
        where, what = first_problem(error)
        raise CellError("rollouts", f"{where}: {what}") from error
    text = judge_text(value.get("text"), "rollouts")
    failed = written.state == State.FAILED
    known = written.model_dump(exclude={"order", "state", "reason"})
    read = [
        read_rollout(
            pair,
            written.order,
            text,
            layout=layout,
            finish_reason="length" if written.state == State.TRUNCATED else "stop",
            error=(written.reason or "it failed") if failed else None,
            **known,
        )
        for layout in layouts
    ]
    return next((one for one in read if one.state == written.state), read[0])
