import pytest
from sqlalchemy import func, select

from rmr1.errors import InputError, RecordNotFound
from storage import judgements, labels, pairs, runs
from storage.tables import JudgementRow, PairRow, RolloutRow


def count(database, table):
    with database.read() as session:
        return session.scalar(select(func.count(table.id)))


def test_a_run_is_followed_from_start_to_end(database):
    with database.write() as session:
        run_id = runs.start(session, "training", "first", {"steps": 3})
    with database.write() as session:
        runs.report(session, run_id, {"done": 1, "loss": 0.5})
        runs.report(session, run_id, {"done": 2})
        assert runs.get(session, run_id).state == "running"
        artifact = runs.add_artifact(session, run_id, kind="adapter", name="a", path="a.gguf")
    with database.write() as session:
        runs.finish(session, run_id, {"done": 3}, "failed", "out of memory")
    with database.read() as session:
        run = runs.get(session, run_id)
        assert runs.recent(session, "training") == [run]
        assert runs.recent(session, "import") == []
        assert [found.id for found in runs.artifacts(session, run_id)] == [artifact]
    assert (run.state, run.message, run.params) == ("failed", "out of memory", {"steps": 3})
    assert run.counts == {"done": 3, "loss": 0.5}
    assert run.finished_at >= run.created_at


def test_an_unknown_run_is_said_to_be_unknown(database):
    with database.write() as session, pytest.raises(RecordNotFound, match="no run 5"):
        runs.finish(session, 5)


@pytest.fixture
def imported(database, make_pair, make_judgement):
    """An import of three pairs, the first two judged."""
    three = [make_pair() for _ in range(3)]
    with database.write() as session:
        run_id = runs.start(session, "import", "a file")
        ids = pairs.add_many(session, three, run_id=run_id).ids
        for pair in three[:2]:
            judgements.add(session, make_judgement(pair), origin="import", run_id=run_id)
        runs.finish(session, run_id)
    return run_id, three, ids


def test_an_import_can_be_taken_back(database, imported, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement())
        undone = runs.undo_import(session, imported[0])
        run = runs.get(session, imported[0])
    assert undone == runs.Undone(judgements_removed=2, pairs_removed=3, pairs_kept=0)
    assert (run.state, run.undone_at is None) == ("undone", False)
    assert [count(database, t) for t in (PairRow, JudgementRow, RolloutRow)] == [1, 1, 1]


def test_pairs_that_were_judged_since_are_kept(database, imported, make_judgement):
    run_id, three, _ = imported
    with database.write() as session:
        judgements.add(session, make_judgement(three[2]))
        undone = runs.undo_import(session, run_id)
    assert undone == runs.Undone(judgements_removed=2, pairs_removed=2, pairs_kept=1)


def test_an_import_that_people_labelled_stays(database, imported, make_entry):
    run_id, _, ids = imported
    for name in ("Ada", "Bob"):
        labels.record(database, make_entry("blind", "commit", "A", pair_id=ids[2], annotator=name))
    with (
        database.write() as session,
        pytest.raises(InputError, match="2 label events on 1 of its pairs"),
    ):
        runs.undo_import(session, run_id)
    assert count(database, PairRow) == 3


def test_only_an_import_can_be_taken_back_and_only_once(database, imported):
    with database.write() as session:
        batch = runs.start(session, "batch", "b")
        with pytest.raises(InputError, match="is a batch"):
            runs.undo_import(session, batch)
        runs.undo_import(session, imported[0])
        with pytest.raises(InputError, match="already"):
            runs.undo_import(session, imported[0])
