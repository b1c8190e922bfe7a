"""Outcomes as JSON objects, so that a score can be made again without the texts."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rmr1.benchmark.outcome import Outcome, Reading
from rmr1.benchmark.place import Place
from rmr1.rollout import State


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome as a JSON object."""
    record = asdict(outcome)
    record["key"] = list(outcome.key)
    record["readings"] = [
        {"chosen_first": reading.chosen_first, "right": dict(reading.right)}
        for reading in outcome.readings
    ]
    return record


def outcome_from_record(record: Mapping[str, Any]) -> Outcome:
    """Read what `outcome_record` wrote."""
    id, content_hash, repeat = record["key"]
    given = {
        **record,
        "key": (id, content_hash, repeat),
        "place": Place(**record["place"]),
        "readings": tuple(Reading(**reading) for reading in record["readings"]),
        "state": State(record["state"]),
    }
    return Outcome(**given)
