"""What of a judgement a score needs: its verdicts under every rule, without the texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rmr1.benchmark.place import Place
from rmr1.grounding import Match
from rmr1.judgement import Judgement
from rmr1.pair import Pair, Side
from rmr1.rollout import Rollout, State
from rmr1.scalar_judge import margin_of
from rmr1.verdict import evaluation_verdict

Rule = Literal["published", "upstream", "own"]

RULES: Final[Mapping[Rule, str]] = {
    "published": "RM-R1's evaluation: a bare [[A]] or [[B]] anywhere in the text; both letters, or "
    "none, are wrong",
    "upstream": "RewardBench's own: [[A]] wins wherever it stands, then [[B]]; none is half right",
    "own": "this project's: the answer after the evaluation; a judgement without a verdict is "
    "wrong",
}
"""The rules by which a judge's text becomes a verdict and a verdict becomes credit."""

Key = tuple[str, str, int]
"""Identity of an item: its id, the hash of its content, and which one it is of its like."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One rollout.

    Attributes:
        chosen_first: whether the better response stood first.
        right: by rule, whether it names the better response; None without a verdict.
    """

    chosen_first: bool
    right: Mapping[Rule, bool | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One judgement of one item.

    Attributes:
        readings: of its rollouts.
        own: whether the judgement names the better response; None without a verdict.
        chosen_longer: whether the better response has more characters; None where both have as
            many.
        broken: the backend failed, so that the judge said nothing.
        quotes, absent_quotes: of all rollouts; absent are those that stand nowhere.
        agrees: for a released log, whether the log's result is what our reading gives.
        margin: of a scalar reward model, by how much it scores the better response higher; None
            of a judge that only names one.
    """

    key: Key
    place: Place
    readings: tuple[Reading, ...]
    own: bool | None
    state: State
    chosen_longer: bool | None
    broken: bool
    swap_consistent: bool | None
    quotes: int
    absent_quotes: int
    tokens: int | None
    prompt_tokens: int | None
    seconds: float | None
    agrees: bool | None = None
    margin: float | None = None

    def right(self, rule: Rule) -> bool | None:
        """Whether it names the better response under a rule; None without a verdict.

        Several rollouts decide by their majority; a draw is no verdict.
        """
        if rule == "own":
            return self.own
        named = [reading.right[rule] for reading in self.readings]
        right, wrong = named.count(True), named.count(False)
        return None if right == wrong else right > wrong

    def credit(self, rule: Rule) -> float:
        """What it is worth under a rule; nothing where the backend failed."""
        right = self.right(rule)
        if right is None:
            return 0.5 if rule == "upstream" and not self.broken else 0.0
        return float(right)


def key_of(pair: Pair) -> Key:
    """Which item of its benchmark a pair is, in whichever order its responses stand."""
    repeat = pair.meta.get("repeat", 1)
    return pair.id or "", pair.content_hash, repeat if isinstance(repeat, int) else 1


def outcome_of(judgement: Judgement, place: Place, agrees: bool | None = None) -> Outcome:
    """Take from a judgement what a score needs.

    Args:
        judgement: of a pair whose better side is known.
    """
    pair = judgement.pair
    longer = len(pair.response_a) - len(pair.response_b)
    quotes = [quote for rollout in judgement.rollouts for quote in rollout.quotes]
    return Outcome(
        key=key_of(pair),
        place=place,
        readings=tuple(_reading(rollout, pair) for rollout in judgement.rollouts),
        own=None if judgement.verdict is None else judgement.verdict is pair.chosen,
        state=judgement.state,
        chosen_longer=None if not longer else (longer > 0) is (pair.chosen is Side.A),
        broken=judgement.state is State.FAILED,
        swap_consistent=judgement.swap_consistent,
        quotes=len(quotes),
        absent_quotes=sum(quote.match is Match.ABSENT for quote in quotes),
        tokens=_total([rollout.completion_tokens for rollout in judgement.rollouts]),
        prompt_tokens=_total([rollout.prompt_tokens for rollout in judgement.rollouts]),
        seconds=_seconds([rollout.seconds for rollout in judgement.rollouts]),
        agrees=agrees,
        margin=_margin(judgement),
    )


def _margin(judgement: Judgement) -> float | None:
    ahead = margin_of(judgement)
    return -ahead if ahead is not None and judgement.pair.chosen is Side.B else ahead


def _reading(rollout: Rollout, pair: Pair) -> Reading:
    named = {
        "published": _by_letter(rollout, evaluation_verdict(rollout.trace.text)),
        "upstream": _by_letter(rollout, _upstream(rollout.trace.text)),
        "own": rollout.verdict,
    }
    return Reading(
        chosen_first=rollout.order.to_pair(Side.A) is pair.chosen,
        right={
            rule: None if (side := named[rule]) is None else side is pair.chosen for rule in RULES
        },
    )


def _by_letter(rollout: Rollout, letter: Side | None) -> Side | None:
    """The pair's side; of a judge that writes nothing, what it names is its verdict by any rule."""
    if rollout.state is State.FAILED:
        return None
    if not rollout.trace.text:
        return rollout.verdict
    return letter and rollout.order.to_pair(letter)


def _upstream(text: str) -> Side | None:
    """Source: allenai/reward-bench at 0362d99d, rewardbench/generative.py, process_judgement."""
    return next((side for side in Side if f"[[{side}]]" in text), None)


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _seconds(times: list[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return sum(known) if known else None
