"""Any server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, hosted."""

from collections.abc import Generator
from contextlib import closing
from threading import Lock

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.chat_stream import Dialect, request_body, stream_chat
from rmr1.errors import BackendBusy, BackendError, BackendUnavailable
from rmr1.settings import OpenAISettings

_CONNECT_SECONDS = 10.0
_ATTEMPTS = 4
_LONGEST_WAIT_SECONDS = 8.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_OWNERS: dict[str, Dialect] = {"vllm": "vllm", "llamacpp": "llama.cpp"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    owned_by: str = ""


class _ModelList(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Model] = Field(default=[])


class OpenAIBackend:
    """A client of an OpenAI-compatible server.

    What kind of server it is, and which model it serves, is asked once, when it is first needed.
    """

    def __init__(
        self,
        settings: OpenAISettings,
        *,
        transport: httpx.BaseTransport | None = None,
        wait_s: float = 0.5,
        attempts: int = _ATTEMPTS,
    ) -> None:
        """Prepare the client; nothing is asked yet.

        Args:
            settings: with one address; for several there is `rmr1.backends.fleet`.
            transport: what carries the requests, for a server that is not on the network.
            wait_s: unit of the growing pauses between attempts, in seconds.
            attempts: how often a server that is away or busy is asked.
        """
        self._settings = settings
        self._wait_s = wait_s
        self._attempts = attempts
        self._refusals = 0
        self._key = settings.api_key.get_secret_value()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._client = httpx.Client(
            base_url=settings.base_url,
            headers=headers,
            timeout=httpx.Timeout(settings.timeout_s, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None),
            transport=transport,
            trust_env=httpx.URL(settings.base_url).host not in _LOOPBACK,  # no proxy leads there
        )
        self._lock = Lock()
        self._served: tuple[_Model, ...] | None = None

    @property
    def identity(self) -> Identity:
        """The model's name as the server, or the settings, give it."""
        models = self._models()
        return Identity(
            kind="openai",
            model=self._model(models),
            engine=models[0].owned_by if models else "",
        )

    @property
    def capabilities(self) -> Capabilities:
        """What the server's dialect allows; the least, as long as it does not answer."""
        dialect = self._dialect(self._models())
        asked = self._settings.logprobs
        return Capabilities(
            logprobs=dialect != "openai" if asked is None else asked,
            grammar=dialect != "openai",
            parallel=self._settings.parallel,
            adapters=self.adapters,
            most_parallel=self._settings.in_batches,
        )

    @property
    def refusals(self) -> int:
        """How often the server has said that it is busy."""
        return self._refusals

    @property
    def answers(self) -> bool:
        """Whether the server has said what it is and serves, or nobody needs to ask."""
        self._models()
        return self._served is not None or not self._must_ask

    @property
    def adapters(self) -> tuple[str, ...]:
        """Those that the settings name."""
        return self._settings.adapters

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Complete one chat; see `Backend.stream`.

        A server that is away or busy is asked again, up to four times unless told otherwise, and
        only as long as no token has come.
        """
        if request.adapter and request.adapter not in self._settings.adapters:
            raise BackendError(f"the settings name no adapter {request.adapter!r}.")
        models = self._models()
        model = request.adapter or self._model(models)
        body = request_body(request, model, self._dialect(models))
        attempts = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(self._wait_s, max=_LONGEST_WAIT_SECONDS),
            retry=retry_if_exception_type(BackendUnavailable),
            reraise=True,
        )
        try:
            for attempt in attempts:
                deltas = stream_chat(self._client, body, request.sampling.stop)
                with attempt:
                    first = self._first(deltas)
            with closing(deltas):
                yield first
                yield from deltas
        except BackendError as error:
            raise self._without_key(error) from None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _first(self, deltas: Generator[Delta, None, None]) -> Delta:
        """The first piece, with a refusal counted."""
        try:
            return next(deltas)
        except BackendBusy:
            with self._lock:
                self._refusals += 1
            raise

    def _without_key(self, error: BackendError) -> BackendError:
        """The same error; servers like to repeat the key they refuse."""
        text = str(error)
        return type(error)(text.replace(self._key, "***")) if self._key else error

    def _model(self, models: tuple[_Model, ...]) -> str:
        return self._settings.model or (models[0].id if models else "")

    def _dialect(self, models: tuple[_Model, ...]) -> Dialect:
        if self._settings.dialect != "auto":
            return self._settings.dialect
        return _OWNERS.get(models[0].owned_by, "openai") if models else "openai"

    @property
    def _must_ask(self) -> bool:
        return self._settings.dialect == "auto" or not self._settings.model

    def _models(self) -> tuple[_Model, ...]:
        """The models that the server lists, asked until it answers once; none if it has no list."""
        with self._lock:
            if self._served is None and self._must_ask:
                try:
                    response = self._client.get("models")
                    if response.is_success:
                        self._served = tuple(_ModelList.model_validate_json(response.text).data)
                    elif response.is_client_error:
                        self._served = ()
                except (httpx.TransportError, ValidationError):
                    return ()
            return self._served or ()
