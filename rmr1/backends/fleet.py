"""Several servers of one model: the least busy is asked, one that is away is left out a while."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.openai import OpenAIBackend
from rmr1.errors import BackendBusy, BackendError, BackendUnavailable, ConfigurationError
from rmr1.settings import OpenAISettings

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_PATIENCE_SECONDS = 20.0
_ATTEMPTS = 4
_HOMES = 10_000

Connect = Callable[[OpenAISettings], OpenAIBackend]


@dataclass(eq=False, slots=True)
class _Server:
    """One of the servers.

    Attributes:
        working: requests that it works on.
        asked: requests that it was ever given.
        deaths: failures in a row; none as long as it answers.
        refusals: times in a row that it asked for patience.
        away_until: when it may be asked again, on the monotonic clock.
        trying: whether a request finds out if it is back.
        known: whether it has been seen to serve the model of the others.
        said: why it is away.
    """

    address: str
    backend: OpenAIBackend
    working: int = 0
    asked: int = 0
    deaths: int = 0
    refusals: int = 0
    away_until: float = 0.0
    trying: bool = False
    known: bool = False
    said: str = ""

    def is_ready(self, now: float) -> bool:
        """Whether it may be given a request; of one that was away a single one finds out."""
        return now >= self.away_until and not (self.deaths and self.trying)


class Fleet:
    """Requests go to the least busy server, those of a group to the same one while it has room.

    A server that breaks down is left out for a while that doubles each time, then one request
    tries it. A request that it had not begun to answer goes to another server; one in the middle
    of its reply breaks off, and is the caller's to begin again. While all are away requests wait a
    little, then each fails at once with one sentence that names them all.
    """

    def __init__(
        self,
        settings: OpenAISettings,
        *,
        connect: Connect = lambda one: OpenAIBackend(one, attempts=1),
        pause_s: float = _FIRST_PAUSE_SECONDS,
        patience_s: float = _PATIENCE_SECONDS,
    ) -> None:
        """Prepare the clients; nothing is asked yet.

        Args:
            connect: a client of one server, which asks it once.
            pause_s: how long a server is left out at first, in seconds.
            patience_s: how long requests wait while no server is there, in seconds.
        """
        self._settings = settings
        self._pause_s = pause_s
        self._patience_s = patience_s
        self._servers = [
            _Server(url, connect(settings.model_copy(update={"base_url": url})))
            for url in settings.base_urls
        ]
        self._changed = threading.Condition()
        self._homes: OrderedDict[str, _Server] = OrderedDict()
        self._all_away_since: float | None = None
        self._first_known: _Server | None = None

    @property
    def identity(self) -> Identity:
        """That of the first server that answers: all serve the same model."""
        return self._spokesman().backend.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of one server, for as many requests as all of them take."""
        one, count = self._spokesman().backend.capabilities, len(self._servers)
        return Capabilities(
            logprobs=one.logprobs,
            grammar=one.grammar,
            parallel=count * self._settings.parallel,
            adapters=self.adapters,
            most_parallel=count * self._settings.in_batches,
        )

    @property
    def adapters(self) -> tuple[str, ...]:
        """Those that the settings name."""
        return self._settings.adapters

    @property
    def refusals(self) -> int:
        """How often one of them has said that it is busy."""
        return sum(server.backend.refusals for server in self._servers)

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: a server serves another model than the others.
        """
        refused = failed = 0
        while True:
            server = self._taken(request.group)
            try:
                self._check(server)
                deltas = server.backend.stream(request)
                try:
                    first = next(deltas)
                except BackendUnavailable as error:
                    self._note(server, error)
                    refused += isinstance(error, BackendBusy)
                    failed += not isinstance(error, BackendBusy)
                    if max(refused, failed) >= _ATTEMPTS + len(self._servers):
                        raise self._nobody() if self._all_away_since else error from None
                    continue
                except BackendError:  # it is there, and refuses this request
                    self._note(server, None)
                    raise
                self._note(server, None)
                with closing(deltas):
                    yield first
                    try:
                        yield from deltas
                    except BackendUnavailable as error:
                        self._note(server, error)
                        raise
                return
            finally:
                self._give_back(server)

    def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            server.backend.close()

    def _spokesman(self) -> _Server:
        """A server that has said what it is, always the same one; the first if none has yet."""
        if self._first_known is None:
            told = (server for server in self._servers if server.backend.answers)
            self._first_known = next(told, None)
        return self._first_known or self._servers[0]

    def _check(self, server: _Server) -> None:
        """Refuse a server that serves something else; one that does not say is asked later."""
        if server.known or not server.backend.answers:
            return
        model, other = self.identity.model, server.backend.identity.model
        if other != model:
            raise ConfigurationError(
                f"the model servers serve different models, {model!r} and, at {server.address}, "
                f"{other!r}: name one that all of them have in RMR1_BACKEND__MODEL."
            )
        server.known = True

    def _taken(self, group: str) -> _Server:
        """A server for a request, waited for while all are left out.

        Raises:
            BackendUnavailable: none has been there for too long.
        """
        with self._changed:
            while True:
                now = time.monotonic()
                ready = [server for server in self._servers if server.is_ready(now)]
                if ready:
                    break
                left = self._patience_left(now)
                if left <= 0:
                    raise self._nobody()
                soonest = min(server.away_until for server in self._servers) - now
                self._changed.wait(min(left, max(soonest, 0.01)))
            server = self._chosen(group, ready)
            server.working += 1
            server.asked += 1
            server.trying = bool(server.deaths)
            return server

    def _chosen(self, group: str, ready: list[_Server]) -> _Server:
        home = self._homes.get(group)
        if home in ready and home.working < self._settings.parallel:
            self._homes.move_to_end(group)
            return home
        chosen = min(ready, key=lambda server: (server.working, server.asked))
        if group and home not in ready:
            self._homes[group] = chosen
            if len(self._homes) > _HOMES:
                self._homes.popitem(last=False)
        return chosen

    def _give_back(self, server: _Server) -> None:
        with self._changed:
            server.working -= 1
            server.trying = False
            self._changed.notify_all()

    def _note(self, server: _Server, error: BackendUnavailable | None) -> None:
        """Remember how a server answered; None is that it did."""
        with self._changed:
            now = time.monotonic()
            if error is None:
                server.deaths = server.refusals = 0
                self._all_away_since = None
                return
            if now < server.away_until:  # all that it worked on breaks off, and it died once
                return
            server.said = str(error)
            if isinstance(error, BackendBusy):
                server.refusals += 1
                pause = self._pause(server.refusals)
            else:
                server.deaths += 1
                pause = self._pause(server.deaths)
            server.away_until = now + pause
            if self._all_away_since is None and all(one.deaths for one in self._servers):
                self._all_away_since = now

    def _pause(self, times: int) -> float:
        return min(self._pause_s * 2.0 ** min(times - 1, 10), _LONGEST_PAUSE_SECONDS)

    def _patience_left(self, now: float) -> float:
        """Seconds to wait for a server; as long as one is only busy, it is waited for."""
        if self._all_away_since is None:
            return _LONGEST_PAUSE_SECONDS
        return self._all_away_since + self._patience_s - now

    def _nobody(self) -> BackendUnavailable:
        said = "; ".join(f"{server.address}: {server.said}" for server in self._servers)
        return BackendUnavailable(
            f"none of the {len(self._servers)} model servers can be reached: start one, or mend "
            f"RMR1_BACKEND__BASE_URL. {said}"
        )
