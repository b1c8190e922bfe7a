"""How often somebody may do something: a bucket of tokens each, kept in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from time import monotonic

_MOST_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Buckets:
    """A bucket of tokens for each key, full at first and filling at a steady rate.

    Safe to share between threads. The keys used longest ago are forgotten beyond 10,000.
    """

    def __init__(
        self, capacity: float, per_hour: float, clock: Callable[[], float] = monotonic
    ) -> None:
        """Make none yet.

        Args:
            capacity: tokens that a full bucket holds.
            per_hour: tokens that flow in.
            clock: the present in seconds.
        """
        self._capacity = capacity
        self._per_second = per_hour / 3600
        self._clock = clock
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, tokens: float = 1.0) -> float:
        """Take tokens out of a bucket.

        Returns:
            0.0 where they were there, else the seconds until they are, and nothing is taken;
            infinity for more than a bucket ever holds.
        """
        if tokens > self._capacity:
            return float("inf")
        with self._lock:
            bucket = self._filled(key)
            missing = tokens - bucket.tokens
            if missing <= 0:
                bucket.tokens -= tokens
                return 0.0
            return missing / self._per_second if self._per_second else float("inf")

    def _filled(self, key: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(self._capacity, now)
        flown = (now - bucket.filled_at) * self._per_second
        bucket.tokens = min(self._capacity, bucket.tokens + flown)
        bucket.filled_at = now
        self._buckets[key] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket
