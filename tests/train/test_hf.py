"""The transformers and the scalar backend on models of a few thousand weights."""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rmr1.backends.adapters import packaged_adapter
from rmr1.backends.base import ChatRequest, Delta, Sampling
from rmr1.backends.hf import TransformersBackend
from rmr1.backends.scalar import ScalarBackend
from rmr1.errors import (
    BackendError,
    BackendUnavailable,
    ConfigurationError,
    InputError,
    PromptTooLong,
)
from rmr1.judges import default_judge
from rmr1.pair import Message, Pair
from rmr1.plan import Plan
from rmr1.rollout import State
from rmr1.settings import ScalarSettings, TransformersSettings
from tests.train import tiny
from training.scalar import train_scalar

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # torch and its friends warn about themselves
]
torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

PROMPTS = ["What is one?", "What is one and two? It is three.", "Say " + "it is so " * 12]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two layers whose random weights are large enough to have opinions."""
    made = tiny.write_base(tmp_path_factory.mktemp("hf"))
    torch.manual_seed(3)
    config = transformers.AutoConfig.from_pretrained(made)
    config.num_hidden_layers = 2
    config.initializer_range = 0.5
    transformers.LlamaForCausalLM(config).save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def backend(folder: Path) -> Iterator[TransformersBackend]:
    with closing(TransformersBackend(TransformersSettings(model=str(folder), parallel=4))) as made:
        yield made


def asking(prompt: str, max_tokens: int = 24, **rest: Any) -> ChatRequest:
    about = {name: rest.pop(name) for name in ("temperature", "seed", "stop") if name in rest}
    return ChatRequest(
        (Message(role="user", content=prompt),), Sampling(max_tokens=max_tokens, **about), **rest
    )


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def said(backend: TransformersBackend, request: ChatRequest) -> str:
    return text_of(list(backend.stream(request)))


def reference(folder: Path, prompt: str, max_tokens: int = 24) -> str:
    """What `generate` makes of it, greedily."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    out = model.generate(**asked, max_new_tokens=max_tokens, do_sample=False)
    text: str = tokenizer.decode(out[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)
    return text


def test_alone_and_together_it_writes_what_generate_writes(
    backend: TransformersBackend, folder: Path
) -> None:
    expected = [reference(folder, prompt) for prompt in PROMPTS]
    assert len(set(expected)) == 3
    assert [said(backend, asking(prompt)) for prompt in PROMPTS] == expected
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda prompt: said(backend, asking(prompt)), PROMPTS * 2))
    assert found == expected * 2


def test_it_counts_and_says_why_it_ended(backend: TransformersBackend) -> None:
    *pieces, last = backend.stream(asking(PROMPTS[0], max_tokens=5))
    assert (len(pieces), last.finish_reason, last.completion_tokens) == (4, "length", 5)
    assert last.prompt_tokens
    assert last.prompt_tokens > 5


def test_a_stop_text_is_kept_and_ends_the_reply(backend: TransformersBackend) -> None:
    whole = said(backend, asking(PROMPTS[1]))
    stop = whole[6:9]
    *_, last = deltas = list(backend.stream(asking(PROMPTS[1], stop=(stop,))))
    assert text_of(deltas) == whole[: whole.index(stop) + len(stop)]
    assert last.finish_reason == "stop"


def test_log_probabilities_are_those_of_the_drawn_tokens(backend: TransformersBackend) -> None:
    deltas = list(backend.stream(asking(PROMPTS[0], logprobs=5)))
    tokens = [token for delta in deltas for token in delta.tokens]
    assert "".join(token.text for token in tokens) == text_of(deltas)
    for token in tokens:
        chances = [chance for _, chance in token.logprobs]
        assert len(chances) == 5
        assert chances == sorted(chances, reverse=True)
        assert chances[0] < 0


def test_a_seed_repeats_and_another_differs(backend: TransformersBackend) -> None:
    def draw(seed: int) -> str:
        return said(backend, asking(PROMPTS[1], temperature=1.0, seed=seed))

    assert draw(1) == draw(1)
    assert len({draw(seed) for seed in range(4)}) > 1


def test_who_leaves_makes_room(backend: TransformersBackend) -> None:
    streams = [backend.stream(asking(PROMPTS[0], max_tokens=1900)) for _ in range(4)]
    for stream in streams:
        next(stream)
        stream.close()
    assert said(backend, asking(PROMPTS[0], max_tokens=3))


def test_a_prompt_that_does_not_fit_says_the_numbers(folder: Path) -> None:
    short = TransformersSettings(model=str(folder), context_tokens=20)
    with (
        closing(TransformersBackend(short)) as backend,
        pytest.raises(PromptTooLong, match="the context holds 20"),
    ):
        said(backend, asking(PROMPTS[2]))


def adapter(folder: Path, target: Path, seed: int) -> Path:
    """An adapter as PEFT saves it, strong enough to change what is written."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    config = peft.LoraConfig(
        r=2,
        lora_alpha=64,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        init_lora_weights=False,
    )
    peft.get_peft_model(model, config).save_pretrained(target)
    return target


def test_adapters_are_chosen_by_request_within_one_batch_and_come_while_it_runs(
    folder: Path, tmp_path: Path
) -> None:
    first, second = (adapter(folder, tmp_path / name, n) for n, name in enumerate(("one", "two")))
    settings = TransformersSettings(model=str(folder), adapters={"one": first})
    with closing(TransformersBackend(settings)) as backend:
        base = said(backend, asking(PROMPTS[1]))
        one = said(backend, asking(PROMPTS[1], adapter="one"))
        identity = backend.add_adapter("two", second)
        assert backend.adapters[1] == identity
        two = said(backend, asking(PROMPTS[1], adapter=identity))
        assert len({base, one, two}) == 3
        with ThreadPoolExecutor(3) as pool:
            asked = [asking(PROMPTS[1], adapter=name) for name in (None, "one", "two")]
            assert list(pool.map(lambda one: said(backend, one), asked)) == [base, one, two]
        with pytest.raises(BackendError, match="other"):
            said(backend, asking("Hi", adapter="other"))
        strange = adapter_for_another_model(tmp_path / "strange", first)
        with pytest.raises(InputError, match="does not fit"):
            backend.add_adapter("strange", strange)
        assert said(backend, asking(PROMPTS[1])) == base


def adapter_for_another_model(target: Path, like: Path) -> Path:
    from safetensors.torch import load_file, save_file

    target.mkdir()
    wide = {
        name: torch.ones(value.shape[0], value.shape[1] + 1)
        for name, value in load_file(like / "adapter_model.safetensors").items()
    }
    save_file(wide, target / "adapter_model.safetensors")
    (target / "adapter_config.json").write_bytes((like / "adapter_config.json").read_bytes())
    return target


def test_closing_gives_up_what_is_being_written(folder: Path) -> None:
    before = set(threading.enumerate())
    backend = TransformersBackend(TransformersSettings(model=str(folder)))
    stream = backend.stream(asking(PROMPTS[0], max_tokens=1900))
    next(stream)
    backend.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        list(stream)
    with pytest.raises(BackendUnavailable, match="closed"):
        said(backend, asking("Hi"))
    assert not any(thread.name == "batch" for thread in set(threading.enumerate()) - before)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        closing(TransformersBackend(TransformersSettings(model=str(tmp_path)))) as backend,
        pytest.raises(ConfigurationError, match="cannot be loaded"),
    ):
        said(backend, asking("Hi"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_four_bits_ask_for_a_gpu(folder: Path) -> None:
    settings = TransformersSettings(model=str(folder), quantization="4bit")
    with (
        closing(TransformersBackend(settings)) as backend,
        pytest.raises(ConfigurationError, match="need a GPU"),
    ):
        said(backend, asking("Hi"))


def test_on_zero_gpu_each_request_is_one_decorated_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the `spaces` package, and no GPU to lend."""
    lent: list[int] = []

    def gpu(duration: int) -> Any:
        lent.append(duration)
        return lambda function: function

    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    settings = TransformersSettings(model=str(folder), device="cpu", gpu_seconds=30)
    with closing(TransformersBackend(settings)) as backend:
        assert lent == [30]  # before any request: a Space looks for it at its start
        assert said(backend, asking(PROMPTS[0])) == reference(folder, PROMPTS[0])


def test_it_judges_under_a_profile(backend: TransformersBackend) -> None:
    judge = default_judge(backend, "verdict")
    found = judge.judge(Pair.of("One and two?", "Three.", "Four."), Plan(max_tokens=16))
    assert found.rollouts[0].completion_tokens
    assert len(found.version.revision) == 64
    assert found.version.engine.startswith("transformers ")


def test_the_embedded_weights_judge_with_the_packaged_adapter() -> None:
    """In both orders at once, cut short: it begins as the adapter was taught."""
    from training.base import embedded_base

    try:
        model = embedded_base()
    except ConfigurationError as error:
        pytest.skip(str(error))
    settings = TransformersSettings(model=str(model), adapters=packaged_adapter())
    with closing(TransformersBackend(settings)) as backend:
        judge = default_judge(backend)
        pair = Pair.of("What is the capital of Australia?", "It is Canberra.", "It is Sydney.")
        found = judge.judge(pair, Plan(orders="both", max_tokens=16))
    assert found.version.adapter.startswith("judge@")
    assert [rollout.order for rollout in found.rollouts] == ["AB", "BA"]
    for rollout in found.rollouts:
        assert rollout.state is State.TRUNCATED, rollout.reason
        assert rollout.trace.type is not None, rollout.trace.text


def scalar_folder(folder: Path, target: Path, labels: int = 1) -> Path:
    torch.manual_seed(5)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels
    )
    model.save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(target)
    return target


def test_a_scalar_checkpoint_scores_like_its_model(folder: Path, tmp_path: Path) -> None:
    whole = scalar_folder(folder, tmp_path / "scalar")
    turns = [Message(role="user", content="One and two?")]
    with closing(ScalarBackend(ScalarSettings(model=str(whole)))) as backend:
        found = {text: backend.score(turns, text) for text in ("Three.", "It is nothing.")}
        judgement = default_judge(backend).judge(Pair.of("One and two?", *found), Plan())
        with pytest.raises(BackendError, match="writes nothing"):
            next(backend.stream(asking("Hi")))
    tokenizer = transformers.AutoTokenizer.from_pretrained(whole)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(whole)
    for text, score in found.items():
        chat = [{"role": "user", "content": "One and two?"}, {"role": "assistant", "content": text}]
        ids = tokenizer.apply_chat_template(chat, return_tensors="pt", return_dict=True)
        assert score == pytest.approx(float(model(**ids).logits[0, 0]), abs=1e-5)
    assert judgement.verdict == ("A" if found["Three."] > found["It is nothing."] else "B")


def test_what_training_leaves_is_judged_with_as_it_is(
    base: Path, data: Path, tmp_path: Path
) -> None:
    """Twelve steps are enough to tell two responses that never change."""
    trained = train_scalar(tiny.recipe(base, kind="reward", steps=12), data, tmp_path)
    assert json.loads((trained / "adapter_config.json").read_text())["task_type"] == "SEQ_CLS"
    pair = Pair.of("What is 7 and one?", "It is 8.", "It is nothing.")
    with closing(ScalarBackend(ScalarSettings(model=str(trained)))) as backend:
        found = default_judge(backend).judge(pair, Plan())
        assert found.verdict == "A"
        assert found.version.model.endswith(" + adapter")
        assert len(found.version.revision) == 64


def test_more_than_one_label_is_no_scalar_model(folder: Path, tmp_path: Path) -> None:
    several = scalar_folder(folder, tmp_path / "several", labels=3)
    with (
        closing(ScalarBackend(ScalarSettings(model=str(several)))) as backend,
        pytest.raises(ConfigurationError, match="3 numbers"),
    ):
        backend.score([Message(role="user", content="Hi")], "Hello")


def test_a_text_that_does_not_fit_is_not_cut(folder: Path, tmp_path: Path) -> None:
    whole = scalar_folder(folder, tmp_path / "scalar")
    settings = ScalarSettings(model=str(whole), context_tokens=16)
    with closing(ScalarBackend(settings)) as backend:
        found = default_judge(backend).judge(Pair.of(PROMPTS[2], "Three.", "Four."), Plan())
    assert (found.verdict, found.state) == (None, "failed")
    assert "the context holds 16" in found.reason
