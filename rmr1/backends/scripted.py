"""A backend that says what it is told: for tests, for work on pages, for demonstrations."""

import math
import time
from collections.abc import Callable, Generator, Sequence
from threading import Lock

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity, Token
from rmr1.errors import BackendUnavailable

Reply = str | Exception

_VERDICT = "[["


class ScriptedBackend:
    """Answers from a script, piece by piece, and remembers what it was asked.

    A sequence of replies is answered in turn and starts over at its end; a callable is given the
    request. A reply that is an exception is raised in the place of an answer.
    """

    def __init__(
        self,
        replies: Sequence[Reply] | Callable[[ChatRequest], Reply],
        *,
        chunk: int = 12,
        delay_s: float = 0.0,
        probability: float = 0.8,
        fail_after: int | None = None,
        parallel: int = 8,
        adapters: tuple[str, ...] = (),
    ) -> None:
        """Prepare the script.

        Args:
            chunk: length of a piece, in characters.
            delay_s: seconds before each piece.
            probability: of the letter that a reply names in `[[..]]`, reported as a
                log-probability where the request asks for any.
            fail_after: the stream breaks off with BackendUnavailable after this many pieces.
            parallel: requests that it claims to work on at once.
            adapters: names that it claims to know.
        """
        if not callable(replies) and not replies:
            raise ValueError("a scripted backend needs at least one reply")
        self.asked: list[ChatRequest] = []
        self.abandoned = 0
        self.closed = False
        self._replies = replies
        self._chunk = chunk
        self._delay_s = delay_s
        self._probability = probability
        self._fail_after = fail_after
        self._capabilities = Capabilities(
            logprobs=True, grammar=True, parallel=parallel, adapters=adapters
        )
        self._lock = Lock()

    @property
    def identity(self) -> Identity:
        """The script stands in for a model."""
        return Identity(kind="scripted", model="scripted")

    @property
    def capabilities(self) -> Capabilities:
        """Everything; a grammar is accepted and ignored."""
        return self._capabilities

    @property
    def adapters(self) -> tuple[str, ...]:
        """Those that the script was told of."""
        return self.capabilities.adapters

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Answer as the script says; see `Backend.stream`.

        The budget counts pieces as tokens; whoever closes the stream early is counted in
        `abandoned`.
        """
        reply = self._next_reply(request)
        if isinstance(reply, Exception):
            raise reply
        pieces = _pieces(reply, self._chunk)
        shown = pieces[: request.sampling.max_tokens]
        prompt_tokens = sum(len(turn.content.split()) for turn in request.messages)
        finished = False
        try:
            for index, piece in enumerate(shown):
                if self._fail_after == index:
                    raise BackendUnavailable("the scripted backend broke off, as it was told to.")
                time.sleep(self._delay_s)
                yield Delta(piece, self._tokens(piece, request))
            finished = True
            yield Delta(
                "",
                finish_reason="length" if len(shown) < len(pieces) else "stop",
                prompt_tokens=prompt_tokens,
                completion_tokens=len(shown),
            )
        except GeneratorExit:
            self.abandoned += not finished
            raise

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _next_reply(self, request: ChatRequest) -> Reply:
        with self._lock:
            self.asked.append(request)
            index = len(self.asked) - 1
        if callable(self._replies):
            return self._replies(request)
        return self._replies[index % len(self._replies)]

    def _tokens(self, piece: str, request: ChatRequest) -> tuple[Token, ...]:
        if not request.logprobs:
            return ()
        if piece not in {"A", "B"}:
            return (Token(piece, ((piece, 0.0),)),)
        other = "B" if piece == "A" else "A"
        odds = ((piece, self._probability), (other, 1 - self._probability))
        return (Token(piece, tuple((letter, math.log(max(p, 1e-9))) for letter, p in odds)),)


def _pieces(reply: str, chunk: int) -> list[str]:
    """The reply in pieces of `chunk` characters; the letter of a verdict is a piece of its own."""
    pieces: list[str] = []
    rest = reply
    while rest:
        at = rest.find(_VERDICT) + len(_VERDICT)
        named = at >= len(_VERDICT) and rest[at : at + 1] in {"A", "B"}
        head, rest = (rest[:at], rest[at:]) if named else (rest, "")
        pieces += [head[i : i + chunk] for i in range(0, len(head), chunk)]
        if named:
            pieces.append(rest[0])
            rest = rest[1:]
    return pieces
