"""Distillation: teach a judge the traces of a better one, with TRL's SFTTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmr1.errors import InputError
from training.checkpoints import last_whole
from training.model import common_arguments, load_model, load_tokenizer
from training.recipe import Recipe
from training.rows import Row, Split, read_rows, training_order

ADAPTER = "adapter"
"""Folder in a run's folder that holds what it made: an adapter, or all weights."""

_ANSWERS = {"model_a": "<answer>[[A]]</answer>", "model_b": "<answer>[[B]]</answer>"}


def distil(
    recipe: Recipe, data: Path, out: Path, *, callbacks: Sequence[Any] = (), resume: bool = False
) -> Path:
    """Train on the `sft` rows of a data set folder; the result is a folder in `out`.

    Args:
        callbacks: of transformers' Trainer.
        resume: go on from the last whole checkpoint in `out`, if there is one.

    Raises:
        InputError: the data set cannot be used.
    """
    trainer = build_distiller(recipe, data, out, callbacks=callbacks)
    checkpoint = last_whole(out) if resume else None
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.save_model(str(out / ADAPTER))
    return out / ADAPTER


def build_distiller(recipe: Recipe, data: Path, out: Path, *, callbacks: Sequence[Any] = ()) -> Any:
    """The trainer of a distillation, with model and data in place."""
    from trl import SFTConfig, SFTTrainer

    tokenizer = load_tokenizer(recipe)
    arguments = common_arguments(recipe, out)
    examples = _examples(recipe, data, "train", tokenizer)
    order = training_order(
        [len(one["input_ids"]) for one in examples],
        recipe.micro_batch,
        _epochs(recipe, len(examples)),
        recipe.seed,
    )
    validation = _examples(recipe, data, "validation", tokenizer) if recipe.evaluate_every else []
    # The order is in the data, not in a sampler's state: a resumed run cannot but follow it.
    return SFTTrainer(
        model=load_model(recipe),
        args=SFTConfig(
            **arguments,
            num_train_epochs=1,
            train_sampling_strategy="sequential",
            max_length=recipe.max_tokens if recipe.packing else None,
            packing=recipe.packing,
        ),
        train_dataset=_dataset(examples).select(order),
        eval_dataset=_dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )


def _epochs(recipe: Recipe, examples: int) -> float:
    """Epochs whose examples last for the steps of the recipe."""
    return recipe.steps * recipe.batch / examples if recipe.steps else recipe.epochs


def _dataset(examples: list[Row]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(examples)


def _examples(recipe: Recipe, data: Path, split: Split, tokenizer: Any) -> list[Row]:
    rows = read_rows(data, "sft", split)
    examples = [tokenise(row, tokenizer, answer_only=recipe.target == "answer") for row in rows]
    fitting = [one for one in examples if len(one["input_ids"]) <= recipe.max_tokens]
    if rows and not fitting:
        raise InputError(
            f"none of the {len(rows)} rows of {str(data)!r} fits into {recipe.max_tokens} tokens:"
            " raise `max_tokens` of the recipe."
        )
    return fitting


def tokenise(row: Row, tokenizer: Any, *, answer_only: bool = False) -> Row:
    """An example as tokens: the prompt without loss, the completion with its end-of-turn token.

    The completion is tokenised on its own, as it is when a judge writes it token by token.
    """
    prompt = tokenizer.apply_chat_template(
        row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    text = _ANSWERS[row["winner"]] if answer_only else row["completion"][0]["content"]
    target = tokenizer.encode(text, add_special_tokens=False)
    target.append(tokenizer.eos_token_id)
    return {
        "input_ids": prompt + target,
        "labels": [-100] * len(prompt) + target,
        "pair_hash": row["pair_hash"],
    }
