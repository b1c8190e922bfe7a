"""Kill processes while they write labels, and look for an acknowledged label that is gone.

    python benchmarks/kill_writers.py [--kills 100] [--processes 2] [--threads 3] [--seed 0]

In each round several processes with several threads each write labels and print a receipt for
every one; then all are killed at once (SIGKILL) and the next round opens the same database. At
the end every receipt must be in the tables and in the journal, and the journal alone must rebuild
the same labels in an empty database.
"""

import argparse
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import func, select

from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import journal, judgements, labels
from storage.database import Database
from storage.entries import LabelEntry
from storage.tables import LabelEventRow

PAIRS = 50


def main() -> int:
    """Kill, count, compare; 0 if nothing is missing."""
    options = _options()
    if options.write:
        return _write(options.write, options.threads)
    random.seed(options.seed)
    with TemporaryDirectory(prefix="kill-writers-") as folder:
        place = Path(folder)
        _fill(place)
        receipts: list[str] = []
        unfinished = 0
        started = time.monotonic()
        for number in range(options.kills):
            lines, torn = _round(place, options)
            receipts += lines
            unfinished += torn
            if (number + 1) % 10 == 0:
                print(f"{number + 1} kills, {len(receipts)} receipts", flush=True)
        seconds = time.monotonic() - started
        return _verdict(place, receipts, unfinished, options, seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _open(place: Path) -> Database:
    return Database.open(f"sqlite:///{place / 'database.sqlite'}", place / "journal.jsonl")


def _fill(place: Path) -> None:
    with _open(place) as database, database.write() as session:
        for number in range(PAIRS):
            pair = Pair.of(f"Question {number}?", f"Answer {number}.", "No idea.")
            version = JudgeVersion("scripted", "none")
            judgements.add(session, Judgement(pair, version, Plan(), (), Side.A, State.COMPLETE))


def _write(place: Path, threads: int) -> int:
    """What the killed processes do: label until the end."""
    database = _open(place)

    def work(name: str) -> None:
        chance = random.Random(secrets.randbits(64))
        for pair_id in (chance.randint(1, PAIRS) for _ in range(10_000_000)):
            entry = LabelEntry(
                key=secrets.token_hex(16),
                annotator=name,
                pair_id=pair_id,
                stage="blind",
                action="commit",
                value=chance.choice(("A", "B", "tie")),
                note="x" * chance.choice((0, 10, 5000)) or None,
            )
            receipt = labels.record(database, entry)
            os.write(1, f"{receipt.key} {receipt.id}\n".encode())
            if chance.random() < 0.1:
                receipt = labels.undo_last(database, name, secrets.token_hex(16))
                os.write(1, f"{receipt.key} {receipt.id}\n".encode())

    for number in range(threads):
        threading.Thread(target=work, args=(f"person {number}",)).start()
    return 0


def _round(place: Path, options: argparse.Namespace) -> tuple[list[str], int]:
    """Let the writers run for a moment and kill them; whole receipts, and torn ones."""
    command = [sys.executable, __file__, "--write", str(place), "--threads", str(options.threads)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(options.processes)]
    first = b""
    for writer in writers:  # the kill must hit writing, not starting
        assert writer.stdout
        first += writer.stdout.readline()
    time.sleep(random.uniform(0, 0.4))
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
    output = first + b"".join(writer.communicate()[0] for writer in writers)
    lines = output.decode().splitlines(keepends=True)
    whole = [line.strip() for line in lines if line.endswith("\n")]
    return whole, len(lines) - len(whole)


def _verdict(
    place: Path, receipts: list[str], torn: int, options: argparse.Namespace, seconds: float
) -> int:
    path = place / "journal.jsonl"
    with _open(place) as database, Database.open() as rebuilt:
        with database.read() as session:
            rows = session.execute(select(LabelEventRow.key, LabelEventRow.id))
            in_tables = {f"{key} {number}" for key, number in rows}
            current = _labels(database)
        in_journal = {
            f"{line['key']} {line['id']}"
            for _, line in journal.read_lines(path)
            if line.get("kind") == "label"
        }
        check = journal.check(database, path)
        replayed = journal.replay(rebuilt, path)
        with rebuilt.read() as session:
            count = session.scalar(select(func.count(LabelEventRow.id)))
        same = journal.check(rebuilt, path).agree and _labels(rebuilt) == current
    missing = [line for line in receipts if line not in in_tables]
    unwritten = [line for line in receipts if line not in in_journal]
    good = not missing and not unwritten and check.agree and same and not replayed.unreadable
    print(
        f"{options.kills} kills of {options.processes} processes with {options.threads} threads "
        f"in {seconds:.0f} s\n"
        f"receipts: {len(receipts)} whole, {torn} torn by the kill\n"
        f"events in tables: {check.events}, in journal: {check.lines}, rebuilt: {count}\n"
        f"receipts missing in tables: {len(missing)}, in journal: {len(unwritten)}\n"
        f"journal and tables agree: {check.agree}; replay gives the same labels: {same}\n"
        + ("OK" if good else "FAILED")
    )
    return 0 if good else 1


def _labels(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        return [
            (label.annotator, label.pair_hash, label.value, label.note, label.created_at)
            for label in labels.current(session)
        ]


if __name__ == "__main__":
    raise SystemExit(main())
