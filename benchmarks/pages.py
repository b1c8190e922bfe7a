"""How long the server takes for the Explore and Judgement pages with many judgements on record.

python -m benchmarks.pages --judgements 50000
"""

import argparse
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import accumulate
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from rmr1.judgement import JudgeVersion
from rmr1.pair import Pair
from rmr1.plan import Plan
from storage import cube, judgements, pairs
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.labels import record
from storage.overview import confidences, criteria, tallies
from storage.tables import CriterionRow, JudgementRow, QuoteRow, RolloutRow, utc_now
from ui import charts, exploring, inspecting

BUDGET_MS = 500
CHUNK = 1000
_WORDS = ["the", "because", *(f"word{rank}" for rank in range(2, 8000))]
_COMMON = list(accumulate(1 / (rank + 12) for rank in range(len(_WORDS))))
_SUBSETS = {
    "RewardBench": [f"subset {i}" for i in range(23)],
    "RM-Bench": ["chat", "code", "math", "safety"],
    "RMB": [f"Helpfulness/{i}" for i in range(12)],
}
_CRITERIA = ["Accuracy", "Clarity", "Depth", "Helpfulness", "Safety", "Tone", "Completeness"]


def main() -> None:
    """Fill a database, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", type=int, default=50_000)
    parser.add_argument("--keep", type=Path, help="a database to make once and measure again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = filled(Path(folder) / "small.db", 500)
        large = filled(options.keep or Path(folder) / "large.db", options.judgements)
        print(
            f"{'page':34}{'500 rows':>12}{f'{options.judgements:,} rows':>14}"
            f"{'CPU':>12}{'ratio':>8}"
        )
        slow = 0
        for name, work in _works().items():
            before, _ = _median_ms(partial(work, small))
            now, cpu = _median_ms(partial(work, large))
            slow += now > BUDGET_MS
            mark = f"  over {BUDGET_MS} ms" if now > BUDGET_MS else ""
            print(
                f"{name:34}{before:>9.1f} ms{now:>11.1f} ms{cpu:>9.1f} ms{now / before:>8.1f}{mark}"
            )
        small.close()
        large.close()
    print(f"{slow} over the budget" if slow else f"all within {BUDGET_MS} ms")


def _works() -> dict[str, Callable[[Database], object]]:
    return {
        "baseline: SELECT count(*)": _count,
        "list, first page, no filter": lambda d: exploring.list_view(d, ""),
        "list, page 400": lambda d: exploring.list_view(d, "list_page=400"),
        "list, wrong, least confident": lambda d: exploring.list_view(
            d, "correct=no&sort=least confident"
        ),
        "list, invented quotations first": lambda d: exploring.list_view(
            d, "source=RMB&sort=most absent quotes"
        ),
        "list, disagreements": lambda d: exploring.list_view(d, "agreement=disagrees"),
        "search, rare words": lambda d: exploring.list_view(d, "text=word5 number777"),
        "search, in a tenth of all": lambda d: exploring.list_view(d, "text=word600"),
        "search, in almost all": lambda d: exploring.list_view(d, "text=because"),
        "list, confidence over a half": lambda d: exploring.list_view(d, "confidence_min=0.5"),
        "charts, no filter": lambda d: charts.charts_view(d, ""),
        "charts, one source": lambda d: charts.charts_view(d, "source=RewardBench"),
        "charts, word in a tenth": lambda d: charts.charts_view(d, "text=word600"),
        "  counts after a change": lambda d: _in(d, cube._count),
        "  the same, in almost all": lambda d: _in(d, cube._count, text="because"),
        "  tallies": lambda d: _in(d, tallies),
        "  confidence": lambda d: _in(d, confidences),
        "  criteria": lambda d: _in(d, criteria),
        "open a judgement": _open,
        "preview a judgement": lambda d: inspecting.preview(d, _some_key(d)),
    }


def _in(
    database: Database, work: Callable[[Session, JudgementFilter], object], text: str | None = None
) -> object:
    with database.read() as session:
        return work(session, JudgementFilter(text=text))


def _count(database: Database) -> object:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(JudgementRow))


def _some_key(database: Database) -> str:
    with database.read() as session:
        return session.scalars(select(JudgementRow.key).limit(1).offset(250)).one()


def _open(database: Database) -> object:
    return inspecting.page_view(database, _some_key(database), "correct=no&sort=least confident")


def _median_ms(work: Callable[[], object], times: int = 7) -> tuple[float, float]:
    """Median wall time and median CPU time of the process, in milliseconds."""
    work()
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return statistics.median(walls), statistics.median(cpus)


def filled(path: Path, size: int) -> Database:
    """A database with `size` judgements, made unless the file holds some."""
    database = Database.open(f"sqlite:///{path}")
    with database.read() as session:
        if session.scalar(select(func.count()).select_from(JudgementRow)):
            return database
    started = time.perf_counter()
    chance = random.Random(0)
    for first in range(0, size, CHUNK):
        with database.write() as session:
            _add(session, chance, first, min(CHUNK, size - first))
    _label(database, chance, min(2000, size // 5))
    print(f"filled {size:,} judgements in {time.perf_counter() - started:.0f} s")
    return database


def _add(session: Session, chance: random.Random, first: int, count: int) -> None:
    made = [_pair(chance, first + i) for i in range(count)]
    ids = pairs.add_many(session, made).ids
    versions = [
        judgements.add_version(session, JudgeVersion("scripted", model, profile="cor"))
        for model in ("small", "large")
    ]
    start = (session.scalar(select(func.max(JudgementRow.id))) or 0) + 1
    rows = [
        _judgement(chance, start + i, pair_id, versions[i % 2], pair)
        for i, (pair_id, pair) in enumerate(zip(ids, made, strict=True))
    ]
    session.execute(insert(JudgementRow), rows)
    session.execute(insert(RolloutRow), [_rollout(chance, row) for row in rows])
    session.execute(insert(CriterionRow), [c for row in rows for c in _criteria(chance, row)])
    session.execute(insert(QuoteRow), [q for row in rows for q in _quotes(row)])


def _text(chance: random.Random, words: int) -> str:
    """Words as often as Zipf has them: a few stand everywhere, most almost nowhere."""
    return " ".join(chance.choices(_WORDS, cum_weights=_COMMON, k=words))


def _pair(chance: random.Random, number: int) -> Pair:
    source = chance.choice(list(_SUBSETS))
    return Pair.of(
        f"number{number} " + _text(chance, 50),
        _text(chance, 190),
        _text(chance, 190),
        chosen=chance.choice("AB"),
        source=source,
        subset=chance.choice(_SUBSETS[source]),
    )


def _judgement(
    chance: random.Random, id_: int, pair_id: int, version_id: int, pair: Pair
) -> dict[str, object]:
    plan = Plan()
    verdict = chance.choice(["A", "A", "B", "B", "B", None]) if id_ % 3 else pair.chosen
    absent = chance.choice([0, 0, 0, 1, 2])
    return {
        "id": id_,
        "key": secrets.token_hex(16),
        "pair_id": pair_id,
        "judge_version_id": version_id,
        "plan_hash": plan.hash,
        "plan": plan.model_dump(mode="json"),
        "verdict": verdict,
        "state": "complete" if verdict else chance.choice(["truncated", "unparseable"]),
        "confidence": chance.uniform(0.5, 1) if verdict else None,
        "confidence_source": "logprobs" if verdict else None,
        "type": chance.choice(["Chat", "Reasoning"]),
        "swap_consistent": None,
        "correct": verdict == pair.chosen,
        "quotes_total": 4,
        "quotes_near": chance.choice([0, 0, 1]),
        "quotes_absent": absent,
        "tokens": chance.randrange(200, 2000),
        "seconds": chance.uniform(1, 30),
        "rollout_count": 1,
        "origin": "batch",
        "created_at": utc_now() - timedelta(minutes=chance.randrange(100_000)),
    }


def _rollout(chance: random.Random, row: dict[str, object]) -> dict[str, object]:
    text = (
        f"<type>{row['type']}</type>\n<rubric>\nAccuracy (60%)\nClarity (40%)\n<justify>"
        f"{_text(chance, 40)}</justify></rubric>\n<eval>{_text(chance, 200)} "
        f"<quote_A>{_text(chance, 8)}</quote_A></eval>\n<answer>[[{row['verdict'] or ''}]]</answer>"
    )
    return {
        "id": row["id"],
        "judgement_id": row["id"],
        "position": 0,
        "order": "AB",
        "vote": 0,
        "seed": 0,
        "state": row["state"],
        "verdict": row["verdict"],
        "completion_tokens": row["tokens"],
        "seconds": row["seconds"],
        "injected": [],
        "text": text,
    }


def _criteria(chance: random.Random, row: dict[str, object]) -> Iterator[dict[str, object]]:
    for position, name in enumerate(chance.sample(_CRITERIA, 4)):
        yield {
            "rollout_id": row["id"],
            "position": position,
            "name": name,
            "weight_text": "25%",
            "weight": 0.25,
            "share": 0.25,
            "text": "What a good response does in this respect.",
        }


def _quotes(row: dict[str, object]) -> Iterator[dict[str, object]]:
    for position in range(4):
        yield {
            "rollout_id": row["id"],
            "position": position,
            "side": "AB"[position % 2],
            "match": "exact",
            "start": 0,
            "end": 20,
            "score": 1.0,
            "text": "words of the response",
            "differences": [],
        }


def _label(database: Database, chance: random.Random, count: int) -> None:
    for number in range(count):
        record(
            database,
            LabelEntry(
                key=f"label-{number:08}",
                annotator=f"person {number % 20}",
                pair_id=number + 1,
                stage="blind",
                action="commit",
                value=chance.choice(["A", "B", "tie"]),
            ),
        )


if __name__ == "__main__":
    main()
