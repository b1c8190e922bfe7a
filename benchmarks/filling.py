"""Makes databases of a million judgements in minutes, for what measures the pages."""

import argparse
import json
import random
import secrets
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from rmr1.judgement import JudgeVersion
from rmr1.plan import Plan
from storage import judgements
from storage.columns import utc_now
from storage.database import Database
from storage.tables import JudgementRow

Values = tuple[object, ...]

CHUNK: Final = 5000
_BULK: Final = ("pair", "pair_text", "judgement", "rollout", "criterion", "quote")
_SEARCHED: Final = ("pair_search", "rollout_search")
_WORDS = ["the", "because", *(f"word{rank}" for rank in range(2, 8000))]
_COMMON = list(accumulate(1 / (rank + 12) for rank in range(len(_WORDS))))
_PHRASES: Final = 20_000
_PHRASE_WORDS: Final = 10
_SUBSETS = {
    "RewardBench": [f"subset {i}" for i in range(23)],
    "RM-Bench": ["chat", "code", "math", "safety"],
    "RMB": [f"Helpfulness/{i}" for i in range(12)],
}
_CRITERIA = ["Accuracy", "Clarity", "Depth", "Helpfulness", "Safety", "Tone", "Completeness"]
_RIGHT = (0.68, 0.74)
"""How often each of the two judges is right."""


def main() -> None:
    """Make a database, or say that it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--judgements", type=int, default=1_000_000)
    options = parser.parse_args()
    filled(options.path, options.judgements).close()


def filled(path: Path, size: int) -> Database:
    """A database with `size` judgements, two of each pair, made unless the file holds some."""
    database = Database.open(f"sqlite:///{path}")
    with database.read() as session:
        if session.scalar(select(func.count()).select_from(JudgementRow)):
            return database
    with database.write() as session:
        versions = [
            judgements.add_version(session, JudgeVersion("scripted", model, profile="cor"))
            for model in ("small", "large")
        ]
    database.close()
    started = time.perf_counter()
    _fill(path, size // 2, versions)
    print(f"filled {size:,} judgements in {time.perf_counter() - started:.0f} s", flush=True)
    return Database.open(f"sqlite:///{path}")


def _fill(path: Path, pairs: int, versions: list[int]) -> None:
    """Write rows as bare SQLite takes them: what the store does beside is measured elsewhere."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -524288"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA temp_store = MEMORY")
    later = _put_off(connection)
    connection.execute("BEGIN")
    maker = _Maker(random.Random(0), versions)
    for first in range(1, pairs + 1, CHUNK):
        lot = range(first, min(first + CHUNK, pairs + 1))
        for table, rows in maker.rows(lot).items():
            marks = ", ".join("?" * len(_COLUMNS[table]))
            names = ", ".join(f'"{name}"' for name in _COLUMNS[table])
            connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
        if first % 50_000 < CHUNK:
            print(f"  {first:,} pairs", flush=True)
    _parts(connection)
    for statement in later:
        connection.execute(statement)
    print("  indexes", flush=True)
    for name in _SEARCHED:
        connection.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _put_off(connection: sqlite3.Connection) -> list[str]:
    """Take indexes and triggers of the big tables away; the statements that make them again."""
    marks = ", ".join("?" * len(_BULK))
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
        f"AND type IN ('index', 'trigger') AND tbl_name IN ({marks})",
        _BULK,
    ).fetchall()
    for kind, name, _ in found:
        connection.execute(f"DROP {kind} {name}")
    return [sql for _, _, sql in found]


_COLUMNS: Final = {
    "pair": (
        *("id", "hash", "content_hash", "prompt_hash", "lot", "chosen", "source", "subset"),
        *("multi_turn", "created_at"),
    ),
    "pair_text": (
        *("pair_id", "prompt", "context", "response_a", "response_b", "conversation", "meta"),
    ),
    "judgement": (
        *("id", "key", "pair_id", "judge_version_id", "plan_hash", "verdict", "state"),
        *("confidence", "confidence_source", "type", "swap_consistent", "correct"),
        *("quotes_total", "quotes_near", "quotes_absent", "tokens", "seconds"),
        *("rollout_count", "origin", "created_at", "reason", "plan"),
    ),
    "rollout": (
        *("id", "judgement_id", "position", "order", "vote", "seed", "state", "verdict"),
        *("completion_tokens", "seconds", "injected", "reason", "text"),
    ),
}


def texts(chance: random.Random) -> Callable[[int], str]:
    """Makes texts of a number of words, as often as Zipf has them: most almost nowhere."""
    words = iter(chance.choices(_WORDS, cum_weights=_COMMON, k=_PHRASES * _PHRASE_WORDS))
    phrases = [" ".join(islice(words, _PHRASE_WORDS)) for _ in range(_PHRASES)]
    return lambda count: " ".join(chance.choices(phrases, k=count // _PHRASE_WORDS))


class _Maker:
    """Makes the rows of pairs with what two judges said of each."""

    def __init__(self, chance: random.Random, versions: list[int]) -> None:
        self._chance = chance
        self._versions = versions
        self._now = utc_now().replace(tzinfo=None)
        plan = Plan()
        self._plan = (plan.hash, json.dumps(plan.model_dump(mode="json")))
        self._text = texts(chance)

    def rows(self, lot: range) -> dict[str, list[Values]]:
        """Rows for the pairs of these numbers, by table."""
        made: dict[str, list[Values]] = {name: [] for name in _COLUMNS}
        for number in lot:
            chosen = "AB"[self._chance.random() < 0.5]
            made["pair"].append(self._pair(number, chosen))
            made["pair_text"].append(self._texts(number))
            for place, (version, right) in enumerate(zip(self._versions, _RIGHT, strict=True)):
                judgement = self._judgement(2 * number - 1 + place, number, version, chosen, right)
                made["judgement"].append(judgement)
                made["rollout"].append(self._rollout(judgement))
        return made

    def _at(self) -> str:
        return str(self._now - timedelta(seconds=self._chance.randrange(6_000_000)))

    def _pair(self, number: int, chosen: str) -> Values:
        digest = secrets.token_hex(32)
        source = self._chance.choice(list(_SUBSETS))
        subset = self._chance.choice(_SUBSETS[source])
        lot = int(digest[:8], 16) >> 1
        prompt = secrets.token_hex(32)
        return (number, digest, digest, prompt, lot, chosen, source, subset, 0, self._at())

    def _texts(self, number: int) -> Values:
        prompt = f"number{number} {self._text(30)}"
        conversation = json.dumps([{"role": "user", "content": prompt}])
        return (number, prompt, "", self._text(80), self._text(80), conversation, "{}")

    def _judgement(self, id_: int, pair: int, version: int, chosen: str, right: float) -> Values:
        chance = self._chance
        drawn = chance.random()
        other = "B" if chosen == "A" else "A"
        verdict = chosen if drawn < right else other if drawn < 0.96 else None
        state = "complete" if verdict else chance.choice(("truncated", "unparseable"))
        swap = None if id_ % 4 else chance.random() < 0.8
        confidence = chance.uniform(0.5, 1) if verdict else None
        return (
            *(id_, secrets.token_hex(16), pair, version, self._plan[0], verdict, state),
            *(confidence, "logprobs" if verdict else None, chance.choice(("Chat", "Reasoning"))),
            *(swap, verdict == chosen, 4, chance.choice((0, 0, 1)), chance.choice((0, 0, 0, 1, 2))),
            *(chance.randrange(200, 2000), chance.uniform(1, 30), 1, "batch", self._at(), ""),
            self._plan[1],
        )

    def _rollout(self, judgement: Values) -> Values:
        named = dict(zip(_COLUMNS["judgement"], judgement, strict=True))
        text = (
            f"<type>{named['type']}</type>\n<rubric>\nAccuracy (60%)\nClarity (40%)\n"
            f"<justify>{self._text(20)}</justify></rubric>\n<eval>{self._text(90)} "
            f"<quote_A>{self._text(10)}</quote_A></eval>\n<answer>[[{named['verdict'] or ''}]]"
            "</answer>"
        )
        return (
            *(named["id"], named["id"], 0, "AB", 0, 0, named["state"], named["verdict"]),
            *(named["tokens"], named["seconds"], "[]", "", text),
        )


def _parts(connection: sqlite3.Connection) -> None:
    """Four criteria and four quotations for each rollout, made by the database itself."""
    names = "(VALUES " + ", ".join(f"({i}, '{name}')" for i, name in enumerate(_CRITERIA)) + ")"
    connection.execute(
        "INSERT INTO criterion (rollout_id, position, name, weight_text, weight, share, text) "
        "SELECT r.id, p.column1, n.column2, '25%', 0.25, 0.25, "
        "'What a good response does in this respect.' "
        f"FROM rollout r CROSS JOIN (VALUES (0), (1), (2), (3)) p CROSS JOIN {names} n "
        f"WHERE n.column1 = (r.id + p.column1 * (1 + r.id % 2)) % {len(_CRITERIA)}"
    )
    connection.execute(
        "INSERT INTO quote "
        '(rollout_id, position, side, "match", start, "end", score, text, differences) '
        "SELECT j.id, p.column1, CASE p.column1 % 2 WHEN 0 THEN 'A' ELSE 'B' END, "
        "CASE WHEN p.column1 < j.quotes_absent THEN 'absent' "
        "WHEN p.column1 < j.quotes_absent + j.quotes_near THEN 'near' ELSE 'exact' END, "
        "0, 20, 1.0, 'words of the response', '[]' "
        "FROM judgement j CROSS JOIN (VALUES (0), (1), (2), (3)) p"
    )


if __name__ == "__main__":
    main()
