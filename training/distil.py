"""Distillation: teach a judge the traces of a better one, with TRL's SFTTrainer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rmr1.reward import WINNERS
from training import fitting
from training.model import common_arguments, load_model, load_tokenizer
from training.recipe import Recipe
from training.rows import Row, as_dataset, examples_of, order_by_length, read_rows
from training.sampling import GreedySamples
from training.weighting import letter_tokens, weighted_trainer

Keep = Callable[[int, list[Row]], None]
"""Takes a step and what the judge writes then: prompt, text, pair."""


def distil(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    callbacks: Sequence[Any] = (),
    resume: bool = False,
    keep: Keep | None = None,
) -> Path:
    """Train on the `sft` rows of a data set folder; the result is a folder in `out`.

    Args:
        callbacks: of transformers' Trainer.
        resume: go on from the last whole checkpoint in `out`, if there is one.
        keep: is given what the judge writes for a few held-out prompts, at each look at them.

    Raises:
        InputError: the data set cannot be used.
        ConfigurationError: the recipe does not fit the machine or the model.
    """
    trainer = build_distiller(recipe, data, out, callbacks=callbacks, keep=keep)
    return fitting.train(trainer, recipe, out, resume=resume)


def build_distiller(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    callbacks: Sequence[Any] = (),
    keep: Keep | None = None,
) -> Any:
    """The trainer of a distillation, with model and data in place; errors as `distil`."""
    from trl import SFTConfig, SFTTrainer

    trainer: Any = SFTTrainer
    tokenizer = load_tokenizer(recipe)

    def example(row: Row) -> Row | None:
        made = tokenise(row, tokenizer, answer_only=recipe.target == "answer")
        return made if len(made["input_ids"]) <= recipe.max_tokens else None

    examples = examples_of(data, "sft", "train", example)
    lengths = [len(one["input_ids"]) for one in examples]
    order = order_by_length(
        lengths, recipe.micro_batch, recipe.epochs_of(len(examples)), recipe.seed
    )
    held_out = examples_of(data, "sft", "validation", example) if recipe.evaluate_every else []
    arguments = common_arguments(recipe, out, has_held_out=bool(held_out))
    more = []
    if keep and held_out:
        rows = read_rows(data, "sft", "validation")[: recipe.samples]
        more.append(GreedySamples(rows, tokenizer, keep))
    if recipe.verdict_weight is not None:
        trainer = weighted_trainer(letter_tokens(tokenizer), recipe.verdict_weight)
    # The order is in the data, not in a sampler's state: a resumed run cannot but follow it.
    return trainer(
        model=load_model(recipe),
        args=SFTConfig(
            **arguments,
            num_train_epochs=1,
            train_sampling_strategy="sequential",
            max_length=recipe.max_tokens if recipe.packing else None,
            packing=recipe.packing,
        ),
        train_dataset=as_dataset(examples, order),
        eval_dataset=as_dataset(held_out[: recipe.held_out]) if held_out else None,
        processing_class=tokenizer,
        callbacks=[*callbacks, *more],
    )


def tokenise(row: Row, tokenizer: Any, *, answer_only: bool = False) -> Row:
    """An example as tokens: the prompt without loss, the completion with its end-of-turn token.

    The completion is tokenised on its own, as it is when a judge writes it token by token.
    """
    prompt = tokenizer.apply_chat_template(
        row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    if answer_only:
        text = f"<answer>[[{WINNERS[row['winner']]}]]</answer>"
    else:
        text = row["completion"][0]["content"]
    target = [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
    return {
        "input_ids": prompt + target,
        "labels": [-100] * len(prompt) + target,
        "pair_hash": row["pair_hash"],
    }
