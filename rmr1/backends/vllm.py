"""vLLM on this machine: its server is started, watched and ended with the program."""

import threading
from collections.abc import Generator
from dataclasses import replace
from functools import cached_property

from rmr1.backends.adapters import Adapters
from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.child import Child
from rmr1.backends.openai import OpenAIBackend
from rmr1.backends.revision import model_name, model_revision
from rmr1.backends.vllm_server import NAME, launch_vllm
from rmr1.errors import BackendError, BackendUnavailable
from rmr1.settings import VllmSettings


class VllmBackend:
    """A vLLM server in a child process, started by the first request or by `warm`."""

    def __init__(self, settings: VllmSettings) -> None:
        """Check the settings; nothing is started yet.

        Raises:
            ConfigurationError: an adapter's folder is not there.
        """
        self._settings = settings
        self._adapters = Adapters(settings.adapters)
        self._child: Child[OpenAIBackend] = Child(
            NAME, lambda closing: launch_vllm(settings, self._adapters.all, closing)
        )

    @cached_property
    def identity(self) -> Identity:
        """The checkpoint by name and content, whether the server runs or not."""
        settings = self._settings
        return Identity(
            kind="vllm",
            model=model_name(settings.model),
            revision=model_revision(settings.model, settings.revision),
            engine="vllm" if settings.dtype == "auto" else f"vllm, {settings.dtype}",
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
        """Named by their identity, `name@hash`; a request may leave the hash out."""
        return tuple(adapter.identity for adapter in self._adapters.all)

    def warm(self) -> threading.Thread:
        """Start the server in the background; what goes wrong shows at the first request."""
        return self._child.warm()

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        Raises:
            ConfigurationError: the server cannot be started; the end of its log follows.
            InputError: an adapter of the settings cannot be served.
        """
        asked = request
        if request.adapter:
            adapter = self._adapters.find(request.adapter)
            if not adapter:
                raise BackendError(f"the vLLM backend knows no adapter {request.adapter!r}.")
            asked = replace(request, adapter=adapter.identity)
        with self._child.lease() as running:
            try:
                yield from running.client.stream(asked)
            except BackendUnavailable as error:
                raise running.explain(error) from error
            self._child.answered()

    def close(self) -> None:
        """End the server, also while it starts."""
        self._child.close()
