"""The embedded model as a Hugging Face folder, which trainers and vLLM take.

`python -m training.base FOLDER` writes it; it needs torch, transformers and gguf.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rmr1.backends.weights import default_cache, file_hash, find_weights, read_gguf
from rmr1.errors import ConfigurationError, RMR1Error

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_OF_THE_FILE = {"quantization_config", "_name_or_path"}
_DTYPES = ("bfloat16", "float32")


def embedded_base(
    weights: Path | None = None, *, cache_dir: Path | None = None, dtype: str = "bfloat16"
) -> Path:
    """A folder with the model of a GGUF file, written once and kept in the cache.

    Args:
        weights: a GGUF file; by default the packaged one.
        cache_dir: by default the user's cache.
        dtype: `bfloat16`, or `float32` for the exact values of the file.

    Raises:
        ConfigurationError: the packaged weights are not there, or torch and transformers are not.
    """
    source = weights or find_weights()
    name = f"{source.name.split('.')[0]}.{dtype}.{file_hash(source)[:16]}"
    folder = (cache_dir or default_cache()) / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="base-") as scratch:
            draft = Path(scratch) / name
            write_base(source, draft, dtype=dtype)
            draft.rename(folder)
    return folder


def write_base(source: Path, folder: Path, *, dtype: str = "bfloat16") -> None:
    """Write the model of a GGUF file, its tokeniser and its chat template as a folder.

    Raises:
        ConfigurationError: torch and transformers are not there.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ConfigurationError(
            'a base for training needs torch and transformers: `pip install -e ".[train]"`.'
        ) from error
    where = {"pretrained_model_name_or_path": source.parent, "gguf_file": source.name}
    read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # What was read from GGUF refuses to be saved; the same values in a plain model do not.
    config = type(read.config)(
        **{k: v for k, v in read.config.to_dict().items() if k not in _OF_THE_FILE}
    )
    plain = type(read)(config)
    plain.load_state_dict(read.state_dict())
    plain.to(getattr(torch, dtype)).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(**where)
    if str(read_gguf(source).fields["tokenizer.ggml.pre"].contents()) == "smollm":
        _split_digits(tokenizer)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)


def _split_digits(tokenizer: "PreTrainedTokenizerFast") -> None:
    """Put back what transformers loses of this tokeniser: every digit stands alone.

    Without it a digit after two line breaks becomes other tokens than llama.cpp makes of it.

    Source: llama.cpp, `LLAMA_VOCAB_PRE_TYPE_SMOLLM` in src/llama-vocab.cpp.
    """
    from tokenizers import pre_tokenizers

    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Write the folder and print its path."""
    parser = argparse.ArgumentParser(description="Write the embedded model for trainers.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="GGUF file; by default the packaged one")
    parser.add_argument("--dtype", choices=_DTYPES, default=_DTYPES[0])
    asked = parser.parse_args(argv)
    try:
        write_base(asked.weights or find_weights(), asked.folder, dtype=asked.dtype)
    except RMR1Error as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{asked.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
