"""What the Agreement page is asked for: its address read, and the choices it offers."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from sqlalchemy.orm import Session

from rmr1.errors import InputError
from storage import agreement, judge_versions, opinions, pull
from storage.agreement import Judged, judged
from storage.database import Database
from storage.filters import JudgementFilter
from storage.opinions import Opinion, StageOfLabel
from ui.agreement_blocks import STAGE_WORDS
from ui.views import View

NAMES = (*("stage", "judge_version", "source", "subset", "type", "state", "annotator", "queue_id"),)
"""The names in the address that are the page's; all are Explore's too."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for, with the answers that it leaves.

    Attributes:
        wanted: the filter of the address; its `judge_version` is always set if any judged.
        said: answers of both streams, by pair.
    """

    wanted: JudgementFilter
    stage: StageOfLabel
    said: list[Opinion]

    def stream(self, name: str) -> list[Opinion]:
        """The answers of one stream."""
        return [one for one in self.said if one.random is (name == "random")]

    def links(self, stream: str) -> JudgementFilter:
        """The filter that links to the answers of a stream begin with."""
        return self.wanted.model_copy(
            update={"stage": self.stage, "stream": stream, "newest": "yes"}
        )

    @property
    def of_pairs(self) -> JudgementFilter:
        """The part of the filter that is about pairs and people, not about judgements."""
        return self.wanted.model_copy(
            update=dict.fromkeys(("judge_version", "type", "state", "newest"))
        )


def read_wanted(query: str) -> JudgementFilter:
    """The filter of an address; names that are not the page's are passed over.

    Raises:
        InputError: a value that no filter has.
    """
    given = dict(parse_qsl(query.removeprefix("?")))
    return JudgementFilter.from_query({name: given[name] for name in NAMES if name in given})


def read_scope(session: Session, query: str) -> Scope:
    """What an address asks for.

    Raises:
        InputError: a value that no filter has.
    """
    wanted = read_wanted(query)
    return Scope(wanted, wanted.stage or "blind", list(opinions.read(session, wanted)))


def with_judge(session: Session, scope: Scope) -> tuple[Scope, list[Judged], dict[str, str]]:
    """The scope with a judge version, the judgements of all versions, and the versions' titles.

    Where the address names no version it is the one that judged most of the labelled pairs.
    """
    judgements = judged(session, scope.wanted)
    titles = judge_versions.titles(session)
    version = scope.wanted.judge_version
    if version is None and judgements:
        counts: dict[str, int] = {}
        labelled = {one.pair_id for one in scope.said}
        for one in judgements:
            counts[one.version] = counts.get(one.version, 0) + (one.pair_id in labelled)
        newest = {hash_: place for place, hash_ in enumerate(titles)}
        version = max(counts, key=lambda hash_: (counts[hash_], newest[hash_]))
    wanted = scope.wanted.model_copy(update={"judge_version": version})
    return Scope(wanted, scope.stage, scope.said), judgements, titles


def head_view(database: Database, query: str) -> View:
    """The choices of the page, and what is chosen; a sentence under `problem` for a bad address."""
    try:
        wanted, problem = read_wanted(query), ""
    except InputError as error:
        wanted, problem = JudgementFilter(), f"{error} Everything is shown instead."
    with database.read() as session:
        titles = judge_versions.titles(session)
        sources, parts, names = agreement.choices(session, wanted.source)
        queues = pull.queue_names(session)
        left_out = opinions.left_out(session)
    choices = {
        "judge_version": [["", "most labelled"], *([h, t] for h, t in titles.items())],
        "stage": [[name, words] for name, words in STAGE_WORDS.items()],
        "source": [["", "all"], *([one, one] for one in sources)],
        "subset": [["", "all"], *([one, one] for one in parts)],
        "annotator": [["", "everybody"], *([one, one] for one in names)],
        "queue_id": [["", "all"], *([str(id_), name] for id_, name in queues.items())],
    }
    chosen = {name: getattr(wanted, name) for name in choices}
    return {
        "query": query,
        "problem": problem,
        "choices": choices,
        "chosen": {name: str(v) if v is not None else "" for name, v in chosen.items()}
        | {"stage": wanted.stage or "blind"},
        "left_out": [[reason, number] for reason, number in left_out.items()],
    }
