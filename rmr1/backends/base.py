"""The one contract of everything that tokens come from."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from rmr1.pair import Message

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a completion is drawn.

    Attributes:
        max_tokens: the budget of the completion, in tokens.
        temperature: 0 is greedy.
        seed: None lets the engine choose.
        stop: texts after which the engine stops; they are part of what is returned.
    """

    max_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat to complete.

    Attributes:
        adapter: name of a LoRA adapter that the backend knows; None is the base model.
        grammar: a GBNF grammar that the completion must follow; only where the backend can.
        logprobs: how many alternatives to report for each token; 0 for none.
        group: requests of one group have the most part of their prompts in common, so that they
            are worth asking of the same server; "" is none.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    adapter: str | None = None
    grammar: str | None = None
    logprobs: int = 0
    group: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was drawn, with the natural log-probabilities of its likeliest alternatives."""

    text: str
    logprobs: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a completion.

    Attributes:
        tokens: the tokens in it, only when the request asked for log-probabilities.
        finish_reason: set on the last delta of a stream, and only there.
        prompt_tokens: set on the last delta, where the backend counts.
        completion_tokens: likewise.
    """

    text: str
    tokens: tuple[Token, ...] = ()
    finish_reason: FinishReason | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do.

    Attributes:
        parallel: requests that it works on at once without queueing.
        most_parallel: where nobody knows what its server bears, the most requests at once that a
            batch may find out about; None where `parallel` is all there is.
        adapters: names that `ChatRequest.adapter` may take.
    """

    logprobs: bool = False
    grammar: bool = False
    parallel: int = 1
    adapters: tuple[str, ...] = ()
    most_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model answers: what a judge version records of its backend.

    Attributes:
        kind: the backend's kind, such as `embedded`.
        model: name of the base model, fit to show.
        revision: hash of the weights file, Hub revision, or "" where it cannot be known.
        engine: software and version, such as `xllamacpp 2026.10`.
    """

    kind: str
    model: str
    revision: str = ""
    engine: str = ""


class Backend(Protocol):
    """A model that completes chats; safe to call from several threads."""

    @property
    def identity(self) -> Identity:
        """Which model answers."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    @property
    def adapters(self) -> tuple[str, ...]:
        """As in `capabilities`, without asking anybody for the rest."""

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat, piece by piece; joined, the pieces are the whole text.

        Closing the generator abandons the request and frees what it held.

        Raises:
            BackendUnavailable: nobody answered, or the server died on the way.
            PromptTooLong: the chat does not fit the context window.
            BackendError: anything else the engine refused.
        """

    def close(self) -> None:
        """Free weights, process or connection; safe to call twice."""


@runtime_checkable
class TakesAdapters(Protocol):
    """A backend that takes further adapters while it runs."""

    def add_adapter(self, name: str, path: Path) -> str:
        """Take one more, a PEFT folder; its identity, `name@hash`.

        Raises:
            RMR1Error: it is not there, or does not fit the model.
        """


@runtime_checkable
class CountsRefusals(Protocol):
    """A backend whose server may ask for patience."""

    @property
    def refusals(self) -> int:
        """How often it did so far: requests turned away because there were too many."""


@runtime_checkable
class Scores(Protocol):
    """A scalar reward model: it gives each response a score of its own."""

    def score(self, conversation: Sequence[Message], response: str) -> float:
        """How good the response is, on a scale of the model's own.

        Raises:
            PromptTooLong: the text does not fit the context window.
            BackendError: the model failed.
        """


class ScoringBackend(Backend, Scores, Protocol):
    """A backend that scores responses and completes no chat."""
