"""Judges behind an endpoint: chosen by name, asked within limits, all requests in one line."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager

from pydantic import ValidationError

from rmr1.errors import InputError, first_problem
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.settings import ApiSettings

_MOST_BYTES = 256 * 1024 * 1024
"""Of request bodies that are being worked on."""


class Busy(Exception):
    """Too much is waiting: worth another try in a moment."""


class JudgingService:
    """Judges that requests share; safe to use from several threads."""

    def __init__(
        self,
        judges: Mapping[str, Judge],
        plan: Plan,
        limits: ApiSettings,
        plans: Mapping[str, Plan] | None = None,
    ) -> None:
        """Put the service together; nothing is asked of a backend yet.

        Args:
            judges: by title, the default first.
            plan: how they judge unless a request says otherwise.
            plans: of judges that start with another plan, by title.
        """
        self.judges = judges
        self.limits = limits
        self._plan = plan
        self._plans = plans or {}
        self._lock = threading.Lock()
        self._pools: dict[int, ThreadPoolExecutor] = {}
        self._waiting = 0
        self._bytes = 0

    @property
    def waiting(self) -> int:
        """Judgements that were asked for and are not done."""
        return self._waiting

    def choose(self, name: object, changes: object) -> tuple[Judge, Plan]:
        """The judge of this title, and its plan with the changes that a request asks for.

        Args:
            name: None for the default judge.
            changes: fields of a plan, or None.

        Raises:
            InputError: there is no such judge, or the plan is none or beyond the limits.
        """
        judges = dict(self.judges)
        title = next(iter(judges)) if name is None else name
        if not isinstance(title, str) or title not in judges:
            raise InputError(f"judge: expected one of {', '.join(map(repr, judges))}")
        usual = self._plans.get(title, self._plan)
        if changes is None:
            return judges[title], usual
        if not isinstance(changes, dict):
            raise InputError("plan: expected a JSON object")
        try:
            plan = Plan.model_validate({**usual.model_dump(), **changes})
        except ValidationError as error:
            where, what = first_problem(error)
            raise InputError(f"plan.{where}: {what}") from error
        most_rollouts = max(self.limits.max_rollouts, usual.size)
        if plan.size > most_rollouts:
            raise InputError(f"plan: asks for {plan.size} rollouts, at most {most_rollouts} here")
        if plan.max_tokens > usual.max_tokens:
            raise InputError(
                f"plan.max_tokens: {plan.max_tokens} is more than the {usual.max_tokens} of this "
                "server"
            )
        return judges[title], plan

    @contextmanager
    def admitted(self, judgements: int, size_bytes: int) -> Iterator[None]:
        """Room for a request, for as long as it is worked on.

        Raises:
            InputError: it is larger than everything that may wait.
            Busy: there is no room now.
        """
        if judgements > self.limits.max_waiting:
            raise InputError(
                f"it takes up to {judgements:,} judgements, and this server takes "
                f"{self.limits.max_waiting:,} at most: send fewer responses at once"
            )
        with self._lock:
            if (
                self._waiting + judgements > self.limits.max_waiting
                or self._bytes + size_bytes > _MOST_BYTES
            ):
                raise Busy
            self._waiting += judgements
            self._bytes += size_bytes
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= judgements
                self._bytes -= size_bytes

    def submit(self, judge: Judge, plan: Plan, pair: Pair) -> Future[Judgement]:
        """Judge a pair when its turn comes: as many at once as keep the backend busy."""
        return self._pool(judge).submit(judge.judge, pair, plan)

    def judge_pairs(self, judge: Judge, plan: Plan, pairs: Iterable[Pair]) -> Iterator[Judgement]:
        """Judge pairs, as `rmr1.tournament.JudgePairs` wants it, in the line of all requests."""
        futures = [self.submit(judge, plan, pair) for pair in pairs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Drop what has not been begun; safe to call twice."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, judge: Judge) -> ThreadPoolExecutor:
        key = id(judge.backend)
        with self._lock:
            if key not in self._pools:
                workers = max(1, judge.backend.capabilities.parallel // self._plan.size)
                self._pools[key] = ThreadPoolExecutor(workers, thread_name_prefix="asked")
            return self._pools[key]
