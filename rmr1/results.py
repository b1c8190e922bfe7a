"""A file of judgements, a line each, so that a run killed at any moment goes on where it was."""

import json
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import orjson
from filelock import FileLock, Timeout

from rmr1.errors import InputError
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.record import judgement_record
from rmr1.rollout import State

KeyOf = Callable[[Pair], Hashable]

_Done = tuple[Hashable, str, str]
"""Key of a pair, and the hashes of plan and judge version."""


class Results:
    """What a file holds already, and the way to add to it."""

    def __init__(self, file: BinaryIO, done: set[_Done], key_of: KeyOf) -> None:
        self._file = file
        self._done = done
        self._key_of = key_of

    def hold(self, pair: Pair, plan: str, version: str) -> bool:
        """Whether the judgement is there, by a backend that did not fail.

        Args:
            plan: hash of the plan.
            version: hash of the judge version.
        """
        return (self._key_of(pair), plan, version) in self._done

    def add(self, judgement: Judgement) -> bool:
        """Write a judgement at once, so that a kill loses nothing that was judged.

        Returns:
            Whether its backend failed.
        """
        line = json.dumps(judgement_record(judgement), ensure_ascii=False) + "\n"
        self._file.write(line.encode())
        self._file.flush()
        return judgement.state is State.FAILED


@contextmanager
def opened_results(out: Path, key_of: KeyOf) -> Iterator[Results]:
    """Open a file of judgements to add to; a last line cut short by a kill is cut off.

    Args:
        key_of: what makes two pairs the same.

    Raises:
        InputError: it cannot be written, another run writes to it, or it holds something else.
    """
    lock = FileLock(f"{out}.lock")
    try:
        file = out.open("a+b")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}.") from error
    with file:
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"{out}: another run is writing to it.") from error
        try:
            yield Results(file, _read(out, file, key_of), key_of)
        finally:
            lock.release()


def _read(out: Path, file: BinaryIO, key_of: KeyOf) -> set[_Done]:
    done: set[_Done] = set()
    whole = 0
    file.seek(0)
    for number, line in enumerate(file, start=1):
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        done.update(_done(line, f"{out}, line {number}", key_of))
    file.truncate(whole)
    return done


def _done(line: bytes, where: str, key_of: KeyOf) -> Iterator[_Done]:
    """What a line judges, by whom and how; nothing where the backend failed."""
    try:
        record = orjson.loads(line)
        pair = Pair.model_validate(record["pair"])
        plan = Plan.model_validate(record["plan"])
        version = str(record["judge_version"]["hash"])
        failed = record["state"] == State.FAILED
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{where}: is no judgement; name another file, or take the line out."
        ) from error
    if not failed:
        yield key_of(pair), plan.hash, version
