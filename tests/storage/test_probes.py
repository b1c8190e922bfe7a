import pytest

from rmr1.contrast import Change
from rmr1.errors import RecordNotFound
from rmr1.plan import Plan
from storage import judgements, probes, runs
from storage.filters import JudgementFilter


def test_a_probe_is_read_again_as_it_was_judged(database, stored, make_judgement):
    _, key = stored
    probed = make_judgement(letter="B", plan=Plan(orders="BA"), probability_a=0.3)
    with database.write() as session:
        made = probes.add(session, key, Change.SWAP, probed, by="Ada")
    with database.read() as session:
        (one,) = probes.of(session, key)
        again = probes.get(session, made)
    assert (one.key, one.change, one.verdict, one.by) == (made, Change.SWAP, "B", "Ada")
    assert (again.verdict, again.pair, again.rollouts) == (
        probed.verdict,
        probed.pair,
        probed.rollouts,
    )


def test_the_newest_probe_of_a_change_counts(database, stored, make_judgement):
    _, key = stored
    with database.write() as session:
        for change, letter in [("trim", "A"), ("swap", "A"), ("trim", "B")]:
            probes.add(session, key, Change(change), make_judgement(letter=letter), by="")
        assert [(one.change, one.verdict) for one in probes.of(session, key)] == [
            ("trim", "B"),
            ("swap", "A"),
        ]


def test_probes_are_never_counted_or_listed(database, stored, make_judgement):
    _, key = stored
    with database.read() as session:
        before = judgements.facets(session, JudgementFilter())
    with database.write() as session:
        probes.add(session, key, Change.TRIM, make_judgement(), by="")
    with database.read() as session:
        assert judgements.facets(session, JudgementFilter()) == before
        assert judgements.count(session, JudgementFilter()) == 1


def test_only_a_judgement_can_be_probed(database, make_judgement):
    with database.write() as session, pytest.raises(RecordNotFound):
        probes.add(session, "nonsense", Change.TRIM, make_judgement(), by="")
    with database.read() as session, pytest.raises(RecordNotFound):
        probes.get(session, "nonsense")


def test_probes_go_with_the_import_that_they_probe(database, make_judgement):
    with database.write() as session:
        run = runs.start(session, "import", "file")
        key = judgements.add(session, make_judgement(), origin="import", run_id=run)
        made = probes.add(session, key, Change.TRIM, make_judgement(), by="")
    with database.write() as session:
        runs.undo_import(session, run)
    with database.read() as session, pytest.raises(RecordNotFound):
        probes.get(session, made)
