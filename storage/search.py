"""Full-text search over prompts, responses and judges' texts.

What a person types is taken as words, never as the search engine's own syntax. All words must
stand in the pair, or all in one rollout of the judgement; the last may be the beginning of one.
"""

import re
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, column, exists, false, func, or_, select, table
from sqlalchemy.orm import InstrumentedAttribute, Session

from storage.tables import JudgementRow, PairTextRow, RolloutRow

_WORD = re.compile(r"\w", re.UNICODE)
_PAIR_TEXTS = (
    PairTextRow.prompt,
    PairTextRow.context,
    PairTextRow.response_a,
    PairTextRow.response_b,
)


def matches(session: Session, query: str) -> ColumnElement[bool]:
    """A condition on `JudgementRow`: its pair or one of its rollouts holds all words of `query`.

    A query without a letter or digit in it matches nothing.
    """
    words = _words(query)
    if not words:
        return false()
    pairs = _pairs(session, words)
    # Asked judgement by judgement, as the other way round reads every rollout that matches: a word
    # that stands everywhere would take six times as long.
    in_a_rollout = exists().where(
        RolloutRow.judgement_id == JudgementRow.id, _rollout_condition(session, words)
    )
    return or_(JudgementRow.pair_id.in_(pairs), in_a_rollout)


class Indexed(NamedTuple):
    """What the index finds: ids of pairs, and of rollouts, that hold all words."""

    pairs: Select[int]
    rollouts: Select[int]


def indexed(session: Session, query: str) -> Indexed | None:
    """What holds all words of `query`, each read off an index; None where there is no index."""
    words = _words(query)
    if not words or session.get_bind().dialect.name != "sqlite":
        return None
    return Indexed(_fts("pair_search", words), _fts("rollout_search", words))


def matching_pairs(session: Session, query: str) -> Select[int]:
    """Ids of the pairs whose own texts hold all words of `query`."""
    words = _words(query)
    return _pairs(session, words) if words else select(PairTextRow.pair_id).where(false())


def _words(query: str) -> list[str]:
    return [word for word in query.replace("\0", " ").split() if _WORD.search(word)]


def _pairs(session: Session, words: list[str]) -> Select[int]:
    if session.get_bind().dialect.name == "sqlite":
        return _fts("pair_search", words)
    anywhere = func.concat_ws(" ", *_PAIR_TEXTS)
    return select(PairTextRow.pair_id).where(and_(*(anywhere.ilike(_pattern(w)) for w in words)))


def _rollout_condition(session: Session, words: list[str]) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        return RolloutRow.id.in_(_fts("rollout_search", words))
    return and_(*(_holds(RolloutRow.text, word) for word in words))


def _fts(name: str, words: list[str]) -> Select[int]:
    index = table(name, column("rowid"), column(name))
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words)
    rowid: ColumnElement[int] = index.c.rowid
    beginning = "*" if words[-1][-1].isalnum() else ""
    return select(rowid).where(index.c[name].op("MATCH")(quoted + beginning))


def _holds(text: InstrumentedAttribute[str], word: str) -> ColumnElement[bool]:
    return text.ilike(_pattern(word))


def _pattern(word: str) -> str:
    for special in ("\\", "%", "_"):
        word = word.replace(special, "\\" + special)
    return f"%{word}%"
