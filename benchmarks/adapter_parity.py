"""Whether llama.cpp and transformers answer alike, with and without an adapter.

python -m benchmarks.adapter_parity [--adapter PEFT_FOLDER] [--prompts 100] [--json]

Both sides read the same unquantised weights and the same tokens; what is compared are the natural
log-probabilities of the whole vocabulary at the next token. The baseline is transformers with
PEFT, run by the training environment's Python; without an adapter one of rank 16 on every linear
layer is drawn at random.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, LlamaFileType, quants
from numpy.typing import NDArray

from rmr1.backends.lora import convert_lora, merge_lora
from rmr1.backends.weights import (
    Stored,
    copy_gguf,
    file_hash,
    find_weights,
    prepare_weights,
    quantised,
    read_gguf,
)

ROOT = Path(__file__).parents[1]
_TEXTS = ("README.md", "CHANGELOG.md", "docs/*.md", "rmr1/*.py", "rmr1/profiles/*.toml")
_LENGTHS = (4, 8, 12, 20, 32, 48, 64, 96, 128, 160)

LogProbabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far two sets of log-probabilities, a row a prompt, are apart.

    Attributes:
        furthest: greatest absolute difference anywhere in the vocabulary.
        typical: median over the prompts of each one's greatest difference.
        divergence: mean Kullback-Leibler divergence, in nats.
        same_first: share of the prompts with the same likeliest token.
    """

    furthest: float
    typical: float
    divergence: float
    same_first: float

    @classmethod
    def of(cls, ours: LogProbabilities, theirs: LogProbabilities) -> "Likeness":
        """Compare `ours` with `theirs`, which the divergence takes for the truth."""
        apart = np.abs(ours - theirs).max(axis=1)
        p = np.exp(theirs.astype(np.float64))
        return cls(
            furthest=float(apart.max()),
            typical=float(np.median(apart)),
            divergence=float((p * (theirs.astype(np.float64) - ours)).sum(axis=1).mean()),
            same_first=float((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
        )


def main() -> None:
    """Compare, and print a line for each comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--adapter", type=Path, help="PEFT folder")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-train/bin/python")
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.reference:
        answer_as_reference(asked.reference)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), asked.prompts, asked.adapter, asked.python)
    if asked.json:
        print(json.dumps({name: vars_of(likeness) for name, likeness in found.items()}))
    else:
        print(f"{'log-probabilities of the next token':52} furthest  typical  divergence  same 1st")
        for name, one in found.items():
            print(
                f"{name:52} {one.furthest:8.5f} {one.typical:8.5f} {one.divergence:11.2e}"
                f"  {one.same_first:7.0%}"
            )
    sys.stdout.flush()
    os._exit(0)  # native threads may hang at an orderly end


def vars_of(likeness: Likeness) -> dict[str, float]:
    """The fields as JSON wants them."""
    return {name: getattr(likeness, name) for name in Likeness.__dataclass_fields__}


def compare(folder: Path, count: int, adapter: Path | None, python: Path) -> dict[str, Likeness]:
    """Let everyone answer the same prompts.

    Args:
        folder: scratch; takes about 1.5 GB.
        adapter: PEFT folder; None draws one at random.
        python: of an environment with torch, transformers and peft.
    """
    packed = find_weights()
    exact = folder / "exact.gguf"
    copy_gguf(read_gguf(packed), exact, _unquantised, LlamaFileType.ALL_F32)
    texts = list(_texts(count))
    asked = folder / "prompts.json"
    asked.write_text(
        json.dumps({"texts": texts, "adapter": str(adapter or ""), "gguf": str(exact)})
    )
    command = [str(python), "-m", "benchmarks.adapter_parity", "--reference", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr)
    tokens: list[list[int]] = json.loads((folder / "tokens.json").read_text())
    theirs = np.load(folder / "theirs.npz")
    peft = adapter or folder / "adapter"

    lora, merged = folder / "lora.gguf", folder / "merged.gguf"
    convert_lora(peft, lora, packed)
    merge_lora(exact, lora, merged)
    base, adapted = ask(exact, tokens, lora, (0.0, 1.0))
    [whole] = ask(merged, tokens)
    found = {
        "llama.cpp / transformers: base": Likeness.of(base, theirs["base"]),
        "llama.cpp / transformers: base + adapter": Likeness.of(adapted, theirs["adapted"]),
        "llama.cpp merged / transformers: base + adapter": Likeness.of(whole, theirs["adapted"]),
    }
    served = prepare_weights(packed, file_hash(packed), folder)
    merge_lora(packed, lora, merged)
    quick, quick_adapted = ask(served, tokens, lora, (0.0, 1.0))
    quick_whole, taken_out = ask(merged, tokens, lora, (0.0, -1.0))
    return found | {
        "Q8_0 base / transformers: base": Likeness.of(quick, theirs["base"]),
        "Q8_0 merged - adapter / transformers: base": Likeness.of(taken_out, theirs["base"]),
        "Q8_0 base + adapter / transformers": Likeness.of(quick_adapted, theirs["adapted"]),
        "Q8_0 merged / transformers: base + adapter": Likeness.of(quick_whole, theirs["adapted"]),
        "Q8_0 merged / Q8_0 base + adapter": Likeness.of(quick_whole, quick_adapted),
        "for scale: base + adapter / base": Likeness.of(adapted, base),
    }


def ask(
    model: Path,
    prompts: list[list[int]],
    lora: Path | None = None,
    scales: Sequence[float] = (0.0,),
) -> list[LogProbabilities]:
    """Log-probabilities by llama.cpp: of the model with the adapter laid on it at each strength.

    Keys, values and attention are kept in float32, which the served model does not.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel = 1024, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # others may be at work
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    disabled = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.flash_attn_type = disabled
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(lora), 1.0)] if lora else []
    params.verbosity, params.ui = 1, False
    server = xllamacpp.Server(params)
    found = []
    for scale in scales:
        rows = [_next_token(server, prompt, scale if lora else None) for prompt in prompts]
        found.append(np.stack(rows))
    return found


_PLAIN = 17
"""A token that is a character by itself: the exclamation mark."""


def _next_token(server: object, prompt: list[int], scale: float | None) -> LogProbabilities:
    body: dict[str, object] = {"prompt": prompt, "n_predict": 1, "temperature": 0}
    body |= {"n_probs": 1 << 20, "cache_prompt": False}
    # An end, or a part of a character, would come back without probabilities: another token is
    # taken, and the probabilities are still those before that.
    body["logit_bias"] = [[_PLAIN, 1000.0]]
    if scale is not None:
        body["lora"] = [{"id": 0, "scale": scale}]
    reply = server.handle_completions(body)  # type: ignore[attr-defined]
    [content] = reply["choices"][0]["logprobs"]["content"]
    row = np.full(len(content["top_logprobs"]), np.nan, np.float32)
    for one in content["top_logprobs"]:
        row[one["id"]] = one["logprob"]
    return normalised(row)


def normalised(row: LogProbabilities) -> LogProbabilities:
    """The same with probabilities that add up to one: llama.cpp adds them up in single precision.

    What is left to compare are the logits, up to the constant that no probability depends on.
    """
    exact = row.astype(np.float64)
    return np.asarray(exact - np.log(np.exp(exact).sum()), np.float32)


def answer_as_reference(folder: Path) -> None:
    """The part of transformers and PEFT: answer what `folder` asks, in float32."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.base import write_base

    asked = json.loads((folder / "prompts.json").read_text())
    write_base(Path(asked["gguf"]), folder / "base", dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    tokens = [
        tokenizer(text)["input_ids"][: _LENGTHS[number % len(_LENGTHS)]]
        for number, text in enumerate(asked["texts"])
    ]
    (folder / "tokens.json").write_text(json.dumps(tokens))
    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)

    def answers(asking: torch.nn.Module) -> LogProbabilities:
        asking.eval()
        with torch.inference_mode():
            rows = [asking(torch.tensor([one])).logits[0, -1].log_softmax(-1) for one in tokens]
        return torch.stack(rows).numpy()

    base = answers(model)
    if asked["adapter"]:
        adapted = PeftModel.from_pretrained(model, asked["adapter"])
    else:
        torch.manual_seed(0)
        adapted = get_peft_model(
            model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear")
        )
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.05)
        adapted.save_pretrained(folder / "adapter")
    np.savez(folder / "theirs.npz", base=base, adapted=answers(adapted))


def _unquantised(_name: str, stored: Stored) -> Stored:
    return quantised(quants.dequantize(*stored), GGMLQuantizationType.F32)


def _texts(count: int) -> Iterator[str]:
    """Pieces of this repository's own texts, the first words of `count` places in them."""
    whole = "\n".join(
        path.read_text(encoding="utf-8") for glob in _TEXTS for path in sorted(ROOT.glob(glob))
    )
    for number in range(count):
        begin = len(whole) * number // count
        yield whole[begin : begin + 2000]


if __name__ == "__main__":
    main()
