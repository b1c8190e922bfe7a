"""What a training run does: the values of a recipe, and where each of them comes from."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rmr1.errors import ConfigurationError, first_problem

EMBEDDED = "embedded"
"""Names the packaged model as a base."""

_NUMBERS = {
    "": (
        *("epochs", "steps", "learning_rate", "batch", "micro_batch", "max_tokens", "seed"),
        *("save_every", "evaluate_every"),
    ),
    "lora.": ("rank", "alpha"),
    "grpo.": ("group", "max_completion", "beta", "temperature"),
}

_SUFFIX = ".toml"

RewardName = Literal["published", "answer", "format", "grounding", "swap", "weights", "length"]
"""Terms of a reward; see `rmr1.reward`."""


class Lora(BaseModel):
    """Low-rank adapters beside the frozen weights of the base model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1, description="rank of the update of each layer")
    alpha: float = Field(default=32.0, gt=0, description="the update is scaled by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of inputs left out")
    targets: str | tuple[str, ...] = Field(
        default="all-linear", description="names of the matrices that get an update"
    )
    first_layer: int = Field(
        default=0, ge=0, description="layers below it do not learn, and cost no backward pass"
    )

    @model_validator(mode="after")
    def _layers_need_names(self) -> Self:
        if self.first_layer and isinstance(self.targets, str):
            raise ValueError("`first_layer` needs `targets` as a list of names")
        return self


class Grpo(BaseModel):
    """Reinforcement learning: how rollouts are drawn, rewarded and learnt from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: int = Field(
        default=7, ge=2, description="rollouts of a prompt, compared with each other"
    )
    prompts: int | None = Field(
        default=None, ge=1, description="drawn for at once, for several steps; by default the batch"
    )
    temperature: float = Field(default=1.0, gt=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_prompt: int = Field(default=4096, ge=1, description="tokens; longer prompts are left out")
    max_completion: int = Field(default=8192, ge=1, description="tokens of a rollout")
    beta: float = Field(
        default=1e-3, ge=0, description="weight of the KL to the start, in the loss"
    )
    clip: float = Field(default=0.2, gt=0, description="of the probability ratio, either way")
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = Field(
        default="grpo", description="how token losses are averaged; `grpo` is by rollout, then all"
    )
    rewards: dict[RewardName, float] = Field(
        default={"published": 1.0}, min_length=1, description="terms and their weights"
    )
    soft_length: int | None = Field(
        default=None,
        ge=1,
        description="tokens from which `length` costs; by default three quarters",
    )
    vllm: Literal["none", "server", "colocate"] = Field(
        default="none", description="what draws rollouts: transformers, or vLLM"
    )
    vllm_server: str = Field(
        default="http://127.0.0.1:8000", description="address of `trl vllm-serve`"
    )
    vllm_memory: float = Field(default=0.4, gt=0, lt=1, description="share of a GPU, colocated")
    tensor_parallel: int = Field(default=1, ge=1, description="GPUs of a colocated vLLM")

    @property
    def soft_budget(self) -> int:
        """Tokens from which the term `length` costs."""
        return self.soft_length or self.max_completion * 3 // 4

    @model_validator(mode="after")
    def _budgets_are_in_order(self) -> Self:
        if self.soft_budget >= self.max_completion:
            raise ValueError("`soft_length` must be less than `max_completion`")
        return self


class Recipe(BaseModel):
    """Everything that a training run depends on but the data and the software."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    title: str = ""
    description: str = ""
    source: str = Field(default="", description="where the values come from")
    kind: Literal["sft", "grpo", "reward"] = Field(description="which trainer")

    base: str = Field(
        default="", description="`embedded`, a folder, or a name on the Hub; a run needs one"
    )
    revision: str | None = Field(default=None, description="of the base on the Hub")
    adapter_from: Path | None = Field(default=None, description="PEFT folder to go on from")
    lora: Lora | None = Field(default=None, description="adapters; without, all weights train")
    profile: str = Field(default="cor", description="prompt profile of the judge")
    target: Literal["trace", "answer"] = Field(
        default="trace", description="what distillation teaches: the whole trace, or the verdict"
    )

    verdict_weight: float | None = Field(
        default=None,
        ge=1,
        description="a letter A or B counts in the loss of distillation as so many other tokens",
    )

    max_tokens: int = Field(
        default=2048, ge=16, description="of prompt and completion; longer examples are left out"
    )
    batch: int = Field(
        default=8, ge=1, description="examples (in RL prompts) of a step, over all devices"
    )
    micro_batch: int = Field(
        default=1, ge=1, description="examples (in RL rollouts) at once on a device"
    )
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "cosine_with_min_lr", "linear", "constant"] = "cosine"
    least_rate: float = Field(
        default=0.0, ge=0, lt=1, description="share of the rate that `cosine_with_min_lr` ends at"
    )
    warmup: float = Field(default=0.0, ge=0, lt=1, description="share of the steps")
    weight_decay: float = Field(default=0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    max_grad_norm: float = Field(default=1.0, gt=0)
    epochs: float = Field(default=1.0, gt=0)
    steps: int | None = Field(default=None, ge=1, description="instead of epochs")
    seed: int = Field(default=42, ge=0, lt=2**31)

    precision: Literal["fp32", "bf16"] = Field(
        default="bf16", description="of the computation; adapters are fp32 in either"
    )
    packing: bool = Field(default=False, description="several examples in one row")
    gradient_checkpointing: bool = False
    attention: str = Field(default="sdpa", description="implementation that transformers uses")

    log_every: int = Field(default=1, ge=1, description="steps")
    save_every: int = Field(default=20, ge=1, description="steps between checkpoints")
    keep: int = Field(default=2, ge=2, description="checkpoints: one may be half written")
    evaluate_every: int | None = Field(
        default=None, ge=1, description="steps between looks at the validation split"
    )
    held_out: int = Field(
        default=64, ge=1, description="rows of the validation split that are looked at"
    )
    samples: int = Field(
        default=4, ge=0, description="rollouts kept of each look, always of the same prompts"
    )
    grpo: Grpo | None = Field(default=None, description="for the kind `grpo`")

    @property
    def rollouts(self) -> int:
        """Examples of a step as the trainer counts them: in RL every rollout of a prompt."""
        return self.batch * (self.grpo.group if self.grpo else 1)

    @property
    def numbers(self) -> dict[str, float | None]:
        """What a person may want to change from run to run, by dotted name."""
        groups = {"": self, "lora.": self.lora, "grpo.": self.grpo}
        return {
            f"{group}{name}": getattr(values, name)
            for group, names in _NUMBERS.items()
            if (values := groups[group]) is not None
            for name in names
        }

    @property
    def base_name(self) -> str:
        """The base by the name that the world knows it by."""
        return "HuggingFaceTB/SmolLM2-135M-Instruct" if self.base == EMBEDDED else self.base

    def epochs_of(self, examples: int) -> float:
        """Epochs that `examples` training examples are gone through."""
        return self.steps * self.batch / examples if self.steps else self.epochs

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.kind == "grpo") != (self.grpo is not None):
            raise ValueError("`grpo` values belong to the kind `grpo`, which needs them")
        if self.verdict_weight is not None and (self.kind != "sft" or self.packing):
            raise ValueError("`verdict_weight` is for the kind `sft`, without `packing`")
        if self.rollouts % self.micro_batch:
            raise ValueError("a step's examples must be a multiple of `micro_batch`")
        if self.grpo is not None:
            drawn = self.grpo.prompts or self.batch
            if drawn % self.batch:
                raise ValueError("`grpo.prompts` must be a multiple of `batch`")
            # Rollouts are not in a checkpoint: one between two drawings would draw anew.
            if self.save_every % (drawn // self.batch):
                raise ValueError(
                    "`save_every` must be a multiple of the steps that one drawing lasts for,"
                    f" {drawn // self.batch}"
                )
        return self


def recipe_names() -> list[str]:
    """Names of the packaged recipes."""
    folder = resources.files("training") / "recipes"
    return sorted(
        file.name.removesuffix(_SUFFIX) for file in folder.iterdir() if file.name.endswith(_SUFFIX)
    )


def load_recipe(name_or_path: str | Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A packaged recipe, or that of a TOML file, with some values replaced.

    Args:
        overrides: values by dotted name (`lora.rank`).

    Raises:
        ConfigurationError: there is no such recipe, or a value is not what it must be.
    """
    text = _text(name_or_path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"recipe {str(name_or_path)!r} is no TOML: {error}.") from error
    for key, value in (overrides or {}).items():
        _replace(values, key, value)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        where, what = first_problem(error)
        raise ConfigurationError(
            f"recipe {str(name_or_path)!r}: {where or 'as a whole'}: {what}."
        ) from error


def read_overrides(settings: Sequence[str]) -> dict[str, Any]:
    """Values of the form `key=value`, as TOML where that is what they are, else as text.

    Raises:
        ConfigurationError: there is no `=`.
    """
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"{setting!r} must have the form key=value.")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value
    return found


def _text(name_or_path: str | Path) -> str:
    path = Path(name_or_path)
    if path.suffix == _SUFFIX:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"recipe {str(path)!r} cannot be read: {error}.") from error
    if str(name_or_path) not in recipe_names():
        raise ConfigurationError(
            f"no recipe is called {str(name_or_path)!r}; there are {', '.join(recipe_names())},"
            " or give the path of a .toml file."
        )
    file = resources.files("training") / "recipes" / f"{name_or_path}{_SUFFIX}"
    return file.read_text(encoding="utf-8")


def _replace(values: dict[str, Any], key: str, value: object) -> None:
    *groups, last = key.split(".")
    for group in groups:
        inner = values.setdefault(group, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(f"{key!r}: {group!r} is a value, not a group of values.")
        values = inner
    values[last] = value
