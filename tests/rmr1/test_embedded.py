import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from rmr1.backends.adapters import PACKAGED_NAME
from rmr1.backends.base import ChatRequest, Delta, Sampling
from rmr1.backends.child import Child
from rmr1.backends.embedded import EmbeddedBackend
from rmr1.backends.weights import find_weights
from rmr1.errors import (
    BackendError,
    BackendUnavailable,
    ConfigurationError,
    InputError,
    PromptTooLong,
)
from rmr1.judge import Judge
from rmr1.pair import Message, Pair
from rmr1.prompt import build_chat, load_profile
from rmr1.settings import EmbeddedSettings
from tests.peft_folders import base_file, factors, peft_folder

ENDLESS = 'root ::= "word " root'


def asking(prompt: str, max_tokens: int = 12, **rest: object) -> ChatRequest:
    turns = (Message(role="user", content=prompt),)
    return ChatRequest(turns, Sampling(max_tokens=max_tokens), **rest)  # type: ignore[arg-type]


def text_of(backend: EmbeddedBackend, request: ChatRequest) -> str:
    return "".join(delta.text for delta in backend.stream(request))


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children()}


def gone(process_id: int, within_s: float = 8.0) -> bool:
    deadline = time.monotonic() + within_s
    while psutil.pid_exists(process_id) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not psutil.pid_exists(process_id)


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBackend]:
    with closing(EmbeddedBackend(EmbeddedSettings(context_tokens=1024))) as backend:
        backend.warm().join()
        yield backend


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"none\.gguf"):
        EmbeddedBackend(EmbeddedSettings(weights=Path("none.gguf")))
    with pytest.raises(ConfigurationError, match=r"lora\.gguf"):
        EmbeddedBackend(EmbeddedSettings(adapters={"mine": Path("lora.gguf")}))


def test_nothing_is_started_before_it_is_needed(tmp_path: Path) -> None:
    weights = tmp_path / "tiny.gguf"
    weights.write_bytes(b"x")
    backend = EmbeddedBackend(EmbeddedSettings(weights=weights, parallel=3))
    assert backend.capabilities.parallel == 3
    assert backend.identity.model == "tiny"
    assert len(backend.identity.revision) == 64
    backend.close()
    backend.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        text_of(backend, asking("Hi"))


def test_an_unknown_adapter_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "tiny.gguf"
    weights.write_bytes(b"x")
    backend = EmbeddedBackend(EmbeddedSettings(weights=weights))
    with pytest.raises(BackendError, match="mine"):
        text_of(backend, asking("Hi", adapter="mine"))


@pytest.mark.model
def test_it_streams_and_counts(embedded: EmbeddedBackend) -> None:
    *first, last = embedded.stream(asking("Say hello."))
    assert "".join(delta.text for delta in first)
    assert len(first) > 3
    assert last.finish_reason in {"stop", "length"}
    assert last.prompt_tokens
    assert last.completion_tokens == 12 or last.finish_reason == "stop"
    assert embedded.identity.model == "SmolLM2-135M-Instruct"


@pytest.mark.model
def test_what_is_written_at_once_is_what_is_written_alone(embedded: EmbeddedBackend) -> None:
    asked = asking("Tell me a story of a town by the sea.", 10)
    votes = [
        replace(asked, sampling=replace(asked.sampling, temperature=0.9, seed=seed))
        for seed in (5, 6)
    ]
    with ThreadPoolExecutor(2) as pool:
        # Twice: a prompt that was read before counts a little differently.
        _, together = (list(pool.map(partial(text_of, embedded), votes)) for _ in range(2))
    assert together == [text_of(embedded, vote) for vote in votes]
    assert together[0] != together[1]


@pytest.mark.model
def test_the_same_request_gives_the_same_text(embedded: EmbeddedBackend) -> None:
    request = asking("Name a colour.")
    _, second, third = (text_of(embedded, request) for _ in range(3))  # the first fills the cache
    assert second == third


@pytest.mark.model
def test_the_grammar_leads_to_a_verdict_with_probabilities(embedded: EmbeddedBackend) -> None:
    profile = load_profile("cor")
    chat = build_chat(Pair.of("Capital of Australia?", "Canberra.", "Sydney."), profile)
    sampling = Sampling(max_tokens=600, stop=profile.stop)
    request = ChatRequest(chat.messages, sampling, grammar=profile.grammar_text, logprobs=10)
    deltas = list(embedded.stream(request))
    text = "".join(delta.text for delta in deltas)
    assert text.startswith("<type>")
    assert text.endswith("]]</answer>")
    assert deltas[-1].finish_reason == "stop"
    tokens = [token for delta in deltas for token in delta.tokens]
    assert "".join(token.text for token in tokens) == text
    letter = next(token for token in reversed(tokens) if token.text in {"A", "B"})
    chances = {name: math.exp(value) for name, value in letter.logprobs}
    assert 0 < chances["A"] < 1
    assert 0 < chances["B"] < 1


@pytest.mark.model
def test_a_prompt_that_does_not_fit_says_the_numbers(embedded: EmbeddedBackend) -> None:
    with pytest.raises(PromptTooLong, match=r"has \d{4} tokens, the context holds 1024"):
        text_of(embedded, asking("word " * 3000))


@pytest.mark.model
def test_a_wrong_grammar_is_an_error_of_ours(embedded: EmbeddedBackend) -> None:
    with pytest.raises(BackendError):
        text_of(embedded, asking("Hi", grammar="root ::= ("))
    assert text_of(embedded, asking("Hi"))


@pytest.mark.model
def test_completions_written_at_once_have_a_process_each(embedded: EmbeddedBackend) -> None:
    def busy(child: Child[httpx.Client]) -> list[bool]:
        with child.lease() as running:
            found = running.client.get(str(running.client.base_url.join("/slots"))).json()
        return [one["is_processing"] for one in found]

    def endless(prompt: str) -> Generator[Delta, None, None]:
        stream = embedded.stream(asking(prompt, 900, grammar=ENDLESS))
        next(stream)
        return stream

    with closing(endless("Go on")), closing(endless("And you")):
        assert [busy(child) for child in embedded._children] == [[True], [True]]


@pytest.mark.model
def test_large_weights_have_one_process_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmr1.backends.embedded._SMALL_BYTES", 0)
    settings = EmbeddedSettings(weights=find_weights(), context_tokens=512, parallel=2)
    others = children()
    with closing(EmbeddedBackend(settings)) as backend:
        streams = [
            backend.stream(asking(prompt, 400, grammar=ENDLESS)) for prompt in ("Go on", "And you")
        ]
        for stream in streams:
            next(stream)
        assert len(children() - others) == 1
        for stream in streams:
            stream.close()


@pytest.mark.model
@pytest.mark.parametrize(("small", "spins"), [(True, None), (False, "3000")])
def test_only_threads_that_write_together_spin_before_they_sleep(
    small: bool, spins: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr("rmr1.backends.embedded._SMALL_BYTES", 0)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    settings = EmbeddedSettings(weights=find_weights(), context_tokens=512, parallel=1, threads=2)
    others = children()
    with closing(EmbeddedBackend(settings)) as backend:
        backend.warm().join()
        [child] = children() - others
        environment = psutil.Process(child).environ()
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment.get("GOMP_SPINCOUNT") == spins


@pytest.mark.model
def test_closing_the_stream_frees_the_slot(embedded: EmbeddedBackend) -> None:
    streams = [embedded.stream(asking("Go on", 900, grammar=ENDLESS)) for _ in range(4)]
    for stream in streams:
        next(stream)
        stream.close()
    started = time.monotonic()
    next(embedded.stream(asking("Hi")))
    assert time.monotonic() - started < 3


@pytest.mark.model
def test_a_killed_process_breaks_the_stream_and_the_next_request_works() -> None:
    others = children()
    with closing(EmbeddedBackend(EmbeddedSettings(context_tokens=1024, parallel=1))) as backend:
        stream = backend.stream(asking("Go on", 900, grammar=ENDLESS))
        next(stream)
        [child] = children() - others
        os.kill(child, signal.SIGKILL)
        with pytest.raises(BackendUnavailable, match="SIGKILL"):
            list(stream)
        assert text_of(backend, asking("Hi"))


@pytest.mark.model
def test_weights_that_are_none_are_a_wrong_setting(tmp_path: Path) -> None:
    weights = tmp_path / "broken.gguf"
    weights.write_bytes(b"GGUF but not really")
    with (
        closing(EmbeddedBackend(EmbeddedSettings(weights=weights))) as backend,
        pytest.raises(ConfigurationError),
    ):
        text_of(backend, asking("Hi"))


@pytest.mark.model
def test_no_process_is_left_when_the_parent_is_killed() -> None:
    program = (
        "import psutil, time\n"
        "from rmr1.backends.embedded import EmbeddedBackend\n"
        "from rmr1.settings import EmbeddedSettings\n"
        "EmbeddedBackend(EmbeddedSettings(context_tokens=512)).warm().join()\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()
    assert gone(child)


LAYERS, HIDDEN, INNER = 30, 576, 1536


def adapter(folder: Path, seed: int = 0) -> Path:
    """An adapter of rank 2 that turns the model's output upside down."""
    random = np.random.default_rng(seed)
    tensors = {}
    for layer in range(LAYERS):
        name = f"base_model.model.model.layers.{layer}.mlp.down_proj"
        tensors[f"{name}.lora_A.weight"] = random.normal(size=(2, INNER)).astype(np.float32)
        tensors[f"{name}.lora_B.weight"] = random.normal(size=(HIDDEN, 2)).astype(np.float32)
    return peft_folder(folder, tensors, r=2, lora_alpha=2)


def test_adapters_are_named_by_content_and_asked_for_by_name_too(tmp_path: Path) -> None:
    weights = base_file(tmp_path / "tiny.gguf")
    settings = EmbeddedSettings(
        weights=weights,
        adapters={"mine": peft_folder(tmp_path / "one")},
        cache_dir=tmp_path / "cache",
    )
    backend = EmbeddedBackend(settings)
    [first] = backend.capabilities.adapters
    assert first.startswith("mine@")
    judge = Judge(backend, load_profile("cor"), adapter="mine")
    assert judge.version.adapter == first
    second = backend.add_adapter("mine", peft_folder(tmp_path / "two", factors(seed=2)))
    assert backend.capabilities.adapters == (first, second)
    assert judge.version.adapter == first
    assert Judge(backend, load_profile("cor"), adapter="mine").version.adapter == second
    assert Judge(backend, load_profile("cor"), adapter=first).version.adapter == first


def test_an_adapter_for_another_model_is_refused_before_it_is_known(tmp_path: Path) -> None:
    backend = EmbeddedBackend(
        EmbeddedSettings(weights=base_file(tmp_path / "tiny.gguf"), cache_dir=tmp_path / "cache")
    )
    with pytest.raises(InputError, match="cannot be converted"):
        backend.add_adapter("mine", adapter(tmp_path / "other"))
    assert backend.capabilities.adapters == ()


def test_what_cannot_be_merged_is_named(tmp_path: Path) -> None:
    weights = base_file(tmp_path / "tiny.gguf")
    with pytest.raises(ConfigurationError, match="'mine' to merge"):
        EmbeddedBackend(EmbeddedSettings(weights=weights, merge="mine"))


@pytest.mark.model
@pytest.mark.parametrize("processes", [1, 2])
def test_adapters_are_chosen_by_request_and_come_while_it_runs(
    processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if processes == 1:
        monkeypatch.setattr("rmr1.backends.embedded._SMALL_BYTES", 0)
    others = children()
    settings = EmbeddedSettings(
        weights=find_weights(),
        adapters={"one": adapter(tmp_path / "one")},
        context_tokens=512,
        parallel=2,
    )
    with closing(EmbeddedBackend(settings)) as backend:
        base = text_of(backend, asking("Name a colour."))
        one = text_of(backend, asking("Name a colour.", adapter="one"))
        assert one != base
        assert text_of(backend, asking("Name a colour.")) == base
        writing = backend.stream(asking("Go on", 60, grammar=ENDLESS))
        next(writing)
        identity = backend.add_adapter("two", adapter(tmp_path / "two", seed=2))
        two = text_of(backend, asking("Name a colour.", adapter=identity))
        assert two not in (base, one)
        assert len(children() - others) == 2
        assert list(writing)[-1].finish_reason == "length"  # undisturbed
        assert len(children() - others) == processes
        assert text_of(backend, asking("Name a colour.", adapter="one")) == one


@pytest.mark.model
def test_what_is_merged_is_taken_out_again_for_the_others() -> None:
    """To about as much as eight bits change a probability."""

    def first(backend: EmbeddedBackend, name: str | None) -> dict[str, float]:
        asked = asking("Name a colour.", 1, adapter=name, logprobs=5)
        [token] = [token for delta in backend.stream(asked) for token in delta.tokens]
        return {text: math.exp(chance) for text, chance in token.logprobs}

    names = None, PACKAGED_NAME
    found: list[list[dict[str, float]]] = []
    for merge in (None, ""):
        settings = EmbeddedSettings(merge=merge, context_tokens=512, parallel=1)
        with closing(EmbeddedBackend(settings)) as backend:
            found.append([first(backend, name) for name in names])
    for merged, plain in zip(*found, strict=True):
        [likeliest, *_] = plain
        assert merged[likeliest] == pytest.approx(plain[likeliest], abs=0.1)
    base, judge = found[0]
    assert max(judge, key=judge.__getitem__) != max(base, key=base.__getitem__)


@pytest.mark.model
def test_an_adapter_of_ones_own_may_be_merged_instead(tmp_path: Path) -> None:
    settings = EmbeddedSettings(
        adapters={"one": adapter(tmp_path / "one")},
        merge="one",
        cache_dir=tmp_path / "cache",
        context_tokens=512,
        parallel=1,
    )
    with closing(EmbeddedBackend(settings)) as backend:
        assert text_of(backend, asking("Name a colour.", adapter="one"))
        assert len(list((tmp_path / "cache").glob("merged.*"))) == 1
