"""A studio with something on every page, in which every text that somebody wrote is the same."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import judgement_record
from storage import (
    adapters,
    benchmark_keeping,
    benchmark_runs,
    gold,
    importing,
    judgements,
    labels,
    lead_events,
    queues,
    runs,
    snapshots,
    trainings,
)
from storage.benchmark_runs import Order
from storage.database import Database
from storage.entries import LabelEntry
from storage.lead_events import LeadEntry
from storage.snapshots import LabelFilter
from storage.tables import PairRow
from ui.context import Studio

TRACE = """<type>Chat</type>
<rubric>
1. LINE (60%): LINE
2. Brevity (40%): LINE
<justify>TEXT</justify>
</rubric>
<eval>TEXT <quote_A>LINE</quote_A> <quote_B>LINE that stands nowhere</quote_B>
<summary_A>TEXT</summary_A></eval>
<answer>[[A]]</answer>
TEXT"""

PAGES = (
    *("gallery", "game", "queues", "conflicts", "annotate", "explore", "judgement", "compare"),
    *("agreement", "train", "benchmarks", "data", "people"),
)
"""The names of the pages that are furnished; Judge and Rank are filled in by whoever comes."""


@dataclass(frozen=True)
class Furnished:
    """What a page is opened with.

    Attributes:
        pages: query strings by the name of the page; each with a selector of what is then there.
    """

    studio: Studio
    pages: dict[str, tuple[str, str]]


@contextmanager
def furnished(folder: Path, text: str) -> Iterator[Furnished]:
    """A studio whose names, prompts, responses, judge texts, notes and files hold `text`.

    Args:
        text: of several lines; its first line stands where there is room for a line.
    """
    line = text.splitlines()[0][:80]
    trace = TRACE.replace("TEXT", text).replace("LINE", line)
    judge = Judge(ScriptedBackend([trace], chunk=4096), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        judges = {line: judge, "second": judge}
        studio = Studio(database, judges, Plan(), folder)
        made = list(_judgements(trace, text, line))
        key = _store(database, made[:-4])
        imported = _import(database, folder, made[-4:], line)
        queue = _label(database, line, text)
        run = _train(studio, line, text)
        bench = _bench(database, judge, folder, line, text)
        snapshots.create(database, line, LabelFilter())
        old, new = (one.version.hash for one in made[:2])
        yield Furnished(
            studio,
            {
                "gallery": (f"gallery={imported}", "#gallery-page [data-card]"),
                "game": (f"gallery={imported}&play=1", ".gallery-play button"),
                "queues": (f"tab=queues&queue={queue}", ".queue-body h2"),
                "conflicts": ("tab=queues&adjudicate=all", ".adjudicate-side .sayings"),
                "annotate": ("tab=annotate", ".annotate[data-phase=item]"),
                "explore": ("tab=explore", "#explore-found [role=option]"),
                "judgement": (f"judgement={key}", f"#judgement-page [data-painted='{key}']"),
                "compare": (f"tab=compare&old={old}&new={new}&all=1", ".compare-sentence"),
                "agreement": ("tab=agreement", "#agreement-consensus [data-painted]"),
                "train": (f"run={run}", ".rollout"),
                "benchmarks": (f"bench={bench}", "#benchmarks .bench-run h2"),
                "data": ("tab=data", "#data-counts .figures"),
                "people": ("tab=people", "#tab-people .card, #tab-people .note"),
            },
        )


def _judgements(trace: str, text: str, line: str) -> Iterator[Judgement]:
    """Two judge versions that differ on every second of four pairs."""
    old = JudgeVersion("scripted", f"old {line}", profile="cor")
    new = JudgeVersion("scripted", f"new {line}", adapter=f"{line}@12345678", profile="cor")
    for number in range(4):
        pair = Pair.of(f"{text} {number}", f"A {text}", f"B {text}", chosen="AB"[number % 2])
        pair = pair.model_copy(update={"source": line, "subset": line})
        for version, letter in ((old, "A"), (new, "AB"[number % 2])):
            said = trace.replace("[[A]]", f"[[{letter}]]")
            judge = Judge(ScriptedBackend([said], chunk=4096), load_profile("cor"))
            yield replace(judge.judge(pair, Plan()), version=version)


def _store(database: Database, made: list[Judgement]) -> str:
    with database.write() as session:
        keys = [judgements.add(session, one) for one in made]
    return keys[0]


def _import(database: Database, folder: Path, made: list[Judgement], line: str) -> int:
    """A log of judgements with a row that cannot be used; its run's number."""
    path = folder / "log.jsonl"
    rows = [json.dumps(judgement_record(one)) for one in made]
    path.write_text("\n".join([*rows, f'{{"prompt": "{uuid.uuid4().hex}"}}']), encoding="utf-8")
    return importing.import_file(database, path, name=line).run_id


def _label(database: Database, line: str, text: str) -> int:
    """Two people who differ on two pairs, one of them decided; a queue with gold; its number."""
    with database.read() as session:
        ids = list(session.scalars(select(PairRow.id).order_by(PairRow.id)))
    for pair_id in ids[:3]:
        for name, value in ((line, "A"), ("Bob", "B")):
            entry = {"key": uuid.uuid4().hex, "annotator": name, "pair_id": pair_id, "note": text}
            entry |= {"stage": "blind", "action": "commit", "value": value, "why": "random"}
            labels.record(database, LabelEntry.model_validate(entry))
    decided = {"pair_id": ids[0], "value": "A", "reason": "other", "note": text}
    said = LeadEntry(key=uuid.uuid4().hex, by=line, action="decide", **decided)
    lead_events.record(database, said)
    with database.write() as session:
        queue = queues.create(session, line, order="people disagree").id
    gold.mark(database, queue, line, gold.Draw("chosen", 1))
    return queue


def _train(studio: Studio, line: str, text: str) -> int:
    database, folder = studio.database, studio.data_dir / "runs" / "1"
    with database.write() as session:
        run = trainings.open_run(session, line, {"recipe": {"profile": "cor"}, "data": line})
        for step in range(1, 6):
            trainings.log_metrics(session, run, step, {"loss": 2 / step, "reward": step / 10})
            sample = {"prompt": text, "text": text, "rewards": {line: 1}}
            trainings.log_samples(session, run, step, [sample])
        trainings.beat(session, run, 4)
        runs.report(session, run, {"step": 5, "steps": 10})
        runs.finish(session, run, state="failed", message=line)
    (folder / "adapter").mkdir(parents=True)
    (folder / "log.txt").write_text(text, encoding="utf-8")
    (folder / "adapter" / adapters.WEIGHTS).write_bytes(b"weights")
    (folder / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    given = {"folder": str(folder / "adapter"), "base": line, "profile": line}
    given["hash"] = adapters.weights_hash(folder / "adapter")
    with database.write() as session:
        adapters.promote(session, adapters.register(session, name="mine", **given), line)
    return run


def _bench(database: Database, judge: Judge, folder: Path, line: str, text: str) -> int:
    named = folder / line.replace("/", "∕")
    rows = [
        {"id": n, "subset": subset, "prompt": f"{text} {n}", "chosen": text, "rejected": "no"}
        for subset in ("alpacaeval-easy", "donotanswer")
        for n in range(2)
    ]
    named.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    order = Order(benchmark="rewardbench", data=str(named), judge=line, plan=Plan())
    with database.write() as session:
        run = benchmark_runs.open_run(session, order)
    benchmark_keeping.work(database, run, lambda _: judge, folder)
    return run
