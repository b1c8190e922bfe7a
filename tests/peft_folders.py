"""Adapters as PEFT writes them, made without it, and small bases for them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter
from numpy.typing import NDArray

WIDTH, HEADS, KEY_HEADS, INNER = 64, 4, 2, 96
SHAPES = {
    "self_attn.q_proj": (WIDTH, WIDTH),
    "self_attn.k_proj": (WIDTH // 2, WIDTH),
    "self_attn.v_proj": (WIDTH // 2, WIDTH),
    "self_attn.o_proj": (WIDTH, WIDTH),
    "mlp.gate_proj": (INNER, WIDTH),
    "mlp.up_proj": (INNER, WIDTH),
    "mlp.down_proj": (WIDTH, INNER),
}
LLAMA_NAMES = dict(
    zip(
        SHAPES,
        ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"),
        strict=True,
    )
)
CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "use_dora": False}


def safetensors(tensors: dict[str, tuple[str, tuple[int, ...], bytes]]) -> bytes:
    """A file's content from names, types, shapes and bytes."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, (kind, shape, content) in tensors.items():
        place = [len(data), len(data) + len(content)]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": place}
        data += content
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + data


def factors(
    shapes: dict[str, tuple[int, int]] = SHAPES, rank: int = 4, layers: int = 1, seed: int = 0
) -> dict[str, NDArray[np.float32]]:
    """Random factors under PEFT's names."""
    random = np.random.default_rng(seed)
    made = {}
    for layer in range(layers):
        for module, (rows, columns) in shapes.items():
            name = f"base_model.model.model.layers.{layer}.{module}"
            made[f"{name}.lora_A.weight"] = random.normal(size=(rank, columns)).astype(np.float32)
            made[f"{name}.lora_B.weight"] = random.normal(size=(rows, rank)).astype(np.float32)
    return made


def peft_folder(
    folder: Path, tensors: dict[str, NDArray[np.float32]] | None = None, **config: Any
) -> Path:
    """An adapter as PEFT saves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({**CONFIG, **config}))
    found = factors() if tensors is None else tensors
    content = {name: ("F32", array.shape, array.tobytes()) for name, array in found.items()}
    (folder / "adapter_model.safetensors").write_bytes(safetensors(content))
    return folder


def base_file(path: Path, architecture: str = "llama") -> Path:
    """A model of one layer, in float32, that nothing could run."""
    random = np.random.default_rng(1)
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for module, shape in SHAPES.items():
        weight = random.normal(size=shape).astype(np.float32)
        writer.add_tensor(f"blk.0.{LLAMA_NAMES[module]}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
