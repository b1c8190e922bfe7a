"""Many pairs through one judge: bounded, as they are done, never stopped by one bad pair."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from rmr1.backends.base import CountsRefusals
from rmr1.concurrency import AdaptiveLimit
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.stopping import next_draws

AHEAD = 1_000
"""Pairs that `by_prompt` holds in memory."""


def by_prompt(pairs: Iterable[Pair], ahead: int = AHEAD) -> Iterator[Pair]:
    """The same pairs, those with the same prompt one after the other.

    A server that keeps the beginnings of prompts reads the common one once. Prompts come in the
    order of their first pairs.

    Args:
        ahead: pairs that are looked at and put in order at a time.
    """
    rest = iter(pairs)
    while part := list(islice(rest, ahead)):
        together: dict[str, list[Pair]] = {}
        for pair in part:
            together.setdefault(pair.prompt_hash, []).append(pair)
        for same in together.values():
            yield from same


def judge_many(
    judge: Judge, pairs: Iterable[Pair], plan: Plan, *, workers: int | None = None
) -> Generator[Judgement, None, None]:
    """Judge pairs as they come, holding no more than twice as many in memory as are judged at once.

    A pair whose backend fails yields a judgement of state `failed`. Closing the generator drops the
    pairs that have not been begun.

    Args:
        workers: pairs judged at once; by default as many as keep the backend busy, which is found
            out on the way where the backend does not know.

    Yields:
        Judgements, in the order in which they are done.
    """
    able, draws = judge.backend.capabilities, len(next_draws(plan, ()))
    start = workers or max(1, able.parallel // draws)
    finds_out = workers is None and able.most_parallel is not None
    most = max(1, (able.most_parallel or 1) // draws) if finds_out else start
    limit = AdaptiveLimit(start, most, step=max(1, start // 4))

    def run(pair: Pair) -> Judgement | None:
        with limit.room() as admitted:
            judgement = judge.judge(pair, plan) if admitted else None
        if judgement and finds_out:
            _note(limit, judge, judgement)
        return judgement

    pool = ThreadPoolExecutor(most, thread_name_prefix="judge")
    running: set[Future[Judgement | None]] = set()
    try:
        for pair in pairs:
            running.add(pool.submit(run, pair))
            while len(running) >= 2 * limit.now:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from _judgements(done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from _judgements(done)
    finally:
        limit.close()
        pool.shutdown(wait=False, cancel_futures=True)


def _judgements(done: Iterable[Future[Judgement | None]]) -> Iterator[Judgement]:
    """What is done; where one was broken off it raises, but only once the others are through."""
    for future in sorted(done, key=lambda one: one.exception() is not None):
        if judgement := future.result():
            yield judgement


def _note(limit: AdaptiveLimit, judge: Judge, judgement: Judgement) -> None:
    """Tell the limit what a judgement shows of the server."""
    waits = [one.first_seconds for one in judgement.rollouts if one.first_seconds is not None]
    backend = judge.backend
    limit.note(
        tokens=sum(rollout.completion_tokens or 0 for rollout in judgement.rollouts),
        wait_s=max(waits, default=None),
        refusals=backend.refusals if isinstance(backend, CountsRefusals) else 0,
    )
