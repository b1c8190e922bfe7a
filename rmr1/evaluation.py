"""How good a judge is on pairs whose better side is known."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, TypeVar

from rmr1.grounding import Match
from rmr1.judgement import Judgement, State
from rmr1.pair import Side
from rmr1.rollout import Rollout
from rmr1.share import Share
from rmr1.trace import TaskType

_T = TypeVar("_T")

_NO_SOURCE = "(no source)"


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the pairs.

    Attributes:
        right: verdicts that name the better side, of all pairs; without a verdict is not right.
        right_of_verdicts: the same, of the pairs with a verdict.
        complete: judgements of state `complete`.
        right_type: judgements that name the expected type, of those with an expectation.
        p_value: of the exact sign test of `right` against coin flipping, two-sided.
    """

    right: Share
    right_of_verdicts: Share
    complete: Share
    right_type: Share
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Position:
    """Whether it matters to the judge which response stands first; by rollouts.

    Attributes:
        names_first: verdicts for the response that stood first.
        right_when_first: right, of those whose better response stood first.
        right_when_second: right, of those whose better response stood second.
    """

    names_first: Share
    right_when_first: Share
    right_when_second: Share


@dataclass(frozen=True, slots=True)
class Length:
    """Whether it matters which response has more characters; pairs of equal length are left out.

    Attributes:
        names_longer: verdicts for the longer response.
        right_when_longer: right, of the pairs whose better response is the longer one.
        right_when_shorter: right, of the pairs whose better response is the shorter one.
    """

    names_longer: Share
    right_when_longer: Share
    right_when_shorter: Share


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a judge made of pairs whose better side is known.

    Attributes:
        skipped: judgements left out, because their pair's better side is not known.
        slices: by the source of the pairs, the largest first.
        states: judgements by how they ended.
        absent_quotes: quotations that stand nowhere in the response that they name, of all.
        swap_consistent: judgements whose two orders agree, of those with verdicts in both.
        seconds: median for a judgement, all of its rollouts together; None where not measured.
        tokens: median written for a judgement.
    """

    skipped: int
    whole: Slice
    slices: Mapping[str, Slice]
    states: Mapping[State, int]
    absent_quotes: Share
    position: Position
    length: Length
    swap_consistent: Share
    seconds: float | None
    tokens: float | None

    def as_record(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return asdict(self)


def evaluate(
    judgements: Iterable[Judgement], expected_types: Mapping[str, TaskType] | None = None
) -> Evaluation:
    """Hold judgements against the known better sides of their pairs.

    Args:
        judgements: of one judge under one plan, each pair once.
        expected_types: the right task type of a source's pairs, for the sources that have one.
    """
    expected = expected_types or {}
    given = list(judgements)
    known = [one for one in given if one.pair.chosen]
    by_source: dict[str, list[Judgement]] = {}
    for one in known:
        by_source.setdefault(one.pair.source or _NO_SOURCE, []).append(one)
    quotes = [quote for one in known for rollout in one.rollouts for quote in rollout.quotes]
    return Evaluation(
        skipped=len(given) - len(known),
        whole=_slice(known, expected),
        slices={
            source: _slice(part, expected)
            for source, part in sorted(by_source.items(), key=lambda item: -len(item[1]))
        },
        states=dict(Counter(one.state for one in known).most_common()),
        absent_quotes=_share(quotes, lambda quote: quote.match is Match.ABSENT),
        position=_position(known),
        length=_length(known),
        swap_consistent=_share(
            [one for one in known if one.swap_consistent is not None],
            lambda one: bool(one.swap_consistent),
        ),
        seconds=_median(_total(one, lambda rollout: rollout.seconds) for one in known),
        tokens=_median(_total(one, lambda rollout: rollout.completion_tokens) for one in known),
    )


def _slice(judgements: Sequence[Judgement], expected: Mapping[str, TaskType]) -> Slice:
    right = _share(judgements, _is_right)
    return Slice(
        right=right,
        right_of_verdicts=_share([one for one in judgements if one.verdict], _is_right),
        complete=_share(judgements, lambda one: one.state is State.COMPLETE),
        right_type=_share(
            [one for one in judgements if one.pair.source in expected],
            lambda one: one.type is expected[one.pair.source],
        ),
        p_value=_sign_test(right),
    )


def _position(judgements: Sequence[Judgement]) -> Position:
    drawn = [(one, rollout) for one in judgements for rollout in one.rollouts]

    def first(rollout: Rollout) -> Side:
        return rollout.order.to_pair(Side.A)

    def right_where(better_first: bool) -> Share:
        return _share(
            [one for one in drawn if (one[0].pair.chosen is first(one[1])) is better_first],
            lambda one: one[1].verdict is one[0].pair.chosen,
        )

    return Position(
        names_first=_share(
            [rollout for _, rollout in drawn if rollout.verdict],
            lambda rollout: rollout.verdict is first(rollout),
        ),
        right_when_first=right_where(True),
        right_when_second=right_where(False),
    )


def _length(judgements: Sequence[Judgement]) -> Length:
    measured = [(one, _longer(one)) for one in judgements if _longer(one)]

    def right_where(better_longer: bool) -> Share:
        chosen = [one for one, longer in measured if (one.pair.chosen is longer) is better_longer]
        return _share(chosen, _is_right)

    return Length(
        names_longer=_share(
            [(one, longer) for one, longer in measured if one.verdict],
            lambda item: item[0].verdict is item[1],
        ),
        right_when_longer=right_where(True),
        right_when_shorter=right_where(False),
    )


def _longer(judgement: Judgement) -> Side | None:
    a, b = len(judgement.pair.response_a), len(judgement.pair.response_b)
    return None if a == b else Side.A if a > b else Side.B


def _is_right(judgement: Judgement) -> bool:
    return bool(judgement.correct)


def _share(items: Sequence[_T], counts: Callable[[_T], bool]) -> Share:
    return Share.of(sum(map(counts, items)), len(items))


def _total(judgement: Judgement, value: Callable[[Rollout], float | None]) -> float | None:
    known = [found for rollout in judgement.rollouts if (found := value(rollout)) is not None]
    return sum(known) if known else None


def _median(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _sign_test(right: Share) -> float | None:
    if not right.n:
        return None
    from statsmodels.stats.proportion import binom_test  # late, as in Share

    return float(binom_test(right.count, right.n, 0.5))
