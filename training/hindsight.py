"""The oracle's second look: a failed attempt, and the right verdict, put before the same judge."""

import re
from collections.abc import Generator, Mapping

from rmr1.backends.base import Backend, Capabilities, ChatRequest, Delta, Identity
from rmr1.pair import Message, Side

_LONGEST_ATTEMPT = 8_000
_ELLIPSIS = "\n[...]\n"
_NOTE = """
This judgement cannot stand: {fault}. The better one is Response {winner}, that much is certain.

Judge the same two responses once more, from the beginning, and write the whole judgement anew in \
the layout that was asked for. Look again at what the responses say, find what really makes \
Response {winner} the better one, and quote only words that stand in the response you name. Write \
it as a first judgement by somebody who does not know which one is better: mention neither this \
message nor an earlier attempt. End with <answer>[[{winner}]]</answer>."""
_TOLD = re.compile(
    r"\b(?:(?:previous|earlier|failed|prior|first) (?:attempt|judge?ment|evaluation|verdict)"
    r"|(?:as|was|were|been|am) (?:told|informed|instructed)"
    r"|(?:given|provided|stated|known|correct|right|predetermined) (?:verdict|label)"
    r"|(?:this|the|your) message (?:says|said|states)|that much is certain)\b",
    re.IGNORECASE,
)


class HindsightBackend:
    """A backend that adds to each chat what went wrong the first time and who wins.

    The judge above it asks as ever; the notes are found by the question that it asks.
    """

    def __init__(self, backend: Backend, notes: Mapping[str, tuple[Message, ...]]) -> None:
        """Wrap a backend.

        Args:
            notes: for each question (the last message of a chat), the messages to add.
        """
        self._backend = backend
        self._notes = notes

    @property
    def identity(self) -> Identity:
        """That of the backend below."""
        return self._backend.identity

    @property
    def capabilities(self) -> Capabilities:
        """Those of the backend below."""
        return self._backend.capabilities

    @property
    def adapters(self) -> tuple[str, ...]:
        """Those of the backend below."""
        return self._backend.adapters

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete a chat with its note."""
        added = self._notes[request.messages[-1].content]
        yield from self._backend.stream(
            ChatRequest(
                messages=(*request.messages, *added),
                sampling=request.sampling,
                adapter=request.adapter,
                grammar=request.grammar,
                logprobs=request.logprobs,
            )
        )

    def close(self) -> None:
        """Close the backend below."""
        self._backend.close()


def hindsight_note(attempt: str, fault: str, winner: Side) -> tuple[Message, ...]:
    """The messages that follow a question whose first answer failed.

    Args:
        attempt: what the judge wrote; the middle of a very long one is left out.
        fault: what is wrong with it, in words.
        winner: the letter of the better response as it is shown.
    """
    half = _LONGEST_ATTEMPT // 2
    if len(attempt) > _LONGEST_ATTEMPT:
        attempt = attempt[:half] + _ELLIPSIS + attempt[-half:]
    note = _NOTE.strip().format(fault=fault, winner=winner)
    return (Message(role="assistant", content=attempt), Message(role="user", content=note))


def gives_itself_away(trace: str) -> str | None:
    """The words by which a trace shows that its writer was told the verdict; None without any."""
    found = _TOLD.search(trace)
    return found[0] if found else None
