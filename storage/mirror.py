"""What one person may see of their own labels: agreement with the others, pull and pace."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from rmr1.share import Share
from storage import pull
from storage.consensus import with_others
from storage.opinions import Opinion, StageOfLabel

RECENT = 20
"""Labels that count as recent."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds for a blind answer.

    Attributes:
        median: of all; None without any.
        low, high: half of all answers took between these; None below four.
        recent: the median of the last twenty, where there are more than those.
    """

    n: int
    median: float | None
    low: float | None
    high: float | None
    recent: float | None


@dataclass(frozen=True, slots=True)
class Mirror:
    """One person's own figures.

    Attributes:
        peers: answers that are the majority of all others' on the pair, for each stream.
    """

    labels: int
    peers: dict[str, Share]
    pull: dict[str, pull.Pull]
    pace: Pace


def mirror(
    said: Sequence[Opinion], name: str, verdicts: Mapping[int, str], stage: StageOfLabel
) -> Mirror:
    """The figures of a person.

    Args:
        said: everybody's answers; only sums over the others' leave here.
        verdicts: `pull.shown_verdicts`.
    """
    own = sorted((one for one in said if one.annotator == name), key=lambda one: one.event_id)
    streams = {
        stream: [one for one in said if one.random is (stream == "random")]
        for stream in ("random", "targeted")
    }
    return Mirror(
        labels=len(own),
        peers={stream: _peers(part, name, stage) for stream, part in streams.items()},
        pull={
            stream: pull.report([one for one in part if one.annotator == name], verdicts).whole
            for stream, part in streams.items()
        },
        pace=pace([one.seconds for one in own if one.seconds is not None]),
    )


def _peers(said: Sequence[Opinion], name: str, stage: StageOfLabel) -> Share:
    by_pair: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for one in said:
        if value := one.at(stage):
            by_pair[one.pair_id].append((one.annotator, value))
    return with_others(by_pair).get(name, (0, Share.of(0, 0)))[1]


def pace(seconds: Sequence[float]) -> Pace:
    """How long answers took, the newest last."""
    n = len(seconds)
    low, _, high = quantiles(seconds, n=4) if n > 3 else (None, None, None)
    return Pace(
        n=n,
        median=median(seconds) if seconds else None,
        low=low,
        high=high,
        recent=median(seconds[-RECENT:]) if n > RECENT else None,
    )
