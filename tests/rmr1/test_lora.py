import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, quants

from rmr1.backends.lora import convert_lora, main, merge_lora
from rmr1.backends.weights import copy_gguf, quantised, read_gguf
from rmr1.errors import ConfigurationError, InputError
from tests.peft_folders import (
    HEADS,
    KEY_HEADS,
    LLAMA_NAMES,
    SHAPES,
    base_file,
    factors,
    peft_folder,
)

LAYER = "base_model.model.model.layers.0."


@pytest.fixture
def base(tmp_path):
    return base_file(tmp_path / "base.gguf")


def tensors(path):
    return {tensor.name: tensor.data for tensor in GGUFReader(path).tensors}


def turned(weight, heads):
    """Rows in llama.cpp's order, one by one: the j-th pair of a head is its j-th row of each half.

    Source: llama.cpp, `permute` of convert_hf_to_gguf.py, read as what it does to each row.
    """
    size = len(weight) // heads
    rows = [
        head * size + half * (size // 2) + pair
        for head in range(heads)
        for pair in range(size // 2)
        for half in range(2)
    ]
    return weight[rows]


def delta(found, module, scale=2.0):
    a, b = (found[f"{LAYER}{module}.lora_{one}.weight"] for one in "AB")
    change = scale * (b @ a)
    heads = {"self_attn.q_proj": HEADS, "self_attn.k_proj": KEY_HEADS}.get(module)
    return turned(change, heads) if heads else change


def test_every_linear_layer_has_its_counterpart_with_rows_in_llamas_order(tmp_path, base):
    convert_lora(peft_folder(tmp_path / "peft"), tmp_path / "lora.gguf", base)
    reader = GGUFReader(tmp_path / "lora.gguf")
    assert reader.fields["general.architecture"].contents() == "llama"
    assert reader.fields["general.type"].contents() == "adapter"
    assert reader.fields["adapter.type"].contents() == "lora"
    assert reader.fields["adapter.lora.alpha"].contents() == 8.0
    made = tensors(tmp_path / "lora.gguf")
    assert len(made) == 2 * len(SHAPES)
    for module, name in LLAMA_NAMES.items():
        a, b = (made[f"blk.0.{name}.weight.lora_{one}"] for one in "ab")
        np.testing.assert_allclose(2.0 * (b @ a), delta(factors(), module), rtol=1e-5, atol=1e-5)


def test_other_architectures_keep_their_rows(tmp_path):
    base = base_file(tmp_path / "base.gguf", "qwen2")
    convert_lora(peft_folder(tmp_path / "peft"), tmp_path / "lora.gguf", base)
    made = tensors(tmp_path / "lora.gguf")
    wanted = factors()[f"{LAYER}self_attn.q_proj.lora_B.weight"]
    np.testing.assert_array_equal(made["blk.0.attn_q.weight.lora_b"], wanted)


def test_rank_stabilised_adapters_are_as_strong_as_peft_makes_them(tmp_path, base):
    folder = peft_folder(tmp_path / "peft", use_rslora=True)
    convert_lora(folder, tmp_path / "lora.gguf", base)
    alpha = GGUFReader(tmp_path / "lora.gguf").fields["adapter.lora.alpha"].contents()
    assert alpha / 4 == pytest.approx(8 / 4**0.5)


def test_merged_weights_are_the_base_and_the_adapter(tmp_path, base):
    convert_lora(peft_folder(tmp_path / "peft"), tmp_path / "lora.gguf", base)
    merge_lora(base, tmp_path / "lora.gguf", tmp_path / "merged.gguf")
    before, after = tensors(base), tensors(tmp_path / "merged.gguf")
    np.testing.assert_array_equal(after["output_norm.weight"], before["output_norm.weight"])
    for module, name in LLAMA_NAMES.items():
        weight = f"blk.0.{name}.weight"
        wanted = before[weight] + delta(factors(), module)
        np.testing.assert_allclose(after[weight], wanted, rtol=1e-5, atol=1e-5)


def test_quantised_weights_are_merged_in_eight_bits(tmp_path, base):
    def four_bits(name, stored):
        return quantised(stored[0], GGMLQuantizationType.Q4_1) if "blk" in name else stored

    small = tmp_path / "small.gguf"
    copy_gguf(read_gguf(base), small, four_bits)
    only_v = {name: one for name, one in factors().items() if "v_proj" in name}
    convert_lora(peft_folder(tmp_path / "peft", only_v), tmp_path / "lora.gguf", base)
    merge_lora(small, tmp_path / "lora.gguf", tmp_path / "merged.gguf")
    merged = {tensor.name: tensor for tensor in GGUFReader(tmp_path / "merged.gguf").tensors}
    kinds = {tensor.tensor_type.name for name, tensor in merged.items() if "blk" in name}
    assert kinds == {"Q8_0"}
    before = {tensor.name: tensor for tensor in GGUFReader(small).tensors}["blk.0.attn_v.weight"]
    wanted = quants.dequantize(before.data, before.tensor_type) + delta(
        factors(), "self_attn.v_proj"
    )
    after = merged["blk.0.attn_v.weight"]
    np.testing.assert_allclose(quants.dequantize(after.data, after.tensor_type), wanted, atol=0.2)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias"),
        ({"peft_type": "IA3"}, "peft_type"),
        ({"rank_pattern": {"q_proj": 8}}, "rank_pattern"),
        ({"r": 0}, "r:"),
        ({"lora_alpha": "much"}, "lora_alpha"),
    ],
)
def test_what_llama_cannot_apply_is_refused_by_its_name(tmp_path, base, config, says):
    folder = peft_folder(tmp_path / "peft", **config)
    with pytest.raises(InputError, match=rf"adapter_config\.json.*{says}"):
        convert_lora(folder, tmp_path / "lora.gguf", base)
    assert not (tmp_path / "lora.gguf").exists()


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        (f"{LAYER}mlp.up_proj.lora_magnitude_vector", (4, 64), "no counterpart"),
        ("base_model.model.model.layers.0.mlp.odd.lora_A.weight", (4, 64), "no counterpart"),
        ("base_model.model.lm_head.lora_A.weight", (4, 64), "does not fit"),
        ("base_model.model.model.layers.7.mlp.up_proj.lora_A.weight", (4, 64), "no counterpart"),
        (f"{LAYER}mlp.up_proj.lora_A.weight", (4, 65), "does not fit"),
        (f"{LAYER}mlp.up_proj.lora_B.weight", (64, 4), "does not fit"),
        (f"{LAYER}mlp.up_proj.lora_A.weight", (64,), "does not fit"),
    ],
)
def test_a_tensor_without_a_place_is_refused(tmp_path, base, name, shape, says):
    folder = peft_folder(tmp_path / "peft", {name: np.zeros(shape, np.float32)})
    with pytest.raises(InputError, match=says):
        convert_lora(folder, tmp_path / "lora.gguf", base)


def test_half_an_adapter_is_refused(tmp_path, base):
    half = {name: one for name, one in factors().items() if "lora_A" in name}
    with pytest.raises(InputError, match="without the other"):
        convert_lora(peft_folder(tmp_path / "peft", half), tmp_path / "lora.gguf", base)
    with pytest.raises(InputError, match="holds nothing"):
        convert_lora(peft_folder(tmp_path / "none", {}), tmp_path / "lora.gguf", base)


def test_merging_refuses_what_is_no_adapter_or_anothers(tmp_path, base):
    with pytest.raises(InputError, match="no LoRA"):
        merge_lora(base, base, tmp_path / "merged.gguf")
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(ConfigurationError):
        merge_lora(base, tmp_path / "text", tmp_path / "merged.gguf")
    convert_lora(peft_folder(tmp_path / "peft"), tmp_path / "lora.gguf", base)
    other = tmp_path / "other.gguf"
    other.write_bytes(base.read_bytes().replace(b"attn_q", b"attn_x"))
    with pytest.raises(InputError, match="another model"):
        merge_lora(other, tmp_path / "lora.gguf", tmp_path / "merged.gguf")


def test_the_command_converts_and_merges_and_says_what_is_wrong(tmp_path, base, capsys):
    folder = str(peft_folder(tmp_path / "peft"))
    out = tmp_path / "out.gguf"
    assert main([folder, str(out), "--base", str(base)]) == 0
    assert "blk.0.attn_q.weight.lora_a" in tensors(out)
    assert main([folder, str(out), "--base", str(base), "--merge"]) == 0
    assert "blk.0.attn_q.weight" in tensors(out)
    assert capsys.readouterr().out == f"{out}\n" * 2
    assert main([str(tmp_path), str(out), "--base", str(base)]) == 1
    assert "adapter_config.json" in capsys.readouterr().err
