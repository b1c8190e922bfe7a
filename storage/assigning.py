"""Which pair a person labels next, why that one, and keeping it for them meanwhile."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rmr1.rollout import State
from storage import gold, people, queues, returning
from storage.census import Ids
from storage.columns import utc_now
from storage.courses import course
from storage.database import Database
from storage.filters import narrow
from storage.queues import Queue
from storage.remaining import Own, labelled, open_pairs, own_counts, own_pairs
from storage.returning import Returned
from storage.tables import AnnotatorRow, AssignmentRow, JudgementRow, LabelEventRow

Found = tuple[int, int, int]
"""A pair's id, and 0 or 1 for skipped, flagged."""

GOLD = "gold"
"""Why a pair was served whose answer was known; stored with the label, not shown."""

SENT_BACK = "sent back"
"""Why a pair was served that a lead sent back."""

_SPARE = 24
"""Further candidates at each try, for those that somebody else takes first."""

_TRIES = 8


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A pair to label.

    Attributes:
        judgement_key: the newest judgement that the queue is about; None for an unjudged pair, and
            for one whose judge failed.
        why: why it is served; goes into the label.
        position: the how-manieth of the queue it is for this person, from 1.
        skipped: whether the person passed it over before.
        flagged: whether the person put a flag on it.
        returned: what the lead said who sent it back; None where nobody did.
        queue_id: the queue that its label belongs to.
    """

    pair_id: int
    judgement_key: str | None
    why: str
    position: int
    skipped: bool
    flagged: bool
    returned: str | None = None
    queue_id: int | None = None


def next_items(
    session: Session,
    queue: Queue,
    annotator: str,
    n: int = 1,
    exclude: Sequence[int] = (),
) -> list[QueueItem]:
    """The next pairs for a person: sent back first, then those not labelled by them, skipped last.

    Gold pairs are mixed in among them. Pairs that have or are about to get the labels they need
    are left out; a queue that is not open, or whose screening the person failed, gives what was
    sent back alone.

    Args:
        exclude: ids of pairs that the person has before them already.
    """
    back = [one for one in returning.waiting(session, annotator) if one.pair_id not in exclude][:n]
    marks = gold.of_queue(session, queue.id)
    order = course(session, queue.filter, queue.order, queue.seed)
    own = own_pairs(session, annotator)
    fresh = _fresh(session, queue, annotator, n - len(back), exclude, order, own, marks)
    keys = judgement_keys(session, queue, [pair_id for pair_id, *_ in fresh])
    done = own_counts(order, own, marks)[0]
    return [_returned(session, queue, one) for one in back] + [
        QueueItem(
            pair_id=pair_id,
            judgement_key=keys.get(pair_id),
            why=GOLD if pair_id in marks else queue.why,
            position=position,
            skipped=bool(skip),
            flagged=bool(flag),
            queue_id=queue.id,
        )
        for position, (pair_id, skip, flag) in enumerate(fresh, start=done + 1)
    ]


def reserve(
    database: Database, queue: Queue, annotator: str, n: int, exclude: Sequence[int] = ()
) -> list[QueueItem]:
    """The next pairs for a person, kept for them: what two people ask for at once, one gets.

    Looking happens without the write lock, which is taken only to keep what was found.
    """
    taken: list[QueueItem] = []
    passed = list(exclude)
    for _ in range(_TRIES):
        with database.read() as session:
            wanted = n - len(taken) + _SPARE
            found = next_items(session, queue, annotator, wanted, passed)
        with database.write() as session:
            person = people.annotator_id(session, annotator)
            for item in found:
                if item.returned is not None or hold(session, queue, item.pair_id, person):
                    taken.append(item)
                passed.append(item.pair_id)
                if len(taken) == n:
                    return taken
        if len(found) < wanted:
            break
    return taken


def hold(
    session: Session,
    queue: Queue,
    pair_id: int,
    annotator_id: int,
    time: timedelta | None = None,
) -> bool:
    """Keep a pair for one person for a while (the queue's terms say how long).

    Returns:
        False where others have labelled it, or hold it, as often as the queue wants labels.
    """
    now = utc_now()
    here = (AssignmentRow.queue_id == queue.id, AssignmentRow.pair_id == pair_id)
    rows = session.scalars(select(AssignmentRow).where(*here)).all()
    others = {r.annotator_id for r in rows if r.annotator_id != annotator_id and r.held_until > now}
    if queue.terms.overlap is not None:
        said = labelled(queue).where(
            LabelEventRow.pair_id == pair_id, LabelEventRow.annotator_id != annotator_id
        )
        others |= {person for _, person in session.execute(said)}
    is_gold = pair_id in gold.of_queue(session, queue.id)
    if len(others) >= (queue.terms.overlap or 1) and not is_gold:
        return False
    mine = next((row for row in rows if row.annotator_id == annotator_id), None)
    if mine is None:
        mine = AssignmentRow(queue_id=queue.id, pair_id=pair_id, annotator_id=annotator_id)
        session.add(mine)
    mine.held_until = now + (queue.terms.hold if time is None else time)
    session.flush()
    return True


def why_served(session: Session, queue: Queue, pair_id: int, annotator: str) -> str | None:
    """Why a pair was served to a person from a queue; None where it never was.

    A pair that the person named themselves is not one that the queue's chance chose.
    """
    if returning.waiting(session, annotator, pair_id):
        return SENT_BACK
    if _assignment(session, queue.id, pair_id, annotator) is None:
        return None
    return GOLD if pair_id in gold.of_queue(session, queue.id) else queue.why


def judgement_keys(session: Session, queue: Queue, pair_ids: Sequence[int]) -> dict[int, str]:
    """Key of each pair's newest judgement that the queue is about; a failed one shows nothing."""
    newest = select(func.max(JudgementRow.id)).select_from(JudgementRow)
    newest = newest.where(
        JudgementRow.pair_id.in_(pair_ids), JudgementRow.state != State.FAILED
    ).group_by(JudgementRow.pair_id)
    newest = narrow(session, newest, queue.filter, counted=())
    rows = session.execute(
        select(JudgementRow.pair_id, JudgementRow.key).where(JudgementRow.id.in_(newest))
    )
    return {pair_id: key for pair_id, key in rows}


def _fresh(
    session: Session,
    queue: Queue,
    annotator: str,
    n: int,
    exclude: Collection[int],
    order: Ids,
    own: Mapping[int, Own],
    marks: Collection[int],
) -> list[Found]:
    """The next pairs that were not sent back: ordinary ones, with gold ones mixed in."""
    if queue.terms.state != "open" or n < 1:
        return []
    left = _gold_left(queue, annotator, own, marks)
    known = [one for one in left if one[0] not in exclude]
    owed = 0
    if marks:
        checked = gold.check_one(session, queue, annotator)
        if checked.passed is False:
            return []
        skipped = [bool(skip) for pair_id, skip, _ in left if pair_id in exclude]
        if not checked.passed:
            owed = checked.needed - checked.screened - skipped.count(False)
        if owed > 0 and not known and any(skipped):
            return []  # what is owed was passed over in this sitting
    out = [*exclude, *marks]
    plain = open_pairs(session, order, own, queue, annotator, out)[:n].tolist()
    found = [_with_own(pair_id, own) for pair_id in plain]
    mixed = _mixed(queue, annotator, _served(session, queue, annotator), owed, found, known)
    return list(islice(mixed, n))


def _gold_left(
    queue: Queue, annotator: str, own: Mapping[int, Own], marks: Collection[int]
) -> list[Found]:
    """Gold pairs that the person has not labelled, skipped ones last, in an order of their own."""
    found = [
        _with_own(pair_id, own)
        for pair_id in marks
        if pair_id not in own or not own[pair_id].labelled
    ]
    return sorted(found, key=lambda one: (one[1], _drawn(f"{annotator}\n{queue.id}\n{one[0]}")))


def _with_own(pair_id: int, own: Mapping[int, Own]) -> Found:
    said = own.get(pair_id)
    return (pair_id, said.skipped, said.flagged) if said else (pair_id, 0, 0)


def _served(session: Session, queue: Queue, annotator: str) -> int:
    """How many pairs of the queue this person was ever served."""
    counted = (
        select(func.count())
        .select_from(AssignmentRow)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(AssignmentRow.queue_id == queue.id, AnnotatorRow.name == annotator)
    )
    return session.scalar(counted) or 0


def _mixed(
    queue: Queue, annotator: str, place: int, owed: int, plain: list[Found], known: list[Found]
) -> Iterator[Found]:
    """Screening first, then gold by a coin for each pair served; what is left of either at last."""
    while plain or known:
        coin = _drawn(f"gold {queue.seed} {queue.id}\n{annotator}\n{place}")
        is_check = not plain or owed > 0 or coin < queue.terms.gold_share
        yield known.pop(0) if is_check and known else plain.pop(0)
        owed -= 1
        place += 1


def _drawn(words: str) -> float:
    """A number from 0 to 1 that is always the same for the same words."""
    return int.from_bytes(sha256(words.encode()).digest()[:6]) / 2**48


def _returned(session: Session, queue: Queue, one: Returned) -> QueueItem:
    home = queues.get(session, one.queue_id) if one.queue_id else queue
    key = judgement_keys(session, home, [one.pair_id]).get(one.pair_id)
    return QueueItem(
        pair_id=one.pair_id,
        judgement_key=key,
        why=SENT_BACK,
        position=0,
        skipped=False,
        flagged=False,
        returned=one.note,
        queue_id=home.id,
    )


def _assignment(
    session: Session, queue_id: int, pair_id: int, annotator: str
) -> AssignmentRow | None:
    return session.scalar(
        select(AssignmentRow)
        .join(AnnotatorRow, AnnotatorRow.id == AssignmentRow.annotator_id)
        .where(
            AssignmentRow.queue_id == queue_id,
            AssignmentRow.pair_id == pair_id,
            AnnotatorRow.name == annotator,
        )
    )
