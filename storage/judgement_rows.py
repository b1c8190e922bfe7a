"""Judgements turned into rows and back."""

import secrets
from dataclasses import asdict, replace

from rmr1.grounding import GroundedQuote, Match
from rmr1.judgement import Judgement, JudgeVersion
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import Rollout, State, read_rollout
from storage import pairs
from storage.tables import (
    CriterionRow,
    JudgementRow,
    JudgeVersionRow,
    QuoteRow,
    RolloutRow,
)


def to_row(judgement: Judgement, pair_id: int, version_id: int) -> JudgementRow:
    """A row with its rollouts, criteria and quotes, under a new key."""
    quotes = [quote for rollout in judgement.rollouts for quote in rollout.quotes]
    tokens = [r.completion_tokens for r in judgement.rollouts if r.completion_tokens is not None]
    seconds = [r.seconds for r in judgement.rollouts if r.seconds is not None]
    return JudgementRow(
        key=secrets.token_hex(16),
        pair_id=pair_id,
        judge_version_id=version_id,
        plan=judgement.plan.model_dump(mode="json"),
        plan_hash=judgement.plan.hash,
        verdict=judgement.verdict,
        state=judgement.state,
        reason=judgement.reason,
        confidence=judgement.confidence,
        confidence_source=judgement.confidence_source,
        type=judgement.type,
        swap_consistent=judgement.swap_consistent,
        quotes_total=len(quotes),
        quotes_near=sum(quote.match is Match.NEAR for quote in quotes),
        quotes_absent=sum(quote.match is Match.ABSENT for quote in quotes),
        tokens=sum(tokens) if tokens else None,
        seconds=sum(seconds) if seconds else None,
        rollout_count=len(judgement.rollouts),
        rollouts=[_rollout_row(r, position) for position, r in enumerate(judgement.rollouts)],
    )


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


def _rollout_row(rollout: Rollout, position: int) -> RolloutRow:
    return RolloutRow(
        position=position,
        order=rollout.order,
        vote=rollout.vote,
        seed=rollout.seed,
        state=rollout.state,
        verdict=rollout.verdict,
        reason=rollout.reason,
        probability_a=rollout.probability_a,
        prompt_tokens=rollout.prompt_tokens,
        completion_tokens=rollout.completion_tokens,
        seconds=rollout.seconds,
        first_seconds=rollout.first_seconds,
        injected=list(rollout.injected),
        text=rollout.trace.text,
        criteria=[
            CriterionRow(
                position=number,
                name=criterion.name,
                weight_text=criterion.weight_text,
                weight=criterion.weight,
                share=criterion.share,
                text=criterion.text,
            )
            for number, criterion in enumerate(rollout.trace.criteria)
        ],
        quotes=[_quote_row(quote, number) for number, quote in enumerate(rollout.quotes)],
    )


def _quote_row(quote: GroundedQuote, position: int) -> QuoteRow:
    return QuoteRow(
        position=position,
        side=quote.side,
        text=quote.text,
        match=quote.match,
        start=quote.start,
        end=quote.end,
        score=quote.score,
        segment=quote.segment,
        differences=[list(run) for run in quote.differences],
    )


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
