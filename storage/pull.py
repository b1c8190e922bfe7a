"""The pull of the machine: how people's blind answers change once the judge's verdict is seen."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rmr1.share import Share
from storage.agreement import difference
from storage.estimate import Estimate
from storage.opinions import Opinion, StageOfLabel
from storage.paired import Paired, compare_outcomes
from storage.tables import JudgementRow, QueueRow

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pull:
    """Blind answers beside the answers after the reveal, by the verdict that was shown.

    Attributes:
        towards: changed to the verdict, of the blind answers that differed from it.
        away: changed from the verdict, of the blind answers that were the same.
        otherwise: changed, but neither to the verdict nor from it.
        paired: agreement with the verdict before (`old`) and after (`new`), with McNemar's test.
        net: the rise of that agreement: the pull itself; positive is towards the judge.
    """

    n: int
    towards: Share
    away: Share
    otherwise: int
    paired: Paired
    net: Estimate


@dataclass(frozen=True, slots=True)
class PullReport:
    """The pull on a stream, in all, by person and by queue (None: none).

    Attributes:
        no_verdict: answers on judgements that showed no verdict; they are left out.
        not_reached: blind answers whose person never saw the verdict, or said nothing after it.
    """

    whole: Pull
    people: dict[str, Pull]
    queues: dict[int | None, Pull]
    no_verdict: int
    not_reached: int


def shown_verdicts(session: Session, said: Sequence[Opinion]) -> dict[int, str]:
    """The verdict of each judgement that was shown and has one, by the judgement's id."""
    ids = sorted({one.shown_id for one in said if one.shown_id is not None})
    found: dict[int, str] = {}
    for start in range(0, len(ids), _CHUNK):
        some = JudgementRow.id.in_(ids[start : start + _CHUNK])
        statement = select(JudgementRow.id, JudgementRow.verdict).where(
            some, JudgementRow.verdict.is_not(None)
        )
        found.update((id_, verdict) for id_, verdict in session.execute(statement) if verdict)
    return found


def queue_names(session: Session) -> dict[int, str]:
    """The queues' names, by id."""
    return {id_: name for id_, name in session.execute(select(QueueRow.id, QueueRow.name))}


def report(
    said: Sequence[Opinion], verdicts: Mapping[int, str], after: StageOfLabel = "verdict"
) -> PullReport:
    """The pull on these answers.

    Args:
        verdicts: `shown_verdicts`.
        after: the stage whose answer is held against the blind one.
    """
    counts: Counter[str] = Counter()
    moved: list[Opinion] = []
    for one in said:
        if one.blind is None:
            continue
        if one.shown_id is None or one.at(after) is None:
            counts["not reached"] += 1
        elif one.shown_id not in verdicts:
            counts["no verdict"] += 1
        else:
            moved.append(one)
    people: defaultdict[str, list[Opinion]] = defaultdict(list)
    queues: defaultdict[int | None, list[Opinion]] = defaultdict(list)
    for one in moved:
        people[one.annotator].append(one)
        queues[one.queue_id].append(one)
    return PullReport(
        whole=pull(moved, verdicts, after),
        people={name: pull(part, verdicts, after) for name, part in sorted(people.items())},
        queues={queue: pull(part, verdicts, after) for queue, part in queues.items()},
        no_verdict=counts["no verdict"],
        not_reached=counts["not reached"],
    )


def pull(said: Sequence[Opinion], verdicts: Mapping[int, str], after: StageOfLabel) -> Pull:
    """The pull on answers that all have a verdict shown and an answer after it.

    Source: the test for changes in paired answers, Q. McNemar, Psychometrika 12 (1947).
    """
    outcomes = [
        (one.blind == verdict, one.at(after) == verdict)
        for one, verdict in ((one, verdicts[one.shown_id or 0]) for one in said)
    ]
    paired = compare_outcomes(outcomes)
    agreed = paired.old.count
    changed = sum(one.blind != one.at(after) for one in said)
    return Pull(
        n=len(said),
        towards=Share.of(paired.only_new, len(said) - agreed),
        away=Share.of(paired.only_old, agreed),
        otherwise=changed - paired.only_new - paired.only_old,
        paired=paired,
        net=difference(outcomes, [one.prompt_hash for one in said], unit="answers"),
    )
