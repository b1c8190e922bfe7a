"""The conventions of the trainers, as their sources spell them; the judge is scripted."""

import asyncio
import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from rmr1.errors import BackendError, BackendUnavailable, InputError
from rmr1.group import Group
from rmr1.judging_service import JudgingService
from rmr1.plan import Plan
from rmr1.serving import api_routes
from rmr1.settings import ApiSettings
from tests.scripted_judges import preferring
from training import verl_reward
from training.rewarding import answered, judged_at, judged_here, trl_reward

TOKEN = "not a secret"
PROMPT = [{"role": "user", "content": "Which?"}]
FIRST = "<type>Chat</type><eval>-</eval><answer>[[A]]</answer>"


def said(*texts):
    return [[{"role": "assistant", "content": text}] for text in texts]


@pytest.fixture(scope="module")
def url():
    """A real server with a judge that prefers larger numbers, and a token."""
    service = JudgingService(
        {"max": preferring(max)}, Plan(), ApiSettings(token=TOKEN, group_wait_s=60)
    )
    config = uvicorn.Config(Starlette(routes=api_routes(service)), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()
    service.close()


@pytest.fixture
def token(monkeypatch):
    monkeypatch.setenv("RMR1_API__TOKEN", TOKEN)
    verl_reward._score.cache_clear()
    yield
    verl_reward._score.cache_clear()


def local(better=max, **options):
    return trl_reward(judged_here(preferring(better), Plan()), **options)


def as_trl_calls_it(reward, prompts, completions, **columns):
    logged = {}
    found = reward(
        prompts=prompts,
        completions=completions,
        completion_ids=[[1]] * len(prompts),
        trainer_state=None,
        log_extra=None,
        log_metric=logged.__setitem__,
        **columns,
    )
    return found, logged


def test_trl_gets_the_win_rates_of_each_prompts_completions():
    prompts = [PROMPT] * 3 + [[{"role": "user", "content": "And?"}]] * 2
    found, logged = as_trl_calls_it(local(), prompts, said("r1", "r0", "r2", "r4", "r3"))
    assert found == [0.5, 0.0, 1.0, 1.0, 0.0]
    assert logged == {"no_verdict": 0.0}


def test_trl_may_give_prompts_and_completions_as_plain_texts():
    assert as_trl_calls_it(local(), ["Which?"] * 2, ["r1", "r0"])[0] == [1.0, 0.0]


def test_trl_compares_with_a_column_where_it_is_named():
    reward = local(reference="best")
    found, _ = as_trl_calls_it(
        reward, [PROMPT] * 3, said("r1", "r5", "r1"), best=["r2", "r2", "r0"]
    )
    assert found == [0.0, 1.0, 1.0]


def test_a_completion_without_a_verdict_has_no_advantage_and_is_counted():
    reward = local(lambda i, j: None if 0 in (i, j) else max(i, j))
    found, logged = as_trl_calls_it(reward, [PROMPT] * 4, said("r0", "r1", "r2", "r3"))
    assert found == [0.5, 0.0, 0.5, 1.0]
    assert logged == {"no_verdict": 0.25}


def test_a_single_completion_and_a_dead_judge_are_errors_and_no_rewards():
    with pytest.raises(InputError, match="whole groups"):
        as_trl_calls_it(local(), [PROMPT, "Else?"], said("r0", "r1"))
    with pytest.raises(BackendError, match="every pair"):
        as_trl_calls_it(
            local(lambda i, j: BackendUnavailable("gone")), [PROMPT] * 2, said("r0", "r1")
        )


def test_trl_takes_its_name_from_the_function():
    assert local().__name__ == "win_rate"


def test_a_server_scores_as_the_judge_here_does(url):
    groups = [Group.of("Which?", "r2", "r0", "r1"), Group.of("And?", "r4", reference="r3")]
    here = judged_here(preferring(max), Plan())(groups)
    assert judged_at(url, TOKEN)(groups) == here == [[1.0, 0.0, 0.5], [1.0]]


def test_a_server_that_refuses_says_why(url):
    with pytest.raises(BackendError, match="show the token"):
        judged_at(url)([Group.of("Which?", "r0", "r1")])
    with pytest.raises(InputError, match="33, at most 32"):
        judged_at(url, TOKEN)([Group.of("Which?", *["r0"] * 33)])


def test_nobody_there_is_tried_again_and_then_said():
    with pytest.raises(BackendUnavailable, match="nobody answers"):
        judged_at("http://127.0.0.1:9/v1", timeout_s=0.1)([Group.of("Which?", "r0", "r1")])


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, '{"error": "busy"}', BackendUnavailable),
        (422, '{"error": "bad"}', InputError),
        (500, '{"error": "broken"}', BackendError),
        (404, "<html>", BackendError),
        (200, "<html>", BackendError),
        (200, "[1]", BackendError),
        (200, '{"other": 1}', BackendError),
    ],
)
def test_what_another_server_answers_is_no_reward(status, body, error):
    request = httpx.Request("POST", "http://there/v1/reward")
    with pytest.raises(error, match="there"):
        answered(httpx.Response(status, text=body, request=request))


def as_verl_calls_it(samples, **reward_kwargs):
    """One call for each sample, all at once, the settings' keywords merged in."""
    score = partial(verl_reward.compute_score, **reward_kwargs)
    assert inspect.iscoroutinefunction(score)

    async def run():
        return await asyncio.gather(
            *(
                score(
                    data_source="any",
                    solution_str=text,
                    ground_truth=truth,
                    extra_info={"question": "Which?", "num_turns": 2, "rollout_reward_scores": {}},
                )
                for text, truth in samples
            )
        )

    return apart(run())


def apart(coroutine):
    """Run in a loop of its own, in a thread: browser tests leave one running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_verl_compares_a_sample_with_its_ground_truth(url, token):
    found = as_verl_calls_it([("r1", "r0"), ("r1", "r2"), ("r1", "r1")], url=url)
    assert found == [{"score": score, "no_verdict": 0.0} for score in (1.0, 0.0, 0.5)]


def test_verls_samples_of_a_prompt_meet_at_the_server(url, token):
    found = as_verl_calls_it([("r1", ""), ("r0", ""), ("r2", "")], url=url, group=3)
    assert [one["score"] for one in found] == [0.5, 0.0, 1.0]


def test_without_a_server_verl_asks_the_judge_of_the_settings(monkeypatch):
    backend = {"kind": "scripted", "replies": [FIRST]}
    monkeypatch.setenv("RMR1_BACKEND", json.dumps(backend))
    verl_reward._score.cache_clear()
    assert as_verl_calls_it([("x", "y")]) == [{"score": 1.0, "no_verdict": 0.0}]
    verl_reward._score.cache_clear()


def test_verls_batches_are_compared_prompt_by_prompt_in_their_order(url, token):
    found = verl_reward.compute_score_batch(
        data_sources=["any"] * 5,
        solution_strs=["r1", "r8", "r0", "r2", "r7"],
        ground_truths=[None, "r9", None, None, None],
        extra_infos=[{"prompt": prompt} for prompt in ("a", "b", "a", "a", "a")],
        url=url,
        prompt_key="prompt",
    )
    assert [one["score"] for one in found] == [1 / 3, 0.0, 0.0, 2 / 3, 1.0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"extra_info": None}, "expected the prompt as 'question'"),
        ({"extra_info": {"prompt": "x"}}, "expected the prompt as 'question'"),
        ({"ground_truth": None}, "ground_truth: expected"),
        ({"ground_truth": ""}, "ground_truth: expected"),
        ({"group": 4}, "give its url"),
    ],
)
def test_a_row_of_verl_that_cannot_be_compared_is_refused(row, said):
    usual = {
        "data_source": "any",
        "solution_str": "r1",
        "ground_truth": "r0",
        "extra_info": {"question": "Which?"},
    }
    with pytest.raises(InputError, match=said):
        apart(verl_reward.compute_score(**{**usual, **row}))
