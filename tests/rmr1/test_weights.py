from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, quants

from rmr1.backends.weights import file_hash, prepare_weights
from rmr1.errors import ConfigurationError

VALUES = np.linspace(-1, 1, 4 * 64, dtype=np.float32).reshape(4, 64)


def written(path: Path, kind: GGMLQuantizationType) -> Path:
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_token_list(["a", "b"])
    writer.add_tensor("norm", np.ones(8, dtype=np.float32))
    writer.add_tensor("weight", quants.quantize(VALUES, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_q4_1_becomes_q8_0_with_the_same_values_and_metadata(tmp_path: Path) -> None:
    source = written(tmp_path / "tiny.Q4_1.gguf", GGMLQuantizationType.Q4_1)
    copy = prepare_weights(source, file_hash(source), tmp_path / "cache")
    before, after = GGUFReader(source), GGUFReader(copy)
    assert [t.tensor_type.name for t in after.tensors] == ["F32", "Q8_0"]
    np.testing.assert_allclose(
        quants.dequantize(after.tensors[1].data, after.tensors[1].tensor_type),
        quants.dequantize(before.tensors[1].data, before.tensors[1].tensor_type),
        atol=0.01,
    )
    for key in ("general.architecture", "llama.block_count", "tokenizer.ggml.tokens"):
        assert after.fields[key].contents() == before.fields[key].contents()


def test_it_is_done_once_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    source = written(tmp_path / "tiny.Q4_1.gguf", GGMLQuantizationType.Q4_1)
    digest = file_hash(source)
    copy = prepare_weights(source, digest, tmp_path / "cache")
    made = copy.stat().st_mtime_ns
    assert prepare_weights(source, digest, tmp_path / "cache") == copy
    assert copy.stat().st_mtime_ns == made
    assert list((tmp_path / "cache").iterdir()) == [copy]
    assert digest[:16] in copy.name


def test_other_weights_are_served_as_they_are(tmp_path: Path) -> None:
    source = written(tmp_path / "tiny.Q8_0.gguf", GGMLQuantizationType.Q8_0)
    assert prepare_weights(source, file_hash(source), tmp_path) == source


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    source = written(tmp_path / "tiny.Q4_1.gguf", GGMLQuantizationType.Q4_1)
    blocked = tmp_path / "file"
    blocked.touch()
    assert prepare_weights(source, file_hash(source), blocked / "cache") == source


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "notes.gguf"
    source.write_text("no weights at all", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"notes\.gguf"):
        prepare_weights(source, file_hash(source), tmp_path)
