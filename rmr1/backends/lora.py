"""A trained adapter for llama.cpp: from a PEFT folder to GGUF, or merged into the base weights.

`python -m rmr1.backends.lora FOLDER OUT.gguf` converts; with `--merge` OUT is the merged model.
"""

import argparse
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from gguf import (
    MODEL_ARCH_NAMES,
    GGMLQuantizationType,
    GGUFReader,
    GGUFWriter,
    get_tensor_name_map,
    quants,
)
from pydantic import BaseModel, Field, ValidationError

from rmr1.backends.tensors import Array, read_tensors
from rmr1.backends.weights import (
    Stored,
    copy_gguf,
    faster,
    find_weights,
    make_whole,
    quantised,
    read_gguf,
)
from rmr1.errors import InputError, RMR1Error, first_problem

CONFIG_FILE = "adapter_config.json"
TENSORS_FILE = "adapter_model.safetensors"

_FACTOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<factor>[AB])\.weight")

# llama.cpp turns neighbouring rows of q and k by the position where transformers turns the two
# halves of a head; files of this one architecture hold the rows in llama.cpp's order.
_REORDERED = "llama"
_ROTATED = {"attn_q": "head_count", "attn_k": "head_count_kv"}

_UNQUANTISED = {
    GGMLQuantizationType.F32,
    GGMLQuantizationType.F16,
    GGMLQuantizationType.BF16,
}
_A, _B = ".lora_a", ".lora_b"


class _Config(BaseModel):
    """What PEFT says of an adapter; the values that llama.cpp has no counterpart of are refused."""

    peft_type: Literal["LORA"]
    r: int = Field(gt=0)
    lora_alpha: float = Field(gt=0)
    use_rslora: bool = False
    use_dora: Literal[False] = False
    fan_in_fan_out: Literal[False] = False
    bias: Literal["none"] = "none"
    rank_pattern: dict[str, int] = Field(default={}, max_length=0)
    alpha_pattern: dict[str, float] = Field(default={}, max_length=0)

    @property
    def alpha(self) -> float:
        """What divided by the rank gives the adapter's strength."""
        return self.lora_alpha * math.sqrt(self.r) if self.use_rslora else self.lora_alpha


class _Base:
    """The model that an adapter is for, as far as an adapter's tensors depend on it."""

    def __init__(self, path: Path) -> None:
        reader = read_gguf(path)
        self.architecture = str(_field(reader, "general.architecture"))
        self._shapes = {tensor.name: tensor.shape[::-1] for tensor in reader.tensors}
        self._heads = {
            part: int(str(_field(reader, f"{self.architecture}.attention.{key}")))
            for part, key in _ROTATED.items()
        }
        blocks = int(str(_field(reader, f"{self.architecture}.block_count")))
        known = {name: number for number, name in MODEL_ARCH_NAMES.items()}
        self._names = get_tensor_name_map(known[self.architecture], blocks)

    def factor(self, peft_name: str, values: Array) -> tuple[str, Array]:
        """A factor of the adapter, named and ordered as llama.cpp wants it.

        Raises:
            InputError: no tensor of this model can take it.
        """
        match = _FACTOR.fullmatch(peft_name)
        name = match and self._names.get_name(match["module"])
        if not match or not name:
            raise InputError(f"{peft_name!r} has no counterpart in llama.cpp.")
        weight, is_b = f"{name}.weight", match["factor"] == "B"
        shape = self._shapes.get(weight)
        if shape is None or values.ndim != 2 or shape[0 if is_b else 1] != values.shape[1 - is_b]:
            raise InputError(f"{peft_name!r} does not fit the model's {weight} {shape}.")
        heads = self._heads.get(name.rpartition(".")[2])
        if is_b and heads and self.architecture == _REORDERED:
            halves = values.reshape(heads, 2, -1, values.shape[1])
            values = halves.swapaxes(1, 2).reshape(values.shape)
        return f"{weight}.lora_{match['factor'].lower()}", values


def convert_lora(folder: Path, target: Path, base: Path) -> None:
    """Write the adapter of a PEFT folder as a LoRA file that llama.cpp applies to `base`.

    Args:
        folder: holds `adapter_config.json` and `adapter_model.safetensors`.
        target: the GGUF file to write; in float32, so that nothing is lost.
        base: GGUF file of the model that the adapter was trained on, however quantised.

    Raises:
        InputError: the folder holds no adapter that llama.cpp could apply to `base`.
        ConfigurationError: `base` is no GGUF file.
        OSError: `target` cannot be written.
    """
    config = _read_config(folder / CONFIG_FILE)
    factors = read_tensors(folder / TENSORS_FILE)
    model = _Base(base)
    try:
        named = dict(model.factor(name, values) for name, values in factors.items())
        _check_whole(named)
    except InputError as error:
        raise InputError(f"the adapter in {str(folder)!r} cannot be converted: {error}") from error

    def write(draft: Path) -> None:
        writer = GGUFWriter(draft, model.architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", config.alpha)
        for name, values in sorted(named.items()):
            writer.add_tensor(name, np.ascontiguousarray(values))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    make_whole(target, write)


def merge_lora(base: Path, adapter: Path, target: Path) -> None:
    """Write `base` with an adapter added to its weights: no cost while writing, no way back.

    What the adapter touches is written in eight bits where it was quantised, else as it was.

    Args:
        base: GGUF file of the model, however quantised.
        adapter: LoRA file in GGUF.
        target: the GGUF file to write.

    Raises:
        InputError: `adapter` belongs to another model, or is none.
        ConfigurationError: a file is no GGUF file.
        OSError: `target` cannot be written.
    """
    reader, lora = read_gguf(base), read_gguf(adapter)
    factors = {tensor.name: tensor.data for tensor in lora.tensors}
    if _field(lora, "adapter.type") != "lora":
        raise InputError(f"{str(adapter)!r} is no LoRA file.")
    alpha = float(str(_field(lora, "adapter.lora.alpha")))
    changed = {name.removesuffix(_A) for name in factors if name.endswith(_A)}
    if strange := changed - {tensor.name for tensor in reader.tensors}:
        raise InputError(f"{str(adapter)!r} is for another model: it changes {min(strange)}.")

    def change(name: str, stored: Stored) -> Stored:
        if name not in changed:
            return faster(name, stored)
        a, b = factors[f"{name}{_A}"], factors[f"{name}{_B}"]
        kind = stored[1] if stored[1] in _UNQUANTISED else GGMLQuantizationType.Q8_0
        return quantised(quants.dequantize(*stored) + alpha / len(a) * (b @ a), kind)

    make_whole(target, lambda draft: copy_gguf(reader, draft, change))


def _check_whole(named: Mapping[str, Array]) -> None:
    halves = {name.rpartition(".")[0] for name in named}
    if not halves:
        raise InputError("it holds nothing.")
    if alone := [one for one in halves for half in (_A, _B) if f"{one}{half}" not in named]:
        raise InputError(f"{alone[0]!r} has one factor without the other.")


def _read_config(path: Path) -> _Config:
    try:
        return _Config.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"{str(path)!r} is no adapter for llama.cpp: {where}: {what}") from error


def _field(reader: GGUFReader, name: str) -> object:
    field = reader.get_field(name)
    return field.contents() if field else None


def main(argv: Sequence[str] | None = None) -> int:
    """Convert or merge one adapter and print the file's path."""
    parser = argparse.ArgumentParser(description="Make a PEFT adapter fit for llama.cpp.")
    parser.add_argument("folder", type=Path, help="PEFT adapter")
    parser.add_argument("target", type=Path, help="GGUF file to write")
    parser.add_argument("--base", type=Path, help="GGUF file of its base; the embedded one")
    parser.add_argument("--merge", action="store_true", help="write the merged model")
    asked = parser.parse_args(argv)
    try:
        base = asked.base or find_weights()
        if asked.merge:
            with TemporaryDirectory() as folder:
                convert_lora(asked.folder, Path(folder) / "lora.gguf", base)
                merge_lora(base, Path(folder) / "lora.gguf", asked.target)
        else:
            convert_lora(asked.folder, asked.target, base)
        sys.stdout.write(f"{asked.target}\n")
    except (RMR1Error, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
