"""Whether a judge is as often on people's side as it is sure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from math import floor

import numpy as np

from rmr1.calibration import BINS, Calibration, calibrate
from rmr1.judgement import ConfidenceSource
from storage.agreement import SIDES, Judged
from storage.estimate import Estimate, Floats, bootstrapped, grouped

KINDS: tuple[ConfidenceSource, ...] = ("votes", "logprobs", "margin")


@dataclass(frozen=True, slots=True)
class PeopleCalibration:
    """One kind of confidence against what most people say.

    Attributes:
        ece, brier: those of `figures`, with intervals.
    """

    figures: Calibration
    ece: Estimate
    brier: Estimate


def calibrations(
    own: Iterable[Judged], truths: Mapping[int, tuple[str, str]]
) -> list[PeopleCalibration]:
    """A calibration for each kind of confidence that a judge version's verdicts have.

    Args:
        truths: what most people say of each pair, and the pair's prompt.
    """
    kinds: defaultdict[ConfidenceSource, list[tuple[float, bool, str]]] = defaultdict(list)
    known = 0
    for one in own:
        truth, prompt = truths.get(one.pair_id, ("", ""))
        if truth not in SIDES:
            continue
        known += 1
        kind = next((kind for kind in KINDS if kind == one.confidence_source), None)
        if one.verdict and one.confidence is not None and kind:
            kinds[kind].append((one.confidence, one.verdict == truth, prompt))
    return [_held(source, part, known) for source, part in sorted(kinds.items())]


def _held(
    source: ConfidenceSource, verdicts: list[tuple[float, bool, str]], known: int
) -> PeopleCalibration:
    n = len(verdicts)
    figures = calibrate([(c, right) for c, right, _ in verdicts], source, without=known - n)
    prompts = [prompt for *_, prompt in verdicts]
    squares = np.array([[(confidence - right) ** 2, 1.0] for confidence, right, _ in verdicts])
    bins = np.zeros((n, BINS))
    for row, (confidence, right, _) in enumerate(verdicts):
        bins[row, min(BINS - 1, floor(confidence * BINS + 1e-9))] = confidence - right
    sums = np.column_stack([bins, np.ones(n)])
    drawn = partial(bootstrapped, n=n, unit="verdicts")
    return PeopleCalibration(
        figures,
        ece=drawn(figures.ece, grouped(sums, prompts), _error),
        brier=drawn(figures.brier, grouped(squares, prompts), lambda s: s[:, 0] / s[:, 1]),
    )


def _error(sums: Floats) -> Floats:
    # A bin's share of the verdicts times its gap is the sum of its differences over all verdicts.
    return np.asarray(np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1])
