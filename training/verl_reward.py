"""Rewards by the judge for verl, which takes the functions from here by their names.

    reward.custom_reward_function.path=pkg://training.verl_reward
    reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.url=http://judge:7860/v1
    +reward.custom_reward_function.reward_kwargs.group=8

verl asks for the reward of each sample by itself: what it is compared with is the `ground_truth`
of its row, a whole response, or, with `group` as large as `actor_rollout_ref.rollout.n`, the other
samples of its prompt, which meet at the server. The prompt must stand in the row's `extra_info`,
because verl does not hand it over. Where releases still have the reward manager `batch`, the name
`compute_score_batch` compares the samples of a batch without a server. A server's token is read
from RMR1_API__TOKEN; without a `url` the judge is that of the settings, in the worker itself.

Source: verl 0.9.1, verl/trainer/ppo/reward.py, verl/experimental/reward_loop/reward_manager/
naive.py, and verl/workers/reward_manager/batch.py.
"""

import asyncio
import atexit
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random

from rmr1.backends.loading import load_backend
from rmr1.cli import load_settings
from rmr1.errors import BackendUnavailable, InputError
from rmr1.group import group_from_record
from rmr1.group_reward import filled
from rmr1.judges import default_judge
from training.rewarding import Score, answered, judged_at, judged_here

PROMPT_KEY = "question"
"""Where `extra_info` holds the prompt in the data sets that verl prepares itself."""


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str | None,
    extra_info: Mapping[str, Any] | None = None,
    *,
    url: str = "",
    group: int = 0,
    prompt_key: str = PROMPT_KEY,
    missing: float = 0.5,
    timeout_s: float = 600.0,
    **_: Any,
) -> dict[str, float]:
    """The reward of one sample, 0..1.

    Args:
        url: of a server, up to and with its `/v1`; by default the judge of the settings.
        group: samples of a prompt that are compared with each other, at the server; 0 compares
            with `ground_truth`.
        prompt_key: where `extra_info` holds the prompt, a text or messages.
        missing: the reward where no verdict speaks of the sample.
        timeout_s: how long a sample may take, tries included.

    Returns:
        `score`, and `no_verdict`, which is 1.0 where it is `missing` or its group's mean.

    Raises:
        InputError: the row has no prompt or reference, or `group` is asked for without a server.
        BackendError: the judge failed.
    """
    record = {"prompt": _prompt(extra_info, prompt_key), "responses": [solution_str]}
    if group:
        if not url:
            raise InputError("the samples of a group meet at a server: give its url")
        asked = {"group": str(group), "missing": str(missing)}
        found = await _asked(f"{url}/reward", record, asked, timeout_s)
        return {"score": found["rewards"][0], "no_verdict": float(found["no_verdict"][0])}
    if not isinstance(ground_truth, str) or not ground_truth:
        raise InputError("ground_truth: expected the text of a reference response, or a `group`")
    wanted = group_from_record({**record, "reference": ground_truth})
    ((reward,),) = await asyncio.to_thread(_score(url, timeout_s), [wanted])
    return {"score": missing if reward is None else reward, "no_verdict": float(reward is None)}


def compute_score_batch(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[str | None],
    extra_infos: Sequence[Mapping[str, Any] | None],
    *,
    url: str = "",
    prompt_key: str = PROMPT_KEY,
    missing: float = 0.5,
    timeout_s: float = 600.0,
    **_: Any,
) -> list[dict[str, float]]:
    """The rewards of a batch: of each prompt's samples, the win rates among themselves.

    Arguments, results and errors are as in `compute_score`; a prompt with a single sample is
    compared with its `ground_truth`.
    """
    together: dict[str, list[int]] = {}
    for place, info in enumerate(extra_infos):
        together.setdefault(json.dumps(_prompt(info, prompt_key)), []).append(place)
    groups = []
    for places in together.values():
        reference = ground_truths[places[0]] if len(places) == 1 else None
        if len(places) == 1 and not reference:
            raise InputError("ground_truth: expected a reference response for a single sample")
        groups.append(
            group_from_record(
                {
                    "prompt": _prompt(extra_infos[places[0]], prompt_key),
                    "responses": [solution_strs[place] for place in places],
                    "reference": reference,
                }
            )
        )
    scores: dict[int, dict[str, float]] = {}
    for places, rewards in zip(together.values(), _score(url, timeout_s)(groups), strict=True):
        for place, known, reward in zip(places, rewards, filled(rewards, missing), strict=True):
            scores[place] = {"score": reward, "no_verdict": float(known is None)}
    return [scores[place] for place in range(len(scores))]


def _prompt(extra_info: Mapping[str, Any] | None, key: str) -> object:
    prompt = (extra_info or {}).get(key)
    if prompt is None:
        raise InputError(
            f"extra_info: expected the prompt as {key!r}; reward_kwargs.prompt_key names another"
        )
    turns = prompt if isinstance(prompt, str) else [dict(turn) for turn in prompt]
    return turns


async def _asked(
    address: str, record: Mapping[str, Any], query: Mapping[str, str], timeout_s: float
) -> dict[str, Any]:
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(BackendUnavailable),
        stop=stop_after_delay(timeout_s),
        wait=wait_random(0.2, 3),
        reraise=True,
    ):
        with attempt:
            try:
                async with httpx.AsyncClient(headers=_headers(), timeout=timeout_s) as client:
                    answer = await client.post(address, json=record, params=query)
            except httpx.TransportError as error:
                raise BackendUnavailable(f"nobody answers at {address}: {error}") from error
            found = answered(answer)
    return found


def _headers() -> dict[str, str]:
    token = load_settings().api.token.get_secret_value()
    return {"authorization": f"Bearer {token}"} if token else {}


@cache
def _score(url: str, timeout_s: float) -> Score:
    settings = load_settings()
    if url:
        return judged_at(url, settings.api.token.get_secret_value(), timeout_s=timeout_s)
    backend = load_backend(settings.backend)
    atexit.register(backend.close)
    return judged_here(default_judge(backend, settings.profile), settings.plan)
