"""The judge: a pair becomes a chat, the chat becomes rollouts, the rollouts become a judgement."""

import re
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from math import exp
from queue import SimpleQueue

from rmr1.backends.base import Backend, ChatRequest, Delta, FinishReason, Sampling, Token
from rmr1.errors import BackendError, BackendUnavailable
from rmr1.grammar import build_grammar
from rmr1.grounding import GroundedQuote
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Message, Order, Pair, Side
from rmr1.plan import Draw, Plan
from rmr1.prompt import Profile, build_chat
from rmr1.rollout import Rollout, RolloutReader
from rmr1.stopping import next_draws
from rmr1.trace import Trace

UPDATE_SECONDS = 0.08
"""Least time between two updates of one rollout: a page cannot show more."""

ALTERNATIVES = 10
"""Alternatives asked for each token; A and B are always among them at a verdict worth the name."""

_VERDICT = re.compile(r"\[\[\s*([AB])\s*\]?\]?\s*$")


@dataclass(frozen=True, slots=True)
class Update:
    """How far one rollout has come.

    Attributes:
        index: the rollout's place in the plan.
        seconds: since the rollout was asked for.
        rollout: the finished rollout; None while it is being written.
    """

    index: int
    draw: Draw
    trace: Trace
    quotes: tuple[GroundedQuote, ...]
    tokens: int
    seconds: float
    rollout: Rollout | None = None


class Judge:
    """A backend that judges under a prompt profile; safe to call from several threads."""

    def __init__(self, backend: Backend, profile: Profile, *, adapter: str | None = None) -> None:
        """Put a judge together.

        Args:
            adapter: one of the backend's adapters, by its identity or its name; None is the base
                model. A name is the newest of that name when the judge first needs it, from then
                on the same.
        """
        self.backend = backend
        self.profile = profile
        self._asked_adapter = adapter

    @cached_property
    def adapter(self) -> str | None:
        """Identity of the adapter, where the backend has identities, else its name."""
        asked = self._asked_adapter
        if asked is None:
            return None
        known = reversed(self.backend.capabilities.adapters)
        return next((one for one in known if one.rpartition("@")[0] == asked), asked)

    @property
    def version(self) -> JudgeVersion:
        """Which judge this is: what every judgement of it records."""
        identity = self.backend.identity
        return JudgeVersion(
            backend=identity.kind,
            model=identity.model,
            revision=identity.revision,
            engine=identity.engine,
            adapter=self.adapter or "",
            profile=self.profile.name,
            profile_hash=self.profile.hash,
        )

    def judge(self, pair: Pair, plan: Plan) -> Judgement:
        """Judge one pair to the end; a backend that fails makes a judgement of state `failed`."""
        *_, last = self.stream(pair, plan)
        assert isinstance(last, Judgement)
        return last

    def stream(self, pair: Pair, plan: Plan) -> Iterator[Update | Judgement]:
        """Judge one pair, yielding what is known while it is written, and the judgement last.

        As many rollouts run at once as the backend takes; those that a plan may do without are
        asked for only once they are needed. Closing the iterator abandons them all.
        """
        updates: SimpleQueue[Update | BaseException] = SimpleQueue()
        cancelled = threading.Event()
        workers = max(1, min(self.backend.capabilities.parallel, plan.size))
        pool = ThreadPoolExecutor(workers, thread_name_prefix="rollout")

        def run(index: int, draw: Draw) -> None:
            try:
                for update in self._rollout(pair, plan, index, draw, cancelled):
                    updates.put(update)
            except BaseException as error:  # handed to the caller's thread, which raises it
                updates.put(error)

        try:
            rollouts: list[Rollout] = []
            while draws := next_draws(plan, rollouts):
                for index, draw in enumerate(draws, start=len(rollouts)):
                    pool.submit(run, index, draw)
                rollouts += yield from _gather(updates, len(draws))
            yield conclude(pair, self.version, plan, rollouts)
        finally:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _rollout(
        self, pair: Pair, plan: Plan, index: int, draw: Draw, cancelled: threading.Event
    ) -> Iterator[Update]:
        """Draw one rollout; the last update carries it whole.

        One whose server breaks off in the middle is begun once more, from its first word.
        """
        chat = build_chat(pair, self.profile, draw.order)
        request = self._request(pair, chat.messages, plan, draw)
        started = time.perf_counter()
        for is_last_try in (False, True):
            reader = RolloutReader(pair, draw.order, layout=self.profile.layout)
            writing = _Writing(reader, index, draw, chat.injected, started)
            try:
                yield from self._write(writing, request, cancelled)
            except BackendError as failure:
                broke_off = isinstance(failure, BackendUnavailable) and writing.tokens
                if broke_off and not is_last_try and not cancelled.is_set():
                    continue
                yield writing.update(writing.finish(error=str(failure)))
            else:
                if not cancelled.is_set():
                    yield writing.update(writing.finish())
            return

    def _write(
        self, writing: "_Writing", request: ChatRequest, cancelled: threading.Event
    ) -> Iterator[Update]:
        """Let the backend write a rollout, with an update as often as a page can show one."""
        with closing(self.backend.stream(request)) as deltas:
            for delta in deltas:
                if cancelled.is_set():
                    return
                if writing.answered and delta.text:  # from an engine that does not stop by itself
                    break
                writing.take(delta)  # what comes last without text are the counts of tokens
                if writing.is_due():
                    yield writing.update()

    def _request(
        self, pair: Pair, messages: tuple[Message, ...], plan: Plan, draw: Draw
    ) -> ChatRequest:
        able = self.backend.capabilities
        held = plan.grammar and able.grammar
        grammar = build_grammar(pair, self.profile, draw.order) if held else None
        return ChatRequest(
            messages=messages,
            sampling=Sampling(
                max_tokens=plan.max_tokens,
                temperature=plan.temperature,
                seed=draw.seed,
                stop=self.profile.stop,
            ),
            adapter=self.adapter,
            grammar=grammar or None,
            logprobs=ALTERNATIVES if able.logprobs else 0,
            group=pair.prompt_hash,
        )


@dataclass(slots=True)
class _Writing:
    """A rollout while it is being written."""

    reader: RolloutReader
    index: int
    draw: Draw
    injected: tuple[str, ...]
    started: float = field(default_factory=time.perf_counter)
    shown: float = 0.0
    first_seconds: float | None = None
    tokens: int = 0
    prompt_tokens: int | None = None
    finish_reason: FinishReason | None = None
    tail: str = ""
    answered: bool = False
    verdict_token: Token | None = None

    def take(self, delta: Delta) -> None:
        if delta.text and self.first_seconds is None:
            self.first_seconds = time.perf_counter() - self.started
        self.reader.feed(delta.text)
        for token in delta.tokens:
            self.tail = (self.tail + token.text)[-80:]
            if _VERDICT.search(self.tail) and _letter(token.text):
                self.verdict_token = token
        if not delta.tokens:
            self.tail = (self.tail + delta.text)[-80:]
        self.tokens = delta.completion_tokens or self.tokens + max(1, len(delta.tokens))
        self.prompt_tokens = delta.prompt_tokens or self.prompt_tokens
        self.answered = self.answered or self._is_answered()
        self.finish_reason = "stop" if self.answered else delta.finish_reason or self.finish_reason

    def _is_answered(self) -> bool:
        """Whether a closed answer stands at the end: what follows would only cost time."""
        return "</answer>" in self.tail and self.reader.snapshot().trace.verdict is not None

    def is_due(self) -> bool:
        return time.perf_counter() - self.shown >= UPDATE_SECONDS

    def update(self, rollout: Rollout | None = None) -> Update:
        self.shown = time.perf_counter()
        reading = rollout or self.reader.snapshot()
        return Update(
            index=self.index,
            draw=self.draw,
            trace=reading.trace,
            quotes=reading.quotes,
            tokens=self.tokens,
            seconds=self.shown - self.started,
            rollout=rollout,
        )

    def finish(self, error: str | None = None) -> Rollout:
        return self.reader.finish(
            vote=self.draw.vote,
            seed=self.draw.seed,
            finish_reason=self.finish_reason,
            error=error,
            probability_a=_probability_a(self.verdict_token, self.draw.order),
            injected=self.injected,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.tokens,
            seconds=time.perf_counter() - self.started,
            first_seconds=self.first_seconds,
        )


def _letter(token_text: str) -> Side | None:
    """The letter that a token spells, brackets and space aside."""
    bare = token_text.strip(" []")
    return Side(bare) if bare in ("A", "B") else None


def _probability_a(verdict: Token | None, order: Order) -> float | None:
    """Probability of the pair's side A at the verdict, A and B alone considered."""
    mass = {Side.A: 0.0, Side.B: 0.0}
    for text, logprob in verdict.logprobs if verdict else ():
        letter = _letter(text)
        if letter:
            mass[order.to_pair(letter)] += exp(logprob)
    total = mass[Side.A] + mass[Side.B]
    return mass[Side.A] / total if total else None


def _gather(
    updates: SimpleQueue[Update | BaseException], count: int
) -> Generator[Update, None, list[Rollout]]:
    """Pass updates on until `count` rollouts are whole; these in the plan's order."""
    rollouts: dict[int, Rollout] = {}
    while len(rollouts) < count:
        update = updates.get()
        if isinstance(update, BaseException):
            raise update
        if update.rollout:
            rollouts[update.index] = update.rollout
        yield update
    return [rollouts[index] for index in sorted(rollouts)]
