"""Criteria and their weights, read out of a rubric's prose."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Criterion:
    """One named item of a rubric.

    Attributes:
        weight_text: the weight as it is written ("40%", "weight: 0.3"), or None.
        weight: that weight as a number in its own unit (40.0, 0.3), or None.
        share: the weight normalised over the rubric so that all shares add up to 1; None where
            no criterion has a weight.
        text: what the criterion asks, without name and weight.
    """

    name: str
    text: str = ""
    weight_text: str | None = None
    weight: float | None = None
    share: float | None = None
