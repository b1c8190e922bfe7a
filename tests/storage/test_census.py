"""What is walked in memory is what the database would say, also after it has changed."""

import itertools
import random

import pytest
from sqlalchemy import func, select

from rmr1.pair import Side
from rmr1.plan import Plan
from storage import census, judgements, labels, pairs, runs
from storage.courses import ORDERS, course
from storage.filters import JudgementFilter, narrow
from storage.kept import Kept
from storage.selection import selected
from storage.tables import JudgementRow

FIELDS = {
    "type": ["Chat", "none"],
    "state": ["complete", "unparseable"],
    "verdict": ["A", "B", "none"],
    "source": ["even", ""],
    "subset": ["x"],
    "correct": ["yes", "no", "no verdict", "unknown"],
    "quotes": ["absent", "near", "all exact", "none"],
    "swap": ["consistent", "flipped", "not compared"],
    "labelled": ["yes", "no"],
    "agreement": ["agrees", "disagrees", "split"],
    "multi_turn": ["no"],
    "confidence_min": [0.6],
    "confidence_max": [0.8],
    "text": ["number 7", "plainly", "Clarity depth", "?!"],
    "newest": ["yes"],
    "annotator": ["Ada"],
    "label": ["A", "tie"],
    "people": ["agree", "differ"],
}
SORTS = {
    "newest": (JudgementRow.id, False),
    "oldest": (JudgementRow.id, True),
    "least confident": (func.coalesce(JudgementRow.confidence, 2.0), True),
    "most confident": (func.coalesce(JudgementRow.confidence, -1.0), False),
    "most absent quotes": (JudgementRow.quotes_absent, False),
    "slowest": (func.coalesce(JudgementRow.seconds, -1.0), False),
}


@pytest.fixture
def filled(database, make_pair, make_judgement, make_entry):
    """Thirty judgements of all kinds, two judges, and labels of three people."""
    chance = random.Random(3)
    with database.write() as session:
        for number in range(30):
            pair = make_pair(
                source=chance.choice(["even", "odd", ""]),
                subset=chance.choice(["x", "y"]),
                chosen=chance.choice([None, Side.A, Side.B]),
            )
            letter = chance.choice(["A", "B"])
            made = make_judgement(
                pair,
                letter,
                quote=chance.choice(["The first answer", "The frist answr", "Never said."]),
                text="I would rather not." if number % 9 == 0 else None,
                plan=Plan(orders=chance.choice(["AB", "both"])),
                model=chance.choice(["tiny", "big"]),
                probability_a=chance.choice([None, 0.55, 0.7, 0.95]),
            )
            judgements.add(session, made)
            if number % 4 == 0:
                judgements.add(session, made)
    for name, pair_id in itertools.product(("Ada", "Bob", "Cy"), range(1, 12, 2)):
        if chance.random() < 0.7:
            value = chance.choice(["A", "B", "tie"])
            labels.record(
                database, make_entry("blind", "commit", value, pair_id=pair_id, annotator=name)
            )
    return database


def in_memory(database, wanted):
    with database.read() as session:
        found = selected(session, wanted)
        return found.all.ids[found.places].tolist()


def in_the_database(database, wanted, sort="oldest"):
    expression, rises = SORTS[sort]
    order = (expression, JudgementRow.id)
    with database.read() as session:
        statement = narrow(session, select(JudgementRow.id).select_from(JudgementRow), wanted)
        ordered = statement.order_by(*(one if rises else one.desc() for one in order))
        return list(session.scalars(ordered))


@pytest.mark.parametrize("name", FIELDS)
def test_a_filter_means_the_same_in_memory_as_in_the_database(filled, name):
    for value in FIELDS[name]:
        wanted = JudgementFilter(**{name: value})
        assert in_memory(filled, wanted) == in_the_database(filled, wanted), wanted


def test_filters_together_mean_the_same_too(filled):
    chance = random.Random(5)
    sizes = set()
    for _ in range(60):
        names = chance.sample(sorted(FIELDS), chance.choice([2, 3]))
        wanted = JudgementFilter(**{name: chance.choice(FIELDS[name]) for name in names})
        found = in_memory(filled, wanted)
        assert found == in_the_database(filled, wanted), wanted
        sizes.add(len(found))
    assert len(sizes) > 5


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("wanted", [{}, {"verdict": "A"}, {"labelled": "no"}], ids=str)
def test_a_list_and_its_neighbours_are_in_the_order_that_the_database_gives(filled, sort, wanted):
    asked = JudgementFilter(**wanted)
    with filled.read() as session:
        first = judgements.page(session, asked, sort, 1, 7)
        pages = [judgements.page(session, asked, sort, n + 1, 7) for n in range(first.pages)]
        ids = {key: id_ for id_, key in session.execute(select(JudgementRow.id, JudgementRow.key))}
        expected = in_the_database(filled, asked, sort)
        assert [ids[item.key] for page in pages for item in page.items] == expected
        past = judgements.page(session, asked, sort, 99, 7)
        assert (past.number, past.items) == (first.pages, pages[-1].items)
        keys = {id_: key for key, id_ in ids.items()}
        sides = zip([None, *expected[:-1]], expected, [*expected[1:], None], strict=True)
        for before, here, after in sides:
            beside = judgements.neighbours(session, asked, keys[here], sort)
            assert beside == (keys.get(before), keys.get(after))


def test_what_is_added_and_taken_back_is_seen_at_the_next_look(
    filled, make_judgement, make_pair, make_entry
):
    everything = JudgementFilter()
    before = in_memory(filled, everything)
    with filled.write() as session:
        run_id = runs.start(session, "import", "a file")
        judgements.add_new(session, [make_judgement()], origin="import", run_id=run_id)
    assert len(in_memory(filled, everything)) == len(before) + 1
    with filled.write() as session:
        runs.undo_import(session, run_id)
        judgements.add(session, make_judgement(letter="B"))  # takes the freed number
    assert in_memory(filled, JudgementFilter(verdict="B")) == in_the_database(
        filled, JudgementFilter(verdict="B")
    )
    labels.record(filled, make_entry("blind", "commit", "B", pair_id=30, annotator="Ada"))
    labelled = JudgementFilter(labelled="yes")
    assert in_memory(filled, labelled) == in_the_database(filled, labelled)


def test_what_others_say_of_a_labelled_pair_later_is_seen(filled, make_entry):
    fields = [JudgementFilter(agreement=value) for value in FIELDS["agreement"]]
    fields.append(JudgementFilter(labelled="yes"))
    for wanted in fields:
        in_memory(filled, wanted)
    for number, pair_id in enumerate(range(1, 31, 4)):
        entry = make_entry("blind", "commit", "AB"[number % 2], pair_id=pair_id, annotator="Dora")
        labels.record(filled, entry)
        for is_last in (False, True):
            for wanted in fields:
                assert in_memory(filled, wanted) == in_the_database(filled, wanted), wanted
            if not is_last:
                labels.undo_last(filled, "Dora", f"undo-{number:06}")


def test_a_source_that_comes_later_is_seen(filled, make_pair, make_judgement):
    pair = make_pair()
    with filled.write() as session:
        judgements.add(session, make_judgement(pair))
    late = JudgementFilter(source="late")
    assert in_memory(filled, late) == []
    with filled.write() as session:
        pairs.add(session, pair.model_copy(update={"source": "late"}))
    assert in_memory(filled, late) == in_the_database(filled, late) != []


def test_a_census_that_grew_is_the_one_that_is_read_anew(filled, make_judgement):
    with filled.read() as session:
        census.census(session)
    with filled.write() as session:
        for letter in "ABB":
            judgements.add(session, make_judgement(letter=letter))
    with filled.read() as session:
        grown = census.census(session)
        census.forget()
        anew = census.census(session)
    assert grown.mark == anew.mark
    for name in ("ids", "pair", "total", "near", "absent"):
        assert getattr(grown, name).tolist() == getattr(anew, name).tolist(), name
    assert [grown.kinds[n] for n in grown.kind] == [anew.kinds[n] for n in anew.kind]


@pytest.mark.parametrize("order", ORDERS)
def test_a_course_holds_each_pair_once_and_only_those_that_are_meant(filled, order):
    with filled.read() as session:
        whole = course(session, JudgementFilter(), order, 1).tolist()
        some = course(session, JudgementFilter(verdict="A"), order, 1).tolist()
        meant = in_the_database(filled, JudgementFilter(verdict="A"))
        pairs_meant = session.scalars(
            select(JudgementRow.pair_id).where(JudgementRow.id.in_(meant)).distinct()
        ).all()
    assert sorted(whole) == list(range(1, 31))
    assert sorted(some) == sorted(pairs_meant)


def test_what_is_kept_is_bounded_and_made_again_when_its_state_changes(database):
    kept = Kept[int](2)
    made = []

    def make(value):
        made.append(value)
        return value

    with database.read() as session:
        for asked, state in (("a", 1), ("a", 1), ("b", 1), ("c", 1), ("a", 1), ("a", 2)):
            kept.get(session, asked, state, lambda value=f"{asked}{state}": make(value))
        assert kept.count(session) == 2
    assert made == ["a1", "b1", "c1", "a1", "a2"]
