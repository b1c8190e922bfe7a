import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.contrast import Change, contrasts, plain_text, reversed_order, trimmed
from rmr1.pair import Pair
from rmr1.plan import Plan

PAIR = Pair.of(
    "Why?",
    "# Because\n\nIt **is** so. It was ever so.\n\n- one\n- two\n\nAnd it will be so for long.",
    "Nobody knows. Truly.",
    chosen="A",
)


def test_each_probe_changes_what_it_says():
    found = {probe.change: probe for probe in contrasts(PAIR, Plan())}
    assert list(found) == list(Change)
    trim = found[Change.TRIM].pair
    assert PAIR.response_a.startswith(trim.response_a)
    assert trim.response_b == PAIR.response_b
    assert "**" not in found[Change.REFORMAT].pair.response_a
    assert found[Change.REORDER].pair.response_b == "Truly. Nobody knows."
    assert found[Change.SWAP].pair.response_a == PAIR.response_a
    assert found[Change.SWAP].plan.orders == "BA"
    assert {probe.pair.chosen for probe in found.values()} == {None}


def test_what_would_change_nothing_is_no_probe():
    pair = Pair.of("Why?", "One line", "Two lines")
    assert [probe.change for probe in contrasts(pair, Plan())] == [Change.SWAP]
    assert contrasts(pair, Plan(orders="both")) == ()


@pytest.mark.parametrize(
    ("text", "length", "cut"),
    [
        ("One. Two. Three.", 4, "One."),
        ("One. Two. Three.", 10, "One. Two."),
        ("One. Two. Three.", 1000, "One. Two."),
        ("No end at all", 3, None),
        ("Line\nline\nline", 5, "Line"),
        ("It is 3.14 or so. Then.", 5, "It is 3.14 or so."),
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text, length, cut):
    assert trimmed(text, length) == cut


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("## Head\n**Bold** and *soft* `code`", "Head\nBold and soft code"),
        ("1. one\n2) two\n* three", "one\ntwo\nthree"),
        ("> said\n[link](http://x.y)", "said\nlink"),
        ("2 * 3 * 4 = 24, a_b_c", "2 * 3 * 4 = 24, a_b_c"),
        ("```py\nx = 1\n```\n", "x = 1\n"),
    ],
)
def test_markdown_goes_and_words_stay(text, plain):
    assert plain_text(text) == plain


def test_code_keeps_its_order():
    code = "First.\n\n```\na = 1\n\nb = a\n```"
    assert reversed_order(code) == code


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab. !?\n*#`-_[]()1"), max_size=60), st.integers(0, 80))
def test_any_text_can_be_changed(text, length):
    cut = trimmed(text, length)
    assert cut is None or (text.startswith(cut) and cut.strip())
    assert sorted(reversed_order(text).split()) == sorted(text.split())
    letters = [character for character in plain_text(text) if character in "ab"]
    assert (
        letters == [character for character in text if character in "ab"]
        or "`" in text
        or "[" in text
    )


@pytest.mark.parametrize("text", [" " * 200_000, "|-" * 50_000, "**" * 50_000, "- " * 60_000])
def test_a_hostile_text_takes_no_longer_than_another(text):
    """Each took minutes once: a pattern that tries every start against every end."""
    plain_text(text)
    reversed_order(text)
    trimmed(text, 50)
