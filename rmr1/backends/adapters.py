"""The adapters that the embedded backend knows: told apart by content, prepared once."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rmr1.backends.lora import CONFIG_FILE, TENSORS_FILE, convert_lora, merge_lora
from rmr1.backends.weights import file_hash
from rmr1.errors import ConfigurationError

PACKAGED_NAME = "judge"
PACKAGED_FOLDER = Path(__file__).parents[1] / "weights" / PACKAGED_NAME


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter.

    Attributes:
        path: a PEFT folder, or a LoRA file in GGUF.
        digest: SHA-256 (hex) of the file with its weights.
    """

    name: str
    path: Path
    digest: str

    @classmethod
    def at(cls, name: str, path: Path) -> "Adapter":
        """The adapter that a file or folder holds.

        Raises:
            ConfigurationError: it holds none.
        """
        weights = path / TENSORS_FILE if path.is_dir() else path
        if not weights.is_file():
            raise ConfigurationError(f"the adapter {name!r} is not there: {str(weights)!r}.")
        return cls(name, path, file_hash(weights))

    @property
    def identity(self) -> str:
        """The name with the beginning of the hash: what a judge version records of it."""
        return f"{self.name}@{self.digest[:8]}"


@dataclass(frozen=True, slots=True)
class Base:
    """The model that adapters are applied to.

    Attributes:
        path: its GGUF file as it came.
        digest: SHA-256 (hex) of that file.
    """

    path: Path
    digest: str


class Adapters:
    """Adapters by identity; safe to use from several threads."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        """Take the adapters of the settings.

        Raises:
            ConfigurationError: one of them is not there.
        """
        self._lock = threading.Lock()
        self._known: dict[str, Adapter] = {}
        for name, path in paths.items():
            self.add(Adapter.at(name, path))

    @property
    def all(self) -> tuple[Adapter, ...]:
        """Every adapter, the newest last."""
        with self._lock:
            return tuple(self._known.values())

    def add(self, adapter: Adapter) -> None:
        """Take one more; an older one of the same name stays known by its identity."""
        with self._lock:
            self._known.pop(adapter.identity, None)
            self._known[adapter.identity] = adapter

    def find(self, asked: str) -> Adapter | None:
        """The adapter of this identity, or the newest of this name."""
        found = (one for one in reversed(self.all) if asked in (one.identity, one.name))
        return next(found, None)


def packaged_adapter() -> dict[str, Path]:
    """The adapter that comes with the package, by its name; nothing where there is none."""
    there = (PACKAGED_FOLDER / TENSORS_FILE).is_file()
    return {PACKAGED_NAME: PACKAGED_FOLDER} if there else {}


def prepare_lora(adapter: Adapter, base: Base, cache_dir: Path) -> Path:
    """The adapter as a file for llama.cpp, converted on first use and kept in the cache.

    Raises:
        InputError: it cannot be applied to `base`.
        ConfigurationError: `base` is no GGUF file, or the cache cannot be written.
    """
    if adapter.path.is_file():
        return adapter.path
    target = cache_dir / f"lora.{_key(adapter, base)}.gguf"
    if not target.is_file():
        try:
            convert_lora(adapter.path, target, base.path)
        except OSError as error:
            raise _unwritable(adapter, cache_dir, error) from error
    return target


def prepare_merged(adapter: Adapter, base: Base, cache_dir: Path) -> Path:
    """The base with the adapter in its weights, in eight bits, made once and kept in the cache.

    Raises:
        InputError: it cannot be applied to `base`.
        ConfigurationError: `base` is no GGUF file, or the cache cannot be written.
    """
    target = cache_dir / f"merged.{_key(adapter, base)}.gguf"
    if not target.is_file():
        lora = prepare_lora(adapter, base, cache_dir)
        try:
            merge_lora(base.path, lora, target)
        except OSError as error:
            raise _unwritable(adapter, cache_dir, error) from error
    return target


def _key(adapter: Adapter, base: Base) -> str:
    """Names what is made of all that it is made from: weights, their strength, the base."""
    config = adapter.path / CONFIG_FILE
    strength = config.read_bytes() if config.is_file() else b""
    parts = adapter.digest.encode(), strength, base.digest.encode()
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _unwritable(adapter: Adapter, cache_dir: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the adapter {adapter.name!r} cannot be prepared in {str(cache_dir)!r}: "
        f"{error.strerror}; name another folder in RMR1_BACKEND__CACHE_DIR."
    )
