"""Each of the three trainers, whole, on a model of a few thousand weights."""

import json
from pathlib import Path
from typing import Any

import pytest

from rmr1.errors import ConfigurationError, InputError
from tests.train import tiny
from training.distil import build_distiller, distil
from training.rl import build_reinforcer, reinforce
from training.scalar import build_scalar_trainer, train_scalar

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # torch and its friends warn about themselves
]
torch = pytest.importorskip("torch")
pytest.importorskip("trl")

GRPO = {"group": 2, "max_completion": 8, "rewards": {"published": 1.0, "format": 0.5}}


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


def test_distillation_leaves_an_adapter_that_has_learnt(
    base: Path, data: Path, tmp_path: Path
) -> None:
    recipe = tiny.recipe(base, steps=12, evaluate_every=12, save_every=12)
    kept: list[tuple[int, list[Any]]] = []
    trainer = build_distiller(recipe, data, tmp_path, keep=lambda *one: kept.append(one))
    trainer.train()
    losses = [line["eval_loss"] for line in trainer.state.log_history if "eval_loss" in line]
    assert losses[-1] < losses[0] - 0.02
    assert [step for step, _ in kept] == [0, 12]
    assert {row["pair_hash"] for row in kept[0][1]} == {f"pair-{n:03}" for n in range(4)}


def test_only_the_completion_is_learnt_and_it_ends_the_turn(
    base: Path, data: Path, tmp_path: Path
) -> None:
    trainer = build_distiller(tiny.recipe(base), data, tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    target = trainer.processing_class.decode(batch["input_ids"][0][batch["labels"][0] != -100])
    assert target.startswith("<eval>It is so.</eval><answer>[[")
    assert target.endswith("]]</answer><|end|>")


def test_answer_only_teaches_the_verdict_alone(base: Path, data: Path, tmp_path: Path) -> None:
    trainer = build_distiller(tiny.recipe(base, target="answer"), data, tmp_path)
    found = set()
    for batch in trainer.get_train_dataloader():
        labels = batch["labels"][0]
        found.add(trainer.processing_class.decode(labels[labels != -100]))
    assert found <= {f"<answer>[[{letter}]]</answer><|end|>" for letter in "AB"}


def test_frozen_weights_are_bf16_and_trained_ones_are_not(
    base: Path, data: Path, tmp_path: Path
) -> None:
    trainer = build_distiller(tiny.recipe(base, precision="bf16"), data, tmp_path)
    kinds = {(one.requires_grad, one.dtype) for one in trainer.model.parameters()}
    assert (False, torch.bfloat16) in kinds
    assert {dtype for trains, dtype in kinds if trains} == {torch.float32}
    whole = build_distiller(tiny.recipe(base, precision="bf16", lora=None), data, tmp_path)
    assert {one.dtype for one in whole.model.parameters()} == {torch.float32}


def test_letters_weigh_as_asked_and_alike_weights_give_trls_own_loss(
    base: Path, data: Path, tmp_path: Path
) -> None:
    def loss(**values: Any) -> float:
        trainer = build_distiller(tiny.recipe(base, **values), data, tmp_path)
        batch = next(iter(trainer.get_train_dataloader()))
        trainer.model.eval()
        return float(trainer.compute_loss(trainer.model, batch).detach())

    plain = loss()
    assert loss(verdict_weight=1.0) == pytest.approx(plain, rel=1e-4)
    assert loss(verdict_weight=9.0) > plain * 1.05


def test_layers_below_the_first_do_not_learn(data: Path, tmp_path: Path) -> None:
    base = tiny.write_base(tmp_path / "two", layers=2)
    lora = {"rank": 2, "targets": ["q_proj", "down_proj"]}
    whole = distil(tiny.recipe(base, lora=lora), data, tmp_path / "whole")
    top = {**lora, "first_layer": 1}
    fresh = weights(distil(tiny.recipe(base, lora=top), data, tmp_path / "fresh"))
    assert fresh
    assert not [name for name in fresh if ".layers.0." in name]
    recipe = tiny.recipe(base, lora=top, adapter_from=whole, verdict_weight=4.0, steps=3)
    after, before = weights(distil(recipe, data, tmp_path / "on")), weights(whole)
    for name, values in after.items():
        assert torch.equal(values, before[name]) == (".layers.0." in name), name


def test_a_run_without_a_reporter_can_go_on_too(base: Path, data: Path, tmp_path: Path) -> None:
    from training.checkpoints import last_whole

    distil(tiny.recipe(base, steps=4, save_every=2), data, tmp_path)
    found = last_whole(tmp_path)
    assert found
    assert found.name == "checkpoint-4"


def test_a_result_says_nothing_of_the_machine_it_was_made_on(
    base: Path, data: Path, tmp_path: Path
) -> None:
    recipe = tiny.recipe(base, steps=1)
    result = distil(recipe, data, tmp_path)
    files = {path.name for path in result.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors"} <= files
    assert not files & {"training_args.bin", "README.md"}
    config = json.loads((result / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == recipe.base_name


def test_rows_too_long_are_left_out_and_none_left_is_an_error(
    base: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="number of tokens"):
        build_distiller(tiny.recipe(base, max_tokens=16), data, tmp_path)


def test_rl_leaves_an_adapter_and_reports_each_term(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = tiny.recipe(base, kind="grpo", grpo=GRPO, evaluate_every=2, held_out=4, samples=2)
    kept: list[tuple[int, list[Any]]] = []
    trainer = build_reinforcer(recipe, data, tmp_path, keep=lambda *one: kept.append(one))
    trainer.train()
    logs = {key for line in trainer.state.log_history for key in line}
    wanted = {"reward", "kl", "no_verdict", "completions/mean_length"}
    terms = {f"rewards/{name}/mean" for name in GRPO["rewards"]}
    assert wanted | terms <= logs
    assert {f"eval_{name}" for name in {"reward", "no_verdict"} | terms} <= logs
    assert {step for step, _ in kept} == {0, 2}
    first = kept[0][1][0]
    assert first["pair_hash"] == "pair-000"
    assert set(first["rewards"]) == {"published", "format"}


def test_rl_measures_the_distance_from_the_adapter_it_goes_on_from(
    base: Path, data: Path, tmp_path: Path
) -> None:
    before = distil(tiny.recipe(base, steps=4, save_every=4), data, tmp_path / "sft")
    recipe = tiny.recipe(base, kind="grpo", grpo=GRPO, lora=None, adapter_from=before)
    trainer = build_reinforcer(recipe, data, tmp_path / "rl")
    parameters = dict(trainer.model.named_parameters())
    copies = [name for name in parameters if ".ref." in name]
    assert copies
    for name in copies:
        assert torch.equal(parameters[name], parameters[name.replace(".ref.", ".default.")])
        assert not parameters[name].requires_grad
    result = reinforce(recipe, data, tmp_path / "rl")
    assert not (result / "ref").exists()
    assert weights(result).keys() == weights(before).keys()


def test_rl_with_swap_needs_both_orders(base: Path, data: Path, tmp_path: Path) -> None:
    both = {**GRPO, "rewards": {"published": 1.0, "swap": 0.5, "length": 0.1}}
    recipe = tiny.recipe(base, kind="grpo", grpo=both)
    build_reinforcer(recipe, data, tmp_path)
    lines = (data / "rlvr.train.jsonl").read_text().splitlines(keepends=True)
    single = tmp_path / "single"
    single.mkdir()
    (single / "rlvr.train.jsonl").write_text("".join(lines[::2]))
    with pytest.raises(InputError, match="both orders"):
        build_reinforcer(recipe, single, tmp_path)


def test_one_drawing_of_rollouts_lasts_for_several_steps(
    base: Path, data: Path, tmp_path: Path
) -> None:
    recipe = tiny.recipe(
        base, kind="grpo", grpo={**GRPO, "prompts": 4}, batch=2, micro_batch=2, save_every=2
    )
    arguments = build_reinforcer(recipe, data, tmp_path).args
    assert arguments.gradient_accumulation_steps == 2
    assert arguments.generation_batch_size == 8


def test_a_scalar_model_is_trained_on_preferences(base: Path, data: Path, tmp_path: Path) -> None:
    recipe = tiny.recipe(base, kind="reward", steps=2, evaluate_every=2)
    result = train_scalar(recipe, data, tmp_path)
    assert any("score" in name for name in weights(result))
    trainer = build_scalar_trainer(recipe, data, tmp_path)
    assert trainer.model.config.num_labels == 1


def test_an_adapter_is_no_base(base: Path, data: Path, tmp_path: Path) -> None:
    result = distil(tiny.recipe(base, steps=1), data, tmp_path)
    with pytest.raises(ConfigurationError, match="adapter_from"):
        build_distiller(tiny.recipe(result), data, tmp_path)
    with pytest.raises(ConfigurationError, match="needs a base"):
        build_distiller(tiny.recipe(base).model_copy(update={"base": ""}), data, tmp_path)
