"""From settings to a backend: the only place that knows them all."""

from typing import assert_never

from rmr1.backends.base import Backend
from rmr1.settings import BackendSettings, EmbeddedSettings, OpenAISettings, ScriptedSettings


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

            embedded = EmbeddedBackend(settings)
            if warm:
                embedded.warm()
            return embedded
        case OpenAISettings():
            from rmr1.backends.openai import OpenAIBackend

            return OpenAIBackend(settings)
        case ScriptedSettings():
            from rmr1.backends.scripted import ScriptedBackend

            return ScriptedBackend(settings.replies, chunk=settings.chunk, delay_s=settings.delay_s)
        case _:
            assert_never(settings)
