"""llama.cpp on this machine with a small model: no GPU, no network, nothing to set up."""

import os
import secrets
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, closing
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil

from rmr1.backends.adapters import (
    Adapter,
    Adapters,
    Base,
    packaged_adapter,
    prepare_lora,
    prepare_merged,
)
from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.chat_stream import request_body, stream_chats
from rmr1.backends.child import Child, Running
from rmr1.backends.embedded_child import ServerOptions, launch_embedded
from rmr1.backends.weights import (
    MODEL_NAME,
    default_cache,
    file_hash,
    find_weights,
    prepare_weights,
)
from rmr1.errors import BackendError, BackendUnavailable, ConfigurationError
from rmr1.settings import EmbeddedSettings

# The layers of a model below this size are so thin that a second thread mostly waits for the first
# when one token is written at a time. Measured on two cores: 50 tokens/s with one thread and 75
# with two when nothing else runs, 48 and 19 beside two busy programs; beside one and a browser a
# judgement took more than a minute with two. One thread is the one that can be relied on.
_SMALL_BYTES = 400_000_000


class EmbeddedBackend:
    """A llama.cpp server in a child process, started by the first request or by `warm`."""

    def __init__(self, settings: EmbeddedSettings) -> None:
        """Check the settings; nothing is loaded yet.

        Raises:
            ConfigurationError: a file that the settings name is not there.
        """
        if settings.weights and not settings.weights.is_file():
            raise ConfigurationError(
                f"the embedded backend's file {str(settings.weights)!r} is not there."
            )
        packaged = {} if settings.weights else packaged_adapter()
        self._adapters = Adapters({**packaged, **settings.adapters})
        self._merged = self._adapters.find(settings.merge) if settings.merge else None
        if settings.merge and not self._merged:
            raise ConfigurationError(
                f"the embedded backend knows no adapter {settings.merge!r} to merge: "
                f"name it in RMR1_BACKEND__ADAPTERS."
            )
        self._settings = settings
        self._cache = settings.cache_dir or default_cache()
        self._lock = threading.Lock()
        self._source: Base | None = None
        self._key = secrets.token_urlsafe()
        self._child = Child("the embedded model", lambda _: launch_embedded(self._options()))

    @property
    def identity(self) -> Identity:
        """The model by name, and the hash of the weights file that it is made from."""
        base = self._base()
        return Identity(
            kind="embedded",
            model=MODEL_NAME if self._settings.weights is None else base.path.stem,
            revision=base.digest,
            engine=f"xllamacpp {version('xllamacpp')}",
        )

    @property
    def capabilities(self) -> Capabilities:
        """Everything, for as many requests at once as the settings say."""
        return Capabilities(
            logprobs=True,
            grammar=True,
            parallel=self._settings.parallel,
            adapters=self.adapters,
        )

    @property
    def adapters(self) -> tuple[str, ...]:
        """Named by their identity, `name@hash`.

        A request may leave the hash out, and then gets the newest.
        """
        known = (self._merged,) if self._merged else self._adapters.all
        return tuple(adapter.identity for adapter in known)

    def add_adapter(self, name: str, path: Path) -> str:
        """Take a further adapter while running; the first request for it loads it.

        Requests that are being worked on end undisturbed.

        Args:
            path: a PEFT folder, or a LoRA file in GGUF.

        Returns:
            Its identity, `name@hash`. An older adapter of the same name keeps its own.

        Raises:
            InputError: the adapter does not fit the model.
            ConfigurationError: it is not there, the cache cannot be written, or the weights are
                merged with an adapter, on which no other can be laid.
        """
        if self._merged:
            raise ConfigurationError(
                f"the embedded weights are merged with {self._merged.name!r}: "
                "unset RMR1_BACKEND__MERGE to use other adapters."
            )
        adapter = Adapter.at(name, path)
        prepare_lora(adapter, self._base(), self._cache)
        self._adapters.add(adapter)
        return adapter.identity

    def warm(self) -> threading.Thread:
        """Start the model in the background, so that the first request finds it running.

        Returns:
            The thread that does it; what goes wrong shows at the first request.
        """
        return self._child.warm()

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: the weights are missing or cannot be loaded.
        """
        with closing(self.stream_several(request, 1)) as pieces:
            for _, delta in pieces:
                yield delta

    def stream_several(
        self, request: ChatRequest, count: int
    ) -> Generator[tuple[int, Delta], None, None]:
        """Complete one chat several times, its prompt read once; see `SharesPrompts`.

        Raises:
            ConfigurationError: the weights are missing or cannot be loaded.
        """
        adapter = self._asked(request.adapter)
        body = request_body(request, MODEL_NAME, "llama.cpp")
        if count > 1:
            body["n"] = count
        lora = self._lora(adapter) if adapter and not self._merged else None
        with self._child.lease(lora) as running, _slot(running, request, count) as slot:
            body["id_slot"] = slot
            body["lora"] = [
                {"id": index, "scale": float(path == lora)}
                for index, path in enumerate(running.adapters)
            ]
            try:
                yield from stream_chats(running.client, body, request.sampling.stop, count)
            except BackendUnavailable as error:
                raise running.explain(error) from error
            self._child.answered()

    def close(self) -> None:
        """End the child process."""
        self._child.close()

    def _asked(self, name: str | None) -> Adapter | None:
        adapter = self._adapters.find(name) if name else None
        if self._merged and adapter is not self._merged:
            raise BackendError(
                f"the embedded weights are merged with {self._merged.name!r}, and answer as "
                f"nothing else: judge with that adapter, or unset RMR1_BACKEND__MERGE."
            )
        if name and not adapter:
            raise BackendError(f"the embedded backend knows no adapter {name!r}.")
        return adapter

    def _base(self) -> Base:
        with self._lock:
            if self._source is None:
                path = self._settings.weights or find_weights()
                self._source = Base(path, file_hash(path))
            return self._source

    def _lora(self, adapter: Adapter) -> str:
        return str(prepare_lora(adapter, self._base(), self._cache))

    def _options(self) -> ServerOptions:
        base, settings = self._base(), self._settings
        threads = settings.threads or _physical_cores()
        if self._merged:
            model, loras = prepare_merged(self._merged, base, self._cache), []
        else:
            model = prepare_weights(base.path, base.digest, self._cache)
            loras = [self._lora(adapter) for adapter in self._adapters.all]
        small = model.stat().st_size < _SMALL_BYTES
        return ServerOptions(
            model=str(model),
            context=settings.context_tokens,
            parallel=settings.parallel,
            threads=threads,
            writing_threads=1 if small else threads,
            adapters=tuple(dict.fromkeys(loras)),
            key=self._key,
        )


def _slot(
    running: Running[httpx.Client], request: ChatRequest, count: int
) -> AbstractContextManager[int]:
    assert running.slots
    return running.slots.take(count, (request.adapter, request.messages))


def _physical_cores() -> int:
    """Cores that this process may use; a second thread on a core slows llama.cpp down."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return min(psutil.cpu_count(logical=False) or 1, allowed or os.cpu_count() or 1)
