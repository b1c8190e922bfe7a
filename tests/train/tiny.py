"""A random model of a few thousand weights, its tokeniser, and rows to train it on."""

import json
from pathlib import Path
from typing import Any

from training.recipe import Recipe

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_base(folder: Path, layers: int = 1) -> Path:
    """A model folder as `from_pretrained` reads it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=layers,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.train_from_iterator(
        ["What is one and two? It is three.", "<eval> <answer>[[A]]</answer>"],
        trainers.BpeTrainer(
            vocab_size=320,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="<|end|>"
    )
    made.chat_template = TEMPLATE
    return made


def write_data(folder: Path, rows: int = 24) -> Path:
    """A data set folder with rows of every kind; every pair of `rlvr` stands in both orders."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, list[dict[str, Any]]] = {"sft": [], "rlvr": [], "preference": []}
    for number in range(rows):
        prompt = [
            {"role": "user", "content": f"What is {number} and one?" + " Say it." * (number % 5)}
        ]
        about = {"pair_hash": f"pair-{number:03}", "source": "tiny", "subset": "", "pair_id": ""}
        right, wrong = f"It is {number + 1}.", "It is nothing."
        answer = f"<eval>It is so.</eval><answer>[[{'AB'[number % 2]}]]</answer>"
        winner = ("model_a", "model_b")[number % 2]
        kinds["sft"].append(
            {
                "prompt": prompt,
                "completion": [{"role": "assistant", "content": answer}],
                "winner": winner,
                "order": "AB",
                **about,
            }
        )
        for order, better in (("AB", "model_a"), ("BA", "model_b")):
            first, second = (right, wrong) if order == "AB" else (wrong, right)
            kinds["rlvr"].append(
                {
                    "prompt": prompt,
                    "winner": better,
                    "order": order,
                    "response_a": first,
                    "response_b": second,
                    **about,
                }
            )
        sides = {
            name: [{"role": "assistant", "content": text}]
            for name, text in (("chosen", right), ("rejected", wrong))
        }
        kinds["preference"].append({"prompt": prompt, **sides, **about})
    for kind, found in kinds.items():
        held_out = len(found) // 6
        for split, part in (("train", found[held_out:]), ("validation", found[:held_out])):
            lines = "".join(json.dumps(row) + "\n" for row in part)
            (folder / f"{kind}.{split}.jsonl").write_text(lines)
    return folder


def recipe(base: Path, **values: Any) -> Recipe:
    """A recipe for the tiny model."""
    defaults: dict[str, Any] = {
        "name": "tiny",
        "kind": "sft",
        "base": str(base),
        "lora": {"rank": 2, "alpha": 4},
        "batch": 2,
        "learning_rate": 1e-2,
        "steps": 2,
        "save_every": 1,
        "precision": "fp32",
    }
    return Recipe.model_validate({**defaults, **values})
