"""A label's passport: everything that it depended on, and everything that used it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.errors import RecordNotFound
from storage import judgement_rows, labels
from storage.labels import LabelEvent
from storage.tables import (
    JudgementRow,
    LabelEventRow,
    QueueRow,
    RunRow,
    SnapshotLabelRow,
    SnapshotRow,
)
from storage.team_tables import LeadEventRow
from storage.training_tables import AdapterRow, PromotionRow

Passport = dict[str, Any]

_LONGEST_MANIFEST = 4_000_000  # bytes: what is longer was written by something else


def passport(session: Session, event_id: int, data_dir: Path) -> Passport:
    """What a label event depended on, and what used it, as a JSON object.

    A snapshot uses a label; exports are folders made of a snapshot; a training uses a snapshot
    through the manifest of its data; adapters and promotions come of trainings.

    Args:
        data_dir: where the studio keeps its exports.

    Raises:
        RecordNotFound: there is no such event.
    """
    row = session.get(LabelEventRow, event_id)
    if row is None:
        raise RecordNotFound(f"There is no label event {event_id}.")
    events = labels.history(session, row.pair_id)
    mine = [event for event in events if event.annotator == row.annotator.name]
    queue = session.get(QueueRow, row.queue_id) if row.queue_id else None
    return {
        "label": _event(next(event for event in mine if event.id == event_id)),
        "served": {"queue": queue.name if queue else None, "why": row.why or None},
        "pair": {
            "hash": row.pair.hash,
            "content_hash": row.pair.content_hash,
            "prompt_hash": row.pair.prompt_hash,
            "source": row.pair.source,
            "subset": row.pair.subset,
            "id": row.pair.external_id,
            "known_better_side": row.pair.chosen,
        },
        "order": {
            "person_read_first": "B" if row.display_swapped else "A",
            "judge_read": _orders(row.judgement),
        },
        "judgement": _judgement(row.judgement),
        "revisions": [_event(event) for event in mine],
        "others": sum(event.annotator != row.annotator.name for event in events),
        "adjudication": _adjudication(session, row.pair_id),
        "used_by": _used_by(session, row, data_dir),
    }


def _event(event: LabelEvent) -> Passport:
    return {
        "id": event.id,
        "annotator": event.annotator,
        "stage": event.stage,
        "action": event.action,
        "value": event.value,
        "strength": event.strength,
        "seconds": event.seconds,
        "tags": list(event.tags or ()),
        "note": event.note,
        "made_at": event.created_at.isoformat(),
        "undone": event.undone,
    }


def _orders(row: JudgementRow | None) -> list[str]:
    return [] if row is None else sorted({rollout.order for rollout in row.rollouts})


def _judgement(row: JudgementRow | None) -> Passport | None:
    if row is None:
        return None
    version = judgement_rows.version_from_row(row.version)
    return {
        "key": row.key,
        "verdict": row.verdict,
        "state": row.state,
        "made_at": row.created_at.isoformat(),
        "plan": row.plan,
        "plan_hash": row.plan_hash,
        "judge_version": {"hash": version.hash, **asdict(version)},
    }


def _adjudication(session: Session, pair_id: int) -> list[Passport]:
    rows = session.scalars(
        select(LeadEventRow).where(LeadEventRow.pair_id == pair_id).order_by(LeadEventRow.id)
    )
    return [
        {
            "action": row.action,
            "value": row.value,
            "reason": row.reason,
            "made_at": row.created_at.isoformat(),
        }
        for row in rows
    ]


def _used_by(session: Session, row: LabelEventRow, data_dir: Path) -> Passport:
    """What used this person's label on the pair, whichever of its events a snapshot took."""
    frozen = session.execute(
        select(SnapshotRow, SnapshotLabelRow)
        .join(SnapshotLabelRow, SnapshotLabelRow.snapshot_id == SnapshotRow.id)
        .where(
            SnapshotLabelRow.annotator_id == row.annotator_id,
            SnapshotLabelRow.pair_id == row.pair_id,
            SnapshotLabelRow.event_id >= row.id,
        )
        .order_by(SnapshotRow.id)
    ).all()
    trainings = _trainings(session, {snapshot.hash for snapshot, _ in frozen})
    adapters = session.scalars(
        select(AdapterRow).where(AdapterRow.run_id.in_([run.id for run in trainings]))
    ).all()
    promotions = session.scalars(
        select(PromotionRow).where(PromotionRow.adapter_id.in_([one.id for one in adapters]))
    ).all()
    return {
        "snapshots": [
            {
                "name": snapshot.name,
                "hash": snapshot.hash,
                "made_at": snapshot.created_at.isoformat(),
                "value": label.value,
                "split": label.split,
            }
            for snapshot, label in frozen
        ],
        "exports": _exports([snapshot.hash for snapshot, _ in frozen], data_dir),
        "trainings": [
            {
                "run": run.id,
                "name": run.name,
                "state": run.state,
                "data_hash": run.params.get("data_hash"),
                "made_at": run.created_at.isoformat(),
            }
            for run in trainings
        ],
        "adapters": [f"{one.name}@{one.hash[:8]}" for one in adapters],
        "promotions": [
            {"action": one.action, "by": one.by, "made_at": one.created_at.isoformat()}
            for one in promotions
        ],
    }


def _exports(hashes: Iterable[str], data_dir: Path) -> list[str]:
    """Names of the studio's export folders that a snapshot went into."""
    folders = (data_dir / "exports").glob("*-*")
    wanted = {one[:12] for one in hashes}
    return sorted(one.name for one in folders if one.name.partition("-")[0] in wanted)


def _trainings(session: Session, hashes: set[str]) -> Sequence[RunRow]:
    """Trainings whose data came of one of these snapshots, as the data's manifests say."""
    if not hashes:
        return []
    runs = session.scalars(select(RunRow).where(RunRow.kind == "training").order_by(RunRow.id))
    return [run for run in runs if _snapshots_of(run.params.get("data")) & hashes]


def _snapshots_of(folder: object) -> set[str]:
    """Hashes of the snapshots that a data folder was made of; none where it is gone."""
    if not isinstance(folder, str) or not folder:
        return set()
    found: set[str] = set()
    for path in Path(folder).glob("*.manifest.json"):
        try:
            if path.stat().st_size <= _LONGEST_MANIFEST:
                content = json.loads(path.read_text(encoding="utf-8"))
                found.add(str(content["snapshot_hash"]))
        except (OSError, ValueError, LookupError, TypeError):
            continue  # no manifest of ours: it says nothing
    return found
