import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError
from storage.filters import JudgementFilter

FILTERS = st.builds(
    JudgementFilter,
    text=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    type=st.none() | st.sampled_from(["Chat", "Reasoning", "none"]),
    source=st.none() | st.text("ab &=?%+#/é", min_size=1),
    correct=st.none() | st.sampled_from(["yes", "no", "unknown"]),
    quotes=st.none() | st.sampled_from(["absent", "near", "all exact", "none"]),
    confidence_min=st.none() | st.floats(0, 1),
    run_id=st.none() | st.integers(1, 10**6),
)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(wanted=FILTERS)
def test_a_filter_survives_a_url(wanted):
    assert JudgementFilter.from_query(wanted.to_query()) == wanted
    assert JudgementFilter.from_query("?" + wanted.to_query()) == wanted


def test_an_empty_filter_is_an_empty_query():
    assert JudgementFilter().to_query() == ""
    assert JudgementFilter().is_empty
    assert not JudgementFilter(type="Chat").is_empty


def test_parameters_of_other_pages_are_passed_over():
    query = {"type": "Chat", "judgement": "abc", "source": ""}
    assert JudgementFilter.from_query(query) == JudgementFilter(type="Chat")


@pytest.mark.parametrize("query", ["type=Cake", "confidence_min=2", "run_id=x", "swap=1"])
def test_a_value_that_no_filter_has_is_refused_by_name(query):
    with pytest.raises(InputError, match=query.split("=")[0]):
        JudgementFilter.from_query(query)
