from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.tensors import read_tensors
from rmr1.errors import InputError
from tests.peft_folders import safetensors

VALUES = np.array([[1.5, -2.0, 0.0], [0.25, 3.0, -0.125]], np.float32)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("F64", VALUES.astype("<f8").tobytes()),
        ("F32", VALUES.astype("<f4").tobytes()),
        ("F16", VALUES.astype("<f2").tobytes()),
        ("BF16", (VALUES.view(np.uint32) >> 16).astype("<u2").tobytes()),
    ],
)
def test_floats_of_every_width_become_float32(tmp_path, kind, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors({"first": ("F32", (1,), b"\0" * 4), "w": (kind, (2, 3), content)}))
    found = read_tensors(path)
    assert list(found) == ["first", "w"]
    assert found["w"].dtype == np.float32
    np.testing.assert_array_equal(found["w"], VALUES)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cut short"),
        (b"\xff" * 8 + b"{}", "cut short"),
        (bytes(8), "no safetensors"),
        (safetensors({"w": ("I64", (1,), b"\0" * 8)}), "no safetensors"),
        (safetensors({"w": ("F32", (2,), b"\0" * 8)})[:-4], "cut short"),
        (safetensors({"w": ("F32", (3,), b"\0" * 8)}), "cut short"),
        (safetensors({"w": ("F32", (-1,), b"\0" * 8)}), "no safetensors"),
        (safetensors({"w": ("F32", (1,), b"\0" * 8)}), "place and shape"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, content, says):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"broken\.safetensors.*{says}"):
        read_tensors(path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="none"):
        read_tensors(tmp_path / "none")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 120))
def test_any_bytes_are_tensors_or_refused(tmp_path_factory, noise, at):
    whole = safetensors({"w": ("F32", (2, 3), VALUES.tobytes())})
    path = tmp_path_factory.mktemp("any") / "x"
    path.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    with suppress(InputError):
        assert all(array.dtype == np.float32 for array in read_tensors(path).values())
