import hashlib
import json

import pytest

from rmr1.backends import adapters
from rmr1.backends.adapters import Adapter, Adapters, Base, prepare_lora, prepare_merged
from rmr1.backends.lora import convert_lora
from rmr1.backends.weights import file_hash
from rmr1.errors import ConfigurationError
from tests.peft_folders import base_file, factors, peft_folder


@pytest.fixture
def base(tmp_path):
    path = base_file(tmp_path / "base.gguf")
    return Base(path, file_hash(path))


def test_an_adapter_is_its_name_and_the_hash_of_its_weights(tmp_path):
    folder = peft_folder(tmp_path / "peft")
    digest = hashlib.sha256((folder / "adapter_model.safetensors").read_bytes()).hexdigest()
    assert Adapter.at("mine", folder).identity == f"mine@{digest[:8]}"


def test_one_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(ConfigurationError, match="mine"):
            Adapters({"mine": path})


def test_a_name_means_the_newest_and_an_identity_the_same_for_ever(tmp_path):
    old = Adapter.at("judge", peft_folder(tmp_path / "old", factors(seed=1)))
    new = Adapter.at("judge", peft_folder(tmp_path / "new", factors(seed=2)))
    known = Adapters({"judge": old.path})
    known.add(new)
    assert known.find("judge") == new
    assert known.find(old.identity) == old
    known.add(old)
    assert known.find("judge") == old
    assert len(known.all) == 2
    assert known.find("other") is None


def test_it_is_converted_once_and_again_when_its_strength_changes(tmp_path, base):
    folder = peft_folder(tmp_path / "peft")
    adapter = Adapter.at("mine", folder)
    made = prepare_lora(adapter, base, tmp_path / "cache")
    at = made.stat().st_mtime_ns
    assert prepare_lora(adapter, base, tmp_path / "cache") == made
    assert made.stat().st_mtime_ns == at
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    assert prepare_lora(adapter, base, tmp_path / "cache") != made


def test_a_file_for_llama_is_taken_as_it_is_and_merges_like_its_folder(tmp_path, base):
    folder = peft_folder(tmp_path / "peft")
    convert_lora(folder, tmp_path / "lora.gguf", base.path)
    ready = Adapter.at("ready", tmp_path / "lora.gguf")
    assert prepare_lora(ready, base, tmp_path / "cache") == tmp_path / "lora.gguf"
    merged = prepare_merged(ready, base, tmp_path / "cache")
    other = prepare_merged(Adapter.at("mine", folder), base, tmp_path / "cache")
    assert merged != other
    assert merged.read_bytes() == other.read_bytes()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, base):
    adapter = Adapter.at("mine", peft_folder(tmp_path / "peft"))
    blocked = tmp_path / "file"
    blocked.touch()
    for prepare in (prepare_lora, prepare_merged):
        with pytest.raises(ConfigurationError, match="RMR1_BACKEND__CACHE_DIR"):
            prepare(adapter, base, blocked / "cache")


def test_the_packaged_adapter_is_offered_only_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(adapters, "PACKAGED_FOLDER", tmp_path / "judge")
    assert adapters.packaged_adapter() == {}
    folder = peft_folder(tmp_path / "judge")
    assert adapters.packaged_adapter() == {"judge": folder}
