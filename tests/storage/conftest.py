"""A database with a journal, and makers of pairs and judgements."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import read_rollout
from storage import judgements
from storage.database import Database
from storage.entries import LabelEntry

REPLY = """<type>Chat</type>
<rubric>
1. Clarity (40%): is it easy to follow?
2. Depth (60%): does it go into it?
<justify>Both matter here.</justify>
</rubric>
<eval>
One says <quote_{side}>{quote}</quote_{side}> plainly. <summary_A>fine</summary_A>
</eval>
<answer>[[{letter}]]</answer>"""


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database that holds nothing, made once."""
    path = tmp_path_factory.mktemp("empty") / "database.sqlite"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def database(tmp_path: Path, journal_path: Path, empty_database: Path) -> Iterator[Database]:
    shutil.copy(empty_database, tmp_path / "database.sqlite")
    with Database.open(f"sqlite:///{tmp_path / 'database.sqlite'}", journal_path) as opened:
        yield opened


@pytest.fixture
def make_pair() -> Callable[..., Pair]:
    numbers = count(1)

    def make(prompt: str | None = None, **rest: object) -> Pair:
        number = next(numbers)
        texts = {
            "prompt": prompt or f"What is number {number}?",
            "response_a": f"The first answer to {number} is short.",
            "response_b": f"The second answer to {number} goes on for longer.",
        }
        return Pair.of(**texts | rest)

    return make


@pytest.fixture
def make_judgement(make_pair: Callable[..., Pair]) -> Callable[..., Judgement]:
    def make(
        pair: Pair | None = None,
        letter: str = "A",
        quote: str = "The first answer",
        text: str | None = None,
        plan: Plan | None = None,
        model: str = "tiny",
        probability_a: float | None = None,
    ) -> Judgement:
        pair = pair or make_pair()
        plan = plan or Plan()
        version = JudgeVersion(backend="scripted", model=model, profile="cor", profile_hash="0")
        rollouts = [
            read_rollout(
                pair,
                draw.order,
                _reply(draw.order, letter, quote) if text is None else text,
                vote=draw.vote,
                seed=draw.seed,
                finish_reason="stop",
                probability_a=probability_a,
            )
            for draw in plan.draws()
        ]
        return conclude(pair, version, plan, rollouts)

    return make


def _reply(order: Order, letter: str, quote: str) -> str:
    """The same opinion, in the letters that the judge sees under `order`."""
    return REPLY.format(letter=order.to_pair(Side(letter)), side=order.to_pair(Side.A), quote=quote)


@pytest.fixture
def stored(database: Database, make_judgement: Callable[..., Judgement]) -> tuple[int, str]:
    """Id of a pair, and key of its judgement (verdict A), on record."""
    with database.write() as session:
        key = judgements.add(session, make_judgement())
        return judgements.get(session, key).pair_id, key


@pytest.fixture
def make_entry() -> Callable[..., LabelEntry]:
    numbers = count(1)

    def make(stage: str, action: str, value: str | None = None, **rest: object) -> LabelEntry:
        fields = {"key": f"key-{next(numbers):06}", "annotator": "Ada", **rest}
        return LabelEntry.model_validate(
            {"stage": stage, "action": action, "value": value, **fields}
        )

    return make
