"""A backend that could not be made: it stands in, so that all else goes on, and says why."""

from collections.abc import Generator

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.errors import BackendUnavailable


class AbsentBackend:
    """Refuses every request with the reason for which there is no model."""

    def __init__(self, kind: str, reason: str) -> None:
        """Stand in for a backend.

        Args:
            kind: which one was asked for.
            reason: why it could not be made, a sentence.
        """
        self._kind, self._reason = kind, reason

    @property
    def identity(self) -> Identity:
        """No model, under the kind that was asked for."""
        return Identity(kind=self._kind, model="not available")

    @property
    def capabilities(self) -> Capabilities:
        """None."""
        return Capabilities()

    @property
    def adapters(self) -> tuple[str, ...]:
        """None."""
        return ()

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Refuse.

        Raises:
            BackendUnavailable: always; the sentence says why.
        """
        raise BackendUnavailable(self._reason)
        yield  # makes it the generator that callers close

    def close(self) -> None:
        """Nothing is held."""
