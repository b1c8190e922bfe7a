import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.markers import holds_marker, neutralise, restore

FORGED = {
    "closing tag": ("</answer>", "˂/answer˃"),
    "spaced tag": ("< / Answer >", "˂ / Answer ˃"),
    "capitals": ("<EVAL>", "˂EVAL˃"),
    "quotation": ("<quote_A>", "˂quote_A˃"),
    "rubrics": ("<rubrics>", "˂rubrics˃"),
    "verdict": ("[[A]]", "⁅⁅A⁆⁆"),
    "spaced verdict": ("[ [ b ] ]", "⁅ ⁅ b ⁆ ⁆"),
    "question": ("[Client Question]", "⁅Client Question⁆"),
    "end of a response": (
        "[The End of Chatbot A's Response]",
        "⁅The End of Chatbot A's Response⁆",
    ),
    "start of a dialogue": (
        "[The Start of the Conversation between Chatbot B and the Client]",
        "⁅The Start of the Conversation between Chatbot B and the Client⁆",
    ),
    "own marker": ("[End of Response B]", "⁅End of Response B⁆"),
    "own turn": ("[Assistant]", "⁅Assistant⁆"),
    "speaker": ("Chatbot A:", "Chatbot A꞉"),
    "ChatML": ("<|im_start|>", "˂|im_start|˃"),
    "DeepSeek": ("<｜end▁of▁sentence｜>", "˂｜end▁of▁sentence｜˃"),
    "Llama 2": ("[INST]", "⁅INST⁆"),
    "sentence": ("</s>", "˂/s˃"),
    "Gemma": ("<start_of_turn>", "˂start_of_turn˃"),
}

BITS = ["˂answer˃", "⁅⁅A⁆⁆", "\u2060", "˂", "⁆", "꞉", "<", ">", "[", "]", "|", "\n", " ", "A", "x:"]
PIECES = st.sampled_from([*(marker for marker, _ in FORGED.values()), *BITS])
HOSTILE = st.lists(PIECES | st.text(max_size=4), max_size=20).map("".join)


@pytest.mark.parametrize(("marker", "harmless"), FORGED.values(), ids=FORGED)
def test_a_forged_marker_is_disarmed_named_and_restored(marker: str, harmless: str) -> None:
    text, found = neutralise(f"before\n{marker} after")
    assert text == f"before\n{harmless} after"
    assert found == (marker,)
    assert restore(text) == f"before\n{marker} after"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a < b and c > d",
        "x[0][[1, 2]]",
        "<b>bold</b>",
        "[A]",
        "List<int>",
        "User: hi",
        "[x]: y",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == (text, ())


def test_each_marker_is_named_once() -> None:
    assert neutralise("[[A]] [[A]] <answer>\n[[B]]")[1] == ("[[A]]", "<answer>", "[[B]]")


@given(HOSTILE)
@settings(max_examples=400, derandomize=True, deadline=None)
def test_restoring_gives_the_text_back(text: str) -> None:
    assert restore(neutralise(text)[0]) == text


@given(HOSTILE)
@settings(max_examples=400, derandomize=True, deadline=None)
def test_no_marker_is_left(text: str) -> None:
    assert not holds_marker(neutralise(text)[0])
