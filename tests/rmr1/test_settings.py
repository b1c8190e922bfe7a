from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from rmr1.plan import Plan
from rmr1.settings import EmbeddedSettings, OpenAISettings, ScriptedSettings, Settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_the_embedded_judge_on_loopback() -> None:
    settings = Settings()
    assert settings.backend == EmbeddedSettings()
    assert (settings.host, settings.port, settings.profile) == ("127.0.0.1", 7860, None)
    assert settings.plan == Plan(max_tokens=640, grammar=True)


def test_a_part_can_be_set_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMR1_BACKEND__THREADS", "3")
    monkeypatch.setenv("RMR1_PLAN__ORDERS", "both")
    settings = Settings()
    assert settings.backend == EmbeddedSettings(threads=3)
    assert settings.plan == Plan(orders="both", max_tokens=640, grammar=True)


def test_another_backend_brings_its_own_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMR1_BACKEND__KIND", "openai")
    monkeypatch.setenv("RMR1_BACKEND__MODEL", "judge")
    monkeypatch.setenv("RMR1_BACKEND__API_KEY", "sk-secret")
    settings = Settings()
    assert isinstance(settings.backend, OpenAISettings)
    assert settings.backend.api_key.get_secret_value() == "sk-secret"
    assert "sk-secret" not in repr(settings)
    assert settings.plan == Plan(max_tokens=4096, grammar=False)


def test_parts_can_be_given_as_values() -> None:
    backend = ScriptedSettings(replies=("x",))
    assert Settings(backend=backend, plan=Plan(votes=3)).plan == Plan(votes=3)


def test_an_env_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RMR1_PORT=8000\nOTHER=1\n", encoding="utf-8")
    assert Settings().port == 8000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RMR1_PROT", "1", "RMR1_PROT"),
        ("rmr1_prot", "1", "rmr1_prot"),
        ("RMR1_BACKEND__KIND", "embeded", "'embedded', 'openai', 'vllm'"),
        ("RMR1_BACKEND__THREAD", "1", "THREAD"),
        ("RMR1_PORT", "none", "port"),
        ("RMR1_PLAN__VOTES", "0", "votes"),
    ],
)
def test_a_wrong_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=f"(?i){message}"):
        Settings()


def test_a_misspelt_name_in_the_env_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RMR1_PROT=1\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="RMR1_PROT"):
        Settings()


@pytest.mark.parametrize(
    "part", [Settings, EmbeddedSettings, OpenAISettings, ScriptedSettings, Plan]
)
def test_every_setting_is_described(part: type[BaseModel]) -> None:
    fields = {name: f for name, f in part.model_fields.items() if name != "kind"}
    assert all(field.description for field in fields.values())
