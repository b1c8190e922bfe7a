"""Pair verdicts made scalar rewards: win rates in a round robin, or against a reference."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rmr1.errors import BackendError
from rmr1.group import Group
from rmr1.judgement import Judgement, State
from rmr1.pair import Side
from rmr1.tournament import JudgePairs, Ranking, judgement_limit, rank_many


@dataclass(frozen=True, slots=True)
class GroupRewards:
    """What the responses of a group are worth.

    Attributes:
        rewards: in the order of the responses, each 0..1; None where no verdict speaks of it.
        judgements: what they come from.
        ranking: of a group without a reference.
    """

    group: Group
    rewards: tuple[float | None, ...]
    judgements: tuple[Judgement, ...]
    ranking: Ranking | None = None

    def filled(self, missing: float) -> list[float]:
        """The rewards as a trainer needs them: see `filled`."""
        return filled(self.rewards, missing)


def filled(rewards: Sequence[float | None], missing: float) -> list[float]:
    """A number for each response of a group.

    A response without a reward gets the mean of the others, which is no advantage in a group that
    is compared with its own mean; where there are no others, `missing`.
    """
    known = [reward for reward in rewards if reward is not None]
    mean = sum(known) / len(known) if known else missing
    return [mean if reward is None else reward for reward in rewards]


def reward_limit(group: Group) -> int:
    """The most judgements that the rewards of a group can take."""
    texts = len(set(group.responses))
    return texts if group.reference is not None else judgement_limit(texts, "round-robin")


def group_rewards(groups: Sequence[Group], judge_pairs: JudgePairs) -> list[GroupRewards]:
    """Rewards for the responses of each group.

    Without a reference they are the win rates of a round robin (see `rmr1.tournament.rank_many`);
    with one, of each response's verdicts against it: with one rollout 1 or 0, with more their
    share. The response stands first and the reference second, for all alike, so that a taste for a
    position does not tell two responses apart; the reference's own text is worth 0.5.

    Raises:
        BackendError: the backend failed on every single pair.
    """
    ranked = rank_many((one for one in groups if one.reference is None), judge_pairs)
    held = _against_references([one for one in groups if one.reference is not None], judge_pairs)
    found = [_of_ranking(next(ranked)) if one.reference is None else next(held) for one in groups]
    judgements = [judgement for one in found for judgement in one.judgements]
    if judgements and all(one.state is State.FAILED for one in judgements):
        raise BackendError(f"the judge failed on every pair: {judgements[0].reason}")
    return found


def _of_ranking(ranking: Ranking) -> GroupRewards:
    rates = {one.index: one.win_rate for one in ranking.standings}
    return GroupRewards(
        ranking.group,
        tuple(rates[index] for index in range(len(rates))),
        tuple(match.judgement for match in ranking.matches),
        ranking,
    )


def _against_references(groups: Sequence[Group], judge_pairs: JudgePairs) -> Iterator[GroupRewards]:
    names = {
        f"{number}.{place}": (number, text)
        for number, group in enumerate(groups)
        for place, text in enumerate(dict.fromkeys(group.responses))
        if text != group.reference
    }
    pairs = (
        groups[number].pair(text, groups[number].reference or "", name)
        for name, (number, text) in names.items()
    )
    judged: list[dict[str, Judgement]] = [{} for _ in groups]
    for judgement in judge_pairs(pairs) if names else ():
        number, text = names[judgement.pair.id or ""]
        judged[number][text] = judgement
    for group, by_text in zip(groups, judged, strict=True):
        rates = {text: _win_rate(one) for text, one in by_text.items()} | {group.reference: 0.5}
        yield GroupRewards(
            group, tuple(rates[text] for text in group.responses), tuple(by_text.values())
        )


def _win_rate(judgement: Judgement) -> float | None:
    """Of side A, over the rollouts with a verdict."""
    named: Iterable[Side | None] = (rollout.verdict for rollout in judgement.rollouts)
    decided = [side for side in named if side is not None]
    return decided.count(Side.A) / len(decided) if decided else None
