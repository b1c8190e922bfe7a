"""What the pages are given to work with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rmr1.judge import Judge
from rmr1.plan import Plan
from storage.database import Database
from storage.offsite import Offsite
from ui.bencher import BenchmarkCommand
from ui.gates import Gate, LocalGate
from ui.limits import Buckets
from ui.trainer import TrainingCommand

VISITOR_ROLLOUTS = 30
"""Rollouts that a visitor may ask for in an hour, unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What the pages are given to work with.

    Attributes:
        judges: the judges to choose from, by title; the first is the default.
        plan: the plan that the Judge page starts with.
        data_dir: where exports are written.
        plans: the plans of judges that start with another one, by title.
        training: how a training run is started; None where none can be.
        gate: tells whose a request is.
        visitor_rollouts: what is left to each visitor, in rollouts of a judge.
        offsite: keeps the journal of labels elsewhere, too; None where nothing does.
        benchmarks: how a benchmark run is started; None where none can be.
    """

    database: Database
    judges: Mapping[str, Judge]
    plan: Plan
    data_dir: Path
    plans: Mapping[str, Plan] = field(default_factory=dict)
    training: TrainingCommand | None = None
    gate: Gate = field(default_factory=LocalGate)
    visitor_rollouts: Buckets = field(
        default_factory=lambda: Buckets(VISITOR_ROLLOUTS, VISITOR_ROLLOUTS)
    )
    benchmarks: BenchmarkCommand | None = None
    offsite: Offsite | None = None
