"""What lists show of judgements: figures and a preview, never a full text."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from rmr1.pair import Side
from rmr1.rollout import State
from storage import judgement_rows
from storage.table_views import current_label
from storage.tables import JudgementRow, JudgeVersionRow, PairRow, PairTextRow

PREVIEW_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class JudgementSummary:
    """What a list shows of a judgement: no full text.

    Attributes:
        prompt: the beginning of the last user's turn.
        judge: the judge version's short name.
        labels: the current labels of its pair, one for each annotator.
    """

    key: str
    pair_id: int
    created_at: datetime
    prompt: str
    source: str
    subset: str
    multi_turn: bool
    judge: str
    judge_version: str
    type: str | None
    state: State
    verdict: Side | None
    chosen: Side | None
    correct: bool | None
    confidence: float | None
    swap_consistent: bool | None
    quotes_total: int
    quotes_near: int
    quotes_absent: int
    rollout_count: int
    tokens: int | None
    seconds: float | None
    labels: tuple[str, ...]


def read_summaries(session: Session, ids: Sequence[int]) -> tuple[JudgementSummary, ...]:
    """The summaries of the rows with these ids, in their order; one that is gone is left out."""
    preview = func.substr(PairTextRow.prompt, 1, PREVIEW_CHARACTERS)
    rows = session.execute(
        select(
            JudgementRow,
            JudgeVersionRow,
            preview,
            PairRow.source,
            PairRow.subset,
            PairRow.multi_turn,
            PairRow.chosen,
        )
        .join(JudgementRow.pair)
        .join(PairTextRow, PairTextRow.pair_id == JudgementRow.pair_id)
        .join(JudgementRow.version)
        .where(JudgementRow.id.in_(ids))
        .options(defer(JudgementRow.plan), defer(JudgeVersionRow.profile_text))
    ).all()
    labels = _label_values(session, [row[0].pair_id for row in rows])
    found = {}
    for row, version, prompt, source, subset, multi_turn, chosen in rows:
        found[row.id] = JudgementSummary(
            key=row.key,
            pair_id=row.pair_id,
            created_at=row.created_at,
            prompt=prompt,
            source=source,
            subset=subset,
            multi_turn=multi_turn,
            judge=judgement_rows.version_from_row(version).title,
            judge_version=version.hash,
            type=row.type,
            state=State(row.state),
            verdict=Side(row.verdict) if row.verdict else None,
            chosen=Side(chosen) if chosen else None,
            correct=row.correct,
            confidence=row.confidence,
            swap_consistent=row.swap_consistent,
            quotes_total=row.quotes_total,
            quotes_near=row.quotes_near,
            quotes_absent=row.quotes_absent,
            rollout_count=row.rollout_count,
            tokens=row.tokens,
            seconds=row.seconds,
            labels=tuple(labels[row.pair_id]),
        )
    return tuple(found[id_] for id_ in ids if id_ in found)


def _label_values(session: Session, pair_ids: Sequence[int]) -> defaultdict[int, list[str]]:
    labels: defaultdict[int, list[str]] = defaultdict(list)
    columns = current_label.c
    statement = select(columns.pair_id, columns.value).where(columns.pair_id.in_(pair_ids))
    for pair_id, value in session.execute(statement.order_by(columns.event_id)):
        labels[pair_id].append(value)
    return labels
