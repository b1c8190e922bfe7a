from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.stops import StopWatch

PIECES = st.lists(st.text("<>ab", max_size=4), max_size=12)
STOPS = st.lists(st.text("<>ab", max_size=4), max_size=3)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(PIECES, STOPS)
def test_a_reply_is_cut_where_its_first_stop_text_ends(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    watch = StopWatch(tuple(stops))
    read = ""
    for piece in pieces:
        cut = watch.cut(piece)
        read += piece if cut is None else cut
        if cut is not None:
            break
    else:
        cut = None
    ends = [whole.find(stop) + len(stop) for stop in stops if stop and stop in whole]
    assert (cut is not None) == bool(ends)
    assert whole.startswith(read)
    if ends:
        assert len(read) == min(ends)
    else:
        assert read == whole
