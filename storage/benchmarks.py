"""Judgements on benchmarks in the store: each counted once, and scored without their texts."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rmr1.benchmark.catalogue import by_name
from rmr1.benchmark.contract import Benchmark
from rmr1.benchmark.judged import Judged, JudgedRow
from rmr1.benchmark.manifest import Manifest
from rmr1.benchmark.outcome import RULES, Outcome, Rule
from rmr1.benchmark.outcome_record import outcome_from_record, outcome_record
from rmr1.benchmark.protocol import differences
from rmr1.benchmark.score import Score, score
from rmr1.errors import InputError
from rmr1.judgement import Judgement
from rmr1.plan import Plan
from rmr1.record import rollout_record
from storage import judgement_rows, judgements
from storage.benchmark_tables import BenchmarkItemRow, BenchmarkRow
from storage.columns import JsonObject
from storage.tables import JudgementRow, JudgeVersionRow, PairRow, RunRow

_CANDIDATES = 20
"""Judgements of the same pair that are looked at for one that says the same."""


def keep(session: Session, run_id: int, row: JudgedRow, profile_text: str = "") -> bool:
    """Count a judgement in a run, and put it on record where it is not.

    Of an item that is judged again the last judgement counts; one whose backend failed gives way
    to any other.

    Args:
        profile_text: content of the prompt profile, kept with the judge version.

    Returns:
        Whether the run had not had this judgement before.

    Raises:
        InputError: a text of the pair holds characters that are no valid Unicode.
    """
    outcome = row.outcome
    digest, item = _digest(row.judgement), _item(outcome)
    held = session.scalar(
        select(BenchmarkItemRow).where(
            BenchmarkItemRow.run_id == run_id, BenchmarkItemRow.item == item
        )
    )
    if held is not None and digest in held.seen:
        return False
    if held is None:
        held = BenchmarkItemRow(run_id=run_id, item=item, seen=[])
        held.judgement_id = _judgement_id(session, run_id, row.judgement, profile_text)
        _fill(held, outcome)
        session.add(held)
    elif outcome_from_record(held.outcome).broken or not outcome.broken:
        held.judgement_id = _judgement_id(session, run_id, row.judgement, profile_text)
        _fill(held, outcome)
    held.seen = [*held.seen, digest]
    session.flush()
    session.execute(update(BenchmarkRow).where(BenchmarkRow.run_id == run_id).values(scores=None))
    return True


def _fill(held: BenchmarkItemRow, outcome: Outcome) -> None:
    held.cell, held.slice = outcome.place.cell, outcome.place.slice
    held.query, held.losers = outcome.place.query, outcome.place.losers
    held.published = outcome.right("published")
    held.upstream = outcome.right("upstream")
    held.own = outcome.right("own")
    readings = outcome.readings
    held.spoke = "".join(
        rule[0] for rule in RULES if any(one.right[rule] is not None for one in readings)
    )
    held.first = any(one.chosen_first for one in readings)
    held.second = any(not one.chosen_first for one in readings)
    held.chosen_longer = outcome.chosen_longer
    held.outcome = outcome_record(outcome)


def _item(outcome: Outcome) -> str:
    return sha256(orjson.dumps(list(outcome.key))).hexdigest()


def _digest(judgement: Judgement) -> str:
    said = [rollout_record(rollout) for rollout in judgement.rollouts]
    pair = judgement.pair
    parts = [judgement.version.hash, judgement.plan.hash, pair.hash, judgement.state, said]
    return sha256(orjson.dumps(parts)).hexdigest()[:16]


def _judgement_id(session: Session, run_id: int, judgement: Judgement, profile_text: str) -> int:
    """The id of this judgement, put on record unless it is there and free."""
    counted = select(BenchmarkItemRow.judgement_id).where(BenchmarkItemRow.run_id == run_id)
    alike = (
        select(JudgementRow)
        .join(JudgementRow.pair)
        .join(JudgementRow.version)
        .where(
            PairRow.hash == judgement.pair.hash,
            JudgeVersionRow.hash == judgement.version.hash,
            JudgementRow.plan_hash == judgement.plan.hash,
            JudgementRow.state == judgement.state,
            JudgementRow.id.not_in(counted),
        )
        .order_by(JudgementRow.id.desc())
        .limit(_CANDIDATES)
    )
    texts = [rollout.trace.text for rollout in judgement.rollouts]
    for row in session.scalars(alike):
        if [rollout.text for rollout in row.rollouts] == texts:
            return row.id
    key = judgements.add(
        session, judgement, profile_text=profile_text, origin="benchmark", run_id=run_id
    )
    return session.scalars(select(JudgementRow.id).where(JudgementRow.key == key)).one()


def count(session: Session, run_id: int) -> int:
    """Items with a judgement."""
    held = select(func.count()).where(BenchmarkItemRow.run_id == run_id)
    return session.scalar(held) or 0


def benchmark_of(params: Mapping[str, Any]) -> Benchmark:
    """The benchmark of a run.

    Raises:
        InputError: this program knows none of that name.
    """
    return by_name(str(params.get("benchmark")))


def judged(session: Session, run_id: int) -> Judged:
    """What a run has judged, as `read_judged` gives it of a file.

    Raises:
        InputError: it has judged nothing.
    """
    run = session.get_one(RunRow, run_id)
    rows = session.execute(
        select(BenchmarkItemRow.outcome, BenchmarkItemRow.seen)
        .where(BenchmarkItemRow.run_id == run_id)
        .order_by(BenchmarkItemRow.id)
    ).all()
    if not rows:
        raise InputError(f"Benchmark run {run_id} has judged nothing yet.")
    version = session.scalars(
        select(JudgeVersionRow)
        .join(JudgementRow, JudgementRow.judge_version_id == JudgeVersionRow.id)
        .join(BenchmarkItemRow, BenchmarkItemRow.judgement_id == JudgementRow.id)
        .where(BenchmarkItemRow.run_id == run_id)
        .limit(1)
    ).one()
    outcomes = [outcome_from_record(outcome) for outcome, _ in rows]
    manifest = run.params.get("manifest")
    return Judged(
        benchmark=benchmark_of(run.params),
        version=judgement_rows.version_from_row(version),
        plan=Plan.model_validate(run.params["plan"]),
        outcomes={outcome.key: outcome for outcome in outcomes},
        again=sum(len(seen) - 1 for _, seen in rows),
        manifest=Manifest.model_validate(manifest) if manifest else None,
    )


def scored(session: Session, run_id: int, rule: Rule = "published") -> Score:
    """The score of a run, made anew of its items.

    Raises:
        InputError: it has judged nothing.
    """
    return score(judged(session, run_id), rule)


def remember_scores(session: Session, run_id: int) -> None:
    """Keep the scores of a run under every rule, so that pages need not make them again."""
    if count(session, run_id):
        found = judged(session, run_id)
        session.get_one(BenchmarkRow, run_id).scores = {
            rule: score_record(score(found, rule)) for rule in RULES
        }


def score_record(found: Score) -> JsonObject:
    """A score as a JSON object, with what keeps it from being the published number's equal."""
    record = {**found.as_record(), "differences": differences(found)}
    plain: JsonObject = orjson.loads(orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS))
    return plain


def record_of(session: Session, run_id: int, rule: Rule = "published") -> JsonObject | None:
    """The score of a run as a JSON object: the remembered one, else made anew; None for none."""
    remembered = session.scalar(select(BenchmarkRow.scores).where(BenchmarkRow.run_id == run_id))
    if remembered:
        kept: JsonObject = remembered[rule]
        return kept
    return score_record(scored(session, run_id, rule)) if count(session, run_id) else None
