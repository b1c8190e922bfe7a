"""Which weights a model folder or a name on the Hub stands for."""

import hashlib
from pathlib import Path

from huggingface_hub import HfApi, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]

from rmr1.backends.weights import file_hash

_COUNTED = {".safetensors", ".bin", ".json", ".jinja", ".model", ".txt"}
_HUB_SECONDS = 5.0


def model_name(model: str) -> str:
    """A model's name fit to show: a folder's own name, or the name on the Hub."""
    folder = Path(model)
    return folder.resolve().name if folder.is_dir() else model


def model_revision(model: str, revision: str = "") -> str:
    """What tells a model's weights apart from all others.

    Args:
        model: a folder, or a name on the Hub.
        revision: branch, tag or commit on the Hub.

    Returns:
        SHA-256 (hex) over a folder's weights, configuration and tokeniser; the commit on the Hub,
        or of the copy in the cache where the Hub is away; else `revision`.
    """
    folder = Path(model)
    if folder.is_dir():
        return _folder_hash(folder)
    try:
        found = HfApi().model_info(model, revision=revision or None, timeout=_HUB_SECONDS)
        return found.sha or revision
    except (HTTPError, OSError, HFValidationError):
        return _cached_commit(model, revision) or revision


def _folder_hash(folder: Path) -> str:
    """Over the names and contents of the files that a model is loaded from."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in _COUNTED and path.is_file():
            whole.update(f"{path.name}\0{file_hash(path)}\0".encode())
    return whole.hexdigest()


def _cached_commit(model: str, revision: str) -> str:
    """The commit of the copy in the cache, which is the name of its folder."""
    try:
        found = try_to_load_from_cache(model, "config.json", revision=revision or None)
    except HFValidationError:
        return ""
    return Path(found).parent.name if isinstance(found, str) else ""
