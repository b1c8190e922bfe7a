"""A scalar reward model in this process: any sequence-classification checkpoint of one label."""

import hashlib
import json
import threading
from collections.abc import Generator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from rmr1.backends.base import Capabilities, ChatRequest, Delta, Identity
from rmr1.backends.hf_loading import (
    checkpoint_identity,
    context_of,
    first_line,
    load_adapter,
    load_checkpoint,
)
from rmr1.backends.lora import CONFIG_FILE
from rmr1.backends.revision import model_revision
from rmr1.errors import (
    BackendError,
    BackendUnavailable,
    ConfigurationError,
    PromptTooLong,
    RMR1Error,
)
from rmr1.pair import Message
from rmr1.settings import ScalarSettings


class ScalarBackend:
    """Scores a response as the last turn of its conversation; see `backends.base.Scores`.

    The checkpoint is a whole model, or the folder of a LoRA adapter with its head, as
    `training.scalar` leaves it. It is loaded by the first score or by `warm`.
    """

    def __init__(self, settings: ScalarSettings) -> None:
        """Find the base of an adapter; nothing is loaded yet.

        Raises:
            ConfigurationError: an adapter's folder does not name its base.
        """
        self._adapter = _adapter_folder(settings)
        base = settings.base or _named_base(self._adapter) if self._adapter else settings.model
        self._settings = settings.model_copy(update={"model": base})
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._closed = False

    @cached_property
    def identity(self) -> Identity:
        """The checkpoint by name and content; of an adapter, by the base's name and both."""
        found = checkpoint_identity("scalar", self._settings)
        if not self._adapter:
            return found
        both = f"{found.revision}+{model_revision(str(self._adapter))}"
        revision = hashlib.sha256(both.encode()).hexdigest()
        name = f"{found.model} + {self._adapter.resolve().name}"
        return Identity(found.kind, name, revision, found.engine)

    @property
    def capabilities(self) -> Capabilities:
        """None but to score, one response at a time."""
        return Capabilities()

    @property
    def adapters(self) -> tuple[str, ...]:
        """None to choose from."""
        return ()

    def score(self, conversation: Sequence[Message], response: str) -> float:
        """How good the response is; see `Scores.score`.

        Raises:
            ConfigurationError: the model cannot be loaded, or gives more than one number.
        """
        with self._lock:
            model, tokenizer = self._load()
            import torch  # there, since the model is

            tokens = _tokens(conversation, response, tokenizer)
            held, context = tokens["input_ids"].shape[1], self._context(model)
            if held > context:
                raise PromptTooLong(
                    f"the pair is too long for the scalar model's context: a response has {held} "
                    f"tokens with its conversation, the context holds {context}."
                )
            try:
                with torch.inference_mode():
                    tokens = {name: value.to(model.device) for name, value in tokens.items()}
                    return float(model(**tokens).logits[0, 0])
            except RuntimeError as error:
                raise BackendError(f"the scalar model failed: {first_line(error)}") from error

    def stream(self, request: ChatRequest) -> Generator[Delta, None, None]:
        """Refuse: there is nothing that such a model could write.

        Raises:
            BackendError: always.
        """
        raise BackendError("a scalar reward model writes nothing: it only scores responses.")
        yield Delta("")

    def warm(self) -> threading.Thread:
        """Load the model in the background; what goes wrong shows at the first score."""
        thread = threading.Thread(target=self._try_to_load, name="warm", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._loaded, self._closed = None, True

    def _try_to_load(self) -> None:
        try:
            with self._lock:
                self._load()
        except RMR1Error:
            return

    def _load(self) -> tuple[Any, Any]:
        if self._closed:
            raise BackendUnavailable("the scalar model has been closed.")
        if self._loaded is None:
            one = {"num_labels": 1} if self._adapter else {}
            model, tokenizer = load_checkpoint(self._settings, "score", **one)
            if model.config.num_labels != 1:
                raise ConfigurationError(
                    f"{self._settings.model!r} gives {model.config.num_labels} numbers for a text, "
                    "and a scalar reward model gives one."
                )
            if self._adapter:
                # As in training: the score is read off the last token that is no padding.
                padding = tokenizer.pad_token_id
                model.config.pad_token_id = tokenizer.eos_token_id if padding is None else padding
                model = load_adapter(model, self._adapter, "scalar")
            self._loaded = model, tokenizer
        return self._loaded

    def _context(self, model: Any) -> int:
        return context_of(model, self._settings.context_tokens)


def _tokens(conversation: Sequence[Message], response: str, tokenizer: Any) -> dict[str, Any]:
    """The conversation with the response as its last turn, whole, without padding.

    A classifier without a chat template reads the prompt and the response as two texts.
    """
    if tokenizer.chat_template:
        turns = [{"role": turn.role, "content": turn.content} for turn in conversation]
        turns.append({"role": "assistant", "content": response})
        return dict(
            tokenizer.apply_chat_template(
                turns, tokenize=True, return_dict=True, return_tensors="pt"
            )
        )
    prompt = "\n\n".join(turn.content for turn in conversation)
    return dict(tokenizer(prompt, response, return_tensors="pt"))


def _adapter_folder(settings: ScalarSettings) -> Path | None:
    folder = Path(settings.model)
    is_adapter = (folder / CONFIG_FILE).is_file() and not (folder / "config.json").is_file()
    return folder if is_adapter else None


def _named_base(folder: Path) -> str:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        base = config["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError):
        base = None
    if not isinstance(base, str) or not base:
        raise ConfigurationError(
            f"the adapter {str(folder)!r} does not say what it was trained on: "
            "name it in RMR1_BACKEND__BASE."
        )
    return base
