"""In what a run differs from the published evaluation, in sentences."""

from collections.abc import Iterator

from rmr1.benchmark.outcome import RULES
from rmr1.benchmark.released import PLAN as PUBLISHED
from rmr1.benchmark.score import Score
from rmr1.plan import Plan
from rmr1.prompt import load_profile, profile_names
from rmr1.rollout import State

_LOG = "released log"


def differences(score: Score) -> list[str]:
    """What keeps a score from being the published number's equal, the weightiest first."""
    return [
        *_extent(score),
        *_judge(score),
        *_plan(score.plan, score.version.profile),
        *_reading(score),
    ]


def _extent(score: Score) -> Iterator[str]:
    size, run = score.benchmark.size, score.manifest
    if size and score.judged < size:
        yield (
            f"{score.judged:,} of the benchmark's {size:,} pairs were judged, on {score.prompts:,} "
            "prompts: a sample's score has the width of its interval."
        )
    if run and run.sample is not None:
        yield (
            f"The sample is stratified: {run.prompts:,} of {run.all_prompts:,} prompts of the data "
            f"({run.pairs:,} pairs), seed {run.seed}."
        )
    if run and score.judged < run.pairs:
        yield f"The run is not finished: {score.judged:,} of its {run.pairs:,} pairs are judged."
    if run and run.unusable:
        yield f"Rows of the data that could not be used: {run.unusable:,}."
    if score.headline.missing:
        yield f"The mean is without {', '.join(score.headline.missing)}."
    if score.incomplete:
        yield f"Queries left out, some of their losers not being judged: {score.incomplete:,}."


def _judge(score: Score) -> Iterator[str]:
    version = score.version
    if version.backend == _LOG:
        yield "Judged by RM-R1's authors; read and scored here from their log."
        return
    adapter = f" with the adapter {version.adapter}" if version.adapter else ""
    yield (
        f"The judge is {version.model}{adapter}, backend {version.backend}, under the prompt "
        f"profile {version.profile}; the published models have prompts of their own."
    )
    yield (
        "Each pair's sides are laid by a hash, so that a run can be repeated; the published runs "
        "laid them by chance, without a seed."
    )


def _plan(plan: Plan, profile: str) -> Iterator[str]:
    if plan.orders == "both" or plan.votes > 1:
        yield (
            f"{plan.size} rollouts for a pair (orders {plan.orders}, {plan.votes} votes) decide by "
            "majority, a draw being no verdict; the published runs have one."
        )
    if plan.temperature != PUBLISHED.temperature:
        yield f"Sampled at temperature {plan.temperature:g}; the published runs are greedy."
    if plan.max_tokens != PUBLISHED.max_tokens:
        yield (
            f"At most {plan.max_tokens:,} tokens a rollout; the published runs allow "
            f"{PUBLISHED.max_tokens:,}."
        )
    if plan.grammar and _may_have_grammar(profile):
        yield "The text is held to a grammar; the published runs are free."


def _may_have_grammar(profile: str) -> bool:
    """Whether a plan's grammar meant anything; nobody knows of a profile that is not packaged."""
    return profile not in profile_names() or bool(load_profile(profile).grammar_text)


def _reading(score: Score) -> Iterator[str]:
    if score.rule != "published":
        yield f"Verdicts are read by another rule, {score.rule}: {RULES[score.rule]}."
    if score.broken:
        yield (f"The backend failed on {score.broken:,} pairs, which count as wrong: run it again.")
    if cut := score.states.get(State.TRUNCATED, 0):
        yield f"The budget of tokens ran out on {cut:,} pairs."
    if score.agrees.n and score.agrees.count < score.agrees.n:
        yield (
            f"{score.agrees.n - score.agrees.count:,} of the log's {score.agrees.n:,} results are "
            "not what the published rule gives on the same text."
        )
