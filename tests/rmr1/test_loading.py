from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from rmr1.backends.base import ChatRequest
from rmr1.backends.loading import load_backend
from rmr1.errors import ConfigurationError
from rmr1.judges import default_judge
from rmr1.pair import Message, Pair
from rmr1.plan import Plan
from rmr1.settings import (
    BackendSettings,
    EmbeddedSettings,
    OpenAISettings,
    ScalarSettings,
    ScriptedSettings,
    TransformersSettings,
    VllmSettings,
)

SCRIPTED = ScriptedSettings(replies=("<answer>[[A]]</answer>",), chunk=4)
OPENAI = OpenAISettings(model="judge", dialect="vllm", adapters=("mine",), parallel=5)


VLLM = VllmSettings(model="org/judge", parallel=4)
TRANSFORMERS = TransformersSettings(model="org/judge", parallel=6)
SCALAR = ScalarSettings(model="org/scalar")


@pytest.mark.parametrize(
    "settings", [SCRIPTED, OPENAI, EmbeddedSettings(parallel=3), VLLM, TRANSFORMERS, SCALAR]
)
def test_every_kind_loads_without_starting_anything(settings: BackendSettings) -> None:
    with closing(load_backend(settings)) as backend:
        if not isinstance(settings, ScriptedSettings | ScalarSettings):
            assert backend.capabilities.parallel == settings.parallel
        backend.close()


def test_names_and_abilities_come_from_the_settings() -> None:
    with closing(load_backend(OPENAI)) as backend:
        assert (backend.identity.kind, backend.identity.model) == ("openai", "judge")
        assert backend.capabilities.adapters == ("mine",)
        assert backend.capabilities.logprobs


def test_the_script_is_answered() -> None:
    request = ChatRequest((Message(role="user", content="Hi"),))
    deltas = list(load_backend(SCRIPTED).stream(request))
    assert "".join(delta.text for delta in deltas) == SCRIPTED.replies[0]


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is here")
def test_a_checkpoint_without_torch_names_what_to_install(tmp_path: Path) -> None:
    request = ChatRequest((Message(role="user", content="Hi"),))
    with (
        closing(load_backend(TransformersSettings(model=str(tmp_path)))) as backend,
        pytest.raises(ConfigurationError, match=r"pip install -e"),
    ):
        list(backend.stream(request))
    with (
        closing(load_backend(ScalarSettings(model=str(tmp_path)))) as backend,
        pytest.raises(ConfigurationError, match=r"pip install -e"),
    ):
        default_judge(backend).judge(Pair.of("Q", "one", "two"), Plan())


def test_a_file_that_is_not_there_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError):
        load_backend(EmbeddedSettings(weights=Path("no-such-file.gguf")))
