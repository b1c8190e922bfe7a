"""What a judge that is being distilled writes for the same few held-out prompts, as it learns."""

from collections.abc import Callable, Sequence
from typing import Any

from transformers import TrainerCallback

from training.rows import Row

_MOST_TOKENS = 512


class GreedySamples(TrainerCallback):  # type: ignore[misc]  # no types where mypy runs
    """Draws a completion for each of a few rows whenever the validation split is looked at."""

    def __init__(
        self, rows: Sequence[Row], tokenizer: Any, keep: Callable[[int, list[Row]], None]
    ) -> None:
        """Begin.

        Args:
            rows: of the kind `sft`; their prompts are written to.
            keep: is given the step, and for each row its prompt and the text.
        """
        self._rows = rows
        self._tokenizer = tokenizer
        self._keep = keep

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        """Draw and keep; with several processes the model is in parts, and nothing is drawn."""
        if args.world_size > 1 or not self._rows:
            return
        prompts = [row["prompt"] for row in self._rows]
        side, self._tokenizer.padding_side = self._tokenizer.padding_side, "left"
        inputs = self._tokenizer.apply_chat_template(
            prompts, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        ).to(model.device)
        self._tokenizer.padding_side = side
        was_training = model.training
        model.eval()
        drawn = model.generate(**inputs, max_new_tokens=_MOST_TOKENS, do_sample=False)
        model.train(was_training)
        written = drawn[:, inputs["input_ids"].shape[1] :]
        texts = self._tokenizer.batch_decode(written, skip_special_tokens=True)
        self._keep(
            state.global_step,
            [
                {"prompt": row["prompt"], "text": text, "pair_hash": row["pair_hash"]}
                for row, text in zip(self._rows, texts, strict=True)
            ],
        )
