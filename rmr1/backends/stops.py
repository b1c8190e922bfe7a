"""Stop texts, watched for in a reply that comes in pieces."""


class StopWatch:
    """Finds the first of several stop texts, however the reply is cut into pieces."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        """Watch for `stops`; empty ones are nothing to watch for."""
        self._stops = tuple(filter(None, stops))
        self._kept = max(map(len, self._stops), default=1) - 1
        self._tail = ""

    def cut(self, piece: str) -> str | None:
        """`piece` up to the end of the first stop text in the reply; None where there is none."""
        seen = self._tail + piece
        ends = [at + len(stop) for stop in self._stops if (at := seen.find(stop)) >= 0]
        cut = seen[len(self._tail) : min(ends)] if ends else None
        self._tail = seen[-self._kept :] if self._kept else ""
        return cut
