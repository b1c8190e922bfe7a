"""Reinforcement learning with a verifiable reward, with TRL's GRPOTrainer."""

from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any

from rmr1.errors import InputError
from rmr1.pair import Order
from rmr1.prompt import Layout, load_profile
from rmr1.reward import (
    Drawn,
    answer_reward,
    format_reward,
    grounding_penalty,
    length_penalty,
    published_reward,
    swap_rewards,
    weights_penalty,
)
from rmr1.verdict import training_verdict
from training import fitting
from training.model import common_arguments, load_model, load_tokenizer
from training.recipe import Grpo, Recipe, RewardName
from training.rows import Row, as_dataset, examples_of, order_by_pair

_COLUMNS = ("prompt", "winner", "order", "pair_hash", "response_a", "response_b")

Rewards = list[float | None]
Reward = Callable[..., Rewards]


Keep = Callable[[int, list[Row]], None]
"""Takes a step and rollouts of it: prompt, text, pair, and what each term gave."""


def reinforce(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    callbacks: Sequence[Any] = (),
    resume: bool = False,
    keep: Keep | None = None,
) -> Path:
    """Train on the `rlvr` rows of a data set folder; the result is a folder in `out`.

    The distance that `beta` weighs is from where the run starts: the base, or the adapter that it
    goes on from (TRL keeps a copy of that one as the reference).

    Args:
        callbacks: of transformers' Trainer.
        resume: go on from the last whole checkpoint in `out`, if there is one.
        keep: is given rollouts as they change: those of the same few held-out prompts, or, where
            nothing is held out, a few of each batch.

    Raises:
        InputError: the data set cannot be used.
        ConfigurationError: the recipe does not fit the machine or the model.
    """
    trainer = build_reinforcer(recipe, data, out, callbacks=callbacks, keep=keep)
    return fitting.train(trainer, recipe, out, resume=resume)


def build_reinforcer(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    callbacks: Sequence[Any] = (),
    keep: Keep | None = None,
) -> Any:
    """The trainer of an RL run, with model and data in place; errors as `reinforce`."""
    from trl import GRPOConfig, GRPOTrainer

    assert recipe.grpo is not None
    grpo = recipe.grpo
    tokenizer = load_tokenizer(recipe)

    def example(row: Row) -> Row | None:
        tokens = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=False
        )
        if len(tokens) > grpo.max_prompt:
            return None
        return {column: row.get(column, "") for column in _COLUMNS}

    examples = examples_of(data, "rlvr", "train", example)
    if "swap" in grpo.rewards:
        _refuse_single_orders(examples)
    order = order_by_pair(
        [one["pair_hash"] for one in examples], recipe.epochs_of(len(examples)), recipe.seed
    )
    held_out = examples_of(data, "rlvr", "validation", example) if recipe.evaluate_every else []
    terms = reward_terms(grpo, load_profile(recipe.profile).layout)
    return GRPOTrainer(
        model=load_model(recipe),
        reward_funcs=watched(
            terms, keep, recipe.samples, {one["pair_hash"] for one in held_out[: recipe.samples]}
        ),
        args=GRPOConfig(**grpo_arguments(recipe, grpo, out, has_held_out=bool(held_out))),
        train_dataset=as_dataset(examples, order),
        eval_dataset=as_dataset(held_out[: recipe.held_out]) if held_out else None,
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )


def grpo_arguments(
    recipe: Recipe, grpo: Grpo, out: Path, *, has_held_out: bool = False
) -> dict[str, Any]:
    """What `GRPOConfig` is made of."""
    arguments = common_arguments(recipe, out, has_held_out=has_held_out)
    drawings = (grpo.prompts or recipe.batch) // recipe.batch
    engine: dict[str, Any] = {}
    if grpo.vllm != "none":
        engine = {
            "use_vllm": True,
            "vllm_mode": grpo.vllm,
            "vllm_server_base_url": grpo.vllm_server if grpo.vllm == "server" else None,
            "vllm_gpu_memory_utilization": grpo.vllm_memory,
            "vllm_tensor_parallel_size": grpo.tensor_parallel,
            "vllm_max_model_length": grpo.max_prompt + grpo.max_completion,
        }
    return {
        **arguments,
        **engine,
        "num_train_epochs": 1,
        "shuffle_dataset": False,  # the order is in the data: a resumed run cannot but follow it
        "steps_per_generation": arguments["gradient_accumulation_steps"] * drawings,
        "num_generations": grpo.group,
        "num_generations_eval": 1,
        "max_completion_length": grpo.max_completion,
        "temperature": grpo.temperature,
        "top_p": grpo.top_p,
        "beta": grpo.beta,
        "epsilon": grpo.clip,
        "loss_type": grpo.loss,
        "scale_rewards": "group",
        "reward_weights": list(grpo.rewards.values()),
    }


def _refuse_single_orders(rows: Sequence[Row]) -> None:
    orders: dict[str, set[str]] = {}
    for row in rows:
        orders.setdefault(row["pair_hash"], set()).add(row["order"])
    if not any(len(found) > 1 for found in orders.values()):
        raise InputError(
            "The reward `swap` compares both orders of a pair, and no pair of the data set stands "
            "in both: make the data set with both orders, or take `swap` out of the recipe."
        )


def reward_terms(grpo: Grpo, layout: Layout) -> dict[RewardName, Reward]:
    """The recipe's terms as TRL calls them: with lists of completions and of the rows' columns."""

    def by_text(term: Callable[[str], float]) -> Reward:
        return lambda completions, **_: [term(text) for text in texts_of(completions)]

    def by_winner(term: Callable[[str, str], float]) -> Reward:
        return lambda completions, winner, **_: [
            term(text, name) for text, name in zip(texts_of(completions), winner, strict=True)
        ]

    def grounding(
        completions: list[Any], response_a: list[str], response_b: list[str], **_: Any
    ) -> Rewards:
        rows = zip(texts_of(completions), response_a, response_b, strict=True)
        return [grounding_penalty(*row) for row in rows]

    def swap(completions: list[Any], order: list[str], pair_hash: list[str], **_: Any) -> Rewards:
        rows = zip(pair_hash, order, texts_of(completions), strict=True)
        return swap_rewards([Drawn(pair, Order(name), text) for pair, name, text in rows])

    def length(completion_ids: list[list[int]], **_: Any) -> Rewards:
        budgets = (grpo.soft_budget, grpo.max_completion)
        return [length_penalty(len(tokens), *budgets) for tokens in completion_ids]

    known: dict[RewardName, Reward] = {
        "published": by_winner(published_reward),
        "answer": by_winner(answer_reward),
        "format": by_text(lambda text: format_reward(text, layout)),
        "grounding": grounding,
        "swap": swap,
        "weights": by_text(weights_penalty),
        "length": length,
    }
    return {name: known[name] for name in grpo.rewards}


def texts_of(completions: Sequence[Any]) -> list[str]:
    """The judge's texts, whether TRL gives them as such or as turns of a chat."""
    return [one if isinstance(one, str) else str(one[-1]["content"]) for one in completions]


def watched(
    terms: dict[RewardName, Reward],
    keep: Keep | None = None,
    samples: int = 0,
    pairs: Container[str] = (),
) -> list[Reward]:
    """The terms, named as TRL's figures will be.

    With the last of them the share of rollouts without a verdict is given to TRL as a figure, and
    some rollouts to `keep`.

    Args:
        samples: how many rollouts of a batch are kept at most.
        pairs: hashes of the pairs whose rollouts are kept; empty for any.
    """
    given: dict[str, Rewards] = {}

    def look(texts: list[str], columns: dict[str, Any]) -> None:
        silent = sum(training_verdict(text) is None for text in texts)
        columns["log_metric"]("no_verdict", silent / len(texts))
        wanted = [
            index for index, pair in enumerate(columns["pair_hash"]) if not pairs or pair in pairs
        ]
        kept = [
            {
                "prompt": columns["prompts"][index],
                "text": texts[index],
                "pair_hash": columns["pair_hash"][index],
                "winner": columns["winner"][index],
                "rewards": {name: values[index] for name, values in given.items()},
            }
            for index in wanted[:samples]
        ]
        if keep and kept:
            keep(columns["trainer_state"].global_step, kept)

    def make(name: RewardName, term: Reward, *, is_last: bool) -> Reward:
        def reward(*, completions: list[Any], **columns: Any) -> Rewards:
            given[name] = term(completions=completions, **columns)
            if is_last:
                look(texts_of(completions), columns)
            return given[name]

        reward.__name__ = name
        return reward

    last = next(reversed(terms))
    return [make(name, term, is_last=name == last) for name, term in terms.items()]
