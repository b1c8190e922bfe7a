"""The same verbs on PostgreSQL: on a server of the tests' own, or that of RMR1_TEST_POSTGRES."""

import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from storage import (
    activity,
    assigning,
    journal,
    judgements,
    labels,
    pairs,
    queue_progress,
    queues,
    runs,
)
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from storage.tables import Row
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
