"""The judge as the reward of somebody else's policy: groups scored here or at a server, for TRL."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from rmr1.errors import BackendError, BackendUnavailable, InputError
from rmr1.group import Group, group_from_record
from rmr1.group_reward import filled, group_rewards
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.tournament import judged_by
from training.rl import texts_of

Score = Callable[[Sequence[Group]], list[list[float | None]]]
"""Rewards of the responses of each group; None where no verdict speaks of one."""

TRY_AGAIN = frozenset({429, 502, 503, 504})
"""Answers of a server that is busy or starting."""


def judged_here(judge: Judge, plan: Plan, workers: int | None = None) -> Score:
    """Groups judged in this process, as many pairs at once as keep the backend busy."""
    judge_pairs = judged_by(judge, plan, workers)
    return lambda groups: [list(one.rewards) for one in group_rewards(groups, judge_pairs)]


def judged_at(url: str, token: str = "", *, at_once: int = 16, timeout_s: float = 600.0) -> Score:
    """Groups judged by a server (`rmr1 serve --api`), so that the judge has machines of its own.

    Args:
        url: up to and with its `/v1`.
        at_once: groups that are sent at once.
        timeout_s: how long a group may take, tries included, while the server is busy or starting.
    """

    def score_one(client: httpx.Client, group: Group) -> list[float | None]:
        tries = Retrying(
            retry=retry_if_exception_type(BackendUnavailable),
            stop=stop_after_delay(timeout_s),
            wait=wait_random(0.2, 3),
            reraise=True,
        )
        body = {
            "prompt": [turn.model_dump() for turn in group.conversation],
            "responses": group.responses,
            "reference": group.reference,
        }
        found: list[float | None] = tries(_asked, client, body)["rewards"]
        return found

    def score(groups: Sequence[Group]) -> list[list[float | None]]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        with (
            httpx.Client(base_url=url, headers=headers, timeout=timeout_s) as client,
            ThreadPoolExecutor(at_once, thread_name_prefix="reward") as pool,
        ):
            return list(pool.map(lambda group: score_one(client, group), groups))

    return score


def trl_reward(
    score: Score, *, reference: str | None = None, missing: float = 0.5
) -> Callable[..., list[float]]:
    """A reward function for TRL's `GRPOTrainer(reward_funcs=...)` and its kin.

    A prompt's completions are compared with each other, or each with the text in a column of the
    data set. A completion that no verdict speaks of gets the mean of its group, which GRPO takes
    as no advantage; the share of those is the figure `no_verdict`. Groups must be whole in each
    process: `per_device_train_batch_size * steps_per_generation` a multiple of `num_generations`.

    Args:
        score: `judged_here` or `judged_at`.
        reference: name of the column that holds a response to compare with.
        missing: the reward of a group that no verdict speaks of at all.

    Returns:
        A function of `prompts`, `completions` and the data set's columns. It raises InputError for
        a prompt that cannot be judged or stands alone, and BackendError where the judge fails on
        everything.

    Source: TRL 1.16.0, trl/trainer/grpo_trainer.py, GRPOTrainer._calculate_rewards.
    """

    def win_rate(*, prompts: list[Any], completions: list[Any], **columns: Any) -> list[float]:
        references = columns[reference] if reference else [None] * len(prompts)
        groups = _groups(prompts, texts_of(completions), references)
        scored = score(groups)
        log = columns.get("log_metric")
        if log:
            silent = [reward is None for rewards in scored for reward in rewards]
            log("no_verdict", sum(silent) / len(silent))
        return [reward for rewards in scored for reward in filled(rewards, missing)]

    return win_rate


def _groups(
    prompts: Sequence[Any], texts: Sequence[str], references: Sequence[str | None]
) -> list[Group]:
    """Completions that follow each other and have prompt and reference in common."""
    rows = zip(prompts, texts, references, strict=True)
    groups = []
    for _, same in groupby(rows, key=lambda row: json.dumps([row[0], row[2]])):
        prompt, responses, (reference, *_) = zip(*same, strict=True)
        record = {"prompt": prompt[0], "responses": list(responses), "reference": reference}
        if len(responses) < 2 and reference is None:
            raise InputError(
                "a prompt has one completion here, and nothing to compare it with: let each "
                "process have whole groups, or name the column of a reference"
            )
        groups.append(group_from_record(record))
    return groups


def _asked(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = client.post("reward", json=body)
    except httpx.TransportError as error:
        raise BackendUnavailable(f"nobody answers at {client.base_url}: {error}") from error
    return answered(answer)


def answered(answer: httpx.Response) -> dict[str, Any]:
    """The record that a server of rewards answered with.

    Raises:
        BackendUnavailable: it is worth another try.
        InputError: the server refuses what was sent.
        BackendError: it failed, or is another server.
    """
    try:
        record = answer.json()
    except ValueError:
        record = None
    said = record.get("error") if isinstance(record, dict) else None
    sentence = f"{answer.url}: {said or f'answers {answer.status_code}'}"
    if answer.status_code in TRY_AGAIN:
        raise BackendUnavailable(sentence)
    if answer.status_code in (400, 413, 422):
        raise InputError(sentence)
    if not answer.is_success or not isinstance(record, dict) or "rewards" not in record:
        raise BackendError(sentence)
    return record
