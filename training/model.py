"""The base model with its adapter, the tokeniser, and what all trainers are told alike."""

import os
import re
from pathlib import Path
from typing import Any

from rmr1.errors import ConfigurationError
from training.recipe import EMBEDDED, Recipe

_LAYER = re.compile(r"\.layers\.(\d+)\.")


def base_folder(recipe: Recipe) -> str:
    """The folder or the Hub name of a recipe's base; the embedded weights are unpacked for it.

    Raises:
        ConfigurationError: the recipe names none, or an adapter.
    """
    if not recipe.base:
        raise ConfigurationError(
            f"The recipe {recipe.name!r} needs a base model: give --set base=FOLDER."
        )
    if recipe.base != EMBEDDED:
        folder = Path(recipe.base)
        if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
            raise ConfigurationError(
                f"{recipe.base!r} is an adapter, not a whole model: "
                "give it as adapter_from, and its base as base."
            )
        return recipe.base
    from training.base import embedded_base

    return str(embedded_base())


def load_tokenizer(recipe: Recipe) -> Any:
    """The base's tokeniser, with a padding token.

    Raises:
        ConfigurationError: it has no chat template, or no end-of-turn token.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base_folder(recipe), revision=recipe.revision)
    if not tokenizer.chat_template or tokenizer.eos_token_id is None:
        raise ConfigurationError(
            f"the tokeniser of {recipe.base!r} has no chat template or no end token: "
            "a judge must be trained from a model that was tuned to chat."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(recipe: Recipe, *, scalar: bool = False) -> Any:
    """The base's weights with the recipe's adapter on them, ready to train.

    Weights that stay frozen are kept in the precision of the computation, those that train in
    fp32 (bf16 steps of a small learning rate round to nothing).

    Args:
        scalar: with a head that gives one number instead of the next token.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, set_seed

    set_seed(recipe.seed)  # the adapter's first values are drawn here
    frozen = recipe.lora is not None or recipe.adapter_from is not None
    dtype = torch.bfloat16 if frozen and recipe.precision == "bf16" else torch.float32
    kind = AutoModelForSequenceClassification if scalar else AutoModelForCausalLM
    model = kind.from_pretrained(
        base_folder(recipe),
        revision=recipe.revision,
        dtype=dtype,
        attn_implementation=recipe.attention,
        **({"num_labels": 1} if scalar else {}),
    )
    return _with_adapter(model, recipe, scalar=scalar) if frozen else model


def _with_adapter(model: Any, recipe: Recipe, *, scalar: bool) -> Any:
    from peft import LoraConfig, PeftModel, get_peft_model

    if recipe.adapter_from is not None:
        continued = PeftModel.from_pretrained(model, recipe.adapter_from, is_trainable=True)
        _freeze_below(continued, recipe.lora.first_layer if recipe.lora else 0)
        return continued
    assert recipe.lora is not None
    targets, first = recipe.lora.targets, recipe.lora.first_layer
    layers = list(range(first, model.config.num_hidden_layers)) if first else None
    config = LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        layers_to_transform=layers,
        task_type="SEQ_CLS" if scalar else "CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _freeze_below(model: Any, first: int) -> None:
    for name, weights in model.named_parameters():
        if (layer := _LAYER.search(name)) and int(layer[1]) < first:
            weights.requires_grad_(requires_grad=False)


def common_arguments(recipe: Recipe, out: Path, *, has_held_out: bool) -> dict[str, Any]:
    """What every trainer of TRL is told alike.

    Args:
        has_held_out: whether there are rows to look at between steps.

    Raises:
        ConfigurationError: the batch does not come out even over the processes.
    """
    import torch

    looks = bool(recipe.evaluate_every) and has_held_out
    cpu = not torch.cuda.is_available()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    accumulated, rest = divmod(recipe.rollouts, recipe.micro_batch * processes)
    if rest or not accumulated:
        raise ConfigurationError(
            f"{recipe.rollouts} examples of a step do not come out even over {processes} "
            f"processes of {recipe.micro_batch} at once: set `micro_batch` to a divisor."
        )
    schedule = {}
    if recipe.schedule == "cosine_with_min_lr":
        schedule = {"min_lr_rate": recipe.least_rate}
    return {
        "output_dir": str(out / "checkpoints"),
        "per_device_train_batch_size": recipe.micro_batch,
        "per_device_eval_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": accumulated,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": recipe.schedule,
        "lr_scheduler_kwargs": schedule,
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "adam_beta1": recipe.betas[0],
        "adam_beta2": recipe.betas[1],
        "max_grad_norm": recipe.max_grad_norm,
        "max_steps": recipe.steps or -1,
        "seed": recipe.seed,
        "use_cpu": cpu,
        "bf16": recipe.precision == "bf16" and not cpu,
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "logging_steps": recipe.log_every,
        "logging_first_step": True,
        "save_strategy": "steps",
        "save_steps": recipe.save_every,
        "save_total_limit": recipe.keep,
        "eval_strategy": "steps" if looks else "no",
        "eval_steps": recipe.evaluate_every,
        "eval_on_start": looks,
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": not cpu,
    }
