"""One completion inside a batch: its tokens drawn, turned into text and stopped."""

from dataclasses import dataclass
from typing import Any

from rmr1.backends.base import ChatRequest, Delta, FinishReason, Token
from rmr1.backends.stops import StopWatch

_HALF_A_CHARACTER = "\N{REPLACEMENT CHARACTER}"


class TextWriter:
    """Text of tokens as they come; a character that takes several tokens waits for its last."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._start = 0
        self._read = 0

    def add(self, token: int) -> str:
        """The text that one more token makes certain; "" in the middle of a character."""
        self._ids.append(token)
        text = self._unread()
        if text.endswith(_HALF_A_CHARACTER):
            return ""
        self._start, self._read = self._read, len(self._ids)
        return text

    def rest(self) -> str:
        """What is still held back, at the end."""
        return self._unread()

    def _unread(self) -> str:
        """Read with the tokens before: some tokenisers write a space only between tokens."""
        before = self._decode(self._ids[self._start : self._read])
        return self._decode(self._ids[self._start :])[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


@dataclass(eq=False, slots=True)
class Row:
    """A request with what has been drawn for it.

    Attributes:
        prompt: the chat in tokens.
        budget: tokens that may be drawn.
        adapter: the adapter's key inside the model; None is the base.
        last: the token that was drawn last; None before the first.
        drawn: how many tokens were drawn.
        random: its own source of chance; None where the engine may choose.
    """

    request: ChatRequest
    prompt: list[int]
    budget: int
    adapter: str | None
    text: TextWriter
    watch: StopWatch
    last: int | None = None
    drawn: int = 0
    random: Any = None
    done: bool = False

    @property
    def length(self) -> int:
        """Tokens that stand before the next one."""
        return len(self.prompt) + self.drawn

    def take(self, token: int, ends: bool, alternatives: tuple[tuple[str, float], ...]) -> Delta:
        """Note a drawn token; what it adds to the reply.

        Args:
            ends: whether the token says that the reply is over.
        """
        self.last, self.drawn = token, self.drawn + 1
        piece = "" if ends else self.text.add(token)
        cut = self.watch.cut(piece)
        reason: FinishReason | None = None
        if ends or cut is not None:
            reason = "stop"
        elif self.drawn >= self.budget:
            reason = "length"
        text = piece if cut is None else cut
        if reason and cut is None:
            text += self.text.rest()
        tokens = (Token(text, alternatives),) if self.request.logprobs and not ends else ()
        self.done = reason is not None
        if reason is None:
            return Delta(text, tokens)
        return Delta(
            text,
            tokens,
            finish_reason=reason,
            prompt_tokens=len(self.prompt),
            completion_tokens=self.drawn,
        )
