import pytest

from rmr1.pair import Side
from storage import cube, judgements, labels, overview, pairs
from storage.filters import JudgementFilter


@pytest.fixture
def count(monkeypatch):
    """How often the database was asked to count."""
    asked = []
    real = cube._count

    def counting(session, wanted):
        asked.append(wanted)
        return real(session, wanted)

    monkeypatch.setattr(cube, "_count", counting)
    return asked


def total(database, **wanted):
    with database.read() as session:
        return judgements.facets(session, JudgementFilter(**wanted)).total


def test_what_was_counted_is_not_counted_again(database, make_judgement, count):
    with database.write() as session:
        judgements.add(session, make_judgement())
        judgements.add(session, make_judgement(letter="B"))
    assert [total(database), total(database, verdict="A"), total(database, verdict="B")] == [
        2,
        1,
        1,
    ]
    assert len(count) == 1


def test_a_new_judgement_is_counted(database, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement())
    assert total(database) == 1
    with database.write() as session:
        judgements.add(session, make_judgement())
    assert total(database) == 2


def test_a_new_label_is_counted(database, stored, make_entry):
    pair_id, _ = stored
    assert total(database, labelled="yes") == 0
    labels.record(database, make_entry("blind", "commit", "A", pair_id=pair_id))
    assert total(database, labelled="yes") == 1
    assert total(database, agreement="agrees") == 1


def test_a_search_has_counts_of_its_own(database, make_judgement, make_pair):
    with database.write() as session:
        judgements.add(session, make_judgement(make_pair("about zebras")))
        judgements.add(session, make_judgement(make_pair("about lions")))
    assert [total(database), total(database, text="zebras"), total(database)] == [2, 1, 2]


def test_many_searches_do_not_pile_up(database, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement())
    for number in range(20):
        total(database, text=f"word{number}")
    with database.read() as session:
        assert cube._KEPT.count(session) == cube._KEPT.most


def test_tallies_keep_a_missing_verdict_apart(database, make_judgement, make_pair):
    known = [make_pair(source="s", subset=subset, chosen=Side.A) for subset in ("x", "x", "y")]
    with database.write() as session:
        judgements.add(session, make_judgement(known[0], letter="A"))
        judgements.add(session, make_judgement(known[1], letter="B", quote="never said"))
        judgements.add(session, make_judgement(known[2], text="I would rather not."))
    with database.read() as session:
        found = overview.tallies(session, JudgementFilter(source="s"))
        wrong = overview.tallies(session, JudgementFilter(correct="no"))
    assert {(t.subset, t.correct, t.judgements) for t in found} == {
        ("x", "yes", 1),
        ("x", "no", 1),
        ("y", "no verdict", 1),
    }
    assert [(t.quotes_exact, t.quotes_absent) for t in wrong] == [(0, 1)]


def test_confidences_fall_into_bins_open_at_the_top(database, make_judgement):
    with database.write() as session:
        for probability in (0.8, 0.8499, 0.85, 1.0):
            judgements.add(session, make_judgement(probability_a=probability))
        judgements.add(session, make_judgement(text="no verdict here"))
    with database.read() as session:
        bins = overview.confidences(session, JudgementFilter())
    assert [(part.low, part.judgements) for part in bins] == [(0.8, 2), (0.85, 1), (0.95, 1)]
    assert {part.correct for part in bins} == {"unknown"}


def test_criteria_are_counted_once_for_each_judgement_whatever_their_case(database, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement())
        judgements.add(session, make_judgement())
    with database.read() as session:
        uses = overview.criteria(session, JudgementFilter())
        none = overview.criteria(session, JudgementFilter(verdict="B"))
    assert [(use.name, use.rubrics, use.mean_share) for use in uses] == [
        ("clarity", 2, pytest.approx(0.4)),
        ("depth", 2, pytest.approx(0.6)),
    ]
    assert none == []


def test_a_better_side_that_comes_later_is_counted(database, make_judgement):
    judgement = make_judgement(letter="A")
    with database.write() as session:
        judgements.add(session, judgement)
    assert total(database, correct="yes") == 0
    with database.write() as session:
        pairs.add(session, judgement.pair.model_copy(update={"chosen": Side.A}))
        judgements.add(session, judgement)
    assert total(database, correct="yes") == 2
