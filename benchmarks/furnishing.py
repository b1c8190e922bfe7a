"""Puts people's work into a filled database: labels, queues, gold, decisions, runs, votes."""

import json
import random
import secrets
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Row, func, insert, select
from sqlalchemy.orm import Session

from rmr1.backends.scripted import ScriptedBackend
from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.items import benchmark_files, read_items
from rmr1.benchmark.items import select as chosen_items
from rmr1.benchmark.running import Chosen, identity, run_benchmark
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.results import opened_results
from storage import benchmark_keeping, gold, people, queues, snapshots
from storage.columns import JsonObject, utc_now
from storage.courses import ORDERS
from storage.database import Database
from storage.filters import JudgementFilter
from storage.snapshots import LabelFilter
from storage.tables import (
    AssignmentRow,
    JudgementRow,
    LabelEventRow,
    PairRow,
    QueueRow,
    RolloutRow,
    RunRow,
)
from storage.team_tables import LeadEventRow
from storage.terms import Terms

LABELS: Final = 20_000
PEOPLE: Final = 20
TEAM_QUEUE: Final = "Team"
"""The queue with assignments; there is one of each order beside it."""
_ASSIGNMENTS: Final = 10_000
_EACH: Final = 5
"""Labels that a labelled pair gets at most."""
_POOL: Final = 1000
_VOTES: Final = 8
_BENCHMARK: Final = 1000
_IMPORTS: Final = 40

Labelled = Row[int, str | None, int, str | None]


def furnish(database: Database, labels: int = LABELS) -> None:
    """Put people's work into a database, unless it has some."""
    with database.read() as session:
        if session.scalar(select(func.count()).select_from(LabelEventRow)):
            return
        judgements = session.scalar(select(func.count()).select_from(JudgementRow)) or 0
    labels = min(labels, judgements)
    chance = random.Random(1)
    with database.write() as session:
        persons = [people.annotator_id(session, f"person {n:02}") for n in range(PEOPLE)]
        team = _queues(session)
        asked = _some(session, chance, labels // _EACH * 2)
        for start in range(0, len(asked), 500):
            _label(session, chance, asked[start : start + 500], persons, team)
        _assign(session, chance, asked, persons, team, min(_ASSIGNMENTS, labels))
        _lead(session, [one.id for one in asked], persons[0], team)
        _vote(session, chance, min(_POOL, judgements // 10))
        session.add_all(
            RunRow(kind="import", name=f"file {n}.jsonl", state="finished", counts={"new_pairs": n})
            for n in range(_IMPORTS)
        )
    gold.mark(database, team, "lead", gold.Draw("chosen", 50))
    snapshots.create(database, "first", LabelFilter())
    _benchmarks(database, min(_BENCHMARK, judgements // 10))


def _queues(session: Session) -> int:
    """The queue of everything, one of each order, and the team's; the id of the last."""
    queues.everything(session)
    for order in ORDERS:
        queues.create(session, f"by {order}", order=order)  # type: ignore[arg-type]
    made = queues.create(
        session,
        TEAM_QUEUE,
        JudgementFilter(source="RewardBench"),
        terms=Terms(overlap=2, gold_share=0.1),
    )
    return made.id


def _some(session: Session, chance: random.Random, count: int) -> list[Labelled]:
    """Pairs from all over, with the judgement that people are shown and its verdict."""
    last = session.scalar(select(func.max(PairRow.id))) or 0
    ids = sorted(chance.sample(range(1, last + 1), min(count, last)))
    found: list[Labelled] = []
    for start in range(0, len(ids), 500):
        statement = (
            select(PairRow.id, PairRow.chosen, JudgementRow.id, JudgementRow.verdict)
            .join(JudgementRow, JudgementRow.pair_id == PairRow.id)
            .where(PairRow.id.in_(ids[start : start + 500]), JudgementRow.judge_version_id == 2)
        )
        found += session.execute(statement).all()
    return found


def _label(
    session: Session,
    chance: random.Random,
    asked: list[Labelled],
    persons: list[int],
    team: int,
) -> None:
    """Blind answers of one to four people on each pair, and what they say after the verdict."""
    queue = session.scalar(select(QueueRow.id).where(QueueRow.name == queues.EVERYTHING))
    events: list[JsonObject] = []
    for pair_id, chosen, judgement_id, verdict in asked:
        is_random = chance.random() < 0.7
        served = {
            "pair_id": pair_id,
            "queue_id": queue if is_random else team,
            "why": "random" if is_random else "filter:source=RewardBench order:random",
        }
        for person in chance.sample(persons, chance.choice((1, 2, 3, 4))):
            said = _said(chance, chosen or "A")
            events += _stages(
                chance, served | {"annotator_id": person}, said, verdict, judgement_id
            )
    session.execute(insert(LabelEventRow), events)


def _said(chance: random.Random, chosen: str) -> str:
    drawn = chance.random()
    return chosen if drawn < 0.75 else "tie" if drawn < 0.82 else "B" if chosen == "A" else "A"


def _stages(
    chance: random.Random, served: JsonObject, said: str, verdict: str | None, judgement_id: int
) -> Iterator[JsonObject]:
    def event(stage: str, action: str, value: str | None, judgement: int | None) -> JsonObject:
        return served | {
            "key": secrets.token_hex(16),
            "judgement_id": judgement,
            "stage": stage,
            "action": action,
            "value": value,
            "strength": chance.choice((1, 2, 3)) if stage == "blind" else None,
            "display_swapped": False,
            "seconds": chance.uniform(5, 90) if stage == "blind" else None,
            "created_at": utc_now() - timedelta(minutes=chance.randrange(60_000)),
        }

    yield event("blind", "commit", said, None)
    if chance.random() < 0.7:
        moves = verdict not in (None, said) and chance.random() < 0.2
        value = verdict if moves else said
        yield event("verdict", "change" if moves else "keep", value, judgement_id)
        if chance.random() < 0.6:
            yield event("reasoning", "sound", None, judgement_id)


def _assign(
    session: Session,
    chance: random.Random,
    asked: list[Labelled],
    persons: list[int],
    team: int,
    count: int,
) -> None:
    rows = [
        {
            "queue_id": team,
            "pair_id": one.id,
            "annotator_id": person,
            "held_until": utc_now() + timedelta(minutes=chance.randrange(-60_000, 30)),
        }
        for one in asked
        for person in chance.sample(persons, 2)
    ]
    session.execute(insert(AssignmentRow), rows[:count])


def _lead(session: Session, pairs: list[int], by: int, team: int) -> None:
    """Decisions on some pairs, and some sent back."""
    for number, pair_id in enumerate(pairs[:150]):
        is_back = number % 3 == 0
        session.add(
            LeadEventRow(
                key=secrets.token_hex(16),
                by_id=by,
                action="send_back" if is_back else "decide",
                pair_id=pair_id,
                queue_id=team,
                value=None if is_back else "A",
                reason=None if is_back else "slip",
                note="Please look again." if is_back else None,
            )
        )


def _vote(session: Session, chance: random.Random, count: int) -> None:
    """Judgements of many votes, for what is replayed at other budgets."""
    plan = Plan(votes=_VOTES, temperature=1.0)
    one = session.scalars(select(JudgementRow).limit(1)).one()
    shared = {
        column.key: getattr(one, column.key)
        for column in JudgementRow.__table__.columns
        if column.key not in ("id", "key", "created_at")
    }
    first = (session.scalar(select(func.max(JudgementRow.id))) or 0) + 1
    made, rollouts = [], []
    for number in range(count):
        votes = [chance.choice("AAB") for _ in range(_VOTES)]
        verdict = "A" if votes.count("A") * 2 >= _VOTES else "B"
        made.append(
            shared
            | {
                "id": first + number,
                "key": secrets.token_hex(16),
                "pair_id": number + 1,
                "plan": plan.model_dump(mode="json"),
                "plan_hash": plan.hash,
                "verdict": verdict,
                "rollout_count": _VOTES,
                "confidence": votes.count(verdict) / _VOTES,
                "confidence_source": "votes",
            }
        )
        rollouts += [_vote_row(chance, first + number, place, v) for place, v in enumerate(votes)]
    session.execute(insert(JudgementRow), made)
    session.execute(insert(RolloutRow), rollouts)


def _vote_row(chance: random.Random, judgement_id: int, place: int, verdict: str) -> JsonObject:
    return {
        "judgement_id": judgement_id,
        "position": place,
        "order": "AB",
        "vote": place,
        "seed": place,
        "state": "complete",
        "verdict": verdict,
        "completion_tokens": chance.randrange(200, 900),
        "seconds": chance.uniform(1, 9),
        "injected": [],
        "text": f"<type>Chat</type><eval>It is.</eval><answer>[[{verdict}]]</answer>",
    }


def _benchmarks(database: Database, items: int) -> None:
    """Two runs on as many items of a benchmark, through the real keeping."""
    benchmark = by_name("rewardbench")
    subsets = ("alpacaeval-easy", "mt-bench-hard", "donotanswer", "math-prm")
    replies = [f"<type>Chat</type><eval>-</eval><answer>[[{side}]]</answer>" for side in "AAB"]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "rows.jsonl"
        rows = (
            {
                "id": n,
                "subset": subsets[n % 4],
                "prompt": f"Item {n}?",
                "chosen": "a",
                "rejected": "b",
            }
            for n in range(items)
        )
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        files = benchmark_files(benchmark, str(data))
        chosen = Chosen(
            benchmark, files, chosen_items(benchmark, read_items(benchmark, files), None), 0
        )
        for orders in ("AB", "both"):
            judge = Judge(ScriptedBackend(replies * items), load_profile("cor"))
            out = Path(folder) / f"{orders}.jsonl"
            with opened_results(out, identity) as results:
                list(run_benchmark(judge, Plan(orders=orders), chosen, results, workers=1))
            benchmark_keeping.keep_files(database, [out])
