"""What took long to work out, kept in memory for as long as what it depends on stays the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

Value = TypeVar("Value")
_Bind = Engine | Connection


class Kept(Generic[Value]):
    """The last values, for each database; safe to share between threads."""

    def __init__(self, most: int) -> None:
        """Keep up to `most` values for a database; the one that was wanted longest ago goes."""
        self.most = most
        self._lock = Lock()
        self._values: WeakKeyDictionary[_Bind, OrderedDict[Hashable, tuple[Hashable, Value]]] = (
            WeakKeyDictionary()
        )

    def get(
        self, session: Session, asked: Hashable, state: Hashable, make: Callable[[], Value]
    ) -> Value:
        """The value of `asked`; made where none is kept, or was made of another `state`."""
        bind = session.get_bind()
        with self._lock:
            values = self._values.setdefault(bind, OrderedDict())
            known = values.get(asked)
            if known is not None and known[0] == state:
                values.move_to_end(asked)
                return known[1]
        made = make()
        with self._lock:
            values[asked] = (state, made)
            values.move_to_end(asked)
            if len(values) > self.most:
                values.popitem(last=False)
        return made

    def count(self, session: Session) -> int:
        """How many values are kept for the session's database."""
        with self._lock:
            return len(self._values.get(session.get_bind(), ()))
