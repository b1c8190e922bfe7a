import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.share import Share


def test_the_interval_is_wilsons():
    found = Share.of(8, 10)
    assert found.share == 0.8
    # E. B. Wilson's formula, worked by hand with z = 1.959964
    assert found.low == pytest.approx(0.4902, abs=1e-4)
    assert found.high == pytest.approx(0.9433, abs=1e-4)
    assert str(found) == "80.0% (49.0 to 94.3%, n = 10)"


def test_nothing_of_nothing_has_no_figures():
    assert Share.of(0, 0) == Share(0, 0, None, None, None)
    assert str(Share.of(0, 0)) == "none"


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_in_its_interval(counts):
    found = Share.of(*counts)
    assert 0 <= found.low <= found.share <= found.high <= 1


def test_pages_write_whole_per_cents():
    assert Share.of(8, 10).rounded == "80 % (49 % to 94 %), n = 10"
    assert Share.of(0, 0).rounded == ""
