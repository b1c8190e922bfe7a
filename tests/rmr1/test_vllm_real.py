"""A real vLLM on the CPU: the embedded weights and the packaged adapter, as a GPU would serve them.

`make .venv-vllm/.done` sets it up; without it everything here is skipped.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from rmr1.backends.adapters import packaged_adapter
from rmr1.backends.base import ChatRequest, Sampling
from rmr1.backends.vllm import VllmBackend
from rmr1.errors import PromptTooLong
from rmr1.judge import Judge
from rmr1.judges import default_judge
from rmr1.pair import Message, Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.rollout import State
from rmr1.settings import VllmSettings

pytestmark = pytest.mark.vllm

ROOT = Path(__file__).parents[2]
SERVER_PYTHON = ROOT / ".venv-vllm/bin/python"
TRAIN_PYTHON = ROOT / ".venv-train/bin/python"
WRITE_WEIGHTS = "from training.base import embedded_base; print(embedded_base())"
PAIR = Pair.of("What is the capital of Australia?", "It is Canberra.", "It is Sydney.")


@pytest.fixture(scope="module")
def weights() -> Path:
    if not (SERVER_PYTHON.exists() and TRAIN_PYTHON.exists()):
        pytest.skip("needs .venv-vllm and .venv-train: make .venv-vllm/.done .venv-train/.done")
    done = subprocess.run(
        [TRAIN_PYTHON, "-c", WRITE_WEIGHTS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def backend(weights: Path) -> Iterator[VllmBackend]:
    settings = VllmSettings(
        model=str(weights),
        adapters=packaged_adapter(),
        command=(str(SERVER_PYTHON), "-m", "vllm.entrypoints.openai.api_server"),
        arguments=("--enforce-eager",),  # compiling takes longer than all of the tests
        dtype="float32",
        context_tokens=2048,
        parallel=4,
        start_timeout_s=3600,
    )
    with pytest.MonkeyPatch.context() as patch, closing(VllmBackend(settings)) as made:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
        yield made


def asking(prompt: str, max_tokens: int = 8, **rest: object) -> ChatRequest:
    turns = (Message(role="user", content=prompt),)
    return ChatRequest(turns, Sampling(max_tokens=max_tokens), **rest)  # type: ignore[arg-type]


def text_of(backend: VllmBackend, request: ChatRequest) -> str:
    return "".join(delta.text for delta in backend.stream(request))


def test_it_streams_and_counts(backend: VllmBackend) -> None:
    *pieces, last = backend.stream(asking("Name a colour.", logprobs=5))
    assert last.finish_reason in {"stop", "length"}
    assert last.prompt_tokens
    assert last.completion_tokens
    tokens = [token for delta in pieces for token in delta.tokens]
    assert "".join(token.text for token in tokens)
    assert all(1 <= len(token.logprobs) <= 6 for token in tokens)


def test_base_and_adapter_answer_side_by_side(backend: VllmBackend) -> None:
    [identity] = backend.adapters
    asked = [asking("Name a colour."), asking("Name a colour.", adapter=identity)]
    with ThreadPoolExecutor(2) as pool:
        base, adapted = pool.map(lambda one: text_of(backend, one), asked)
    assert base != adapted
    assert [text_of(backend, one) for one in asked] == [base, adapted]  # as if alone


def test_a_verdict_alone_is_held_to_its_grammar_and_has_a_probability(
    backend: VllmBackend,
) -> None:
    found = Judge(backend, load_profile("verdict")).judge(PAIR, Plan(max_tokens=24, grammar=True))
    assert found.state is State.COMPLETE, found.reason
    assert found.confidence_source == "logprobs"
    assert found.confidence is not None
    assert 0.5 <= found.confidence <= 1


def test_the_packaged_adapter_judges(backend: VllmBackend) -> None:
    found = default_judge(backend).judge(PAIR, Plan(max_tokens=160))
    assert found.version.adapter.startswith("judge@")
    [rollout] = found.rollouts
    assert rollout.trace.type is not None
    assert rollout.state is not State.FAILED, rollout.reason


def test_the_protocols_grammar_is_understood(backend: VllmBackend) -> None:
    """Cut short: what matters is that the server takes the grammar and begins as it says."""
    plan = Plan(max_tokens=24, grammar=True)
    [rollout] = Judge(backend, load_profile("cor")).judge(PAIR, plan).rollouts
    assert rollout.state is State.TRUNCATED, rollout.reason
    assert rollout.trace.text.startswith("<type>")


def test_a_prompt_that_does_not_fit_is_told(backend: VllmBackend) -> None:
    with pytest.raises(PromptTooLong):
        text_of(backend, asking("word " * 3000))


def test_closing_ends_every_process(backend: VllmBackend) -> None:
    """The last of the tests: the server is gone after it."""
    text_of(backend, asking("Hi", max_tokens=1))
    processes = [one.pid for one in psutil.Process(os.getpid()).children(recursive=True)]
    assert len(processes) >= 3  # the leash, the server, its engine
    backend.close()
    deadline = time.monotonic() + 20
    while any(map(psutil.pid_exists, processes)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(psutil.pid_exists, processes))
