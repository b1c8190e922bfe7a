import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.rubric import Criterion
from rmr1.trace import Segment
from rmr1.winners import criterion_winners

ROWS = (Criterion("Accuracy"), Criterion("Clarity of style"))

SAID = {
    "1. Accuracy:\nResponse A is more accurate.": ("A", None),
    "**Accuracy (60%)**: Chatbot B is better here.": ("B", None),
    "On accuracy: B wins": ("B", None),
    "Accuracy: Response A's account is more accurate than Response B's.": ("A", None),
    "Accuracy: Both are short, but Response B is more helpful.": ("B", None),
    "Accuracy: Chatbot B is more helpful, while Chatbot A only asks.": ("B", None),
    "Accuracy: Both responses are equally accurate.": ("=", None),
    "Accuracy: A: 8/10, B: 6/10": ("A", None),
    "Accuracy: Response A scores 7, Response B scores 7.": ("=", None),
    "Accuracy: Winner: B": ("B", None),
    "Accuracy: Response A wins.\nClarity of style: Advantage: Response B": ("A", "B"),
    "Clarity of style: Response A is stronger.": (None, "A"),
    "Response B is better on all criteria.": ("B", "B"),
    "Response B outperforms Response A across every criterion.\nAccuracy: A wins": (None, "B"),
}
NOT_SAID = [
    "",
    "Accuracy: Response A says that the moon is round.",
    "Accuracy: Response A is not more accurate.",
    "Accuracy: Response A is more accurate, but Response B is better.",
    "Accuracy: Response A might be more helpful.",
    "Accuracy: Response A is more verbose.",
    "Accuracy: Response A is more concise.",
    "Accuracy: While Response A is more accurate, it is rude.",
    "Accuracy: Response A is better.\nResponse B is superior.",
    "Response A is more accurate.",
    "Accuracy: A: 8/10",
    "Accuracy: more accurate than Response B is Response A",
    "Accuracy: Response A is better.\nAccuracy: Response B is better.",
    "In conclusion, accuracy: Response A is better",
]


@pytest.mark.parametrize("text", SAID)
def test_a_winner_that_is_said_plainly_is_read(text):
    assert criterion_winners(ROWS, (Segment("text", text),)) == SAID[text]


@pytest.mark.parametrize("text", NOT_SAID)
def test_what_is_not_plain_stays_unknown(text):
    assert criterion_winners(ROWS, (Segment("text", text),)) == (None, None)


def test_words_of_a_quotation_speak_for_nobody():
    segments = (Segment("text", "Accuracy:"), Segment("quote", "Response A is better.", "A"))
    assert criterion_winners(ROWS, segments) == (None, None)


def test_two_criteria_of_one_name_are_not_told_apart():
    rows = (Criterion("Accuracy"), Criterion("accuracy!"))
    assert criterion_winners(rows, (Segment("text", "Accuracy: A wins"),)) == (None, None)


@pytest.mark.parametrize(("name", "winner"), [("Relevance", "A"), ("Conciseness", None)])
def test_a_quality_counts_where_the_criterion_asks_for_it(name, winner):
    said = (Segment("text", f"{name}: Response A is clearly more relevant."),)
    assert criterion_winners((Criterion(name),), said) == (winner,)


@settings(max_examples=120, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("Accuracy", ":", "A", "B", "Response ", "is", "better", "more", "accurate"),
                *("\n", "1. ", "**", "equally", "both ", "8", "/10", ", but ", "while ", "("),
                *("\x00", "é"),
            ]
        )
    ),
    st.text(max_size=40),
)
def test_any_text_gives_one_reading_for_each_criterion(words, tail):
    read = criterion_winners(ROWS, (Segment("text", " ".join(words) + tail),))
    assert len(read) == len(ROWS)
    assert set(read) <= {"A", "B", "=", None}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.permutations(list(SAID)).map(lambda texts: texts[0]))
def test_letters_the_other_way_round_give_the_other_winners(text):
    turned = text.translate(str.maketrans("AB", "BA")).replace("Bccuracy", "Accuracy")
    turned = turned.replace("Bdvantage", "Advantage").replace("Aoth", "Both")
    other = {"A": "B", "B": "A", "=": "=", None: None}
    read = criterion_winners(ROWS, (Segment("text", turned),))
    assert read == tuple(other[winner] for winner in SAID[text])
