"""Hugging Face checkpoints loaded into this process; torch comes in only here and later."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from rmr1.backends.base import Identity
from rmr1.backends.lora import TENSORS_FILE
from rmr1.backends.revision import model_name, model_revision
from rmr1.backends.tensors import read_tensors
from rmr1.errors import ConfigurationError, InputError
from rmr1.settings import CheckpointSettings

Head = Literal["text", "score"]

_INSTALL = '`pip install -e ".[transformers]"`'


def on_zero_gpu() -> bool:
    """Whether this is a ZeroGPU Space, which lends its GPU to one decorated call at a time."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "true"}


def load_checkpoint(settings: CheckpointSettings, head: Head, **config: object) -> tuple[Any, Any]:
    """A model, ready to compute on its device, and its tokeniser.

    Code that comes with a checkpoint is never run.

    Args:
        head: what the model gives: the next token, or one score for the whole text.
        config: values that take the place of those in the checkpoint's configuration.

    Raises:
        ConfigurationError: torch and transformers are missing, or it cannot be loaded here.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ConfigurationError(
            f"a checkpoint in this process needs torch and transformers: {_INSTALL}."
        ) from error
    kind = {
        "text": transformers.AutoModelForCausalLM,
        "score": transformers.AutoModelForSequenceClassification,
    }[head]
    device = _device(settings.device, torch)
    where: dict[str, Any] = {"revision": settings.revision or None}
    how = {"dtype": settings.dtype, **config, **_bits(settings, torch)}
    if device.startswith("cuda"):
        # Accelerate puts what does not fit one GPU on the others; ZeroGPU has one, lent later.
        spread = settings.device == "auto" and not on_zero_gpu()
        how["device_map"] = "auto" if spread else device
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(settings.model, **where)
        model = kind.from_pretrained(settings.model, **where, **how)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise ConfigurationError(
            f"the model {settings.model!r} cannot be loaded: {first_line(error)}"
        ) from error
    if "device_map" not in how:
        model.to(device)
    return model.eval(), tokenizer


def load_adapter(model: Any, folder: Path, key: str) -> Any:
    """The model with one more adapter; the first one wraps it.

    Args:
        key: what the adapter is called inside the model; letters and digits.

    Raises:
        InputError: the adapter does not fit the model, which is left as it was.
        ConfigurationError: PEFT is missing.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ConfigurationError(f"an adapter needs peft: {_INSTALL}.") from error
    try:
        _check_fit(model.get_base_model() if isinstance(model, PeftModel) else model, folder)
        if isinstance(model, PeftModel):
            model.load_adapter(str(folder), key)
        else:
            model = PeftModel.from_pretrained(model, str(folder), adapter_name=key)
    except (OSError, ValueError, AttributeError, TypeError, RuntimeError) as error:
        raise InputError(
            f"the adapter {str(folder)!r} does not fit the model: {first_line(error)}"
        ) from error
    return model.eval()


def _check_fit(model: Any, folder: Path) -> None:
    """Hold an adapter's factors against the model: PEFT finds out when half of it is laid on.

    Raises:
        ValueError: a width differs.
        AttributeError: the model has no such layer.
        OSError: there are no factors.
    """
    for name, factor in read_tensors(folder / TENSORS_FILE).items():
        layer, is_inner, _ = name.partition(".lora_A.")
        if is_inner:
            width = model.get_submodule(layer.removeprefix("base_model.model.")).in_features
            if width != factor.shape[1]:
                raise ValueError(f"{layer} has a width of {width}, not {factor.shape[1]}")


def checkpoint_identity(kind: str, settings: CheckpointSettings) -> Identity:
    """Which model a backend of this kind answers with; reads all of a folder's weights."""
    try:
        engine = f"transformers {version('transformers')}"
    except PackageNotFoundError:
        engine = "transformers"
    bits = "" if settings.quantization == "none" else f", {settings.quantization}"
    dtype = "" if settings.dtype == "auto" else f", {settings.dtype}"
    return Identity(
        kind=kind,
        model=model_name(settings.model),
        revision=model_revision(settings.model, settings.revision),
        engine=engine + dtype + bits,
    )


def context_of(model: Any, asked: int | None) -> int:
    """Tokens that a text may have: as asked, and never more than the model has positions for."""
    config = model.config.get_text_config()
    own = getattr(config, "max_position_embeddings", None)
    return min(asked or own or 1 << 20, own or 1 << 20)


def first_line(error: BaseException) -> str:
    """The first line of what a library says of an error."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))


def _device(asked: str, torch: Any) -> str:
    if asked != "auto":
        return asked
    if on_zero_gpu() or torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _bits(settings: CheckpointSettings, torch: Any) -> dict[str, Any]:
    """What `from_pretrained` must be told for weights in fewer bits."""
    if settings.quantization == "none":
        return {}
    if not (torch.cuda.is_available() or on_zero_gpu()):
        raise ConfigurationError(
            f"weights in {settings.quantization} need a GPU: unset RMR1_BACKEND__QUANTIZATION."
        )
    from transformers import BitsAndBytesConfig

    if settings.quantization == "8bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": config}
