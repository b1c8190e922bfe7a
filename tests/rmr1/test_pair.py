import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rmr1.errors import InputError
from rmr1.pair import Message, Order, Pair, Side, read_transcript, transcript

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
PAIRS = st.builds(
    Pair.of,
    TEXT.filter(str.strip),
    TEXT,
    TEXT,
    chosen=st.sampled_from([None, Side.A, Side.B]),
)


@given(PAIRS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_swapping_twice_changes_nothing(pair):
    assert pair.swapped().swapped() == pair


@given(PAIRS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_content_hash_is_blind_to_the_order_and_the_hash_is_not(pair):
    other = pair.swapped()
    assert pair.content_hash == other.content_hash
    assert (pair.hash == other.hash) == (pair.response_a == pair.response_b)


def test_the_known_better_side_moves_with_its_response():
    pair = Pair.of("?", "good", "bad", chosen=Side.A)
    assert pair.swapped().response(pair.swapped().chosen) == "good"


@given(PAIRS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_better_response_is_placed_alike_whichever_way_the_pair_comes(pair):
    known = pair.model_copy(update={"chosen": Side.A})
    placed = known.placed()
    assert placed == known.swapped().placed()
    assert placed.response(placed.chosen) == pair.response_a


def test_an_order_maps_letters_to_sides_and_back():
    for order in Order:
        for side in Side:
            assert order.to_pair(order.to_pair(side)) is side
    assert Order.BA.to_pair(Side.A) is Side.B


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [Message(role="assistant", content="hello")],
        [Message(role="user", content="  ")],
        [Message(role="user", content="hi"), Message(role="assistant", content="hello")],
    ],
)
def test_a_conversation_ends_with_what_a_user_said(turns):
    with pytest.raises(ValidationError):
        Pair(conversation=tuple(turns), response_a="a", response_b="b")


def test_a_transcript_is_read_back_to_the_letter():
    turns = tuple(
        Message(role=role, content=text)
        for role, text in (
            ("system", "Be kind."),
            ("user", "Hi\nthere"),
            ("assistant", "Hello"),
            ("user", "Bye: now"),
        )
    )
    assert read_transcript(transcript(turns)) == turns


@pytest.mark.parametrize("text", ["hello", "User: hi\n\nAssistant: hello", "note\nUser: hi", ""])
def test_a_text_that_is_no_conversation_is_refused_with_a_sentence(text):
    with pytest.raises(InputError, match="must"):
        read_transcript(text)


@pytest.mark.parametrize("field", ["prompt", "response_a", "response_b"])
def test_half_a_surrogate_pair_is_refused_where_the_pair_is_made(field):
    texts = {"prompt": "p", "response_a": "a", "response_b": "b", field: "x\ud800"}
    with pytest.raises(ValidationError, match="half a surrogate pair at character 1"):
        Pair.of(**texts)
