"""Whether a rollout holds together: rubric, sums and own solution against the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rmr1.answers import Same, final_answer, same_answer
from rmr1.pair import Pair, Side
from rmr1.rollout import Rollout
from rmr1.symbolic import same_mathematics
from rmr1.totals import stated_totals
from rmr1.weighing import Row, Weighed, weigh
from rmr1.winners import Winner, criterion_winners

Outcome = Literal["holds", "contradicts", "open"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says.

    Attributes:
        outcome: "open" where the check has too little to say either way.
        sentence: what was found, and why it says so.
    """

    check: Literal["criteria", "totals", "solution"]
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """What the checks of one rollout say, under the pair's own sides.

    Attributes:
        findings: of the checks that apply to it.
        winners: of each criterion, as far as the evaluation says.
        answers: the final answers of the judge's solution, of response A and of response B.
    """

    findings: tuple[Finding, ...]
    winners: tuple[Winner | None, ...] = ()
    answers: tuple[str | None, str | None, str | None] = (None, None, None)

    @property
    def contradicts(self) -> bool:
        """Whether any check finds the verdict contradicted."""
        return any(finding.outcome == "contradicts" for finding in self.findings)


def check(pair: Pair, rollout: Rollout, mathematics: Same = same_mathematics) -> Consistency:
    """Hold a rollout's verdict against what it says before it.

    Args:
        mathematics: compares answers that are more than numbers; the default starts a process.
    """
    winners = winners_of(rollout)
    solution = rollout.trace.solution
    answers = (
        (final_answer(solution), final_answer(pair.response_a), final_answer(pair.response_b))
        if solution
        else (None, None, None)
    )
    findings = (
        _criteria(rollout, winners),
        _totals(rollout),
        _solution(rollout.verdict, *answers, mathematics) if solution else None,
    )
    return Consistency(tuple(found for found in findings if found), winners, answers)


def winners_of(rollout: Rollout) -> tuple[Winner | None, ...]:
    """The winner of each criterion of a rollout, under the pair's own sides."""
    read = criterion_winners(rollout.trace.criteria, rollout.trace.evaluation or ())
    return tuple(_to_pair(rollout, winner) for winner in read)


def weighed(rollout: Rollout, winners: Sequence[Winner | None]) -> Weighed:
    """What a rollout's own weights give for these winners."""
    shares = [criterion.share or 0.0 for criterion in rollout.trace.criteria]
    return weigh([Row(share, winner) for share, winner in zip(shares, winners, strict=True)])


def _to_pair(rollout: Rollout, winner: Winner | None) -> Winner | None:
    if winner is None or winner == "=":
        return winner
    return "A" if rollout.order.to_pair(Side(winner)) is Side.A else "B"


def _criteria(rollout: Rollout, winners: Sequence[Winner | None]) -> Finding | None:
    if not winners:
        return None
    named = sum(winner is not None for winner in winners)
    if not named:
        return Finding(
            "criteria", "open", f"Of its {len(winners)} criteria, it says of none plainly who wins."
        )
    sums = weighed(rollout, winners)
    said = (
        f"It says plainly who wins {named} of {len(winners)} criteria: "
        f"A {sums.a:.0%}, B {sums.b:.0%} of the weight, {sums.unknown:.0%} unsaid"
    )
    if rollout.verdict is None:
        return Finding("criteria", "open", f"{said}. It gives no verdict.")
    if not sums.settled:
        return Finding("criteria", "open", f"{said}, which could go either way.")
    agrees = sums.verdict is rollout.verdict
    return Finding(
        "criteria",
        "holds" if agrees else "contradicts",
        f"{said}. That carries {sums.verdict}, {'and' if agrees else 'but'} it answers "
        f"{rollout.verdict}.",
    )


def _totals(rollout: Rollout) -> Finding | None:
    own_words = [one.text for one in rollout.trace.evaluation or () if one.kind == "text"]
    totals = stated_totals("\n".join(own_words))
    if totals is None or rollout.verdict is None:
        return None
    of_pair = {rollout.order.to_pair(side): value for side, value in totals.items()}
    a, b = of_pair[Side.A], of_pair[Side.B]
    said = f"It adds up A {a:g} and B {b:g}"
    if a == b:
        return Finding("totals", "open", f"{said}, which is level.")
    leader = Side.A if a > b else Side.B
    agrees = leader is rollout.verdict
    return Finding(
        "totals",
        "holds" if agrees else "contradicts",
        f"{said}, {'and' if agrees else 'but'} answers {rollout.verdict}.",
    )


def _solution(
    verdict: Side | None, own: str | None, a: str | None, b: str | None, mathematics: Same
) -> Finding:
    if own is None:
        return _open("No final answer can be read out of its own solution.")
    answers = {Side.A: a, Side.B: b}
    if a is None and b is None:
        return _open(f"Its solution comes to {own}; no final answer can be read in A or B.")
    same = {
        side: None if text is None else same_answer(own, text, mathematics)
        for side, text in answers.items()
    }
    said = f"Its solution comes to {own}; " + ", ".join(
        f"{side} {_relation(text, same[side])}" for side, text in answers.items()
    )
    right = [side for side in Side if same[side] is True]
    wrong = [side for side in Side if same[side] is False]
    if len(right) != 1 or len(wrong) != 1:
        return _open(f"{said}.")
    if verdict is None:
        return _open(f"{said}. It gives no verdict.")
    agrees = right[0] is verdict
    return Finding(
        "solution",
        "holds" if agrees else "contradicts",
        f"{said}, {'and' if agrees else 'but'} it answers {verdict}.",
    )


def _open(sentence: str) -> Finding:
    return Finding("solution", "open", sentence)


def _relation(text: str | None, same: bool | None) -> str:
    if text is None:
        return "gives none that can be read"
    words = {True: "agrees", False: "differs", None: "cannot be compared with it"}
    return f"says {text} ({words[same]})"
