"""More than two responses to one prompt: compared pair by pair, and ranked with their ties.

In a round robin every response meets every other; a knockout needs fewer judgements and says less.
Responses with the same text are one player: they are never compared, and share its place.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, count, groupby, islice
from typing import Any, Literal, NamedTuple

from rmr1.batch import judge_many
from rmr1.group import Group
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair, Side
from rmr1.plan import Plan

Method = Literal["round-robin", "knockout"]

JudgePairs = Callable[[Iterable[Pair]], Iterable[Judgement]]
"""Judges pairs, in any order; a pair's `id` comes back with its judgement."""

AT_ONCE = 32
"""Groups of which matches are judged together: enough to keep a server full to the end."""

_Match = tuple[int, int]
"""Two players: who is read first under the order AB, and who second."""

_Rounds = Generator[list[_Match], Mapping[_Match, Judgement], list[list[int]]]
"""Yields the matches of a round, is sent all judgements so far, returns players, best first."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two responses that were compared.

    Attributes:
        first: index of the response that stood on side A.
        second: of the other one.
    """

    first: int
    second: int
    judgement: Judgement

    @property
    def winner(self) -> int | None:
        """Index of the better one; None where the judge named none."""
        return _winner((self.first, self.second), self.judgement)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one response stands.

    Attributes:
        index: its place among the responses that were given.
        rank: 1 for the best; the same for responses that tie, and the next one skips as many.
        wins, losses: matches with a verdict.
        undecided: matches without one; they count for neither side.
        win_rate: wins of the matches with a verdict; None where there was none.
        same_as: index of the first response with the same text, whose matches these are.
    """

    index: int
    rank: int
    wins: int
    losses: int
    undecided: int
    win_rate: float | None
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Responses of a group, ranked.

    Attributes:
        standings: best first; responses that tie by index.
        matches: what was judged, in the order in which it was asked for.
    """

    group: Group
    method: Method
    standings: tuple[Standing, ...]
    matches: tuple[Match, ...]

    @property
    def undecided(self) -> tuple[Match, ...]:
        """Matches without a verdict: the backend failed, or the judge named neither or both."""
        return tuple(match for match in self.matches if match.winner is None)

    @property
    def ties(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the responses that share a rank, best rank first."""
        by_rank = groupby(self.standings, key=lambda one: one.rank)
        shared = (tuple(one.index for one in same) for _, same in by_rank)
        return tuple(indices for indices in shared if len(indices) > 1)


def judgement_limit(responses: int, method: Method) -> int:
    """The most judgements that ranking so many responses can take.

    A round robin takes exactly these unless texts repeat. A knockout takes one less than there are
    responses when every match is decided.
    """
    if method == "round-robin":
        return responses * (responses - 1) // 2
    return responses * responses // 4


def judged_by(judge: Judge, plan: Plan, workers: int | None = None) -> JudgePairs:
    """Pairs judged on this machine: see `rmr1.batch.judge_many`."""
    return partial(judge_many, judge, plan=plan, workers=workers)


def rank(group: Group, judge_pairs: JudgePairs, method: Method = "round-robin") -> Ranking:
    """Rank the responses of one group; see `rank_many`."""
    return next(rank_many([group], judge_pairs, method))


def rank_many(
    groups: Iterable[Group], judge_pairs: JudgePairs, method: Method = "round-robin"
) -> Iterator[Ranking]:
    """Rank the responses of each group, holding no more than `AT_ONCE` groups in memory.

    In a round robin the order is that of the win rates; equal ones tie, and responses without any
    come last. In a knockout it is that of the rounds that the responses reached: those that lost
    in the same round tie, a match without a verdict leaves both in, and when a round decides
    nothing those that are left tie. Each response stands first as often as second in a round
    robin, give or take one match, so that a judge's taste for a position favours none.

    Yields:
        Rankings, in the order of the groups.
    """
    waiting = iter(groups)
    while part := list(islice(waiting, AT_ONCE)):
        yield from _rank_part(part, judge_pairs, method)


def ranking_record(ranking: Ranking) -> dict[str, Any]:
    """A ranking as one JSON object; the texts of the responses are left out."""
    return {
        "id": ranking.group.id,
        "method": ranking.method,
        "ranking": [
            {name: getattr(one, name) for name in Standing.__dataclass_fields__}
            for one in ranking.standings
        ],
        "ties": [list(indices) for indices in ranking.ties],
        "undecided": [
            {
                "first": match.first,
                "second": match.second,
                "state": match.judgement.state,
                "reason": match.judgement.reason,
            }
            for match in ranking.undecided
        ],
        "judgements": len(ranking.matches),
    }


def _rank_part(
    groups: Sequence[Group], judge_pairs: JudgePairs, method: Method
) -> Iterator[Ranking]:
    """Rank groups together: each round of all of them is judged as one batch."""
    contests = [_Contest.of(group, method) for group in groups]
    while pending := {
        f"{at}.{match[0]}.{match[1]}": (one, match)
        for at, one in enumerate(contests)
        for match in one.asked
    }:
        pairs = (one.group.pair(*one.texts(match), name) for name, (one, match) in pending.items())
        found: dict[str, Judgement] = {}
        for judgement in judge_pairs(pairs):
            found[judgement.pair.id or ""] = judgement
        for name, (one, match) in pending.items():
            one.judged[match] = found[name]
        for one in contests:
            one.go_on()
    for one in contests:
        yield _ranking(one, method)


@dataclass(slots=True)
class _Contest:
    """The matches of one group, while they are played.

    Attributes:
        rounds: says which matches come next.
        asked: the matches of this round; empty when all is played.
        judged: all matches so far.
        ranked: players by falling score, once all is played.
    """

    group: Group
    rounds: _Rounds
    asked: list[_Match]
    judged: dict[_Match, Judgement]
    ranked: list[list[int]]

    @classmethod
    def of(cls, group: Group, method: Method) -> "_Contest":
        players = _players(group)
        rounds = _round_robin(players) if method == "round-robin" else _knockout(players)
        contest = cls(group, rounds, next(rounds), {}, [])
        if not contest.asked:  # a single player
            contest.go_on()
        return contest

    def texts(self, match: _Match) -> tuple[str, str]:
        return self.group.responses[match[0]], self.group.responses[match[1]]

    def go_on(self) -> None:
        """End a round, and ask for the next that has anything to judge."""
        self.asked = []
        while not self.asked and not self.ranked:
            try:
                self.asked = self.rounds.send(self.judged)
            except StopIteration as end:
                self.ranked = end.value


def _players(group: Group) -> list[int]:
    """Index of the first response of each text."""
    first: dict[str, int] = {}
    for index, text in enumerate(group.responses):
        first.setdefault(text, index)
    return list(first.values())


def _placed(players: Sequence[int], one: int, other: int) -> _Match:
    """Which of two stands first: over a round robin each does as often as not."""
    return (players[one], players[other]) if (other - one) % 2 else (players[other], players[one])


def _round_robin(players: list[int]) -> _Rounds:
    judged = yield [_placed(players, *both) for both in combinations(range(len(players)), 2)]
    rates = {player: _tally(player, judged).win_rate for player in players}
    return _falling({player: -1.0 if rate is None else rate for player, rate in rates.items()})


def _knockout(players: list[int]) -> _Rounds:
    left, reached = list(players), dict.fromkeys(players, 0)
    met: set[_Match] = set()
    for number in count(1):
        matches = [_placed(left, at, at + 1) for at in range(0, len(left) - 1, 2)]
        if number % 2 == 0:  # who stood first in one round stands second in the next
            matches = [(second, first) for first, second in matches]
        fresh = [one for one in matches if one not in met and one[::-1] not in met]
        met.update(fresh)
        judged = yield fresh
        winners = {match: _winner(match, judged[match]) for match in fresh}
        lost = {sum(match) - winner for match, winner in winners.items() if winner is not None}
        if not lost:
            break
        # The second of an undecided match goes to the end, to meet somebody else.
        seconds = [match[1] for match in matches if winners.get(match) is None]
        left = [player for player in left if player not in lost and player not in seconds]
        left += seconds
        reached.update(dict.fromkeys(left, number))
    return _falling(reached)


def _falling(scores: Mapping[int, float]) -> list[list[int]]:
    """Players by falling score, those of one score together."""
    falling = sorted(scores, key=lambda player: (-scores[player], player))
    return [list(same) for _, same in groupby(falling, key=lambda one: scores[one])]


def _winner(match: _Match, judgement: Judgement) -> int | None:
    if judgement.verdict is None:
        return None
    return match[0] if judgement.verdict is Side.A else match[1]


class _Tally(NamedTuple):
    wins: int
    losses: int
    undecided: int

    @property
    def win_rate(self) -> float | None:
        decided = self.wins + self.losses
        return self.wins / decided if decided else None


def _tally(player: int, judged: Mapping[_Match, Judgement]) -> _Tally:
    winners = [_winner(match, one) for match, one in judged.items() if player in match]
    wins, undecided = winners.count(player), winners.count(None)
    return _Tally(wins, len(winners) - wins - undecided, undecided)


def _ranking(contest: _Contest, method: Method) -> Ranking:
    responses = contest.group.responses
    copies: dict[str, list[int]] = {}
    for index, text in enumerate(responses):
        copies.setdefault(text, []).append(index)
    standings: list[Standing] = []
    for same in contest.ranked:
        place = len(standings) + 1
        shared = sorted((index, player) for player in same for index in copies[responses[player]])
        for index, player in shared:
            tally = _tally(player, contest.judged)
            copied = None if index == player else player
            standings.append(Standing(index, place, *tally, tally.win_rate, copied))
    matches = tuple(Match(*match, judgement) for match, judgement in contest.judged.items())
    return Ranking(contest.group, method, tuple(standings), matches)
