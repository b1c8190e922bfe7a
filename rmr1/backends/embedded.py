"""llama.cpp on this machine with a small model: no GPU, no network, nothing to set up."""

import os
import secrets
import threading
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import psutil

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.chat_stream import request_body, stream_chat
from rmr1.backends.child import Child, ServerOptions
from rmr1.backends.weights import (
    MODEL_NAME,
    default_cache,
    file_hash,
    find_weights,
    prepare_weights,
)
from rmr1.errors import BackendError, BackendUnavailable, ConfigurationError, RMR1Error
from rmr1.settings import EmbeddedSettings

# The layers of a model below this size are so thin that a second thread costs as much as it gives
# when one token is written at a time (measured: 73 tokens/s with one thread, 40 to 75 with two).
_SMALL_BYTES = 400_000_000


class EmbeddedBackend:
    """A llama.cpp server in a child process, started by the first request or by `warm`."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        """Check the settings; nothing is loaded yet.

        Raises:
            ConfigurationError: a file that the settings name is not there.
        """
        for path in [settings.weights, *settings.adapters.values()]:
            if path and not path.is_file():
                raise ConfigurationError(f"the embedded backend's file {str(path)!r} is not there.")
        self._settings = settings
        self._lock = threading.Lock()
        self._source: tuple[Path, str] | None = None
        self._key = secrets.token_urlsafe()
        self._child = Child(self._options)

    @property
    def identity(self) -> Identity:
        """The model by name, and the hash of the weights file that it is made from."""
        path, digest = self._weights()
        return Identity(
            kind="embedded",
            model=MODEL_NAME if self._settings.weights is None else path.stem,
            revision=digest,
            engine=f"xllamacpp {version('xllamacpp')}",
        )

    @property
    def capabilities(self) -> Capabilities:
        """Everything, for as many requests at once as the settings say."""
        return Capabilities(
            logprobs=True,
            grammar=True,
            parallel=self._settings.parallel,
            adapters=tuple(self._settings.adapters),
        )

    def warm(self) -> threading.Thread:
        """Start the model in the background, so that the first request finds it running.

        Returns:
            The thread that does it; what goes wrong shows at the first request.
        """
        thread = threading.Thread(target=self._try_to_start, name="warm", daemon=True)
        thread.start()
        return thread

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: the weights are missing or cannot be loaded.
        """
        if request.adapter and request.adapter not in self._settings.adapters:
            raise BackendError(f"the settings name no adapter {request.adapter!r}.")
        running = self._child.running()
        body = request_body(request, MODEL_NAME, "llama.cpp") | {
            "lora": [
                {"id": index, "scale": float(name == request.adapter)}
                for index, name in enumerate(self._settings.adapters)
            ]
        }
        try:
            yield from stream_chat(running.client, body, request.sampling.stop)
        except BackendUnavailable as error:
            raise running.explain(error) from error
        self._child.answered()

    def close(self) -> None:
        """End the child process."""
        self._child.close()

    def _try_to_start(self) -> None:
        try:
            self._child.running()
        except RMR1Error:
            return

    def _weights(self) -> tuple[Path, str]:
        """The weights file as it came, and its SHA-256 (hex)."""
        with self._lock:
            if self._source is None:
                path = self._settings.weights or find_weights()
                self._source = path, file_hash(path)
            return self._source

    def _options(self) -> ServerOptions:
        source, digest = self._weights()
        settings = self._settings
        model = prepare_weights(source, digest, settings.cache_dir or default_cache())
        threads = settings.threads or _physical_cores()
        return ServerOptions(
            model=str(model),
            context=settings.context_tokens,
            parallel=settings.parallel,
            threads=threads,
            writing_threads=1 if model.stat().st_size < _SMALL_BYTES else threads,
            adapters=tuple(map(str, settings.adapters.values())),
            key=self._key,
        )


def _physical_cores() -> int:
    """Cores that this process may use; a second thread on a core slows llama.cpp down."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return min(psutil.cpu_count(logical=False) or 1, allowed or os.cpu_count() or 1)
