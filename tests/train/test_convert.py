"""Trained weights on both sides of the conversion: transformers with PEFT, and llama.cpp."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP_PYTHON = ROOT / ".venv/bin/python"

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore"),  # torch and its friends warn about themselves
]
torch = pytest.importorskip("torch")
pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from rmr1.errors import ConfigurationError
    from training.base import embedded_base

    try:
        return embedded_base(cache_dir=tmp_path_factory.mktemp("cache"))
    except ConfigurationError as error:
        pytest.skip(str(error))


def test_a_folder_is_made_once_and_loads(folder: Path) -> None:
    from training.base import embedded_base

    at = (folder / "model.safetensors").stat().st_mtime_ns
    assert embedded_base(cache_dir=folder.parent) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == at
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert model.config.num_key_value_heads == 3


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("one\n\n1. two", ["one", "ĊĊ", "1", ".", "Ġtwo"]),
        ("x  57", ["x", "ĠĠ", "5", "7"]),
        ("(40%)", ["(", "4", "0", "%)"]),
    ],
)
def test_the_tokeniser_splits_digits_as_llama_does(
    folder: Path, text: str, tokens: list[str]
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize(text) == tokens


@pytest.mark.skipif(not APP_PYTHON.exists(), reason="the app's environment is not there")
def test_llama_and_transformers_answer_alike_with_and_without_an_adapter() -> None:
    """Float tolerance for float32; eight bits may move what nearly ties."""
    command = [str(APP_PYTHON), "-m", "benchmarks.adapter_parity", "--prompts", "4", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for name, one in found.items():
        if name.startswith("llama.cpp"):
            assert one["furthest"] < 1e-2, name
            assert one["same_first"] == 1, name
    assert found["for scale: base + adapter / base"]["typical"] > 1
    assert found["Q8_0 merged / Q8_0 base + adapter"]["divergence"] < 0.1
