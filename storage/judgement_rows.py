"""Judgements turned into rows and back."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from rmr1.grounding import GroundedQuote, Match
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.record import rollout_record
from rmr1.rollout import Rollout, State, read_rollout
from storage import pairs
from storage.columns import JsonObject
from storage.tables import CriterionRow, JudgementRow, JudgeVersionRow, QuoteRow, RolloutRow


class RolloutValues(NamedTuple):
    """A rollout as columns, with those of its criteria and quotations."""

    rollout: JsonObject
    criteria: list[JsonObject]
    quotes: list[JsonObject]


class Values(NamedTuple):
    """A judgement as columns, with those of its parts: what is not known yet is left out."""

    judgement: JsonObject
    rollouts: list[RolloutValues]


def to_values(judgement: Judgement, pair_id: int, version_id: int) -> Values:
    """The columns of a judgement and of its rollouts, criteria and quotes, under a new key."""
    quotes = [quote for rollout in judgement.rollouts for quote in rollout.quotes]
    tokens = [r.completion_tokens for r in judgement.rollouts if r.completion_tokens is not None]
    seconds = [r.seconds for r in judgement.rollouts if r.seconds is not None]
    columns = {
        "key": secrets.token_hex(16),
        "pair_id": pair_id,
        "judge_version_id": version_id,
        "plan": judgement.plan.model_dump(mode="json"),
        "plan_hash": judgement.plan.hash,
        "verdict": judgement.verdict,
        "state": judgement.state,
        "reason": judgement.reason,
        "confidence": judgement.confidence,
        "confidence_source": judgement.confidence_source,
        "type": judgement.type,
        "swap_consistent": judgement.swap_consistent,
        "quotes_total": len(quotes),
        "quotes_near": sum(quote.match is Match.NEAR for quote in quotes),
        "quotes_absent": sum(quote.match is Match.ABSENT for quote in quotes),
        "tokens": sum(tokens) if tokens else None,
        "seconds": sum(seconds) if seconds else None,
        "rollout_count": len(judgement.rollouts),
    }
    return Values(columns, [_rollout_values(r, n) for n, r in enumerate(judgement.rollouts)])


def insert_values(session: Session, made: Sequence[Values]) -> None:
    """Add rows of judgements with all their parts, a statement for each table."""
    keys = session.execute(
        insert(JudgementRow).returning(JudgementRow.key, JudgementRow.id),
        [values.judgement for values in made],
    )
    ids = {key: id_ for key, id_ in keys}
    rollouts = {
        (ids[values.judgement["key"]], part.rollout["position"]): part
        for values in made
        for part in values.rollouts
    }
    if not rollouts:
        return
    placed = session.execute(
        insert(RolloutRow).returning(RolloutRow.judgement_id, RolloutRow.position, RolloutRow.id),
        [part.rollout | {"judgement_id": of} for (of, _), part in rollouts.items()],
    )
    criteria, quotes = [], []
    for of, position, id_ in placed:
        part = rollouts[of, position]
        criteria += [criterion | {"rollout_id": id_} for criterion in part.criteria]
        quotes += [quote | {"rollout_id": id_} for quote in part.quotes]
    if criteria:
        session.execute(insert(CriterionRow), criteria)
    if quotes:
        session.execute(insert(QuoteRow), quotes)


def from_row(row: JudgementRow) -> Judgement:
    """The judgement that a row holds, its traces read from their texts again.

    State, verdict and quotes are those of the day it was made, whatever today's reader would say.
    """
    pair = pairs.from_row(row.pair)
    return Judgement(
        pair=pair,
        version=version_from_row(row.version),
        plan=Plan.model_validate(row.plan),
        rollouts=tuple(_rollout(pair, rollout) for rollout in row.rollouts),
        verdict=_side(row.verdict),
        state=State(row.state),
        reason=row.reason,
        confidence=row.confidence,
        confidence_source=row.confidence_source,  # type: ignore[arg-type]  # was one going in
        swap_consistent=row.swap_consistent,
    )


def version_to_row(version: JudgeVersion, profile_text: str) -> JudgeVersionRow:
    """A row for a judge version."""
    return JudgeVersionRow(**asdict(version), hash=version.hash, profile_text=profile_text)


def version_from_row(row: JudgeVersionRow) -> JudgeVersion:
    """The judge version that a row holds."""
    return JudgeVersion(
        backend=row.backend,
        model=row.model,
        revision=row.revision,
        engine=row.engine,
        adapter=row.adapter,
        profile=row.profile,
        profile_hash=row.profile_hash,
    )


def _rollout_values(rollout: Rollout, position: int) -> RolloutValues:
    columns = {"position": position, **rollout_record(rollout)}
    criteria = [
        {
            "position": number,
            "name": criterion.name,
            "weight_text": criterion.weight_text,
            "weight": criterion.weight,
            "share": criterion.share,
            "text": criterion.text,
        }
        for number, criterion in enumerate(rollout.trace.criteria)
    ]
    quotes = [_quote_values(quote, number) for number, quote in enumerate(rollout.quotes)]
    return RolloutValues(columns, criteria, quotes)


def _quote_values(quote: GroundedQuote, position: int) -> JsonObject:
    return {
        "position": position,
        "side": quote.side,
        "text": quote.text,
        "match": quote.match,
        "start": quote.start,
        "end": quote.end,
        "score": quote.score,
        "segment": quote.segment,
        "differences": [list(run) for run in quote.differences],
    }


def _rollout(pair: Pair, row: RolloutRow) -> Rollout:
    order = Order(row.order)
    read = read_rollout(
        pair,
        order,
        row.text,
        vote=row.vote,
        seed=row.seed,
        probability_a=row.probability_a,
        injected=tuple(row.injected),
    )
    return replace(
        read,
        state=State(row.state),
        verdict=_side(row.verdict),
        reason=row.reason,
        probability_a=row.probability_a,
        quotes=tuple(_quote(quote) for quote in row.quotes),
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        seconds=row.seconds,
        first_seconds=row.first_seconds,
    )


def _quote(row: QuoteRow) -> GroundedQuote:
    return GroundedQuote(
        side=Side(row.side),
        text=row.text,
        match=Match(row.match),
        start=row.start,
        end=row.end,
        score=row.score,
        segment=row.segment,
        differences=tuple((kind, text) for kind, text in row.differences),
    )


def _side(letter: str | None) -> Side | None:
    return Side(letter) if letter else None
