"""Pairs on record judged in the background, one batch at a time; no Gradio in here."""

from collections.abc import Mapping
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, get_args

from pydantic import ValidationError

from rmr1.batch import judge_many
from rmr1.errors import InputError, RMR1Error, first_problem
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.rollout import State
from storage import batches, runs
from storage.batches import Which
from storage.database import Database
from storage.runs import Run
from ui.context import Studio
from ui.views import View

REPORT_S = 1.0
"""Seconds between two notes of how far a batch is."""

SHOWN = 8
"""Batches that the page lists."""


class Batches:
    """The batches of this process: at most one runs; pages ask and stop it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None
        self.run_id: int | None = None

    @property
    def is_running(self) -> bool:
        """Whether a batch of this process is at work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, judge: Judge, plan: Plan, which: Which, limit: int | None) -> int:
        """Begin to judge what this judge has not judged yet.

        Returns:
            The id of the run.

        Raises:
            InputError: a batch is at work, or there is nothing to judge.
        """
        with self._lock:
            if self.is_running:
                raise InputError("A batch is at work already: wait for it, or stop it.")
            params = {"which": which, "plan": plan.model_dump(), "judge": judge.version.title}
            with self._database.write() as session:
                wanted = batches.unjudged(session, judge, plan, which, limit)
                if not wanted:
                    raise InputError("This judge has judged all of these pairs under this plan.")
                run_id = runs.start(session, "batch", judge.version.title, params)
                runs.report(session, run_id, {"total": len(wanted)})
                batches.report(session, run_id, 0, 0)
            self._stopped.clear()
            self.run_id = run_id
            self._thread = Thread(
                target=self._work, args=(run_id, judge, plan, wanted), name="batch", daemon=True
            )
            self._thread.start()
        return run_id

    def stop(self, wait_s: float = 0.0) -> None:
        """Begin no further pair; what is judged stays."""
        self._stopped.set()
        if self._thread is not None and wait_s:
            self._thread.join(wait_s)

    def _work(self, run_id: int, judge: Judge, plan: Plan, wanted: list[int]) -> None:
        ending: runs.Ending = "finished"
        message = ""
        try:
            self._judge(run_id, judge, plan, wanted)
            if self._stopped.is_set():
                ending = "stopped"
        except Exception as error:
            ending, message = "failed", str(error)
            if not isinstance(error, RMR1Error):
                raise
        finally:
            with self._database.write() as session:
                runs.finish(session, run_id, state=ending, message=message)

    def _judge(self, run_id: int, judge: Judge, plan: Plan, wanted: list[int]) -> None:
        done = failed = 0
        reported_at = monotonic()
        judged = judge_many(judge, batches.texts(self._database, wanted), plan)
        try:
            for judgement in judged:
                failed += judgement.state is State.FAILED
                done += 1
                with self._database.write() as session:
                    batches.keep(session, run_id, judge, judgement)
                    if monotonic() - reported_at >= REPORT_S or done == len(wanted):
                        batches.report(session, run_id, done, failed)
                        reported_at = monotonic()
                if self._stopped.is_set():
                    break
        finally:
            judged.close()
            with self._database.write() as session:
                batches.report(session, run_id, done, failed)


def batch_form(studio: Studio, sent: Mapping[str, Any]) -> tuple[Judge, Plan, Which, int | None]:
    """What the form asks for.

    Raises:
        InputError: something in it cannot be used; the sentence names it.
    """
    title = str(sent.get("judge"))
    judge = studio.judges.get(title)
    if judge is None:
        raise InputError("There is no such judge any more: choose one of the list.")
    which = next((one for one in get_args(Which) if one == sent.get("which")), None)
    if which is None:
        raise InputError("Which pairs are meant was not said.")
    limit = sent.get("limit")
    if limit is not None and not (isinstance(limit, int) and 1 <= limit <= 1_000_000):
        raise InputError("The number of pairs is a whole number from 1 on.")
    changes = {name: sent[name] for name in ("orders", "votes") if name in sent}
    plan = studio.plans.get(title, studio.plan)
    try:
        return judge, Plan.model_validate({**plan.model_dump(), **changes}), which, limit
    except ValidationError as error:
        where, what = first_problem(error)
        raise InputError(f"The plan's {where}: {what}.") from error


def batches_view(studio: Studio, work: Batches, sent: Mapping[str, Any]) -> View:
    """The judges, how much is left to do, and the newest batches."""
    view: View = {"judges": list(studio.judges), "orders": studio.plan.orders}
    with studio.database.read() as session:
        try:
            judge, plan, which, _ = batch_form(
                studio, {"judge": next(iter(studio.judges)), "which": "all", **sent}
            )
            view["left"] = batches.left(session, judge, plan, which)._asdict()
        except InputError as error:
            view["problem"] = str(error)
        recent = runs.recent(session, "batch", SHOWN)
    view["runs"] = [_run_view(run, work) for run in recent]
    view["running"] = work.is_running
    return view


def _run_view(run: Run, work: Batches) -> View:
    state = "ended with its process" if _is_orphan(run, work) else run.state
    seconds = (
        run.finished_at.timestamp() if run.finished_at else run.counts.get("heard_at", 0.0)
    ) - run.created_at.timestamp()
    return {
        "id": run.id,
        "name": run.name,
        "state": state,
        "message": run.message,
        "which": run.params.get("which", ""),
        "done": run.counts.get("done", 0),
        "failed": run.counts.get("failed", 0),
        "total": run.counts.get("total", 0),
        "seconds": max(0.0, seconds),
        "at": f"{run.created_at:%Y-%m-%d %H:%M}",
    }


def _is_orphan(run: Run, work: Batches) -> bool:
    return run.id != work.run_id and batches.is_silent(run)
