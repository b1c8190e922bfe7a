"""The journal: every label as a line in a file beside the database, written before the commit.

A line is on disk before its label, or a lead's decision, is committed, so the journal alone can
rebuild them. The tables remember how much of the file they know (`journal_mark`): whoever writes
next, in whichever process, first puts back the lines of a writer that died between the two.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from rmr1.errors import StorageError
from storage.journal_lines import (
    Line,
    UnreadableLine,
    label_line,
    lead_line,
    lines_for,
    put_back,
    queue_line,
    visitor_line,
)
from storage.tables import JournalMarkRow, LabelEventRow, PairRow, QueueRow
from storage.team_tables import LeadEventRow
from storage.visitor_tables import VisitorLabelRow

if TYPE_CHECKING:
    from storage.database import Database

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReplayReport:
    """What reading a journal into the tables came to.

    Attributes:
        lines: complete lines read.
        added: events that the tables lacked.
        unreadable: lines that could not be used: line number in what was read, and why.
    """

    lines: int = 0
    added: int = 0
    unreadable: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How tables and journal compare, label event by label event.

    Attributes:
        missing_in_tables: keys of events that only the journal has.
        missing_in_journal: keys of events that only the tables have.
        differing: keys of events of which the two say different things.
    """

    events: int
    lines: int
    missing_in_tables: list[str]
    missing_in_journal: list[str]
    differing: list[str]

    @property
    def agree(self) -> bool:
        """Whether both hold the same events."""
        return not (self.missing_in_tables or self.missing_in_journal or self.differing)


class Journal:
    """An append-only file of JSON lines; all writing happens inside a write transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(
        self, session: Session, event: LabelEventRow | LeadEventRow | VisitorLabelRow
    ) -> None:
        """Write an event down, on disk for good, before the session commits it.

        Raises:
            StorageError: the file cannot be written; the transaction must not be committed.
        """
        with self._errors():
            self._write(session, lines_for(session, event))

    def append_queue(self, session: Session, queue: QueueRow) -> None:
        """Write a queue's terms down, on disk for good, before the session commits them.

        Raises:
            StorageError: the file cannot be written; the transaction must not be committed.
        """
        with self._errors():
            self._write(session, [queue_line(queue)])

    def catch_up(self, session: Session) -> None:
        """Bring tables and journal level where a crash, or a lost file, set them apart.

        Raises:
            StorageError: the file cannot be read or written.
        """
        with self._errors():
            self._catch_up(session)

    def add_missing(self, session: Session) -> None:
        """Write down every event of the tables that the file lacks.

        Raises:
            StorageError: the file cannot be read or written.
        """
        with self._errors():
            known = {_name(line) for _, line in read_lines(self.path) if _is_event(line)}
            for event in session.scalars(select(LabelEventRow).order_by(LabelEventRow.id)):
                if ("label", event.key) not in known:
                    self._write(session, lines_for(session, event))
            for said in session.scalars(select(LeadEventRow).order_by(LeadEventRow.id)):
                if ("lead", said.key) not in known:
                    self._write(session, lines_for(session, said))
            for one in session.scalars(select(VisitorLabelRow).order_by(VisitorLabelRow.id)):
                if ("visitor", one.key) not in known:
                    self._write(session, lines_for(session, one))

    def _catch_up(self, session: Session) -> None:
        mark = session.get(JournalMarkRow, 1)
        size = self._size()
        if mark is not None and mark.offset == size:
            return
        self._cut_torn_line()
        start = mark.offset if mark is not None and mark.offset <= size else 0
        report = _put_back_all(session, read_lines(self.path, start))
        if start and report.unreadable:  # not the file that the mark was set on
            start, report = 0, _put_back_all(session, read_lines(self.path))
        if start == 0:
            self.add_missing(session)
        self._set_mark(session)
        if report.added or report.unreadable:
            _log.warning("journal %s: %s", self.path, report)

    def _write(self, session: Session, lines: list[Line]) -> None:
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self.path.parent)
        self._set_mark(session)

    def _set_mark(self, session: Session) -> None:
        session.merge(JournalMarkRow(id=1, offset=self._size()))

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _cut_torn_line(self) -> None:
        """Drop a last line that was never finished; nobody got a receipt for it."""
        end = _last_line_end(self.path)
        if end < self._size():
            with self.path.open("r+b") as file:
                file.truncate(end)
                os.fsync(file.fileno())

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"The journal {self.path} cannot be used ({error}): nothing was stored."
            ) from error


def replay(database: "Database", path: Path) -> ReplayReport:
    """Add to the tables every event of the journal at `path` that they lack.

    Doing it twice changes nothing. A torn last line is passed over.

    Raises:
        StorageError: the file cannot be read.
    """
    with database.write() as session:
        try:
            report = _put_back_all(session, read_lines(path))
        except OSError as error:
            raise StorageError(f"The journal {path} cannot be read ({error}).") from error
        if report.added and database.journal is None:
            # What is now in the tables is in no journal: whoever opens one next goes through all.
            session.execute(delete(JournalMarkRow))
        elif report.added and database.journal and database.journal.path != path:
            database.journal.add_missing(session)
    return report


def check(database: "Database", path: Path) -> CheckReport:
    """Compare the tables with the journal at `path`."""
    with database.write() as session:  # keeps writers out, so that neither side moves meanwhile
        events = session.scalars(
            select(LabelEventRow).options(
                joinedload(LabelEventRow.annotator),
                joinedload(LabelEventRow.pair).lazyload(PairRow.texts),
                joinedload(LabelEventRow.judgement),
                joinedload(LabelEventRow.queue),
                joinedload(LabelEventRow.undone),
            )
        )
        tables = {("label", event.key): _comparable(label_line(event)) for event in events}
        for said in session.scalars(select(LeadEventRow)):
            tables["lead", said.key] = _comparable(lead_line(said))
        for one in session.scalars(select(VisitorLabelRow)):
            tables["visitor", one.key] = _comparable(visitor_line(one))
        lines = {_name(line): _comparable(line) for _, line in read_lines(path) if _is_event(line)}
    return CheckReport(
        events=len(tables),
        lines=len(lines),
        missing_in_tables=[name[1] for name in lines if name not in tables],
        missing_in_journal=[name[1] for name in tables if name not in lines],
        differing=[
            name[1] for name, line in lines.items() if name in tables and tables[name] != line
        ],
    )


def read_lines(path: Path, start: int = 0) -> Iterator[tuple[int, Line]]:
    """The complete lines from byte `start` on, with their numbers from 1.

    A line that is no JSON object comes as an empty one.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        for number, raw in enumerate(file, start=1):
            if raw.endswith(b"\n"):
                yield number, _parse(raw)


def _comparable(line: Line) -> Line:
    """What must be the same in every database: not the event's number, nor today's role."""
    return {name: value for name, value in line.items() if name not in ("id", "role")}


def _parse(raw: bytes) -> Line:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return line if isinstance(line, dict) else {}


def _put_back_all(session: Session, lines: Iterator[tuple[int, Line]]) -> ReplayReport:
    report = ReplayReport()
    for number, line in lines:
        report.lines += 1
        try:
            report.added += put_back(session, line)
        except UnreadableLine as error:
            report.unreadable.append((number, str(error)))
    return report


def _is_event(line: Line) -> bool:
    return line.get("kind") in ("label", "lead", "visitor") and "key" in line


def _name(line: Line) -> tuple[str, str]:
    return line["kind"], line["key"]


def _last_line_end(path: Path) -> int:
    """Where the last complete line ends, in bytes."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(len(raw) for raw in file if raw.endswith(b"\n"))


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable too, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
