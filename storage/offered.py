"""The judges to choose from: those of the settings and the adapters on record, promoted first."""

import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from rmr1.backends.base import Backend, TakesAdapters
from rmr1.errors import RMR1Error
from rmr1.judge import Judge
from rmr1.prompt import load_profile
from storage import adapters
from storage.adapters import Adapter, Promotion
from storage.database import Database

_log = logging.getLogger(__name__)


class OfferedJudges(Mapping[str, Judge]):
    """Judges by title, read anew from the record at each look; safe to use from several threads.

    What is promoted comes first, and so is the default, without a restart. An adapter that the
    backend cannot take is left out, and the log says why.
    """

    def __init__(
        self, database: Database, fixed: Mapping[str, Judge], separator: str = " · "
    ) -> None:
        """Start with the judges of the settings.

        The first backend among them that takes adapters gets those on record.

        Args:
            fixed: by title, which is the backend's name, the separator, and the judge's.
        """
        self._database = database
        self._fixed = dict(fixed)
        self._prefix = ""
        self._backend: Backend | None = None
        for title, judge in fixed.items():
            if isinstance(judge.backend, TakesAdapters):
                self._backend = judge.backend
                self._prefix = title.rpartition(separator)[0] + separator
                break
        self._lock = threading.Lock()
        self._taken: dict[str, Judge | None] = {}

    def __getitem__(self, title: str) -> Judge:
        return self._current()[title]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def _current(self) -> dict[str, Judge]:
        if self._backend is None:
            return self._fixed
        with self._database.read() as session:
            on_record = adapters.all(session)
            last = adapters.last_promotion(session)
        judges = dict(self._fixed)
        for adapter in on_record:
            title = self._prefix + adapter.version
            if title not in judges and (judge := self._take(adapter)):
                judges[title] = judge
        first = self._first(judges, last) if last else None
        return {first: judges[first], **judges} if first else judges

    def _first(self, judges: Mapping[str, Judge], last: Promotion) -> str | None:
        """The title of what judges by decision; None leaves the settings' own first.

        A rollback to where nothing had been promoted is such a case; promoting the base is not.
        """
        if last.adapter:
            title = self._prefix + last.adapter.version
            return title if title in judges else None
        if last.action == "rollback":
            return None
        own = (title for title, judge in judges.items() if judge.backend is self._backend)
        return next((title for title in own if not judges[title].adapter), None)

    def _take(self, adapter: Adapter) -> Judge | None:
        backend = self._backend
        assert isinstance(backend, TakesAdapters)
        with self._lock:
            if adapter.version not in self._taken:
                self._taken[adapter.version] = None
                try:
                    identity = backend.add_adapter(adapter.name, Path(adapter.folder))
                    profile = load_profile(adapter.profile)
                    self._taken[adapter.version] = Judge(backend, profile, adapter=identity)
                except RMR1Error as error:
                    _log.warning("the adapter %s is left out: %s", adapter.version, error)
            return self._taken[adapter.version]
