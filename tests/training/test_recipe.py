from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rmr1.errors import ConfigurationError
from rmr1.prompt import load_profile
from training.launching import to_toml
from training.recipe import Recipe, load_recipe, read_overrides, recipe_names

SMALL: dict[str, Any] = {"name": "small", "kind": "sft", "base": "x", "learning_rate": 1e-4}
RL: dict[str, Any] = {**SMALL, "kind": "grpo", "grpo": {}}


@pytest.mark.parametrize("name", recipe_names())
def test_every_packaged_recipe_loads_and_says_where_its_values_come_from(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.source
    assert recipe.description
    assert load_profile(recipe.profile)


@pytest.mark.parametrize(
    ("name", "rate"), [("distil-7b", 5e-6), ("distil-14b", 3e-6), ("distil-32b", 2e-6)]
)
def test_distillation_has_the_papers_values_where_the_scripts_disagree(
    name: str, rate: float
) -> None:
    recipe = load_recipe(name)
    assert recipe.learning_rate == rate
    assert recipe.base == f"Qwen/Qwen2.5-{name.removeprefix('distil-').upper()}-Instruct"
    assert (recipe.batch, recipe.epochs, recipe.max_tokens) == (128, 1, 12288)
    assert (recipe.schedule, recipe.warmup, recipe.betas) == (
        "cosine_with_min_lr",
        0.03,
        (0.9, 0.95),
    )
    assert recipe.packing
    assert recipe.gradient_checkpointing
    assert recipe.lora is None


@pytest.mark.parametrize(
    ("name", "rate", "micro"),
    [
        ("rl-7b", 1e-6, 4),
        ("rl-14b", 7e-7, 1),
        ("rl-32b", 5e-7, 1),
        ("rl-reasoning-7b", 1e-6, 4),
        ("rl-reasoning-14b", 1e-6, 1),
        ("rl-reasoning-32b", 8e-7, 1),
    ],
)
def test_rl_has_the_papers_values(name: str, rate: float, micro: int) -> None:
    recipe = load_recipe(name)
    grpo = recipe.grpo
    assert grpo
    assert (recipe.learning_rate, recipe.micro_batch) == (rate, micro)
    assert (recipe.schedule, recipe.epochs, recipe.max_grad_norm) == ("constant", 1, 1.0)
    assert (grpo.group, grpo.beta, grpo.clip, grpo.temperature) == (7, 1e-3, 0.2, 1.0)
    assert (grpo.max_prompt, grpo.max_completion) == (4096, 8192)
    assert (grpo.prompts, recipe.batch) == (1024, 128)
    assert grpo.rewards == {"published": 1.0}
    assert recipe.profile == ("reasoning" if "reasoning" in name else "cor")


def test_the_ablations_differ_in_prompt_and_reward() -> None:
    plain, rubrics, types = (
        load_recipe(f"ablation-cold-start{part}") for part in ("", "-rubrics", "-rubrics-types")
    )
    assert [one.profile for one in (plain, rubrics, types)] == ["plain", "rubrics", "cor"]
    for one in (plain, rubrics, types):
        assert one.base == "Qwen/Qwen2.5-32B-Instruct"
        assert one.grpo
        assert one.grpo.rewards == {"answer": 1.0, "format": 1.0}
    assert load_recipe("ablation-answer").target == "answer"


def test_values_are_replaced_by_dotted_name() -> None:
    overrides = read_overrides(["lora.rank=8", "base=/some/where", "steps=5", "packing=false"])
    recipe = load_recipe("embedded-distil", overrides)
    assert recipe.lora
    assert (recipe.lora.rank, recipe.base, recipe.steps) == (8, "/some/where", 5)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert read_overrides(["base=a=b"]) == {"base": "a=b"}


@pytest.mark.parametrize("setting", ["steps", "=5", ""])
def test_an_override_without_key_or_value_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="key=value"):
        read_overrides([setting])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"stpes": 5}, "stpes"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"name.x": 1}, "is a value"),
        ({"batch": 3, "micro_batch": 2}, "micro_batch"),
        ({"grpo.group": 4}, "grpo"),
        ({"keep": 1}, "keep"),
    ],
)
def test_a_wrong_value_is_named(overrides: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_recipe("embedded-distil", overrides)


def test_an_unknown_recipe_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="distil-7b"):
        load_recipe("distil-8b")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(ConfigurationError, match="no TOML"):
        load_recipe(broken)


def test_checkpoints_fall_between_drawings() -> None:
    with pytest.raises(ValidationError, match="save_every"):
        Recipe.model_validate({**RL, "batch": 2, "save_every": 3, "grpo": {"prompts": 4}})
    with pytest.raises(ValidationError, match="prompts"):
        Recipe.model_validate({**RL, "batch": 2, "grpo": {"prompts": 3}})
    recipe = Recipe.model_validate({**RL, "batch": 2, "save_every": 4, "grpo": {"prompts": 4}})
    assert recipe.rollouts == 14


def test_the_soft_budget_lies_under_the_hard_one() -> None:
    recipe = Recipe.model_validate({**RL, "grpo": {"max_completion": 400}})
    assert recipe.grpo
    assert recipe.grpo.soft_budget == 300
    with pytest.raises(ValidationError, match="soft_length"):
        Recipe.model_validate({**RL, "grpo": {"max_completion": 400, "soft_length": 400}})


@pytest.mark.parametrize("name", recipe_names())
def test_a_written_recipe_reads_as_it_was(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name, {"description": 'a "quoted"\nline \\ – and \x1f more'})
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(recipe), encoding="utf-8")
    assert load_recipe(path) == recipe


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({**SMALL, "lora": {"first_layer": 3}}, "list of names"),
        ({**SMALL, "verdict_weight": 4, "packing": True}, "without `packing`"),
        ({**RL, "verdict_weight": 4}, "for the kind `sft`"),
    ],
)
def test_values_that_go_with_nothing_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Recipe.model_validate(values)
