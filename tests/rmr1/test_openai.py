import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.base import ChatRequest, Delta, Sampling
from rmr1.backends.chat_stream import stream_chat
from rmr1.backends.openai import OpenAIBackend
from rmr1.errors import BackendBusy, BackendError, BackendUnavailable, PromptTooLong
from rmr1.pair import Message
from rmr1.settings import OpenAISettings

REQUEST = ChatRequest(
    (Message(role="user", content="Which?"),), Sampling(stop=("</answer>",), seed=7), logprobs=2
)
KEY = "sk-very-secret"


def event(text: str = "", finish: str | None = None, **more: object) -> bytes:
    choice = {"delta": {"content": text}, "finish_reason": finish}
    body = json.dumps({"choices": [choice], **more}, ensure_ascii=False)
    return f"data: {body}\n\n".encode()


def sse(*texts: str, finish: str = "stop") -> bytes:
    return b"".join(map(event, texts)) + event(finish=finish) + b"data: [DONE]\n\n"


class Server:
    """Answers from a list, the last answer again and again, and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception, owner: str = "vllm") -> None:
        self.answers = list(answers)
        self.owner = owner
        self.bodies: list[dict[str, object]] = []
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.headers.append(request.headers)
        if request.url.path.endswith("/models"):
            models = [{"id": "rm-r1-7b", "owned_by": self.owner}]
            return httpx.Response(200, json={"data": models})
        self.bodies.append(json.loads(request.content))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def backend(server: Callable[[httpx.Request], httpx.Response], **set_: object) -> OpenAIBackend:
    fields = {"api_key": KEY, **set_}
    return OpenAIBackend(
        OpenAISettings.model_validate(fields), transport=httpx.MockTransport(server), wait_s=0.0
    )


def reply(*texts: str, finish: str = "stop") -> httpx.Response:
    return httpx.Response(200, content=sse(*texts, finish=finish))


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_the_reply_comes_in_deltas_and_the_last_says_why_it_ended() -> None:
    server = Server(reply("one ", "two", finish="length"))
    deltas = list(backend(server).stream(REQUEST))
    assert [delta.text for delta in deltas] == ["one ", "two", ""]
    assert [delta.finish_reason for delta in deltas] == [None, None, "length"]
    assert server.headers[-1]["authorization"] == f"Bearer {KEY}"


def test_the_first_model_that_the_server_lists_is_asked() -> None:
    server = Server(reply("x"))
    judge = backend(server)
    list(judge.stream(REQUEST))
    assert judge.identity.model == "rm-r1-7b"
    assert server.bodies[0]["model"] == "rm-r1-7b"


@pytest.mark.parametrize(
    ("owner", "has", "lacks"),
    [
        ("vllm", {"include_stop_str_in_output": True, "stop": ["</answer>"]}, "cache_prompt"),
        ("llamacpp", {"cache_prompt": True, "grammar": "root ::= x"}, "stop"),
        ("somebody", {"seed": 7, "max_tokens": 1024}, "grammar"),
    ],
)
def test_each_dialect_gets_what_it_knows(owner: str, has: dict[str, object], lacks: str) -> None:
    server = Server(reply("x"), owner=owner)
    asked = ChatRequest(REQUEST.messages, REQUEST.sampling, grammar="root ::= x")
    list(backend(server).stream(asked))
    assert has.items() <= server.bodies[0].items()
    assert lacks not in server.bodies[0]


def test_an_adapter_is_asked_for_by_its_name() -> None:
    server = Server(reply("x"))
    judge = backend(server, adapters=["mine"])
    list(judge.stream(ChatRequest(REQUEST.messages, adapter="mine")))
    assert server.bodies[0]["model"] == "mine"
    with pytest.raises(BackendError, match="other"):
        list(judge.stream(ChatRequest(REQUEST.messages, adapter="other")))


def test_the_closing_answer_tag_is_kept_and_ends_the_reply() -> None:
    server = Server(reply("<answer>[[A]]</ans", "wer> and", " more"))
    deltas = list(backend(server).stream(REQUEST))
    assert text_of(deltas) == "<answer>[[A]]</answer>"
    assert deltas[-1].finish_reason == "stop"


def test_tokens_carry_their_alternatives() -> None:
    drawn = {"token": "A", "logprob": -0.1, "bytes": [65]}
    logprobs = {"content": [drawn | {"top_logprobs": [drawn, {"token": "B", "logprob": -2.0}]}]}
    choice = {"delta": {"content": "A"}, "logprobs": logprobs, "finish_reason": None}
    body = f"data: {json.dumps({'choices': [choice]})}\n\n".encode() + sse()
    first, *_ = backend(Server(httpx.Response(200, content=body))).stream(REQUEST)
    assert first.tokens[0].text == "A"
    assert first.tokens[0].logprobs == (("A", -0.1), ("B", -2.0))


def test_usage_and_timings_are_counted() -> None:
    usage = event("a", usage={"prompt_tokens": 9, "completion_tokens": 1}) + sse("b")
    timings = event("a", timings={"cache_n": 5, "prompt_n": 4, "predicted_n": 1}) + sse("b")
    for body in (usage, timings):
        *_, last = backend(Server(httpx.Response(200, content=body))).stream(REQUEST)
        assert (last.prompt_tokens, last.completion_tokens) == (9, 1)


def test_thinking_that_the_server_keeps_apart_is_put_back() -> None:
    events = [{"reasoning_content": "hm"}, {"reasoning": " so"}, {"content": "B"}]
    lines = [json.dumps({"choices": [{"delta": delta}]}) for delta in events]
    body = "".join(f"data: {line}\n\n" for line in lines).encode() + sse()
    deltas = list(backend(Server(httpx.Response(200, content=body))).stream(REQUEST))
    assert text_of(deltas) == "<think>hm so</think>B"


BUSY = httpx.Response(429, text="slow down")


@pytest.mark.parametrize("failure", [BUSY, httpx.Response(503), httpx.ConnectError("refused")])
def test_a_busy_server_is_asked_again(failure: httpx.Response | Exception) -> None:
    server = Server(failure, failure, reply("x"))
    assert text_of(list(backend(server).stream(REQUEST))) == "x"
    assert len(server.bodies) == 3


@pytest.mark.parametrize(("status", "counted"), [(429, 1), (503, 1), (502, 0)])
def test_refusals_are_counted(status: int, counted: int) -> None:
    judge = backend(Server(httpx.Response(status), reply("x")))
    assert text_of(list(judge.stream(REQUEST))) == "x"
    assert judge.refusals == counted


def test_busy_is_told_from_away() -> None:
    with pytest.raises(BackendBusy):
        list(backend(Server(BUSY)).stream(REQUEST))
    with pytest.raises(BackendUnavailable) as caught:
        list(backend(Server(httpx.ConnectError("refused"))).stream(REQUEST))
    assert not isinstance(caught.value, BackendBusy)


def test_a_batch_may_send_eight_times_as_much_unless_told() -> None:
    assert backend(Server(), parallel=3).capabilities.most_parallel == 24
    assert backend(Server(), parallel=3, most_parallel=4).capabilities.most_parallel == 4


def test_whether_the_server_has_said_what_it_is() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert backend(Server()).answers
    assert not backend(away).answers
    assert backend(away, model="m", dialect="vllm").answers  # nobody needs to ask


def test_patience_ends() -> None:
    server = Server(BUSY)
    with pytest.raises(BackendUnavailable, match="busy"):
        list(backend(server).stream(REQUEST))
    assert len(server.bodies) == 4


def test_a_reply_that_breaks_off_is_not_asked_for_again() -> None:
    server = Server(httpx.Response(200, content=event("half")))
    stream = backend(server).stream(REQUEST)
    assert next(stream).text == "half"
    with pytest.raises(BackendUnavailable, match="broke off"):
        next(stream)
    assert len(server.bodies) == 1


REFUSALS = {
    "failure": (500, "oops", BackendError, "HTTP 500"),
    "not a completion": (200, "data: {broken\n\n", BackendError, "broken"),
    "error as an event": (200, 'data: {"error": {"message": "no"}}\n\n', BackendError, "no"),
    "error as a field": (200, 'error: {"message": "no"}\n\n', BackendError, "no"),
    "wrong key": (401, f"bad key {KEY}", BackendError, "RMR1_BACKEND__API_KEY"),
    "llama.cpp, too long": (
        400,
        '{"error":{"type":"exceed_context_size_error","n_prompt_tokens":9120,"n_ctx":8192}}',
        PromptTooLong,
        "9120 tokens, the context holds 8192",
    ),
    "vLLM, too long": (
        400,
        '{"message":"This model\'s maximum context length is 4096 tokens. However, ..."}',
        PromptTooLong,
        "4096",
    ),
}


@pytest.mark.parametrize(("status", "body", "error", "says"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_become_our_errors(
    status: int, body: str, error: type[BackendError], says: str
) -> None:
    with pytest.raises(BackendError, match=says) as caught:
        list(backend(Server(httpx.Response(status, text=body))).stream(REQUEST))
    assert type(caught.value) is error


def test_the_key_is_never_shown() -> None:
    judge = backend(Server(httpx.Response(400, text=f"odd header: Bearer {KEY}")))
    with pytest.raises(BackendError) as caught:
        list(judge.stream(REQUEST))
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_capabilities_follow_the_dialect() -> None:
    assert backend(Server(owner="vllm")).capabilities.logprobs
    assert not backend(Server(owner="x")).capabilities.logprobs
    assert backend(Server(owner="x"), logprobs=True).capabilities.logprobs

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert not backend(away).capabilities.grammar


@given(st.text(max_size=60), st.integers(1, 50))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_however_the_bytes_are_cut_the_text_is_the_same(text: str, size: int) -> None:
    body = sse(text)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, content=(body[at : at + size] for at in range(0, len(body), size))
        )

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x/v1") as client:
        assert text_of(list(stream_chat(client, {}))) == text


class Endless(BaseHTTPRequestHandler):
    """Writes until nobody reads any more."""

    gone = threading.Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(event("x" * 1000))
        except OSError:
            self.gone.set()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class Dropping(Endless):
    """Breaks the connection off in the middle of an answer of known length."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(event("half"))


@contextmanager
def serving(handler: Callable[..., socketserver.BaseRequestHandler]) -> Iterator[OpenAIBackend]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        with closing(OpenAIBackend(OpenAISettings(base_url=url, model="m", dialect="vllm"))) as it:
            yield it
        server.shutdown()


def test_closing_the_stream_closes_the_connection() -> None:
    with serving(Endless) as judge:
        stream = judge.stream(REQUEST)
        next(stream)
        stream.close()
        assert Endless.gone.wait(5)


def test_a_dropped_connection_is_an_error_of_ours() -> None:
    with serving(Dropping) as judge:
        stream = judge.stream(REQUEST)
        assert next(stream).text == "half"
        with pytest.raises(BackendUnavailable):
            list(stream)
