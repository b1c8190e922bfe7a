"""The journal kept off-site, too: its lines pushed in batches, and replayed at the next start.

Parts are only ever added. What is there already is known by the events' own keys, so whatever
was interrupted goes on where it was, and nothing comes twice.
"""

import hashlib
import json
import logging
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from rmr1.errors import StorageError
from storage import journal
from storage.columns import utc_now
from storage.database import Database
from storage.journal_lines import Line
from storage.offsite_stores import PartStore

_log = logging.getLogger(__name__)

MOST_BYTES = 8_000_000
"""Of one part, about: what is more waits for the next one."""

_GLANCE_S = 0.5
_READ_FIRST = {"pair": 0, "judgement": 1, "queue": 2}
"""Other lines hang on these; parts of two processes may have been pushed in either order."""


@dataclass(frozen=True, slots=True)
class OffsiteStatus:
    """How far the journal is off-site.

    Attributes:
        title: where it is kept.
        at: when a part was last kept there, or found there at the start; None for not yet.
        through: the highest number of the events that are there, by kind of line.
        waiting: events that are only stored here.
        problem: why the last attempt failed; empty after one that did not.
    """

    title: str
    at: datetime | None
    through: dict[str, int]
    waiting: int
    problem: str


@dataclass(slots=True)
class _Waiting:
    """Lines that were read from the journal and are not pushed."""

    lines: list[tuple[bytes, Line, str]] = field(default_factory=list)
    size: int = 0
    since: float = 0.0

    @property
    def events(self) -> int:
        return sum(_is_event(line) for _, line, _ in self.lines)


class Offsite:
    """Copies a database's journal to a store of parts, in a thread of its own."""

    def __init__(
        self,
        database: Database,
        store: PartStore,
        *,
        seconds: float = 60.0,
        lines: int = 200,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            database: one with a journal.
            seconds: how long a line waits for others.
            lines: waiting lines that are pushed at once, however young.
        """
        if database.journal is None:
            raise StorageError("There is no journal that could be kept off-site.")
        self._database, self._store, self._clock = database, store, clock
        self._path = database.journal.path
        self._seconds, self._lines = seconds, lines
        self._known: set[str] | None = None  # None until the store has said what it holds
        self._offset = 0
        self._waiting = _Waiting()
        self._through: dict[str, int] = {}
        self._at: datetime | None = None
        self._problem = ""
        self._turn = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def restore(self) -> int:
        """Put back what the store holds and the tables lack.

        Returns:
            How many events were added.

        Raises:
            StorageError: the store cannot be reached.
        """
        with self._turn:
            return self._restore()

    def start(self) -> None:
        """Restore, then push from now on; a store that does not answer is asked again later."""
        try:
            self.restore()
        except StorageError as error:
            self._failed(error)
        self._thread = threading.Thread(target=self._run, name="offsite", daemon=True)
        self._thread.start()

    def push(self) -> int:
        """Push everything that waits, now.

        Returns:
            How many lines were pushed.

        Raises:
            StorageError: the store cannot be reached; the lines go on waiting.
        """
        with self._turn:
            if self._known is None:
                self._restore()
            pushed = 0
            while self._gather():
                pushed += self._push()
            return pushed

    def close(self) -> None:
        """Push what waits, if it can be done at once, and stop."""
        self._ends.set()
        if self._thread:
            self._thread.join(timeout=30)
        try:
            self.push()
        except StorageError as error:
            _log.warning("labels are stored here only: %s", error)

    def status(self) -> OffsiteStatus:
        """How far the journal is off-site; never waits."""
        waiting = self._waiting
        return OffsiteStatus(
            self._store.title, self._at, dict(self._through), waiting.events, self._problem
        )

    def _run(self) -> None:
        pause = _GLANCE_S
        while not self._ends.wait(pause):
            try:
                pause = _GLANCE_S
                if self._known is None:
                    self.restore()
                if self._is_due():
                    self.push()
                    self._problem = ""
            except (StorageError, OSError) as error:
                self._failed(error)
                pause = max(_GLANCE_S, min(self._seconds, 60.0))

    def _is_due(self) -> bool:
        with self._turn:
            waiting = self._gather()
            age = self._clock() - self._waiting.since
            return waiting > 0 and (waiting >= self._lines or age >= self._seconds)

    def _failed(self, error: Exception) -> None:
        if self._problem != str(error):
            _log.warning("labels are stored here only: %s", error)
        self._problem = str(error)

    def _restore(self) -> int:
        parts = self._store.fetch()
        lines = [line for _, data in parts for line in _complete(data)]
        lines.sort(key=lambda line: _READ_FIRST.get(str(line[1].get("kind")), 3))
        added = 0
        if lines:
            with tempfile.TemporaryDirectory(prefix="rmr1-replay-") as folder:
                file = Path(folder) / "parts.jsonl"
                file.write_bytes(b"".join(raw for raw, _ in lines))
                report = journal.replay(self._database, file)
            added = report.added
            if report.unreadable:
                _log.warning("%s: lines that cannot be used: %s", self._store.title, report)
        self._known = {_identity(line) for _, line in lines}
        self._at = utc_now() if lines else None
        self._problem = ""
        return added

    def _gather(self) -> int:
        """Read on in the journal, up to a part's size; how many lines wait now."""
        waiting, known = self._waiting, self._known or set()
        if self._path.exists() and waiting.size < MOST_BYTES:
            with self._path.open("rb") as file:
                if self._path.stat().st_size < self._offset:  # another file by now: read it all
                    self._offset = 0
                file.seek(self._offset)
                data = file.read(MOST_BYTES)
                while data and b"\n" not in data and (more := file.read(MOST_BYTES)):
                    data += more
            data = data[: data.rfind(b"\n") + 1]
            self._offset += len(data)
            for raw, line in _complete(data):
                self._take(raw, line, known)
        return len(waiting.lines)

    def _take(self, raw: bytes, line: Line, known: set[str]) -> None:
        name = _identity(line)
        if name in known:
            if not self._waiting.lines:
                self._reach(line)
            return
        if not self._waiting.lines:
            self._waiting.since = self._clock()
        self._waiting.lines.append((raw, line, name))
        self._waiting.size += len(raw)

    def _push(self) -> int:
        lines = self._waiting.lines
        self._store.put(_part_name(), b"".join(raw for raw, _, _ in lines))
        assert self._known is not None
        self._waiting = _Waiting()
        for _, line, name in lines:
            self._known.add(name)
            self._reach(line)
        self._at = utc_now()
        self._problem = ""
        return len(lines)

    def _reach(self, line: Line) -> None:
        if isinstance(line.get("id"), int):
            kind = str(line.get("kind"))
            self._through[kind] = max(line["id"], self._through.get(kind, 0))


def _complete(data: bytes) -> Iterable[tuple[bytes, Line]]:
    """The lines that hold a JSON object, as they are written and as they are read."""
    for raw in data.splitlines(keepends=True):
        if not raw.endswith(b"\n"):
            continue
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield raw, line


def _is_event(line: Line) -> bool:
    return "key" in line and line.get("kind") not in _READ_FIRST


def _identity(line: Line) -> str:
    """What tells a line from any other; ids differ from database to database, keys do not."""
    if "key" in line:
        return f"{line.get('kind')} {line['key']}"
    return hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()


def _part_name() -> str:
    """A name that sorts by time and comes only once."""
    now = datetime.now(UTC)
    return f"{now:%Y-%m-%d}/{now:%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex[:8]}.jsonl"
