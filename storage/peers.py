"""People against people: how far those who label agree with each other."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rmr1.share import Share
from storage.estimate import Estimate
from storage.opinions import Opinion, StageOfLabel
from storage.rater_agreement import (
    Ratings,
    cohen_kappa,
    gwet,
    krippendorff_alpha,
    percent_agreement,
)

VALUES = ("A", "B", "tie", "both_bad", "cannot_tell")
STRENGTHS = ("-3", "-2", "-1", "0", "1", "2", "3")
"""From B much better over a tie to A much better."""


@dataclass(frozen=True, slots=True)
class Couple:
    """Two people on the pairs that both labelled."""

    one: str
    other: str
    same: Share
    kappa: Estimate


@dataclass(frozen=True, slots=True)
class PeersReport:
    """People against people on one stream.

    Attributes:
        people: who labelled at all.
        pairs: that anybody labelled.
        unanimous: pairs on which all say the same, of those that two or more labelled.
        percent: share of agreeing couples of labels, in the mean over pairs.
        alpha, ac1: of the values as names.
        ordinal_alpha, ac2: of value and strength on one scale, from B much better to A much better;
            `both_bad` and `cannot_tell`, and answers without a strength, have no place on it.
        couples: those with most pairs in common first.
    """

    people: int
    pairs: int
    unanimous: Share
    percent: Estimate
    alpha: Estimate
    ac1: Estimate
    ordinal_alpha: Estimate
    ac2: Estimate
    couples: tuple[Couple, ...]


def report(said: Sequence[Opinion], stage: StageOfLabel, most_couples: int = 50) -> PeersReport:
    """How far people agree at a stage."""
    given = [(one, value) for one in said if (value := one.at(stage)) is not None]
    values = ratings([(one, value) for one, value in given], VALUES)
    placed = [(one, place) for one, value in given if (place := on_scale(one, value)) is not None]
    strengths = ratings(placed, STRENGTHS)
    counts = values.counts
    together = int((counts.max(axis=1) == counts.sum(axis=1))[counts.sum(axis=1) >= 2].sum())
    return PeersReport(
        people=len({one.annotator for one, _ in given}),
        pairs=len(counts),
        unanimous=Share.of(together, values.shared),
        percent=percent_agreement(values),
        alpha=krippendorff_alpha(values),
        ac1=gwet(values),
        ordinal_alpha=krippendorff_alpha(strengths, "ordinal"),
        ac2=gwet(strengths, "ordinal"),
        couples=tuple(couples(given, most_couples)),
    )


def on_scale(said: Opinion, value: str) -> str | None:
    """Value and strength on the scale of `STRENGTHS`; None where they have no place on it."""
    if value == "tie":
        return "0"
    if value not in ("A", "B") or said.strength is None:
        return None
    return str(said.strength if value == "A" else -said.strength)


def ratings(given: Iterable[tuple[Opinion, str]], values: Sequence[str]) -> Ratings:
    """Answers as counts of each value on each pair."""
    columns = {value: place for place, value in enumerate(values)}
    rows: dict[int, int] = {}
    prompts: list[str] = []
    cells = []
    for one, value in given:
        if one.pair_id not in rows:
            rows[one.pair_id] = len(rows)
            prompts.append(one.prompt_hash)
        cells.append((rows[one.pair_id], columns[value]))
    counts = np.zeros((len(rows), len(values)))
    if cells:
        np.add.at(counts, tuple(zip(*cells, strict=True)), 1)
    return Ratings(counts, prompts, values)


def couples(given: Iterable[tuple[Opinion, str]], most: int) -> list[Couple]:
    """The couples of people with pairs in common."""
    by_pair: defaultdict[int, list[tuple[Opinion, str]]] = defaultdict(list)
    for one, value in given:
        by_pair[one.pair_id].append((one, value))
    common: defaultdict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for answers in by_pair.values():
        ranked = sorted(answers, key=lambda answer: answer[0].annotator)
        for (one, said), (other, other_said) in combinations(ranked, 2):
            common[one.annotator, other.annotator].append((said, other_said, one.prompt_hash))
    ranked_couples = sorted(common.items(), key=lambda found: (-len(found[1]), found[0]))
    return [
        Couple(
            *names,
            same=Share.of(sum(said == other for said, other, _ in answers), len(answers)),
            kappa=cohen_kappa(
                [(said, other) for said, other, _ in answers], [prompt for *_, prompt in answers]
            ),
        )
        for names, answers in ranked_couples[:most]
    ]
