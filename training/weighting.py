"""Distillation in which the letters A and B weigh more than other tokens.

Of the hundred and more tokens of a trace one decides: the letter that is written first without
having been implied by what stands before. A small judge with few traces learns the wording long
before it learns to decide. A letter that is implied (in a tag, or the same verdict again) is
certain once the form is learnt, and a certain token costs nothing at any weight: so all letters
may count alike, and nobody has to find the one.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

_LETTERS = ("A", "B", " A", " B")


def letter_tokens(tokenizer: Any) -> list[int]:
    """The tokens that are a letter of a response, with a blank before it or without."""
    encoded = (tokenizer.encode(text, add_special_tokens=False) for text in _LETTERS)
    return sorted({tokens[0] for tokens in encoded if len(tokens) == 1})


def weighted_trainer(letters: Sequence[int], weight: float) -> Any:
    """A kind of `SFTTrainer` whose loss counts each of these tokens `weight` times.

    On a machine without a GPU it computes in bf16 under autocast with fp32 adapters, and projects
    onto the vocabulary only where a token counts: TRL's own loss projects everywhere there.
    """
    import torch
    from peft import PeftModel
    from peft.helpers import disable_input_dtype_casting
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class WeightedTrainer(SFTTrainer):  # type: ignore[misc]
        def compute_loss(
            self,
            model: Any,
            inputs: dict[str, Any],
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            following = inputs["labels"][:, 1:]
            counted = following != -100
            plain = self.accelerator.unwrap_model(model)
            with ExitStack() as computing:
                if isinstance(plain, PeftModel) and plain.dtype == torch.bfloat16:
                    device = following.device.type
                    computing.enter_context(torch.autocast(device, torch.bfloat16))
                    computing.enter_context(disable_input_dtype_casting(plain))
                outputs = model(
                    input_ids=inputs["input_ids"],
                    attention_mask=inputs["attention_mask"],
                    logits_to_keep=1,
                    output_hidden_states=True,
                    use_cache=False,
                )
                states = outputs.hidden_states[-1][:, :-1][counted]
                logits = plain.get_output_embeddings()(states).float()
            following = following[counted]
            each = cross_entropy(logits, following, reduction="none")
            heavy = torch.isin(following, torch.tensor(letters, device=following.device))
            total = (each * torch.where(heavy, weight, 1.0)).sum()
            self._note(logits, following, heavy, inputs["attention_mask"])
            loss = total / (len(following) if num_items_in_batch is None else num_items_in_batch)
            if self.args.average_tokens_across_devices and num_items_in_batch is not None:
                loss = loss * self.accelerator.num_processes
            return (loss, outputs) if return_outputs else loss

        def _note(self, logits: Any, following: Any, heavy: Any, attention: Any) -> None:
            mode = "train" if self.model.training else "eval"
            right = logits.detach().argmax(dim=-1) == following
            figures = self._metrics[mode]
            figures["mean_token_accuracy"].append(right.float().mean().item())
            if heavy.any():
                figures["letter_accuracy"].append(right[heavy].float().mean().item())
            if mode == "train":
                self._total_train_tokens += attention.sum().item()
            figures["num_tokens"] = [self._total_train_tokens]

    return WeightedTrainer
