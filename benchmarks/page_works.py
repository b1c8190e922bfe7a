"""What the server does for each page, as calls that can be timed."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from benchmarks.furnishing import TEAM_QUEUE
from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import assigning, batches, census, exporting, gold, passports, queues, snapshots
from storage.courses import ORDERS
from storage.database import Database
from storage.filters import JudgementFilter
from storage.overview import confidences, criteria, tallies
from storage.queues import Queue
from storage.roles import Person, Role
from storage.tables import JudgementRow, LabelEventRow, PairRow, QueueRow
from ui import (
    adjudicating,
    benchmarks_views,
    charts,
    compare_views,
    data_tab,
    exploring,
    gallery_views,
    inspecting,
    queues_views,
    scaling_pages,
    serving,
)
from ui.agreement_scope import head_view
from ui.agreement_tab import SECTIONS, answer_mirror, answer_section
from ui.context import Studio

Work = Callable[[Database], object]

_LEAD = Person("lead", Role.LEAD)
_ANNOTATOR = "person 03"
_NUMBERS = count()


def works(database: Database) -> dict[str, Work]:
    """Everything that is measured, by name, in the order of the pages."""
    del database
    return {
        "baseline: SELECT count(*)": baseline,
        **_explore(),
        **_charts(),
        **_judgement(),
        **_annotate(),
        **_queues(),
        **_agreement(),
        **_compare(),
        **_rest(),
    }


def baseline(database: Database) -> object:
    """The cheapest thing that looks at every judgement."""
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(JudgementRow))


def _explore() -> dict[str, Work]:
    queries = {
        "list, first page, no filter": "",
        "list, page 400": "list_page=400",
        "list, last page": "list_page=99999999",
        "list, oldest first": "sort=oldest",
        "list, most confident": "sort=most confident",
        "list, slowest": "sort=slowest",
        "list, wrong, least confident": "correct=no&sort=least confident",
        "list, invented quotations first": "source=RMB&sort=most absent quotes",
        "list, one subset": "source=RewardBench&subset=subset 7",
        "list, disagreements": "agreement=disagrees",
        "list, labelled, split": "labelled=yes&agreement=split",
        "list, flips": "swap=flipped",
        "list, confidence over a half": "confidence_min=0.5",
        "list, one benchmark run": "benchmark=41",
        "list, one person's answers": f"annotator={_ANNOTATOR}&stage=blind",
        "list, people differ": "people=differ",
        "list, pulled": "pull=towards",
        "list, newest of each judge": "newest=yes",
        "search, a rare word": "text=number777",
        "search, two rare words": "text=word7011 word6999",
        "search, in a tenth of all": "text=word600",
        "search, in almost all": "text=because",
    }
    return {f"Explore {name}": _listed(query) for name, query in queries.items()}


def _listed(query: str) -> Work:
    return lambda database: exploring.list_view(database, query)


def _charts() -> dict[str, Work]:
    return {
        "Explore charts, no filter": lambda d: charts.charts_view(d, ""),
        "Explore charts, one source": lambda d: charts.charts_view(d, "source=RewardBench"),
        "Explore charts, word in a tenth": lambda d: charts.charts_view(d, "text=word600"),
        "Explore charts, invented quotes": lambda d: charts.charts_view(d, "quotes=absent"),
        "  list after a new label": _after_a_label,
        "  list, nothing in memory": _counted_anew,
        "  tallies": lambda d: _in(d, tallies),
        "  confidence": lambda d: _in(d, confidences),
        "  criteria": lambda d: _in(d, criteria),
    }


def _in(database: Database, work: Callable[[Session, JudgementFilter], object]) -> object:
    with database.read() as session:
        return work(session, JudgementFilter())


def _counted_anew(database: Database) -> object:
    census.forget()
    return exploring.list_view(database, "")


def _after_a_label(database: Database) -> object:
    _say_one(database)
    return exploring.list_view(database, "")


def _say_one(database: Database) -> None:
    """One more event, as a person at work makes one every few seconds."""
    with database.write() as session:
        person = session.scalar(select(LabelEventRow.annotator_id).limit(1)) or 1
        session.add(
            LabelEventRow(
                key=uuid4().hex,
                annotator_id=person,
                pair_id=next(_NUMBERS) % 100 + 1,
                stage="blind",
                action="commit",
                value="A",
                display_swapped=False,
            )
        )


def _judgement() -> dict[str, Work]:
    query = "correct=no&sort=least confident"
    return {
        "Judgement, in the whole list": lambda d: inspecting.page_view(d, _some_key(d)),
        "Judgement, in a filtered list": lambda d: inspecting.page_view(d, _some_key(d), query),
        "Judgement, evidence": lambda d: inspecting.checked(d, _some_key(d)),
        "Judgement, preview": lambda d: inspecting.preview(d, _some_key(d)),
        "Judgement, passport of a label": _passport,
    }


def _some_key(database: Database) -> str:
    with database.read() as session:
        return session.scalars(select(JudgementRow.key).where(JudgementRow.id == 250)).one()


def _passport(database: Database) -> object:
    with database.read() as session:
        event = session.scalars(select(LabelEventRow.id).limit(1).offset(300)).one()
        return passports.passport(session, event, Path("nowhere"))


def _annotate() -> dict[str, Work]:
    return {
        "Annotate, open": lambda d: serving.open_page(d, _ANNOTATOR, None),
        "Annotate, next of Everything": lambda d: _next(d, queues.EVERYTHING),
        "Annotate, next of a team's queue": lambda d: _next(d, TEAM_QUEUE),
        **{f"Annotate, next by {order}": _next_by(order) for order in ORDERS if order != "random"},
        "Annotate, a pair by link": lambda d: serving.open_page(
            d, _ANNOTATOR, None, {"pair_id": 200}
        ),
    }


def _next_by(order: str) -> Work:
    return lambda database: _next(database, f"by {order}")


def _next(database: Database, name: str) -> object:
    return serving.more(database, _ANNOTATOR, _queue(database, name).id, [])


def _queue(database: Database, name: str) -> Queue:
    with database.read() as session:
        found = session.scalars(select(QueueRow.id).where(QueueRow.name == name)).one()
        return queues.get(session, found)


def _queues() -> dict[str, Work]:
    return {
        "Queues, list": lambda d: queues_views.page_view(d, _LEAD, ""),
        "Queues, one with 10,000 assignments": lambda d: _queue_page(d, TEAM_QUEUE),
        "Queues, Everything": lambda d: _queue_page(d, queues.EVERYTHING),
        "Queues, one by least confident": lambda d: _queue_page(d, "by least confident"),
        "Queues, make one from a filter": _make_queue,
        "Queues, mark gold": _mark_gold,
        "Queues, conflicts": lambda d: adjudicating.list_view(d, "lead", "all", ""),
        "Queues, conflicts of one": lambda d: adjudicating.list_view(
            d, "lead", str(_queue(d, TEAM_QUEUE).id), ""
        ),
        "Annotate, next after a label": _next_after_a_label,
        "  reserve one": lambda d: assigning.reserve(d, _queue(d, TEAM_QUEUE), _ANNOTATOR, 1),
    }


def _next_after_a_label(database: Database) -> object:
    _say_one(database)
    return _next(database, queues.EVERYTHING)


def _queue_page(database: Database, name: str) -> object:
    return queues_views.page_view(database, _LEAD, f"queue={_queue(database, name).id}")


def _make_queue(database: Database) -> object:
    form = {"name": "made here", "link": "correct=no&source=RMB", "order": "least confident"}
    made = queues_views.make(database, "lead", form)
    with database.write() as session:
        session.execute(delete(QueueRow).where(QueueRow.id == made))
    return made


def _mark_gold(database: Database) -> object:
    return gold.mark(
        database, _queue(database, TEAM_QUEUE).id, "lead", gold.Draw("chosen", 1)
    ).pairs


def _agreement() -> dict[str, Work]:
    return {
        "Agreement, choices": lambda d: head_view(d, ""),
        **{f"Agreement, {name}": _section(name) for name in SECTIONS},
        "Agreement, judge, after a label": _agreement_after_a_label,
        "Agreement, judge, one source": lambda d: answer_section(
            _studio(d), "judge", "source=RMB&stage=final"
        ),
        "Agreement, one's own mirror": lambda d: answer_mirror(_studio(d), _ANNOTATOR),
    }


def _agreement_after_a_label(database: Database) -> object:
    _say_one(database)
    return answer_section(_studio(database), "judge", "")


def _section(name: str) -> Work:
    return lambda database: answer_section(_studio(database), name, "")


def _studio(database: Database) -> Studio:
    return Studio(database, {"judge": _judge()}, Plan(), Path("nowhere"))


def _judge() -> Judge:
    return Judge(ScriptedBackend(["-"]), load_profile("cor"))


def _compare() -> dict[str, Work]:
    return {
        "Compare, held out": lambda d: compare_views.page_view(d, ""),
        "Compare, by people's labels": lambda d: compare_views.page_view(d, "truth=labels"),
        "Compare, all common pairs": lambda d: compare_views.page_view(d, "all=1"),
    }


def _rest() -> dict[str, Work]:
    return {
        "Benchmarks, list": lambda d: benchmarks_views.page_view(d, {}),
        "Benchmarks, one run": lambda d: benchmarks_views.page_view(d, {"run": _bench_run(d)}),
        "Benchmarks, pools of votes": scaling_pages.pools_view,
        "Benchmarks, test-time scaling": _scaling,
        "Gallery, shipped": lambda d: gallery_views.list_view(d, ""),
        "Gallery, of a run": lambda d: gallery_views.list_view(d, str(_bench_run(d))),
        "Data, imports": data_tab.list_imports,
        "Data, labels to freeze": lambda d: data_tab.count_labels(d, "blind", "keep", False, False),
        "Data, labels and known sides": lambda d: data_tab.count_labels(
            d, "blind", "keep", True, False
        ),
        "Data, snapshots": data_tab.snapshot_names,
        "Data, what an export holds": lambda d: data_tab.count_export(
            d, "first", "preference", "cor", True
        ),
        "Data, what a batch has left": _left,
        "Data, labels read for a snapshot": _snapshot_labels,
    }


def _bench_run(database: Database) -> int:
    with database.read() as session:
        newest = select(func.max(JudgementRow.run_id))
        return session.scalar(newest) or 0


def _scaling(database: Database) -> object:
    pools = scaling_pages.pools_view(database)["pools"]
    return scaling_pages.scaling_view(database, pools[0]["id"])


def _left(database: Database) -> object:
    with database.read() as session:
        return batches.left(session, _judge(), Plan(), "all")


def _snapshot_labels(database: Database) -> object:
    with database.read() as session:
        snapshot = snapshots.get(session, "first")
        return exporting.count(session, snapshot, "sft"), session.scalar(
            select(func.count()).select_from(PairRow)
        )
