"""Two judge versions on the pairs that both judged: which is right more often, and where."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.errors import InputError
from rmr1.pair import Order, Side
from rmr1.plan import Plan
from rmr1.rollout import State
from rmr1.share import Share
from storage import common_pairs, judge_versions
from storage.census import census
from storage.common_pairs import CommonPair, CompareOptions, Judged
from storage.filters import JudgementFilter
from storage.judgements import count
from storage.kept import Kept
from storage.paired import NEEDED_TO_TELL, Paired, compare_outcomes
from storage.tables import JudgementRow, LabelEventRow, PairTextRow, RolloutRow

_CHUNK = 500
_FEW = 30
_LENGTHS = ((1000, "under 1,000 characters"), (4000, "1,000 to 3,999 characters"))
_LONGEST = "4,000 characters and more"
_KEPT: Kept["Comparison"] = Kept(6)


@dataclass(frozen=True, slots=True)
class PlanUse:
    """A plan, and how many of the compared judgements were made under it."""

    plan: Plan
    judgements: int


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """What one judge version did on the compared pairs.

    Attributes:
        version: hash of the judge version.
        judged: pairs that it judged at all, its backend not failing.
        plans: commonest first.
        no_verdict: judgements without a verdict; they count as wrong.
        complete: judgements in the state `complete`.
        absent_quotes: quotations that stand in no response, of all quotations.
        swap_consistent: of the judgements that compared both orders.
        named_first: rollouts that name the response that was shown first, of those that name one.
        tokens: median of the completion tokens of a judgement; None where none were counted.
        seconds: median of a judgement's seconds; None where none were taken.
    """

    version: str
    title: str
    judged: int
    plans: tuple[PlanUse, ...]
    no_verdict: int
    complete: Share
    absent_quotes: Share
    swap_consistent: Share
    named_first: Share
    tokens: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Slice:
    """The comparison on a part of the pairs.

    Attributes:
        kind: what divides the pairs: their `source`, the `type` that the judges took the task
            for, or the `length` of both responses together.
    """

    kind: Literal["source", "type", "length"]
    name: str
    paired: Paired


@dataclass(frozen=True, slots=True)
class Flip:
    """A pair that one judge got right and the other did not, with the keys of both judgements."""

    pair_id: int
    source: str
    truth: Side
    old_key: str
    new_key: str
    old_verdict: Side | None
    new_verdict: Side | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two judge versions on the pairs that both judged.

    Attributes:
        truths: on how many pairs the better side is known by `labels`, and on how many `known`
            to their source.
        left_out: why pairs that both judged are no part of it, and how many for each reason.
        improved: pairs on which only the new judge is right.
        worsened: pairs on which only the old judge is right.
        remarks: what a reader should know before the figures, in sentences.
    """

    old: JudgeFigures
    new: JudgeFigures
    paired: Paired
    truths: dict[str, int]
    left_out: dict[str, int]
    slices: tuple[Slice, ...]
    improved: tuple[Flip, ...]
    worsened: tuple[Flip, ...]
    remarks: tuple[str, ...]


def compare(
    session: Session, old: str, new: str, options: CompareOptions | None = None
) -> Comparison:
    """Compare two judge versions.

    Of each version the newest judgement of a pair counts whose backend did not fail, whatever
    its plan. A judgement without a verdict is wrong.

    Args:
        old: hash of a judge version, or a beginning of it that no other has.
        new: the same of the other one.

    Raises:
        RecordNotFound: there is no such judge version.
        InputError: a beginning fits several versions, or both are the same one.
    """
    options = options or CompareOptions()
    old, new = judge_versions.find(session, old), judge_versions.find(session, new)
    if old == new:
        raise InputError("Both are the same judge version: name two.")
    state = _state(session, (old, new), options)
    return _KEPT.get(
        session, (old, new, options), state, lambda: _compared(session, old, new, options)
    )


def _state(session: Session, versions: Sequence[str], options: CompareOptions) -> tuple[int, ...]:
    """What differs whenever a comparison of these versions may."""
    everything = census(session)
    newest = (
        everything.ids[everything.of_kinds({"judge_version": version})][-1:] for version in versions
    )
    events = select(func.max(LabelEventRow.id))
    said = 0 if options.truth == "known" else session.scalar(events) or 0
    return everything.mark.changes, said, *(int(id_) for ids in newest for id_ in ids)


def _compared(session: Session, old: str, new: str, options: CompareOptions) -> Comparison:
    left_out: Counter[str] = Counter()
    of_old, of_new = common_pairs.newest(session, old), common_pairs.newest(session, new)
    both = list(common_pairs.read(session, of_old, of_new, options, left_out))
    figures = (
        _figures(session, old, [one.old for one in both]),
        _figures(session, new, [one.new for one in both]),
    )
    paired = compare_outcomes(one.outcome for one in both)
    return Comparison(
        *figures,
        paired=paired,
        truths=dict(Counter(one.known_by for one in both)),
        left_out=dict(left_out.most_common()),
        slices=tuple(_slices(session, both)),
        improved=tuple(_flip(one) for one in both if one.outcome == (False, True)),
        worsened=tuple(_flip(one) for one in both if one.outcome == (True, False)),
        remarks=tuple(_remarks(paired, figures, options)),
    )


def _figures(session: Session, version_hash: str, judged: Sequence[Judged]) -> JudgeFigures:
    swaps = [one.swap_consistent for one in judged if one.swap_consistent is not None]
    tokens = [one.tokens for one in judged if one.tokens is not None]
    seconds = [one.seconds for one in judged if one.seconds is not None]
    return JudgeFigures(
        version=version_hash,
        title=judge_versions.titles(session)[version_hash],
        judged=count(session, JudgementFilter(judge_version=version_hash, newest="yes")),
        plans=tuple(_plans(session, judged)),
        no_verdict=sum(one.verdict is None for one in judged),
        complete=Share.of(sum(one.state == State.COMPLETE for one in judged), len(judged)),
        absent_quotes=Share.of(
            sum(one.quotes_absent for one in judged), sum(one.quotes_total for one in judged)
        ),
        swap_consistent=Share.of(sum(swaps), len(swaps)),
        named_first=_named_first(session, [one.id for one in judged]),
        tokens=median(tokens) if tokens else None,
        seconds=median(seconds) if seconds else None,
    )


def _plans(session: Session, judged: Sequence[Judged]) -> Iterator[PlanUse]:
    examples = {one.plan_hash: one.id for one in judged}
    for plan_hash, number in Counter(one.plan_hash for one in judged).most_common():
        plan = select(JudgementRow.plan).where(JudgementRow.id == examples[plan_hash])
        yield PlanUse(Plan.model_validate(session.scalar(plan)), number)


def _named_first(session: Session, ids: Sequence[int]) -> Share:
    rollout = RolloutRow
    counts: Counter[bool] = Counter()
    for start in range(0, len(ids), _CHUNK):
        statement = (
            select(rollout.order, rollout.verdict, func.count())
            .where(rollout.judgement_id.in_(ids[start : start + _CHUNK]))
            .where(rollout.verdict.is_not(None))
            .group_by(rollout.order, rollout.verdict)
        )
        for order, verdict, number in session.execute(statement):
            counts[verdict == (Side.A if order == Order.AB else Side.B)] += number
    return Share.of(counts[True], counts.total())


def _slices(session: Session, both: Sequence[CommonPair]) -> Iterator[Slice]:
    lengths = _lengths(session, [one.pair_id for one in both])
    ways: dict[Literal["source", "type", "length"], Callable[[CommonPair], str]] = {
        "source": lambda one: one.source or "no source",
        "type": _type,
        "length": lambda one: _length(lengths[one.pair_id]),
    }
    for kind, name_of in ways.items():
        parts: defaultdict[str, list[tuple[bool, bool]]] = defaultdict(list)
        for one in both:
            parts[name_of(one)].append(one.outcome)
        for name in sorted(parts, key=lambda name: (-len(parts[name]), name)):
            yield Slice(kind, name, compare_outcomes(parts[name]))


def _type(one: CommonPair) -> str:
    """What the judges took the task for: what both say, or the only one that says anything."""
    said = {judged.type for judged in (one.old, one.new) if judged.type}
    if len(said) > 1:
        return "taken differently"
    return said.pop() if said else "none said"


def _lengths(session: Session, pair_ids: Sequence[int]) -> dict[int, int]:
    """Characters of both responses together."""
    both = func.length(PairTextRow.response_a) + func.length(PairTextRow.response_b)
    found: dict[int, int] = {}
    for start in range(0, len(pair_ids), _CHUNK):
        some = PairTextRow.pair_id.in_(pair_ids[start : start + _CHUNK])
        found.update(session.execute(select(PairTextRow.pair_id, both).where(some)).all())
    return found


def _length(characters: int) -> str:
    return next((name for limit, name in _LENGTHS if characters < limit), _LONGEST)


def _flip(one: CommonPair) -> Flip:
    return Flip(
        pair_id=one.pair_id,
        source=one.source,
        truth=Side(one.truth),
        old_key=one.old.key,
        new_key=one.new.key,
        old_verdict=Side(one.old.verdict) if one.old.verdict else None,
        new_verdict=Side(one.new.verdict) if one.new.verdict else None,
    )


def _remarks(
    paired: Paired, figures: Sequence[JudgeFigures], options: CompareOptions
) -> Iterator[str]:
    differing = paired.only_old + paired.only_new
    if not paired.n:
        yield "No pair that both judged can be counted, so there is nothing to say."
        return
    if paired.n < _FEW:
        yield f"Only {_pairs(paired.n)}: read the counts rather than the percentages."
    if differing < NEEDED_TO_TELL:
        yield (
            f"One judge is right and the other wrong on {_pairs(differing)}: fewer than "
            f"{NEEDED_TO_TELL} cannot show a difference at 5 %, however they fall."
        )
    if not options.held_out:
        yield "Pairs that may have been trained on are a part of it and flatter a trained judge."
    if {use.plan for use in figures[0].plans} != {use.plan for use in figures[1].plans}:
        yield "The two did not judge under the same plans."


def _pairs(number: int) -> str:
    return f"{number} pair" if number == 1 else f"{number} pairs"
