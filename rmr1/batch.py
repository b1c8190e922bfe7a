"""Many pairs through one judge: bounded, as they are done, never stopped by one bad pair."""

from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.stopping import next_draws


def judge_many(
    judge: Judge, pairs: Iterable[Pair], plan: Plan, *, workers: int | None = None
) -> Generator[Judgement, None, None]:
    """Judge pairs as they come, holding no more than twice `workers` of them in memory.

    A pair whose backend fails yields a judgement of state `failed`. Closing the generator drops the
    pairs that have not been begun.

    Args:
        workers: pairs judged at once; by default as many as keep the backend busy.

    Yields:
        Judgements, in the order in which they are done.
    """
    workers = workers or max(1, judge.backend.capabilities.parallel // len(next_draws(plan, ())))
    running: set[Future[Judgement]] = set()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="judge")
    try:
        for pair in pairs:
            running.add(pool.submit(judge.judge, pair, plan))
            if len(running) >= 2 * workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
