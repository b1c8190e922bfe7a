"""The judge as an HTTP service: `/v1/judge`, `/v1/reward` and `/v1/health`.

`/v1/reward` takes two forms. The plain one is a group, `{prompt, responses, reference?}`. The other
is what OpenRLHF sends to its `--reward.remote_url`: `{query, prompts, labels}`, where a query is a
prompt, as the policy's chat template wrote it, with its completion behind. A trainer that sends
each rollout by itself says in the URL what it is compared with: `?group=8` holds it until the 8 of
its prompt (`--rollout.n_samples_per_prompt 8`) are together, `?reference=labels` compares it with
its label, and `&missing=0` is the reward where no verdict speaks of it. Every trouble is
`{"error": sentence}`.

Source: OpenRLHF 0.11.2, openrlhf/utils/agent.py, SingleTurnAgentExecutor, and openrlhf/cli/
serve_rm.py, which answers with `rewards`, `scores` and `extra_logs`, a list each.
"""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount

from rmr1.errors import BackendError, InputError, PromptTooLong, RMR1Error
from rmr1.gathering import Gathered, Gatherer
from rmr1.group import Group, group_from_record
from rmr1.group_reward import GroupRewards, group_rewards, reward_limit
from rmr1.judgement import State
from rmr1.judging_service import Busy, JudgingService
from rmr1.record import Record, judgement_record, pair_from_record
from rmr1.rollouts_sent import (
    Placed,
    RolloutsSent,
    Wanted,
    in_order,
    read_rollouts,
    read_wanted,
)
from rmr1.tournament import ranking_record

PATH = "/v1"
_THREADS = 64
"""Requests that are worked on at once; the rest wait without a thread."""

_Done = TypeVar("_Done")


def api_routes(service: JudgingService) -> list[BaseRoute]:
    """The endpoints as routes of an application, all of them under `/v1`."""
    return [Mount(PATH, app=_build(service))]


def _build(service: JudgingService) -> FastAPI:
    endpoints = _Endpoints(service)
    # Its own pages of documentation would load scripts from elsewhere.
    api = FastAPI(title="RM-R1 judge", docs_url=None, redoc_url=None)
    api.add_api_route("/health", endpoints.health, methods=["GET"])
    api.add_api_route("/judge", endpoints.judge, methods=["POST"], openapi_extra=_body_of(_PAIR))
    api.add_api_route("/reward", endpoints.reward, methods=["POST"], openapi_extra=_body_of(_GROUP))
    api.add_exception_handler(Exception, _explain)
    for kind in (HTTPException, RMR1Error, Busy):
        api.add_exception_handler(kind, _explain)
    return api


class _Endpoints:
    """What the routes do; one for each application."""

    def __init__(self, service: JudgingService) -> None:
        self._service = service
        self._limits = service.limits
        self._threads = CapacityLimiter(_THREADS)
        self._gatherer = Gatherer(self._score, service.limits.group_wait_s)

    async def health(self) -> Response:
        """Whether the server answers, and how many judgements wait."""
        return _json({"status": "ok", "waiting": self._service.waiting})

    async def judge(self, request: Request) -> Response:
        """A pair's judgement, as `rmr1 judge` writes it."""
        record, size = await self._read(request)
        pair = pair_from_record(record)
        with self._service.admitted(1, size):
            judge, plan = await self._in_thread(
                partial(self._service.choose, record.get("judge"), record.get("plan"))
            )
            future = await self._in_thread(partial(self._service.submit, judge, plan, pair))
            judgement = await asyncio.wrap_future(future)
        if judgement.state is State.FAILED:
            raise BackendError(f"the judge failed: {judgement.reason}")
        return _json(judgement_record(judgement))

    async def reward(self, request: Request) -> Response:
        """What the responses to a prompt are worth, in either form."""
        record, size = await self._read(request)
        wanted = read_wanted(request.query_params, self._limits.max_responses)
        if "query" in record:
            return _json(await self._reward_rollouts(read_rollouts(record), wanted, size))
        group = group_from_record(record)
        if len(group.responses) > self._limits.max_responses:
            raise InputError(
                f"responses: {len(group.responses)}, at most {self._limits.max_responses} at once"
            )
        if wanted.group:
            held = await self._gathered([Placed.whole(group)], wanted, size)
            silent = [one.silent for one in held]
            rewards = [one.reward for one in held]
            return _json({"id": group.id, "rewards": rewards, "no_verdict": silent})
        if len(group.responses) < 2 and group.reference is None:
            raise InputError("responses: one has nothing to be compared with; add a reference")
        work = partial(self._rewards, [group], size, record.get("judge"), record.get("plan"))
        (found,) = await self._in_thread(work)
        return _json(_reward_record(found))

    async def _reward_rollouts(self, sent: RolloutsSent, wanted: Wanted, size: int) -> Record:
        """Rewards in OpenRLHF's form, which has no place for a missing one."""
        placed = sent.groups(with_labels=wanted.against_labels)
        if wanted.group:
            held = await self._gathered(placed, wanted, size)
            return _rollouts_record([one.reward for one in held], [one.silent for one in held])
        groups = [one.group for one in placed]
        most = self._limits.max_responses
        if any(len(one.responses) > most and one.reference is None for one in groups):
            raise InputError(f"query: more than {most} responses to one prompt")
        if any(len(one.responses) < 2 and one.reference is None for one in groups):
            raise InputError(
                "a prompt came with one response and nothing to compare it with: add ?group=N to "
                "the URL, N being the samples of a prompt, or ?reference=labels"
            )
        found = await self._in_thread(partial(self._rewards, groups, size))
        return _rollouts_record(
            in_order(placed, [one.filled(wanted.missing) for one in found]),
            in_order(placed, [[reward is None for reward in one.rewards] for one in found]),
        )

    async def _gathered(
        self, placed: Sequence[Placed], wanted: Wanted, size: int
    ) -> list[Gathered]:
        """Rewards among the responses of other requests."""

        async def of_prompt(one: Placed) -> list[Gathered]:
            told = (
                self._gatherer.reward(one.group.conversation, text, wanted.group, wanted.missing)
                for text in one.group.responses
            )
            return await asyncio.gather(*told)

        with self._service.admitted(0, size):
            return in_order(placed, await asyncio.gather(*map(of_prompt, placed)))

    async def _score(self, group: Group) -> GroupRewards:
        (found,) = await self._in_thread(partial(self._rewards, [group], 0))
        return found

    def _rewards(
        self, groups: Sequence[Group], size: int, name: object = None, changes: object = None
    ) -> list[GroupRewards]:
        judge, plan = self._service.choose(name, changes)
        with self._service.admitted(sum(map(reward_limit, groups)), size):
            return group_rewards(groups, partial(self._service.judge_pairs, judge, plan))

    async def _in_thread(self, work: Callable[[], _Done]) -> _Done:
        return await to_thread.run_sync(work, limiter=self._threads)

    async def _read(self, request: Request) -> tuple[Record, int]:
        """The body of a request that may be answered, and its length in bytes."""
        self._check_token(request)
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            # A page of another origin could send any other kind without being asked for leave.
            raise HTTPException(415, "send JSON, with the header Content-Type: application/json")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self._limits.max_body_bytes:
                raise HTTPException(
                    413, f"the body is larger than {self._limits.max_body_bytes:,} bytes"
                )
        try:
            record = orjson.loads(body)
        except ValueError as error:
            raise HTTPException(400, f"the body is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise InputError("the body: expected a JSON object")
        return record, len(body)

    def _check_token(self, request: Request) -> None:
        wanted = self._limits.token.get_secret_value()
        shown = _shown_token(request.headers.get("authorization", ""))
        if wanted and not hmac.compare_digest(shown.encode(), wanted.encode()):
            raise HTTPException(
                401,
                "show the token of this server: Authorization: Bearer TOKEN",
                {"www-authenticate": "Bearer"},
            )


def _shown_token(header: str) -> str:
    """The token of a bearer, or the password of somebody who can only put it into the URL."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


def _reward_record(found: GroupRewards) -> Record:
    record: Record = {
        "id": found.group.id,
        "rewards": list(found.rewards),
        "judgements": len(found.judgements),
        "states": _states(found),
        "tokens": sum(r.completion_tokens or 0 for one in found.judgements for r in one.rollouts),
    }
    return record | ({} if found.ranking is None else ranking_record(found.ranking))


def _states(found: GroupRewards) -> dict[str, int]:
    states = [one.state for one in found.judgements]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def _rollouts_record(rewards: Sequence[float], silent: Sequence[bool]) -> Record:
    return {
        "rewards": list(rewards),
        "scores": list(rewards),
        "extra_logs": {"no_verdict": [float(one) for one in silent]},
    }


def _json(record: Record, status: int = 200) -> Response:
    text = json.dumps(record)  # in ASCII: a model may have written half a surrogate pair
    return Response(text, status, media_type="application/json")


def _explain(_: Request, error: Exception) -> Response:
    """One sentence for whatever went wrong; of what nobody foresaw, only that it did."""
    if isinstance(error, HTTPException):
        answer = _json({"error": str(error.detail)}, error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    if isinstance(error, Busy):
        answer = _json({"error": "too many judgements wait here: try again in a moment"}, 503)
        answer.headers["retry-after"] = "5"
        return answer
    if isinstance(error, InputError | PromptTooLong):
        return _json({"error": str(error)}, 422)
    if isinstance(error, BackendError):
        return _json({"error": str(error)}, 503)
    if isinstance(error, RMR1Error):
        return _json({"error": str(error)}, 500)
    return _json({"error": "the server failed; its log says why"}, 500)


def _body_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_PROMPT = {"description": "a text, or messages with role and content", "type": ["string", "array"]}
_CHOSEN = {
    "judge": {"type": "string", "description": "title of a judge; by default the server's"},
    "plan": {"type": "object", "description": "changes: orders, votes, temperature, max_tokens"},
}
_PAIR = {
    "type": "object",
    "required": ["prompt", "response_a", "response_b"],
    "properties": {
        "prompt": _PROMPT,
        "response_a": {"type": "string"},
        "response_b": {"type": "string"},
        **_CHOSEN,
    },
}
_GROUP = {
    "type": "object",
    "required": ["prompt", "responses"],
    "properties": {
        "prompt": _PROMPT,
        "responses": {"type": "array", "items": {"type": "string"}},
        "reference": {"type": "string"},
        **_CHOSEN,
    },
}
