import pytest

from rmr1.pair import Side
from rmr1.totals import stated_totals

STATED = {
    "Total: A 7.5, B 8.2": (7.5, 8.2),
    "Total: A: 7.5/10, B: 8.2/10": (7.5, 8.2),
    "Weighted score for Chatbot A = 3.4 and for Chatbot B = 4.1": (3.4, 4.1),
    "**Overall score** – Response A: 7 out of 10; Response B: 8 out of 10": (7, 8),
    "Chatbot A's total score: 0.4*8 + 0.6*7 = 7.4\nChatbot B's total score: 0.4*6 + 0.6*6 = 6": (
        7.4,
        6,
    ),
    "Chatbot A:\nAccuracy: 3\nTotal: 7\n\nChatbot B:\nAccuracy: 2\nTotal: 5": (7, 5),
    "- **Chatbot B** total = 9\n- **Chatbot A** total = 8": (8, 9),
}
NOT_STATED = [
    "",
    "Total: A 7.5",
    "A scores 7, B scores 8",
    "Total: A 7.5, B 8.2\nFinal total: A 8, B 8.2",
    "Total errors: A 7, B 8 (fewer is better)",
    "A total of 7 mistakes in Response A, 8 in Response B",
    "Chatbot A's total is 3 of 5, or 60 points\nChatbot B's total is 2",
    "The total number of arrangements is 8! in Chatbot A, 9! in Chatbot B",
    "Chatbot A finds a total of 412 values, Chatbot B a total of 413 values out of 1,000",
    "Overall, Chatbot A is better than Chatbot B in 3 of 4 criteria",
    "Total: A 40%, B 60%",
]


@pytest.mark.parametrize("text", STATED)
def test_totals_are_read_where_they_are_plain(text: str) -> None:
    totals = stated_totals(text)
    assert totals is not None
    assert (totals[Side.A], totals[Side.B]) == STATED[text]


@pytest.mark.parametrize("text", NOT_STATED)
def test_what_may_be_something_else_is_left_alone(text: str) -> None:
    assert stated_totals(text) is None
