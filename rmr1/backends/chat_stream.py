"""One streamed chat completion over the OpenAI protocol, read into deltas and our errors."""

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rmr1.backends.base import ChatRequest, Delta, FinishReason, Token
from rmr1.backends.stops import StopWatch
from rmr1.errors import BackendBusy, BackendError, BackendUnavailable, PromptTooLong

Dialect = Literal["vllm", "llama.cpp", "openai"]

_TRY_AGAIN = {408, 429, 502, 503, 504}
_BUSY = {429, 503}
_TOO_LONG = re.compile(
    r"exceed_context_size|context_length_exceeded|context (?:length|size|window)"
    r"|maximum model length|max_model_len",
    re.IGNORECASE,
)
_SHOWN_CHARACTERS = 300


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Alternative(_Part):
    token: str
    logprob: float


class _DrawnToken(_Alternative):
    top_logprobs: list[_Alternative] = []


class _Logprobs(_Part):
    content: list[_DrawnToken] | None = None


class _Message(_Part):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class _Choice(_Part):
    delta: _Message = _Message()
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Usage(_Part):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Timings(_Part):
    """What llama.cpp counts; the cached part of a prompt is not in `prompt_n`."""

    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0


class _Event(_Part):
    choices: list[_Choice] = Field(default=[])
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: Mapping[str, object] | str | None = None


@dataclass(slots=True)
class _Progress:
    """What the events have said so far."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish_reason: FinishReason | None = None
    thinking: bool = False

    def count(self, event: _Event) -> None:
        if event.timings:
            self.prompt_tokens = event.timings.cache_n + event.timings.prompt_n
            self.completion_tokens = event.timings.predicted_n
        if event.usage:
            self.prompt_tokens = event.usage.prompt_tokens
            self.completion_tokens = event.usage.completion_tokens

    def text(self, message: _Message) -> str:
        """The message's text, with thinking that the server keeps apart put back in its tags."""
        thought = message.reasoning_content or message.reasoning or ""
        spoken = message.content or ""
        opening = "<think>" if thought and not self.thinking else ""
        closing = "</think>" if spoken and (self.thinking or thought) else ""
        self.thinking = bool(thought or self.thinking) and not closing
        return f"{opening}{thought}{closing}{spoken}"

    def last(self, text: str = "", tokens: tuple[Token, ...] = ()) -> Delta:
        return Delta(
            text,
            tokens,
            finish_reason=self.finish_reason,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
        )


def request_body(request: ChatRequest, model: str, dialect: Dialect) -> dict[str, object]:
    """The JSON body of a streamed chat completion, in the server's dialect.

    Stop texts are watched for by `stream_chat`, because servers take them out of the reply; only
    vLLM can be asked to leave them in.
    """
    sampling = request.sampling
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": request.logprobs}
    if dialect == "vllm":
        body["stream_options"] = {"include_usage": True, "continuous_usage_stats": True}
        body |= {"stop": list(sampling.stop), "include_stop_str_in_output": True}
        if request.grammar:
            body["structured_outputs"] = {"grammar": request.grammar}
    if dialect == "llama.cpp":
        body |= {"cache_prompt": True, "timings_per_token": True, "reasoning_format": "none"}
        if request.grammar:
            body["grammar"] = request.grammar
    return body


def stream_chat(
    client: httpx.Client, body: Mapping[str, object], stops: tuple[str, ...] = ()
) -> Generator[Delta, None, None]:
    """Ask `client`'s server for one chat completion and yield it as it comes.

    Closing the generator closes the connection, on which servers stop generating. The same
    happens as soon as the reply holds one of `stops`.

    Raises:
        BackendUnavailable: nobody answered, or the reply broke off.
        BackendBusy: the server has too much to do.
        PromptTooLong: the chat does not fit the context window.
        BackendError: the server refused, or sent what is no completion.
    """
    try:
        with client.stream("POST", "chat/completions", content=orjson.dumps(body)) as response:
            if response.status_code != httpx.codes.OK:
                response.read()
                raise _refusal(response.status_code, response.text)
            yield from _deltas(response.iter_bytes(), stops)
    except httpx.TimeoutException as error:
        raise BackendUnavailable(
            f"the model server at {client.base_url} was silent for too long; try again."
        ) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise BackendUnavailable(
            f"the model server at {client.base_url} cannot be reached or broke off: {error}."
        ) from error


def _deltas(chunks: Iterator[bytes], stops: tuple[str, ...]) -> Generator[Delta, None, None]:
    progress, watch = _Progress(), StopWatch(stops)
    for data in _event_data(chunks):
        event = _parse_event(data)
        progress.count(event)
        for choice in event.choices[:1]:
            text, tokens = progress.text(choice.delta), _tokens(choice.logprobs)
            progress.finish_reason = _finish_reason(choice.finish_reason) or progress.finish_reason
            if (cut := watch.cut(text)) is not None:
                progress.finish_reason = "stop"
                yield progress.last(cut, tokens)
                return
            if text or tokens:
                yield Delta(text, tokens)
    if progress.finish_reason is None:
        raise BackendUnavailable("the model server broke off in the middle of a reply; try again.")
    yield progress.last()


def _event_data(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event, up to the closing `[DONE]`.

    Lines end at line feeds only: a reply may hold other line separators.
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            field, _, value = line.strip(b"\r").partition(b":")
            if field == b"error":
                yield b'{"error":' + value + b"}"
            if field != b"data":
                continue
            if (data := value.strip()) == b"[DONE]":
                return
            yield data


def _parse_event(data: bytes) -> _Event:
    try:
        event = _Event.model_validate(orjson.loads(data))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise BackendError(
            "the model server sent something that is no chat completion: "
            f"{data[:80].decode(errors='replace')!r}."
        ) from error
    if event.error is not None:
        raise _refusal(0, orjson.dumps(event.error).decode())
    return event


def _tokens(logprobs: _Logprobs | None) -> tuple[Token, ...]:
    drawn = (logprobs.content if logprobs else None) or []
    return tuple(
        Token(token.token, tuple((other.token, other.logprob) for other in token.top_logprobs))
        for token in drawn
    )


def _finish_reason(reason: str | None) -> FinishReason | None:
    if reason in {"abort", "error"}:
        raise BackendUnavailable("the model server gave the request up; try again.")
    return "length" if reason == "length" else "stop" if reason else None


def _refusal(status: int, text: str) -> BackendError:
    """The error that a server's refusal amounts to.

    Args:
        status: of HTTP, or 0 for an error in the stream.
        text: what the server said.
    """
    said = " ".join(text.split())[:_SHOWN_CHARACTERS]
    if status in _TRY_AGAIN:
        kind = BackendBusy if status in _BUSY else BackendUnavailable
        return kind(f"the model server is busy (HTTP {status}); try again. {said}")
    if status in {401, 403}:
        return BackendError(
            f"the model server refused the key (HTTP {status}): set RMR1_BACKEND__API_KEY."
        )
    if status in {0, 400, 413, 422, 500} and _TOO_LONG.search(text):
        return PromptTooLong(
            f"the pair is too long for the judge's context: {_lengths(text, said)}"
        )
    where = f"HTTP {status}" if status else "in the middle of a reply"
    return BackendError(f"the model server refused the request ({where}): {said}")


def _lengths(text: str, otherwise: str) -> str:
    """The two numbers of llama.cpp's refusal in a sentence; for other servers, their own words."""
    needed = re.search(r'"n_prompt_tokens"\s*:\s*(\d+)', text)
    held = re.search(r'"n_ctx"\s*:\s*(\d+)', text)
    if needed and held:
        return f"the prompt has {needed[1]} tokens, the context holds {held[1]}."
    return otherwise
