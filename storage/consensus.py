"""What several people's labels on a pair come to: the majority, and Dawid-Skene beside it."""

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.rollout import State
from rmr1.share import Share
from storage.estimate import Estimate
from storage.opinions import Opinion, StageOfLabel
from storage.tables import JudgementRow

NOT_INSTALLED = (
    "Dawid-Skene is reckoned by crowd-kit, which is not installed: pip install 'rmr1[teams]'."
)
MODELLED = "A model's estimate: it has no interval."
_ITERATIONS = 50
_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class ConsensusItem:
    """A pair that two or more people labelled.

    Attributes:
        labels: who said what.
        majority: None where two values lead.
        modelled: Dawid-Skene's value; None where it was not reckoned.
        probability: of `modelled`, by the model.
    """

    pair_id: int
    labels: tuple[tuple[str, str], ...]
    majority: str | None
    modelled: str | None
    probability: float | None

    @property
    def is_clear(self) -> bool:
        """Whether there is a majority, and the model says the same."""
        return self.majority is not None and self.modelled in (None, self.majority)


@dataclass(frozen=True, slots=True)
class Skill:
    """How one person stands to the others.

    Attributes:
        with_others: answers that are the majority of all others' on the pair, where they have one.
        accuracy: estimated by Dawid-Skene: the chance to say what is right.
    """

    name: str
    labels: int
    with_others: Share
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus on a stream.

    Attributes:
        decided: pairs with a majority, of those that two or more labelled.
        same: pairs on which model and majority say the same, of those with a majority.
        problem: why there is no Dawid-Skene; empty where there is.
    """

    items: tuple[ConsensusItem, ...]
    decided: Share
    same: Share
    skills: tuple[Skill, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class _Modelled:
    values: Mapping[int, tuple[str, float]]
    accuracies: Mapping[str, float]
    problem: str = ""


def consensus(said: Iterable[Opinion], stage: StageOfLabel) -> Consensus:
    """What the labels of a stage come to, on the pairs that two or more people labelled."""
    by_pair: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for one in said:
        if value := one.at(stage):
            by_pair[one.pair_id].append((one.annotator, value))
    shared = {pair_id: labels for pair_id, labels in by_pair.items() if len(labels) > 1}
    modelled = _dawid_skene(shared)
    items = [
        ConsensusItem(
            pair_id,
            tuple(labels),
            leading([value for _, value in labels]),
            *modelled.values.get(pair_id, (None, None)),
        )
        for pair_id, labels in shared.items()
    ]
    decided = [one for one in items if one.majority]
    return Consensus(
        items=tuple(items),
        decided=Share.of(len(decided), len(items)),
        same=Share.of(
            sum(one.majority == one.modelled for one in decided),
            0 if modelled.problem else len(decided),
        ),
        skills=tuple(_skills(shared, modelled)),
        problem=modelled.problem,
    )


def newest_keys(session: Session, pair_ids: Sequence[int]) -> dict[int, str]:
    """Key of each pair's newest judgement that did not fail; pairs without one are left out."""
    newest = (
        select(func.max(JudgementRow.id))
        .where(JudgementRow.pair_id.in_(pair_ids), JudgementRow.state != State.FAILED)
        .group_by(JudgementRow.pair_id)
    )
    rows = select(JudgementRow.pair_id, JudgementRow.key).where(JudgementRow.id.in_(newest))
    return {pair_id: key for pair_id, key in session.execute(rows)}


def leading(values: Sequence[str]) -> str | None:
    """The value that is given more often than any other; None where two lead."""
    (value, most), *rest = Counter(values).most_common(2) or [("", 0)]
    return value if most and (not rest or most > rest[0][1]) else None


def with_others(
    shared: Mapping[int, Sequence[tuple[str, str]]],
) -> dict[str, tuple[int, Share]]:
    """For each person the number of labels, and the share that the majority of the others shares.

    Args:
        shared: for each pair who said what.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for labels in shared.values():
        for place, (name, value) in enumerate(labels):
            counts[name]["labels"] += 1
            others = leading([v for at, (_, v) in enumerate(labels) if at != place])
            if others is not None:
                counts[name]["compared"] += 1
                counts[name]["same"] += others == value
    return {
        name: (count["labels"], Share.of(count["same"], count["compared"]))
        for name, count in sorted(counts.items())
    }


def _skills(
    shared: Mapping[int, Sequence[tuple[str, str]]], modelled: _Modelled
) -> Iterable[Skill]:
    for name, (labels, share) in with_others(shared).items():
        if name in modelled.accuracies:
            accuracy = Estimate.bare(modelled.accuracies[name], labels, "labels", MODELLED)
        else:
            accuracy = Estimate.undefined(labels, "labels", modelled.problem)
        yield Skill(name, labels, share, accuracy)


def _dawid_skene(shared: Mapping[int, Sequence[tuple[str, str]]]) -> _Modelled:
    """Each pair's value and each person's accuracy, by expectation and maximisation.

    Source: A. P. Dawid and A. M. Skene, Applied Statistics 28 (1979); by crowd-kit.
    """
    rows = [(pair_id, *label) for pair_id, labels in shared.items() for label in labels]
    if not rows:
        return _Modelled({}, {}, "No pair that two people labelled.")
    if len({value for *_, value in rows}) == 1:
        return _Modelled({}, {}, "Everybody says the same of every pair: nothing to estimate.")
    try:  # crowd-kit is an extra, and takes seconds to import
        from crowdkit.aggregation import DawidSkene
    except ImportError:
        return _Modelled({}, {}, NOT_INSTALLED)
    import pandas as pd

    model = DawidSkene(n_iter=_ITERATIONS, tol=_TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its calls of pandas are of yesterday
        model.fit(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    chances = model.probas_
    best = chances.idxmax(axis=1)
    values = {
        int(pair_id): (str(value), float(chances.at[pair_id, value]))
        for pair_id, value in best.items()
    }
    priors = model.priors_
    right = {
        (str(worker), str(said)): float(row.get(said, 0.0)) * float(priors.get(said, 0.0))
        for (worker, said), row in model.errors_.iterrows()
    }
    accuracies: Counter[str] = Counter()
    for (worker, _), chance in right.items():
        accuracies[worker] += chance  # type: ignore[assignment]  # a counter of shares
    return _Modelled(values, dict(accuracies))
