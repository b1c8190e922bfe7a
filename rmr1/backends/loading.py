"""From settings to a backend: the only place that knows them all."""

import threading
from typing import Protocol, assert_never

from rmr1.backends.base import Backend
from rmr1.settings import (
    BackendSettings,
    EmbeddedSettings,
    OpenAISettings,
    ScalarSettings,
    ScriptedSettings,
    TransformersSettings,
    VllmSettings,
)


def load_backend(settings: BackendSettings, *, warm: bool = False) -> Backend:
    """Make the backend that the settings ask for; nothing is asked yet.

    Args:
        warm: start what takes time in the background, for whoever surely has requests.

    Raises:
        ConfigurationError: a file that the settings name is not there.
    """
    match settings:
        case EmbeddedSettings():
            from rmr1.backends.embedded import EmbeddedBackend

            return _warmed(EmbeddedBackend(settings), warm)
        case OpenAISettings():
            from rmr1.backends.fleet import Fleet
            from rmr1.backends.openai import OpenAIBackend

            return Fleet(settings) if len(settings.base_urls) > 1 else OpenAIBackend(settings)
        case VllmSettings():
            from rmr1.backends.vllm import VllmBackend

            return _warmed(VllmBackend(settings), warm)
        case TransformersSettings():
            from rmr1.backends.hf import TransformersBackend

            return _warmed(TransformersBackend(settings), warm)
        case ScalarSettings():
            from rmr1.backends.scalar import ScalarBackend

            return _warmed(ScalarBackend(settings), warm)
        case ScriptedSettings():
            from rmr1.backends.scripted import ScriptedBackend

            return ScriptedBackend(settings.replies, chunk=settings.chunk, delay_s=settings.delay_s)
        case _:
            assert_never(settings)


class _Warms(Backend, Protocol):
    """A backend that takes time to start."""

    def warm(self) -> threading.Thread:
        """Start in the background."""


def _warmed(backend: _Warms, warm: bool) -> Backend:
    if warm:
        backend.warm()
    return backend
