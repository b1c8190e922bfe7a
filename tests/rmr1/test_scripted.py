import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.base import Backend, ChatRequest, Sampling
from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendUnavailable, PromptTooLong
from rmr1.pair import Message

REQUEST = ChatRequest((Message(role="user", content="Which one?"),))
REPLY = "<answer>[[B]]</answer>"


def text_of(backend: Backend, request: ChatRequest = REQUEST) -> str:
    return "".join(delta.text for delta in backend.stream(request))


def test_replies_come_in_turn_and_what_was_asked_is_remembered() -> None:
    backend = ScriptedBackend(["one", "two"])
    assert [text_of(backend) for _ in range(3)] == ["one", "two", "one"]
    assert backend.asked == [REQUEST] * 3


def test_a_callable_sees_the_request() -> None:
    backend = ScriptedBackend(lambda request: request.messages[-1].content.upper())
    assert text_of(backend) == "WHICH ONE?"


@given(st.text(alphabet="AB[]x", max_size=40), st.integers(1, 9))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_the_pieces_make_up_the_reply(reply: str, chunk: int) -> None:
    assert text_of(ScriptedBackend([reply], chunk=chunk)) == reply


def test_only_the_last_delta_says_why_it_ended() -> None:
    *first, last = ScriptedBackend([REPLY]).stream(REQUEST)
    assert [delta.finish_reason for delta in first] == [None] * len(first)
    assert (last.finish_reason, last.prompt_tokens) == ("stop", 2)


def test_the_budget_cuts_the_reply() -> None:
    request = ChatRequest(REQUEST.messages, Sampling(max_tokens=2))
    deltas = list(ScriptedBackend(["x" * 100], chunk=10).stream(request))
    assert "".join(delta.text for delta in deltas) == "x" * 20
    assert deltas[-1].finish_reason == "length"
    assert deltas[-1].completion_tokens == 2


def test_the_letter_of_the_verdict_has_probabilities() -> None:
    request = ChatRequest(REQUEST.messages, logprobs=5)
    tokens = [t for d in ScriptedBackend([REPLY]).stream(request) for t in d.tokens]
    letter = next(token for token in tokens if token.text == "B")
    assert {name: round(math.exp(p), 6) for name, p in letter.logprobs} == {"B": 0.8, "A": 0.2}


def test_no_probabilities_unless_they_are_asked_for() -> None:
    assert all(delta.tokens == () for delta in ScriptedBackend([REPLY]).stream(REQUEST))


def test_an_exception_in_the_script_is_raised() -> None:
    backend = ScriptedBackend([PromptTooLong("too long"), "fine"])
    with pytest.raises(PromptTooLong):
        text_of(backend)
    assert text_of(backend) == "fine"


def test_a_stream_can_break_off() -> None:
    stream = ScriptedBackend(["abcdef"], chunk=1, fail_after=2).stream(REQUEST)
    assert [next(stream).text, next(stream).text] == ["a", "b"]
    with pytest.raises(BackendUnavailable):
        next(stream)


def test_closing_the_stream_early_abandons_it() -> None:
    backend = ScriptedBackend(["abcdef"], chunk=1)
    stream = backend.stream(REQUEST)
    next(stream)
    stream.close()
    assert backend.abandoned == 1
    list(backend.stream(REQUEST))
    assert backend.abandoned == 1


def test_a_script_without_replies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ScriptedBackend([])


def test_it_can_be_closed_twice() -> None:
    backend = ScriptedBackend(["x"])
    backend.close()
    backend.close()
    assert backend.closed
