"""The same verbs on PostgreSQL: on a server of the tests' own, or that of RMR1_TEST_POSTGRES."""

import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from storage import (
    activity,
    adjudication,
    assigning,
    gold,
    journal,
    judgements,
    labels,
    lead_events,
    pairs,
    queue_progress,
    queues,
    runs,
)
from storage.courses import ORDERS
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.lead_events import LeadEntry
from storage.tables import Row
from storage.terms import Terms
from tests.postgres import postgres_url

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with postgres_url(tmp_path_factory.mktemp("postgres")) as opened:
        yield opened


@pytest.fixture
def database(url, tmp_path):
    with Database.open(url, tmp_path / f"{uuid.uuid4().hex}.jsonl") as opened:
        yield opened


def test_the_migrated_schema_is_the_declared_one(database):
    with database.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Row.metadata) == []


def test_judging_searching_labelling_and_undoing(database, make_pair, make_judgement):
    mark = uuid.uuid4().hex
    with database.write() as session:
        pair = make_pair(f"Is zebra{mark} 100% right?", source=mark)
        key = judgements.add(session, make_judgement(pair))
        pair_id = judgements.get(session, key).pair_id
        queue = queues.create(session, mark, JudgementFilter(source=mark), "least confident")
        run_id = runs.start(session, "import", mark)
        pairs.add(session, make_pair(mark), run_id=run_id)
        assert runs.undo_import(session, run_id).pairs_removed == 1

    def say(stage, action, value=None):
        entry = LabelEntry(
            key=uuid.uuid4().hex,
            annotator=mark,
            pair_id=pair_id,
            judgement_key=key,
            stage=stage,
            action=action,
            value=value,
            tags=("odd \0",),
        )
        return labels.record(database, entry)

    with database.read() as session:
        assert assigning.next_items(session, queue, mark)[0].judgement_key == key
    say("blind", "commit", "B")
    say("verdict", "change", "A")
    labels.undo_last(database, mark, uuid.uuid4().hex)
    with database.read() as session:
        (label,) = labels.current(session, annotator=mark)
        assert (label.value, label.inspection, label.tags) == ("B", False, ("odd \ufffd",))
        wanted = JudgementFilter(text=f"zebra{mark} 100%", agreement="disagrees", labelled="yes")
        assert judgements.page(session, wanted).items[0].key == key
        assert judgements.facets(session, wanted).counts["agreement"] == {"disagrees": 1}
        assert judgements.neighbours(session, wanted, key) == (None, None)
        assert assigning.next_items(session, queue, mark) == []
        assert queue_progress.progress(session, queue, mark).done == 1
        assert activity.since(session, mark).labels == 1
    assert journal.check(database, database.journal.path).agree


def test_orders_reservations_gold_and_decisions(database, make_pair, make_judgement):
    mark = uuid.uuid4().hex
    with database.write() as session:
        keys = [
            judgements.add(session, make_judgement(make_pair(source=mark, chosen="A")))
            for _ in range(4)
        ]
        ids = [judgements.get(session, key).pair_id for key in keys]
        wanted = JudgementFilter(source=mark)
        made = [queues.create(session, f"{mark} {o}", wanted, o) for o in ORDERS]
        whole = [queues.create(session, f"{mark} all {o}", None, o) for o in ORDERS]
    for queue in made:
        with database.read() as session:
            items = assigning.next_items(session, queue, mark, 9)
            assert sorted(item.pair_id for item in items) == sorted(ids)
    for queue in whole:
        with database.read() as session:
            items = assigning.next_items(session, queue, mark, 10**6)
            assert set(ids) <= {item.pair_id for item in items}
    terms = Terms(overlap=2, gold_share=0.5, screening=1)
    queue = queues.settle(database, made[0].id, terms)
    assert gold.mark(database, queue.id, mark, gold.Draw("chosen", 1)).pairs == 1
    for name, value in ((f"{mark} A", "A"), (f"{mark} B", "B")):
        while items := assigning.reserve(database, queue, name, 1):
            entry = LabelEntry(
                key=uuid.uuid4().hex,
                annotator=name,
                pair_id=items[0].pair_id,
                stage="blind",
                action="commit",
                value=value if items[0].why != "gold" else "A",
                queue_id=queue.id,
            )
            labels.record(database, entry)
    with database.read() as session:
        assert queue_progress.whole(session, queue).full == 3
        assert len(queue_progress.by_person(session, queue)) == 2
        assert queue_progress.progress(session, queue, f"{mark} A").done == 4
        found = adjudication.conflicts(session, queue.id)
        assert found.open == 3
    first, second, *_ = [one.pair_id for one in found.items]
    said = {"by": mark, "pair_id": first, "action": "decide", "value": "A", "reason": "slip"}
    back = {"by": mark, "pair_id": second, "action": "send_back", "note": "again \0"}
    for values in (said, back):
        entry = LeadEntry.read({**values, "key": uuid.uuid4().hex})
        lead_events.record(database, entry)
    with database.read() as session:
        found = adjudication.conflicts(session, queue.id)
        assert (found.open, found.returned, found.decided) == (1, 1, 1)
        assert assigning.next_items(session, queue, f"{mark} A")[0].returned == "again \ufffd"
    assert journal.check(database, database.journal.path).agree
