import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.pair import Message, Pair
from storage import judgements, pairs, search
from storage.database import Database
from storage.filters import JudgementFilter
from storage.tables import PairRow, RolloutRow


@pytest.fixture
def found(database, make_pair, make_judgement):
    """The names of the judgements that a query finds."""
    turns = ["earlier words about otters", "fine", "and now?"]
    conversation = [
        Message(role="assistant" if i % 2 else "user", content=text) for i, text in enumerate(turns)
    ]
    talk = Pair(conversation=conversation, response_a="a", response_b="b")
    with database.write() as session:
        names = {
            judgements.add(session, make_judgement(pair, text=text)): name
            for name, pair, text in [
                ("prompt", make_pair('Where is "Café AND OR" in C++?'), "no"),
                ("response", make_pair(response_b="The quick brown fox, 100% sure"), "no"),
                ("judge", make_pair(), "I weigh the evidence: NEAR(a b) column:x -minus"),
                ("talk", talk, "no"),
            ]
        }

    def find(query):
        with database.read() as session:
            page = judgements.page(session, JudgementFilter(text=query), "oldest")
        return [names[summary.key] for summary in page.items]

    return find


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("quick fox", ["response"]),
        ("fox quick", ["response"]),
        ("quick brow", ["response"]),
        ("qui brown", []),
        ("quick evidence", []),
        ("evidence", ["judge"]),
        ("EVIDENCE weigh", ["judge"]),
        ("cafe", ["prompt"]),
        ("otters", ["talk"]),
        ("C++", ["prompt"]),
        ("100%", ["response"]),
    ],
)
def test_words_are_found_wherever_they_stand(found, query, names):
    assert found(query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('"', []),
        ("***", []),
        ("%", []),
        ('"quick brown"', ["response"]),
        ('"Café AND OR"', ["prompt"]),
        ("fox OR evidence", []),
        ("fox NOT quick", []),
        ("NEAR(a b)", ["judge"]),
        ("column:x", ["judge"]),
        ("prompt:cafe", []),
        ("-minus", ["judge"]),
        ("^quick", ["response"]),
        ("quick*", ["response"]),
        ("'; DROP TABLE pair; --", []),
        ("fox\0", ["response"]),
        ("{fox}", ["response"]),
        ("\ud800 fox", ["response"]),
        ("_", []),
    ],
)
def test_what_looks_like_search_syntax_is_only_words(found, query, names):
    assert found(query) == names


@settings(max_examples=60, derandomize=True, deadline=None)
@given(query=st.text(max_size=30))
def test_no_query_breaks_the_search(shared, query):
    with shared.read() as session:
        judgements.page(session, JudgementFilter(text=query))
        session.scalars(search.matching_pairs(session, query)).all()


@pytest.fixture(scope="module")
def shared():
    with Database.open() as database:
        yield database


def test_what_is_deleted_is_not_found(database, make_pair):
    pair = make_pair("a zebra crossing")

    def hits():
        with database.read() as session:
            return list(session.scalars(search.matching_pairs(session, "zebra")))

    with database.write() as session:
        pair_id = pairs.add(session, pair)
    assert hits() == [pair_id]
    with database.write() as session:
        session.delete(session.get(PairRow, pair_id))
    assert hits() == []


def test_a_deleted_judgement_takes_its_texts_out_of_the_search(database, make_judgement):
    with database.write() as session:
        judgements.add(session, make_judgement(text="about zebras"))
    with database.write() as session:
        row = session.query(RolloutRow).one()
        session.delete(row)
    with database.read() as session:
        assert judgements.page(session, JudgementFilter(text="zebras")).total == 0
