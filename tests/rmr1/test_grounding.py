import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.grounding import NEAR, Grounder, Match, ground
from rmr1.pair import Side

RESPONSE = """# Soil

1. **Aeration:** Earthworms dig tunnels, and these tunnels let air reach the roots.
2. **Food:** They eat dead leaves — and don't eat "living" plants.

Worms matter. They are small... The soil of a meadow holds about 400 of them per square metre.

```python
def worms(area):
    return area * 400
```
The formula is \\( n = 400 \\times a \\)."""

EXACT = {
    "to the letter": ("dig tunnels, and these tunnels", "dig tunnels, and these tunnels"),
    "within a word": ("arthworm", "arthworm"),
    "white space": ("They eat\n  dead leaves", "They eat dead leaves"),
    "quotation marks around it": ('"Worms matter."', "Worms matter."),
    "typographic marks around it": ("“Worms matter.”", "Worms matter."),
    "typographic marks in it": ("don’t eat “living” plants", 'don\'t eat "living" plants'),
    "a plain dash": ("dead leaves - and", "dead leaves — and"),
    "emphasis dropped": (
        "Aeration: Earthworms dig tunnels",
        "Aeration:** Earthworms dig tunnels",
    ),
    "emphasis added": ("**Worms** matter", "Worms matter"),
    "an ellipsis at the end": ("The soil of a meadow holds...", "The soil of a meadow holds"),
    "another full stop": ("Earthworms dig tunnels.", "Earthworms dig tunnels"),
    "a capital at the start": ("These tunnels let air", "these tunnels let air"),
    "a small letter at the start": ("worms matter", "Worms matter"),
    "a code fence": (
        "```python\ndef worms(area):\n    return area * 400\n```",
        "```python\ndef worms(area):\n    return area * 400\n```",
    ),
    "code without its fence's language": (
        "```\ndef worms(area):\n    return area * 400\n```",
        "def worms(area):\n    return area * 400",
    ),
    "code in one line": (
        "def worms(area): return area * 400",
        "def worms(area):\n    return area * 400",
    ),
    "formulas in Unicode": ("n = 400 × a", "n = 400 \\times a"),
    "list numbers dropped": (
        "reach the roots.\nFood: They eat",
        "reach the roots.\n2. **Food:** They eat",
    ),
    "an omission that is marked": (
        "Earthworms dig tunnels ... reach the roots",
        "Earthworms dig tunnels, and these tunnels let air reach the roots",
    ),
    "an omission in brackets": (
        "Worms matter. […] The soil of a meadow",
        "Worms matter. They are small... The soil of a meadow",
    ),
    "the response's own ellipsis": ("They are small... The soil", "They are small... The soil"),
}


@pytest.mark.parametrize("case", EXACT)
def test_a_quotation_is_exact_whatever_its_typography(case: str) -> None:
    quote_text, passage = EXACT[case]
    quote = ground(quote_text, RESPONSE, Side.A)
    assert (quote.match, quote.score, quote.differences) == (Match.EXACT, 1.0, ())
    assert RESPONSE[quote.start : quote.end] == passage
    assert (quote.side, quote.text) == (Side.A, quote_text)


NEARLY = {
    "a changed word": (
        "The soil of a meadow holds about 500 of them per square metre.",
        [("quote", "500"), ("response", "400")],
    ),
    "a word added": ("these very tunnels let air reach the roots", [("quote", "very")]),
    "a word dropped": ("these tunnels let air reach roots", [("response", "the")]),
    "other case": ("WORMS matter", [("quote", "WORMS"), ("response", "Worms")]),
    "a silent omission": (
        "Earthworms dig tunnels, and these tunnels let air reach the roots. Worms matter.",
        [("response", 'Food:** They eat dead leaves — and don\'t eat "living" plants.')],
    ),
    "pieces out of order": ("per square metre ... dig tunnels", []),
}


@pytest.mark.parametrize("case", NEARLY)
def test_a_near_quotation_shows_the_words_that_differ(case: str) -> None:
    quote_text, differences = NEARLY[case]
    quote = ground(quote_text, RESPONSE, Side.B)
    assert quote.match is Match.NEAR
    assert NEAR <= quote.score < 1
    assert [run for run in quote.differences if run[0] != "same"] == differences
    assert quote.start is not None
    assert quote.end is not None


INVENTED = [
    "Earthworms are vertebrates that live in the sea.",
    "Chatbot A explains aeration well.",
    "Worms matter ... and whales matter far more than that",
    "dig holes",
    "!?",
    '"',
    "...",
]


@pytest.mark.parametrize("text", INVENTED)
def test_an_invented_quotation_is_absent(text: str) -> None:
    quote = ground(text, "Worms matter. They dig tunnels in the soil of a meadow.", Side.A)
    assert (quote.match, quote.start, quote.end, quote.score) == (Match.ABSENT, None, None, 0.0)


def test_a_quotation_longer_than_the_response_is_no_match_for_its_part() -> None:
    assert ground("Worms matter and so do many other things", "Worms matter", Side.A).match is (
        Match.ABSENT
    )


LISTS = {
    "lines": '"Worms matter."\n"They are small..."',
    "bullets": '- "Worms matter."\n- "They are small..."',
    "and": '"Worms matter." and "They are small..."',
    "commas": '"Worms matter", "They are small..."',
    "typographic": "“Worms matter.” “They are small...”",
}


@pytest.mark.parametrize("case", LISTS)
def test_several_quotations_in_one_tag_are_several(case: str) -> None:
    quotes = Grounder(RESPONSE, Side.A).ground_all(LISTS[case])
    assert [quote.text.strip(".") for quote in quotes] == ["Worms matter", "They are small"]
    assert all(quote.match is Match.EXACT for quote in quotes)


def test_a_list_that_the_response_itself_holds_is_one_quotation() -> None:
    quotes = Grounder('He said "yes", "no" and left.', Side.A).ground_all('"yes", "no"')
    assert [quote.text for quote in quotes] == ['"yes", "no"']


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_quotation_is_dropped(text: str) -> None:
    assert Grounder(RESPONSE, Side.A).ground_all(text) == ()


def test_text_without_spaces_between_words_is_found() -> None:
    quote = ground("「蚯蚓 很重要」", "土壤里蚯蚓很重要。", Side.A)
    assert quote.match is not Match.EXACT
    assert ground("蚯蚓 很重要", "土壤里蚯蚓很重要。", Side.A).match is Match.EXACT


def test_a_quotation_seen_before_is_not_looked_up_again() -> None:
    grounder = Grounder(RESPONSE, Side.A)
    assert grounder.ground("these very tunnels") is grounder.ground("these very tunnels")


def test_a_long_response_is_searched_in_milliseconds() -> None:
    response = " ".join(f"word{n % 997} of{n % 83}" for n in range(2_000))[:20_000]
    quote = response[9_000:9_300].replace("of5", "in5")
    grounder = Grounder(response, Side.A)
    start = time.perf_counter()
    assert grounder.ground(quote).match is Match.NEAR
    assert time.perf_counter() - start < 0.1  # takes half a millisecond on a quiet machine


WORDS = ["soil", "worm", "Root", "the", ",", ".", "...", '"', "*", "1.", "\n", "é", "土"]
PROSE = st.lists(st.sampled_from(WORDS)).map(" ".join)


@given(PROSE | st.text(), PROSE | st.text())
@settings(max_examples=300, derandomize=True, deadline=None)
def test_a_place_is_always_within_the_response(quote_text: str, response: str) -> None:
    for quote in Grounder(response, Side.A).ground_all(quote_text):
        if quote.match is Match.ABSENT:
            assert (quote.start, quote.end) == (None, None)
        else:
            assert quote.start is not None
            assert quote.end is not None
            assert 0 <= quote.start < quote.end <= len(response)
        assert (quote.score == 1) == (quote.match is Match.EXACT)


@given(st.text(min_size=1), st.data())
@settings(max_examples=200, derandomize=True, deadline=None)
def test_every_piece_of_a_response_is_an_exact_quotation(
    response: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(response) - 1))
    end = data.draw(st.integers(start + 1, len(response)))
    if response[start:end].strip():
        quote = ground(response[start:end], response, Side.A)
        assert quote.match is Match.EXACT
        assert quote.end - quote.start == len(response[start:end].strip())
