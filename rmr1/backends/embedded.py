"""llama.cpp on this machine with a small model: no GPU, no network, nothing to set up.

`python -m rmr1.backends.embedded` makes the files that are served ahead of the first start.
"""

import os
import secrets
import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

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
from rmr1.backends.chat_stream import request_body, stream_chat
from rmr1.backends.child import Child
from rmr1.backends.embedded_child import ServerOptions, launch_embedded
from rmr1.backends.slots import Slots
from rmr1.backends.weights import (
    MODEL_NAME,
    default_cache,
    file_hash,
    find_weights,
    prepare_weights,
)
from rmr1.errors import BackendError, BackendUnavailable, ConfigurationError, RMR1Error
from rmr1.settings import EmbeddedSettings

# The layers of a model below this size are so thin that threads which write a token together mostly
# wait for each other, and that tokens of several completions are computed hardly faster together
# than one after another. Each completion is written by one thread of a process of its own. Measured
# on two cores: 84 tokens/s alone and 138 in two processes, 94 together in one.
_SMALL_BYTES = 400_000_000

_MOST_PROCESSES = 4
"""Unless asked for more: each takes about 400 MB."""


class EmbeddedBackend:
    """llama.cpp servers in child processes, started by the requests or by `warm`.

    Small weights are served by as many processes as requests are worked on at once, each of which
    has a core to itself; large ones by a single process.
    """

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
        merge = next(iter(packaged), "") if settings.merge is None else settings.merge
        self._merged = self._adapters.find(merge) if merge else None
        if merge and not self._merged:
            raise ConfigurationError(
                f"the embedded backend knows no adapter {merge!r} to merge: "
                f"name it in RMR1_BACKEND__ADAPTERS."
            )
        self._settings = settings
        self._cache = settings.cache_dir or default_cache()
        self._lock = threading.Lock()
        self._source: Base | None = None
        self._key = secrets.token_urlsafe()
        self._small = not settings.weights or settings.weights.stat().st_size < _SMALL_BYTES
        self._parallel = settings.parallel or min(_physical_cores(), _MOST_PROCESSES)
        self._slots = Slots(self._parallel)
        self._preparing = threading.Lock()
        self._children = [
            Child("the embedded model", lambda _: launch_embedded(self._options()))
            for _ in range(self._parallel if self._small else 1)
        ]

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
            parallel=self._parallel,
            adapters=self.adapters,
        )

    @property
    def adapters(self) -> tuple[str, ...]:
        """Named by their identity, `name@hash`.

        A request may leave the hash out, and then gets the newest.
        """
        return tuple(adapter.identity for adapter in self._adapters.all)

    def add_adapter(self, name: str, path: Path) -> str:
        """Take a further adapter while running; the first request for it loads it.

        Requests that are being worked on end undisturbed.

        Args:
            path: a PEFT folder, or a LoRA file in GGUF.

        Returns:
            Its identity, `name@hash`. An older adapter of the same name keeps its own.

        Raises:
            InputError: the adapter does not fit the model.
            ConfigurationError: it is not there, or the cache cannot be written.
        """
        adapter = Adapter.at(name, path)
        prepare_lora(adapter, self._base(), self._cache)
        self._adapters.add(adapter)
        return adapter.identity

    def prepare(self) -> Path:
        """Make the files that are served, unless they are there; the one with the weights.

        Raises:
            ConfigurationError: the weights are missing, or the cache cannot be written.
        """
        return Path(self._options().model)

    def warm(self) -> threading.Thread:
        """Start the model in the background, so that the first request finds it running.

        Returns:
            The thread that does it; what goes wrong shows at the first request.
        """
        thread = threading.Thread(target=self._start, name="warm", daemon=True)
        thread.start()
        return thread

    def _start(self) -> None:
        with suppress(RMR1Error):
            for child in self._children:
                child.start()

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: the weights are missing or cannot be loaded.
        """
        adapter = self._asked(request.adapter)
        body = request_body(request, MODEL_NAME, "llama.cpp")
        strengths = self._strengths(adapter)
        lora = self._lora(adapter) if adapter else None
        with self._slots.take((request.adapter, request.messages)) as slot:
            child = self._children[slot % len(self._children)]
            with child.lease(lora) as running:
                body["id_slot"] = slot // len(self._children)
                body["lora"] = [
                    {"id": index, "scale": float(strengths[path])}
                    for index, path in enumerate(running.adapters)
                ]
                try:
                    yield from stream_chat(running.client, body, request.sampling.stop)
                except BackendUnavailable as error:
                    raise running.explain(error) from error
                child.answered()

    def close(self) -> None:
        """End the child processes."""
        for child in self._children:
            child.close()

    def _asked(self, name: str | None) -> Adapter | None:
        adapter = self._adapters.find(name) if name else None
        if name and not adapter:
            raise BackendError(f"the embedded backend knows no adapter {name!r}.")
        return adapter

    def _base(self) -> Base:
        with self._lock:
            if self._source is None:
                path = self._settings.weights or find_weights()
                self._source = Base(path, file_hash(path))
            return self._source

    def _strengths(self, adapter: Adapter | None) -> Counter[str]:
        """How strongly each LoRA file is laid on the weights, to answer as `adapter` or the base.

        What is merged into them is taken out again where it is not what was asked for.
        """
        strengths: Counter[str] = Counter()
        if adapter:
            strengths[self._lora(adapter)] += 1
        if self._merged:
            strengths[self._lora(self._merged)] -= 1
        return strengths

    def _lora(self, adapter: Adapter) -> str:
        return str(prepare_lora(adapter, self._base(), self._cache))

    def _options(self) -> ServerOptions:
        base, settings = self._base(), self._settings
        threads = settings.threads or _physical_cores()
        with self._preparing:  # once, not in every process that starts
            if self._merged:
                model = prepare_merged(self._merged, base, self._cache)
            else:
                model = prepare_weights(base.path, base.digest, self._cache)
            loras = [self._lora(adapter) for adapter in self._adapters.all]
        return ServerOptions(
            model=str(model),
            context=settings.context_tokens,
            parallel=1 if self._small else self._parallel,
            threads=threads,
            writing_threads=1 if self._small else threads,
            adapters=tuple(dict.fromkeys(loras)),
            key=self._key,
        )


def _physical_cores() -> int:
    """Cores that this process may use; a second thread on a core slows llama.cpp down."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return min(psutil.cpu_count(logical=False) or 1, allowed or os.cpu_count() or 1)


def main() -> int:
    """Make the files that are served, and print where the weights are."""
    try:
        sys.stdout.write(f"{EmbeddedBackend(EmbeddedSettings()).prepare()}\n")
    except RMR1Error as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
