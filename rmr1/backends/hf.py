"""A Hugging Face causal language model in this process, on a GPU, a ZeroGPU Space or the CPU."""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rmr1.backends.adapters import Adapter, Adapters
from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.hf_batch import Batch
from rmr1.backends.hf_batcher import Batcher
from rmr1.backends.hf_loading import (
    checkpoint_identity,
    context_of,
    load_adapter,
    load_checkpoint,
    on_zero_gpu,
)
from rmr1.backends.hf_row import Row, TextWriter
from rmr1.backends.stops import StopWatch
from rmr1.errors import (
    BackendError,
    BackendUnavailable,
    ConfigurationError,
    PromptTooLong,
    RMR1Error,
)
from rmr1.settings import TransformersSettings

_Lent = Callable[[ChatRequest, str | None], Generator[Delta, None, None]]


@dataclass(slots=True)
class _Loaded:
    """A model in memory.

    Attributes:
        keys: what an adapter is called inside the model, by its identity.
        batcher: None on ZeroGPU, where no thread may hold the GPU.
    """

    model: Any
    tokenizer: Any
    context: int
    keys: dict[str, str] = field(default_factory=dict)
    batcher: Batcher | None = None
    reading: threading.Lock = field(default_factory=threading.Lock)


class TransformersBackend:
    """Completes chats with transformers, requests that come together in one batch.

    The model is loaded by the first request or by `warm`; on ZeroGPU at once, because there the
    process that has the GPU is a copy of this one.
    """

    def __init__(self, settings: TransformersSettings) -> None:
        """Check the settings.

        Raises:
            ConfigurationError: an adapter's folder is not there; on ZeroGPU also what loading
                the model may raise.
        """
        self._settings = settings
        self._adapters = Adapters(settings.adapters)
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._closed = False
        self._lent = self._lend() if on_zero_gpu() else None

    @cached_property
    def identity(self) -> Identity:
        """The checkpoint by name and content."""
        return checkpoint_identity("transformers", self._settings)

    @property
    def capabilities(self) -> Capabilities:
        """Log-probabilities and adapters; no grammar."""
        return Capabilities(logprobs=True, parallel=self._settings.parallel, adapters=self.adapters)

    @property
    def adapters(self) -> tuple[str, ...]:
        """Named by their identity, `name@hash`; a request may leave the hash out."""
        return tuple(adapter.identity for adapter in self._adapters.all)

    def add_adapter(self, name: str, path: Path) -> str:
        """Take a further adapter, a PEFT folder; its identity, `name@hash`.

        The model is loaded for it, and requests that are being worked on go on.

        Raises:
            InputError: the adapter does not fit the model.
            ConfigurationError: the folder is not there, or the model cannot be loaded.
        """
        adapter = Adapter.at(name, path)
        self._key(self._load(), adapter)
        self._adapters.add(adapter)
        return adapter.identity

    def warm(self) -> threading.Thread:
        """Load the model in the background; what goes wrong shows at the first request."""
        thread = threading.Thread(target=self._try_to_load, name="warm", daemon=True)
        thread.start()
        return thread

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: the model cannot be loaded.
            InputError: an adapter of the settings does not fit it.
        """
        adapter = self._asked(request.adapter)
        loaded = self._load()
        key = self._key(loaded, adapter) if adapter else None
        row = self._row(loaded, request, key)
        if loaded.batcher:
            yield from loaded.batcher.stream(row)
        elif self._lent:
            yield from self._lent(request, key)

    def close(self) -> None:
        """Give up what is being written and free the model."""
        with self._lock:
            self._closed = True
            loaded, self._loaded = self._loaded, None
        if loaded and loaded.batcher:
            loaded.batcher.close()

    def _try_to_load(self) -> None:
        try:
            self._load()
        except RMR1Error:
            return

    def _load(self) -> _Loaded:
        with self._lock:
            if self._closed:
                raise BackendUnavailable("the model has been closed.")
            if self._loaded is None:
                model, tokenizer = load_checkpoint(self._settings, "text")
                if not tokenizer.chat_template:
                    raise ConfigurationError(
                        f"the model {self._settings.model!r} has no chat template: "
                        "name one that was tuned to chat."
                    )
                context = context_of(model, self._settings.context_tokens)
                self._loaded = _Loaded(model, tokenizer, context)
                for adapter in self._adapters.all:
                    self._put_on(self._loaded, adapter)
                if not on_zero_gpu():
                    batch = Batch(self._loaded.model, tokenizer)
                    self._loaded.batcher = Batcher(batch, self._settings.parallel)
            return self._loaded

    def _asked(self, name: str | None) -> Adapter | None:
        adapter = self._adapters.find(name) if name else None
        if name and not adapter:
            raise BackendError(f"the transformers backend knows no adapter {name!r}.")
        return adapter

    def _key(self, loaded: _Loaded, adapter: Adapter) -> str:
        """What an adapter is called inside the model, which takes it now if it has not."""
        if adapter.identity not in loaded.keys:
            if not loaded.batcher:
                raise ConfigurationError(
                    "on ZeroGPU adapters are loaded at the start: "
                    "name it in RMR1_BACKEND__ADAPTERS."
                )
            loaded.batcher.between_steps(lambda: self._put_on(loaded, adapter))
        return loaded.keys[adapter.identity]

    def _put_on(self, loaded: _Loaded, adapter: Adapter) -> None:
        key = f"a{len(loaded.keys)}"
        loaded.model = load_adapter(loaded.model, adapter.path, key)
        loaded.keys[adapter.identity] = key
        if loaded.batcher:
            loaded.batcher.batch.model = loaded.model

    def _row(self, loaded: _Loaded, request: ChatRequest, key: str | None) -> Row:
        turns = [{"role": turn.role, "content": turn.content} for turn in request.messages]
        with loaded.reading:
            prompt = loaded.tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, tokenize=True, return_dict=False
            )
        room = loaded.context - len(prompt)
        if room < 1:
            raise PromptTooLong(
                f"the pair is too long for the judge's context: the prompt has {len(prompt)} "
                f"tokens, the context holds {loaded.context}."
            )
        return Row(
            request=request,
            prompt=prompt,
            budget=min(request.sampling.max_tokens, room),
            adapter=key,
            text=TextWriter(loaded.tokenizer),
            watch=StopWatch(request.sampling.stop),
        )

    def _lend(self) -> _Lent:
        """The completion of one request in the process that ZeroGPU lends its GPU to."""
        import spaces  # type: ignore[import-not-found]

        loaded = self._load()

        def complete(request: ChatRequest, key: str | None) -> Generator[Delta, None, None]:
            batch = Batch(loaded.model, loaded.tokenizer)
            row = self._row(loaded, request, key)
            yield batch.join(row)
            while batch.rows:
                [(_, delta)] = batch.step()
                yield delta

        lent: _Lent = spaces.GPU(duration=self._settings.gpu_seconds)(complete)
        return lent
