"""The baseline without reasoning: a scalar reward model, with TRL's RewardTrainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import fitting
from training.model import common_arguments, load_model, load_tokenizer
from training.recipe import Recipe
from training.rows import Row, as_dataset, examples_of, order_by_length


def train_scalar(
    recipe: Recipe, data: Path, out: Path, *, callbacks: Sequence[Any] = (), resume: bool = False
) -> Path:
    """Train on the `preference` rows of a data set folder; the result is a folder in `out`.

    Args:
        callbacks: of transformers' Trainer.
        resume: go on from the last whole checkpoint in `out`, if there is one.

    Raises:
        InputError: the data set cannot be used.
        ConfigurationError: the recipe does not fit the machine or the model.
    """
    trainer = build_scalar_trainer(recipe, data, out, callbacks=callbacks)
    return fitting.train(trainer, recipe, out, resume=resume)


def build_scalar_trainer(
    recipe: Recipe, data: Path, out: Path, *, callbacks: Sequence[Any] = ()
) -> Any:
    """The trainer of a scalar model, with model and data in place; errors as `train_scalar`."""
    from trl import RewardConfig, RewardTrainer

    tokenizer = load_tokenizer(recipe)

    def example(row: Row) -> Row | None:
        made = tokenise_sides(row, tokenizer)
        return made if _length(made) <= recipe.max_tokens else None

    examples = examples_of(data, "preference", "train", example)
    order = order_by_length(
        [_length(one) for one in examples],
        recipe.micro_batch,
        recipe.epochs_of(len(examples)),
        recipe.seed,
    )
    held_out = (
        examples_of(data, "preference", "validation", example) if recipe.evaluate_every else []
    )
    arguments = common_arguments(recipe, out, has_held_out=bool(held_out))
    return RewardTrainer(
        model=load_model(recipe, scalar=True),
        args=RewardConfig(
            **arguments, num_train_epochs=1, train_sampling_strategy="sequential", max_length=None
        ),
        train_dataset=as_dataset(examples, order),
        eval_dataset=as_dataset(held_out[: recipe.held_out]) if held_out else None,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )


def _length(example: Row) -> int:
    return max(len(example["chosen_ids"]), len(example["rejected_ids"]))


def tokenise_sides(row: Row, tokenizer: Any) -> Row:
    """The conversation with the chosen and with the rejected response, as tokens.

    The whole template is kept: a scalar model reads its number off the last token that is no
    padding, and the end-of-turn token may be the padding.
    """
    made: Row = {}
    for side in ("chosen", "rejected"):
        made[f"{side}_ids"] = tokenizer.apply_chat_template(
            row["prompt"] + row[side], tokenize=True, return_dict=False
        )
    if "margin" in row:
        made["margin"] = row["margin"]
    return made
