"""How long import and export take, as ratios to bare pandas and bare SQLite in the same run.

python -m benchmarks.transfer --rows 100000

import pairs        a file of pairs into the store, against `pandas.read_json` and `to_sql` of it
import judgements   the same of judgements as `rmr1 judge` writes them: each holds its pair, and a
                    trace that is read and whose quotations are looked for in the responses
import again        a file that is on record already
export KIND         the training files of a snapshot (JSON Lines), against a `SELECT` of the same
                    texts with `json.dumps` to a file, by the driver alone
export labels       the labels of the snapshot as a table
"""

import argparse
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import orjson
import pandas as pd

from benchmarks.filling import texts
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import judgement_record
from storage import importing, snapshots
from storage.database import Database
from storage.export_rows import Kind
from storage.exporting import ExportOptions, export, export_labels
from storage.snapshots import LabelFilter

_READ = (
    "SELECT p.hash, p.source, p.subset, t.prompt, t.response_a, t.response_b, p.chosen "
    "FROM pair p JOIN pair_text t ON t.pair_id = p.id ORDER BY p.id"
)
_READ_TRACES = (
    "SELECT p.hash, p.source, t.prompt, t.response_a, t.response_b, r.text "
    "FROM pair p JOIN pair_text t ON t.pair_id = p.id JOIN judgement j ON j.pair_id = p.id "
    "JOIN rollout r ON r.judgement_id = j.id ORDER BY p.id"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of wall and CPU time, and the most memory that the process had, in MB."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Make the files, measure each piece of work in a process of its own, print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), options.rows)
        print(f"{options.rows:,} rows{'':18}{'wall':>10}{'CPU':>10}{'memory':>11}{'ratio':>8}")
        bare: dict[str, Taken] = {}
        for name in _works(Path(folder)):
            bare[name] = taken = _taken(name, folder, options.rounds)
            base = bare.get(_BARE.get(name, ""))
            ratio = f"{taken.wall / base.wall:>8.1f}" if base else ""
            print(
                f"{name:30}{taken.wall:>8.1f} s{taken.cpu:>8.1f} s{taken.peak:>8.0f} MB{ratio}",
                flush=True,
            )


_BARE = {
    "import pairs": "bare pandas, pairs",
    "import pairs again": "bare pandas, pairs",
    "import judgements": "bare pandas, judgements",
    "import judgements again": "bare pandas, judgements",
    "freeze a snapshot": "bare SQLite, pairs",
    "export labels": "bare SQLite, pairs",
    "export preference": "bare SQLite, pairs",
    "export rlvr": "bare SQLite, pairs",
    "export sft": "bare SQLite, traces",
    "export dpo": "bare SQLite, traces",
}


def _works(folder: Path) -> dict[str, Callable[[], object]]:
    """The pieces of work, in an order in which each finds what it needs."""
    pairs, judged = folder / "pairs.jsonl", folder / "judged.jsonl"
    return {
        "bare pandas, pairs": lambda: _pandas(pairs, folder),
        "import pairs": lambda: _import(folder, pairs),
        "import pairs again": lambda: _import(folder, pairs),
        "bare pandas, judgements": lambda: _pandas(judged, folder),
        "import judgements": lambda: _import(folder, judged),
        "import judgements again": lambda: _import(folder, judged),
        "freeze a snapshot": lambda: _freeze(folder),
        "bare SQLite, pairs": lambda: _dump(folder, _READ),
        "export labels": lambda: _labels(folder),
        **{f"export {kind}": _exporting(folder, kind) for kind in ("preference", "rlvr")},
        "bare SQLite, traces": lambda: _dump(folder, _READ_TRACES),
        **{f"export {kind}": _exporting(folder, kind) for kind in ("sft", "dpo")},
    }


def _write(folder: Path, rows: int) -> None:
    """A file of pairs, and one of a judgement on each of as many other pairs."""
    chance = random.Random(0)
    said = texts(chance)
    head = "<type>Chat</type>\n<rubric>\nAccuracy (60%)\nClarity (40%)\n<justify>"
    replies = [
        f"{head}{said(20)}</justify>\n</rubric>\n<eval>{said(90)} "
        f"<quote_A>QUOTED</quote_A></eval>\n<answer>[[{side}]]</answer>"
        for side in "AB"
    ]
    with (folder / "pairs.jsonl").open("wb") as pairs, (folder / "judged.jsonl").open("wb") as out:
        record = _judged_record()
        for number in range(rows):
            row = {
                "prompt": f"number{number} {said(30)}",
                "response_a": said(80),
                "response_b": said(80),
                "chosen": chance.choice("AB"),
                "source": f"source {number % 7}",
            }
            pairs.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            quoted = " ".join(row["response_a"].split()[5:12])
            pair = Pair.of(
                f"other{number} {said(30)}", row["response_a"], row["response_b"], chosen="A"
            )
            record["pair"] = pair.model_dump(mode="json")
            record["rollouts"][0]["text"] = chance.choice(replies).replace("QUOTED", quoted)
            out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _judged_record() -> dict[str, Any]:
    """A judgement as a file has it; what the text says is read again when it comes in."""
    backend = ScriptedBackend(["<type>Chat</type><eval>-</eval><answer>[[A]]</answer>"])
    judgement = Judge(backend, load_profile("cor")).judge(Pair.of("?", "yes", "no"), Plan())
    return judgement_record(judgement)


def _pandas(path: Path, folder: Path) -> None:
    frame = pd.read_json(path, lines=True)
    nested = [name for name in frame.columns if frame[name].map(type).isin([dict, list]).any()]
    for name in nested:
        frame[name] = frame[name].map(json.dumps)
    out = folder / f"{path.stem}.bare.db"
    out.unlink(missing_ok=True)
    connection = sqlite3.connect(out)
    frame.to_sql("rows", connection, index=False)
    connection.commit()
    connection.close()


def _import(folder: Path, path: Path) -> None:
    with _database(folder) as database:
        importing.import_file(database, path)


def _database(folder: Path) -> Database:
    return Database.open(f"sqlite:///{folder / 'store.db'}")


def _freeze(folder: Path) -> None:
    with _database(folder) as database:
        snapshots.create(database, "all", LabelFilter(known=True))


def _exporting(folder: Path, kind: Kind) -> Callable[[], object]:
    def work() -> None:
        with _database(folder) as database:
            with database.read() as session:
                snapshot = snapshots.get(session, "all")
            options = ExportOptions(distillation=None)
            export(database, snapshot, kind, folder / "out", ("jsonl",), options)

    return work


def _labels(folder: Path) -> None:
    with _database(folder) as database:
        with database.read() as session:
            snapshot = snapshots.get(session, "all")
        export_labels(database, snapshot, folder / "labels.csv")


def _dump(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "store.db")
    cursor = connection.execute(statement)
    names = [one[0] for one in cursor.description]
    with (folder / "bare.jsonl").open("w", encoding="utf-8") as file:
        for row in cursor:
            file.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")
    connection.close()


def _taken(name: str, folder: str, rounds: int) -> Taken:
    """Medians of the rounds; imports change the store, so they are measured once."""
    rounds = 1 if name.startswith(("import", "freeze")) else rounds
    found = [_once(name, folder) for _ in range(rounds)]
    return Taken(
        statistics.median(one.wall for one in found),
        statistics.median(one.cpu for one in found),
        max(one.peak for one in found),
    )


_CHILD = """
import json, resource, sys, time
from pathlib import Path
from benchmarks import transfer
work = transfer._works(Path(sys.argv[2]))[sys.argv[1]]
wall, cpu = time.perf_counter(), time.process_time()
work()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, peak]))
"""


def _once(name: str, folder: str) -> Taken:
    """In a process of its own, so that one piece's memory is not the next one's."""
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, name, folder], check=True, capture_output=True, text=True
    )
    return Taken(*json.loads(ran.stdout))


assert set(_BARE) >= {f"export {kind}" for kind in get_args(Kind)}, "a kind has no baseline"

if __name__ == "__main__":
    main()
