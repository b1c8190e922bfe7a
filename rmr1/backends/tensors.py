"""Tensors of a safetensors file, read with numpy alone."""

import math
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeInt, TypeAdapter, ValidationError

from rmr1.errors import InputError, first_problem

Array = NDArray[np.float32]

# bfloat16, which numpy does not know, is the upper half of a float32.
_BFLOAT16 = "BF16"
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", _BFLOAT16: "<u2"}


class _Entry(BaseModel):
    dtype: Literal["F64", "F32", "F16", "BF16"]
    shape: tuple[NonNegativeInt, ...]
    data_offsets: tuple[NonNegativeInt, NonNegativeInt]


_HEADER = TypeAdapter(dict[str, _Entry | dict[str, str]])


def read_tensors(path: Path) -> dict[str, Array]:
    """Every tensor of a safetensors file by its name, as float32.

    Source: https://github.com/huggingface/safetensors, "Format": the header's length in eight
    bytes, the header as JSON, the data.

    Raises:
        InputError: the file cannot be read, or is no safetensors file of floating-point numbers.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    start = 8 + int.from_bytes(content[:8], "little")
    try:
        if start > len(content):
            raise ValueError("the header is not all there")
        header = _HEADER.validate_json(content[8:start])
        return {
            name: _tensor(content[start:], entry)
            for name, entry in header.items()
            if isinstance(entry, _Entry)
        }
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(
            f"{str(path)!r} is no safetensors file of floats: {where}: {what}"
        ) from error
    except ValueError as error:
        raise InputError(f"{str(path)!r} is cut short or broken: {error}.") from error


def _tensor(content: bytes, entry: _Entry) -> Array:
    begin, end = entry.data_offsets
    kind = np.dtype(_TYPES[entry.dtype])
    raw = np.frombuffer(content, kind, math.prod(entry.shape), begin)
    if end - begin != raw.nbytes:
        raise ValueError("a tensor's place and shape differ")
    if entry.dtype == _BFLOAT16:
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32).reshape(entry.shape)
