"""More than two responses ranked while the page watches; no Gradio in here."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from queue import Queue
from threading import Event, Thread
from typing import Any, get_args

from pydantic import ValidationError

from rmr1.batch import judge_many
from rmr1.errors import InputError, first_problem
from rmr1.group import Group
from rmr1.judge import Judge
from rmr1.judgement import Judgement
from rmr1.pair import Message, Pair, read_transcript
from rmr1.plan import Plan
from rmr1.rollout import State
from rmr1.tournament import Match, Method, Ranking, judgement_limit, rank
from storage import judgements
from storage.database import Database
from ui.judging import stored
from ui.views import STATE_TITLES, View

MOST = 8
"""Responses that the page ranks at once: 28 pairs in a round robin."""

SOURCE = "rank page"


def read_group(prompt: str, is_conversation: bool, responses: Sequence[str]) -> Group:
    """The responses to rank; empty boxes at the end of the form are no responses.

    Raises:
        InputError: there is no prompt, or there are too few or too many responses.
    """
    given = tuple(text for text in responses if text.strip())
    if not prompt.strip():
        raise InputError("The prompt is empty: write or paste one.")
    if not 2 <= len(given) <= MOST:
        raise InputError(f"There are {len(given)} responses: the page ranks 2 to {MOST} of them.")
    turns = read_transcript(prompt) if is_conversation else (Message(role="user", content=prompt),)
    try:
        return Group(conversation=turns, responses=given)
    except ValidationError as error:
        raise InputError(f"The responses cannot be ranked: {first_problem(error)[1]}.") from error


def read_method(value: object) -> Method:
    """Who meets whom.

    Raises:
        InputError: it is none of the methods.
    """
    for method in get_args(Method):
        if value == method:
            return method  # type: ignore[no-any-return]
    raise InputError("The method is either round-robin or knockout.")


class Watched:
    """Judges pairs for a ranking: from the store where it can, else anew and then stored.

    Attributes:
        keys: of the judgements so far, by the id that the ranking gave the pair.
        told: how many pairs are judged, after each; at last the ranking, or what went wrong.
        stopped: set it, and no further pair is begun.
    """

    def __init__(self, database: Database, judge: Judge, plan: Plan) -> None:
        self._database, self._judge, self._plan = database, judge, plan
        self.keys: dict[str, str] = {}
        self.told: Queue[int | Ranking | BaseException] = Queue()
        self.stopped = Event()

    def __call__(self, pairs: Iterable[Pair]) -> Iterator[Judgement]:
        """Judge a round of the ranking."""
        # On record a pair has no id: the ranking's are of this ranking alone.
        asked = {pair.hash: pair for pair in pairs}
        fresh = []
        for pair in asked.values():
            found = stored(self._database, self._judge, pair, self._plan)
            if found is None:
                fresh.append(pair.model_copy(update={"id": None, "source": SOURCE}))
            else:
                yield self._tell(pair, found.judgement, found.key)
        for judgement in judge_many(self._judge, fresh, self._plan):
            if self.stopped.is_set():
                raise InterruptedError
            with self._database.write() as session:
                profile = self._judge.profile.model_dump_json()
                key = judgements.add(session, judgement, profile_text=profile)
            yield self._tell(asked[judgement.pair.hash], judgement, key)

    def work(self, group: Group, method: Method) -> None:
        """Rank, and say how it ended; the body of a thread."""
        try:
            self.told.put(rank(group, self, method))
        except BaseException as error:
            self.told.put(error)

    def _tell(self, pair: Pair, judgement: Judgement, key: str) -> Judgement:
        self.keys[pair.id or ""] = key
        self.told.put(len(self.keys))
        return replace(judgement, pair=pair)


def rank_group(
    database: Database, judge: Judge, group: Group, plan: Plan, method: Method
) -> Iterator[View]:
    """Rank a group; every judgement is on record as soon as it is there.

    Yields:
        Views: how many pairs are judged, at last the ranking. Closing it stops the judging.
    """
    watched = Watched(database, judge, plan)
    most = judgement_limit(len(set(group.responses)), method)
    base: View = {"run": uuid.uuid4().hex, "responses": list(group.responses), "most": most}
    thread = Thread(target=watched.work, args=(group, method), name="rank", daemon=True)
    thread.start()
    try:
        yield {**base, "phase": "running", "judged": 0}
        while isinstance(found := watched.told.get(), int):
            yield {**base, "phase": "running", "judged": found}
    finally:
        watched.stopped.set()
    if isinstance(found, BaseException):
        raise found
    yield {
        **base,
        "phase": "done",
        **ranking_view(found, watched.keys),
        "judge": judge.version.title,
    }


def ranking_view(ranking: Ranking, keys: Mapping[str, str]) -> View:
    """A ranking with its matches, each with the key of its judgement."""
    matches = [
        _match_view(match, keys.get(match.judgement.pair.id or "")) for match in ranking.matches
    ]
    failed = sum(match.judgement.state is State.FAILED for match in ranking.undecided)
    return {
        "method": ranking.method,
        "judged": len(ranking.matches),
        "standings": [
            {name: getattr(one, name) for name in type(one).__dataclass_fields__}
            for one in ranking.standings
        ],
        "matches": matches,
        "sentence": _sentence(ranking),
        "failed": failed,
    }


def _match_view(match: Match, key: str | None) -> View:
    judgement = match.judgement
    return {
        "first": match.first,
        "second": match.second,
        "winner": match.winner,
        "state": judgement.state,
        "state_title": STATE_TITLES[judgement.state],
        "reason": judgement.reason,
        "confidence": judgement.confidence,
        "key": key,
    }


def _sentence(ranking: Ranking) -> str:
    best = [one.index + 1 for one in ranking.standings if one.rank == 1]
    undecided = len(ranking.undecided)
    has = "has" if undecided == 1 else "have"
    left = f" {undecided} of {len(ranking.matches)} matches {has} no verdict." if undecided else ""
    if len(best) == 1:
        return f"Response {best[0]} comes first.{left}"
    if len(best) == len(ranking.standings):
        return f"All responses tie.{left}"
    named = ", ".join(map(str, best[:-1]))
    return f"Responses {named} and {best[-1]} share the first place.{left}"


def rank_form(
    database: Database,
    judges: Mapping[str, Judge],
    plans: Mapping[str, Plan],
    sent: Mapping[str, Any],
    allow: Callable[[int], None] = lambda _: None,
    look: Callable[[Iterable[Pair]], None] = lambda _: None,
) -> Iterator[View]:
    """Rank what the form sent.

    Args:
        look: told all pairs that may meet before anything else; refuses by raising.
        allow: told how many rollouts it may take before the first; refuses by raising.

    Raises:
        InputError: something in it cannot be used; the sentence names it.
    """
    judge = judges.get(str(sent.get("judge")))
    if judge is None:
        raise InputError("There is no such judge any more: choose one of the list.")
    boxes = sent.get("responses")
    responses = [text for text in boxes if isinstance(text, str)] if isinstance(boxes, list) else []
    prompt = sent.get("prompt")
    group = read_group(
        prompt if isinstance(prompt, str) else "", sent.get("conversation") is True, responses
    )
    look(group.pair(*two, name="") for two in combinations(group.responses, 2))
    plan = plans[str(sent.get("judge"))]
    orders = "both" if sent.get("both") is True else plan.orders
    plan = plan.model_copy(update={"orders": orders})
    method = read_method(sent.get("method"))
    allow(judgement_limit(len(set(group.responses)), method) * plan.size)
    yield from rank_group(database, judge, group, plan, method)
