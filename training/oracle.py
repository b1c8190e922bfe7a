"""Traces for distillation, from any judge: blind first, the failures once more with the verdict.

Every attempt is a line of a JSON Lines file, written when it is made. A run that is killed goes on
where it was: an attempt on record is not made again. What is kept is complete, right and grounded;
`training.dataset.build` makes a data set of the file.

Source: RM-R1 (arXiv 2505.02387, appendix B): a first pass without the label, a second one for the
failures with the label and the failed attempt. Unlike there, both passes are checked alike.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator
from tqdm import tqdm

from rmr1.batch import judge_many
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Order, Pair
from rmr1.plan import Plan
from rmr1.prompt import build_chat
from rmr1.rollout import State
from storage.compile import check_target
from training.attempts import Attempt, Book, Pass, PassReport, Prices, open_book
from training.hindsight import HindsightBackend, gives_itself_away, hindsight_note


class OracleOptions(BaseModel):
    """How traces are drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan = Field(
        default=Plan(max_tokens=4096),
        description="temperature, budget, seed and grammar; orders are the pairs' own, "
        "and votes are `tries`",
    )
    tries: int = Field(default=1, ge=1, le=64, description="blind attempts on a pair at most")
    told_tries: int = Field(
        default=1,
        ge=0,
        le=64,
        description="attempts with the verdict at most; 0 for none",
    )
    workers: int | None = Field(default=None, ge=1, description="pairs judged at once")
    prices: Prices = Field(default=Prices(), description="of the tokens")

    @model_validator(mode="after")
    def _tries_differ(self) -> "OracleOptions":
        if max(self.tries, self.told_tries) > 1 and self.plan.temperature == 0:
            raise ValueError("greedy tries are alike: more than one needs a temperature")
        return self


class Asked(BaseModel):
    """A pair for the oracle: its better side is known.

    Attributes:
        order: in which the judge reads it.
    """

    model_config = ConfigDict(frozen=True)

    pair: Pair
    order: Order = Order.AB


class OracleReport(BaseModel):
    """What an oracle's file holds after a run, earlier runs included.

    Attributes:
        skipped: pairs that were not asked, by reason.
        failed: pairs on which the backend failed in this run; another run asks them again.
        seconds: of this run, by the clock.
    """

    pairs: int
    kept: int
    skipped: dict[str, int]
    failed: int
    passes: dict[Pass, PassReport]
    cost: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Which attempt on every pair is being made."""

    stage: Pass
    number: int
    options: OracleOptions

    @property
    def plan(self) -> Plan:
        plan = self.options.plan
        return plan.model_copy(update={"orders": "AB", "votes": 1, "seed": plan.seed + self.number})


def collect(
    judge: Judge,
    asked: Iterable[Asked],
    out: Path,
    options: OracleOptions | None = None,
    *,
    teller: Judge | None = None,
    progress: bool | None = None,
) -> OracleReport:
    """Draw traces until every pair has one or its attempts are used up.

    Args:
        out: the file of attempts; one that is there goes on.
        teller: who judges in the second pass; by default `judge`.
        progress: whether to show bars on standard error; by default on a terminal.

    Raises:
        InputError: the file is not an oracle's, or another run is writing it.
        BackendUnavailable: the backend failed many times in a row; what was drawn is on record.
    """
    options = options or OracleOptions()
    started = time.perf_counter()
    pairs: dict[str, Asked] = {}
    skipped: Counter[str] = Counter()
    for one in asked:
        reason = _why_not(one, judge)
        if reason:
            skipped[reason] += 1
        else:
            pairs.setdefault(one.pair.hash, one)
    passes: tuple[tuple[Pass, Judge, int], ...] = (
        ("blind", judge, options.tries),
        ("told", teller or judge, options.told_tries),
    )
    with open_book(out) as book:
        pairs = {digest: _as_before(book, one) for digest, one in pairs.items()}
        for stage, who, tries in passes:
            same = (who.version.hash, options.plan.hash)
            for number in range(tries):
                drawing = _Drawing(stage, number, options)
                _run(book, who, _todo(book, pairs, drawing, same), drawing, progress)
        counted = book.counted(options.prices)
        return OracleReport(
            pairs=len(pairs),
            kept=sum(book.kept(digest) for digest in pairs),
            skipped=dict(skipped),
            failed=len(book.failed),
            passes=counted,
            cost=sum(one.cost for one in counted.values()),
            seconds=time.perf_counter() - started,
        )


def _why_not(one: Asked, judge: Judge) -> str | None:
    """Why a pair is not worth asking about; None if it is."""
    if one.pair.chosen is None:
        return "no better side is known"
    if build_chat(one.pair, judge.profile, one.order).injected:
        return "the pair forges markers of the prompt"
    return None


def _as_before(book: Book, one: Asked) -> Asked:
    """The pair in the order in which it was asked before, so that attempts can be compared."""
    made = book.attempts[one.pair.hash, "blind"]
    return one.model_copy(update={"order": made[-1].order}) if made else one


def _todo(
    book: Book, pairs: dict[str, Asked], drawing: _Drawing, same: tuple[str, str]
) -> list[Asked]:
    """The pairs without a kept trace whose next attempt in this pass is the one of this number.

    Args:
        same: hashes of judge and plan; the attempts of others do not count as made.
    """
    found = []
    stage, number = drawing.stage, drawing.number
    for digest, one in pairs.items():
        made = [a for a in book.attempts[digest, stage] if (a.judge_hash, a.plan_hash) == same]
        can = stage == "blind" or book.attempts[digest, "blind"]
        if can and len(made) == number and not book.kept(digest):
            found.append(one)
    return found


def _run(
    book: Book,
    judge: Judge,
    todo: Sequence[Asked],
    drawing: _Drawing,
    progress: bool | None,
) -> None:
    """Make one attempt on each pair."""
    by_hash = {_shown(one).hash: one for one in todo}
    if drawing.stage == "told":
        judge = _told(book, judge, todo)
    judged = judge_many(judge, map(_shown, todo), drawing.plan, workers=drawing.options.workers)
    bar = tqdm(
        judged,
        total=len(todo),
        unit="pair",
        desc=f"{drawing.stage} {drawing.number + 1}",
        disable=not (sys.stderr.isatty() if progress is None else progress) or not todo,
    )
    prices = drawing.options.prices
    kept = 0
    cost = 0.0
    with closing(judged):
        for judgement in bar:
            one = by_hash[judgement.pair.hash]
            if judgement.state is State.FAILED:
                book.fail(one.pair.hash, judgement.reason)
                continue
            attempt = _attempt(one, judgement, judge, drawing)
            book.write(attempt)
            kept += not attempt.faults
            cost += prices.cost(attempt.prompt_tokens, attempt.completion_tokens)
            bar.set_postfix(kept=kept, cost=f"{cost:.2f}", refresh=False)


def _shown(one: Asked) -> Pair:
    """The pair as the judge reads it."""
    return one.pair if one.order is Order.AB else one.pair.swapped()


def _told(book: Book, judge: Judge, todo: Sequence[Asked]) -> Judge:
    """The judge with the failed attempts and the right verdicts before it."""
    notes = {}
    for one in todo:
        last = book.attempts[one.pair.hash, "blind"][-1]
        assert one.pair.chosen
        winner = one.order.to_pair(one.pair.chosen)
        question = build_chat(one.pair, judge.profile, one.order).messages[-1].content
        # Faults name the sides of the pair; the judge knows the letters that it was shown.
        wrong = last.verdict is one.pair.chosen.other
        fault = "its verdict is wrong" if wrong else last.faults[0]
        notes[question] = hindsight_note(last.text, fault, winner)
    return Judge(HindsightBackend(judge.backend, notes), judge.profile, adapter=judge.adapter)


def _attempt(one: Asked, judgement: Judgement, judge: Judge, drawing: _Drawing) -> Attempt:
    rollout = judgement.rollouts[0]
    trace = rollout.trace.text
    faults = check_target(one.pair, one.order, trace, layout=judge.profile.layout)
    if drawing.stage == "told" and (words := gives_itself_away(trace)):
        faults.append(f"it says that it was told: “{words}”")
    return Attempt(
        stage=drawing.stage,
        number=drawing.number,
        order=one.order,
        text=trace,
        state=judgement.state,
        verdict=judgement.verdict and one.order.to_pair(judgement.verdict),
        faults=faults,
        prompt_tokens=rollout.prompt_tokens or 0,
        completion_tokens=rollout.completion_tokens or 0,
        seconds=rollout.seconds or 0.0,
        plan_hash=drawing.options.plan.hash,
        judge_version=asdict(judgement.version),
        judge_hash=judgement.version.hash,
        pair_hash=one.pair.hash,
        pair=one.pair,
    )
