"""Which response wins each criterion of a rubric, where the evaluation says it plainly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from rmr1.pair import Side
from rmr1.rubric import Criterion
from rmr1.trace import Segment

Winner = Literal["A", "B", "="]

_LONGEST_LINE = 600
_MOST_LINES = 400
_NAMED = re.compile(
    r"\b(?i:chatbot|response|assistant|answer|model)[ \t]+\(?([AB])\b\)?(?:['’]s)?"
    r"|\b([AB])(?:['’]s\b|(?=[ \t]+(?:is|has|gives|does|offers|provides|wins)\b))"
)
_HEADED = re.compile(
    r"[ \t]*(?:#{1,6}[ \t]+|[-*•][ \t]+)?[*_]{0,2}(?:criterion[ \t]+)?(?:\(?\d{1,2}[.):][ \t]*)?"
    r"[*_]{0,2}(?:(?:on|for|regarding|in terms of)[ \t]+(?:the[ \t]+)?)?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_HEDGED = re.compile(
    r"\b(?:while|whereas|although|though|however|but|despite|even if|unless|if|could|would|might"
    r"|may|arguably|not|n['’]t|no|neither|never|without|less|fewer|too)\b|n['’]t\b",
    re.IGNORECASE,
)
_GOOD = frozenset(
    (
        *("accurate", "appropriate", "coherent", "compelling", "constructive", "correct"),
        *("effective", "helpful", "insightful", "precise", "reliable", "responsible"),
        *("suitable", "useful", "valuable"),
    )
)
"""What is good under any criterion; other words only count where the criterion asks for them."""

_BETTER = re.compile(
    r"\bmore (?:\w+ly )?(\w+)\b|\b(?:better|superior|stronger|outperforms?|surpasses|wins"
    r"|excels|preferable|preferred)\b"
    r"|\b(?:has|have|gets|takes|with) (?:the|an|a clear|a slight) (?:edge|advantage)\b",
    re.IGNORECASE,
)
_BOTH_BUT = re.compile(r"^\W*both\b[^,]{0,120}, but\b", re.IGNORECASE)
_REASON = re.compile(
    r",? (?:as|because|since|by|providing|offering|making|which|due to|thanks to|in that)\b"
    r"|, (?:while|whereas)\b",
    re.IGNORECASE,
)
_STEM = 5  # letters that relate "relevant" to "relevance"
_TURNED = re.compile(r"\b(?:but|however|though|although|despite|yet)\b", re.IGNORECASE)
_EQUAL = re.compile(
    r"\b(?:both (?:responses|chatbots|assistants|answers|models)?\b[^.]{0,60}\bequally\b"
    r"|(?:it is|is|this is) a (?:tie|draw)|tied?\b(?: on| for| here)|equally (?:good|strong|well)"
    r"|perform(?:s|ed)? (?:equally|similarly))",
    re.IGNORECASE,
)
_WINNER = re.compile(
    r"\b(?:winner|advantage|edge|better|preferred|verdict)[ \t*_]*[:=–-][ \t*_]*"
    r"(?:(?:chatbot|response|assistant|answer)[ \t]+)?"
    r"(?-i:(A|B)\b(?!['’])|(?i:(tie|equal|draw|both)\b))",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"(?:\b(?:chatbot|response|assistant|answer)[ \t]+)?(?-i:\b([AB]))\b(?:['’]s score)?[ \t*_]*"
    r"(?:[:=]|scores?|gets|receives|is given)[ \t*_]*(\d{1,3}(?:\.\d{1,2})?)(?:[ \t]*(?:/|out of)"
    r"[ \t]*\d{1,3})?(?![\d%.]*\d)",
    re.IGNORECASE,
)
_ON_ALL = re.compile(
    r"\b(?:on|in|across|for|at) (?:all|every|each|all of|each of)(?: of)?(?: the)?"
    r"(?: \w+)? (?:criteri(?:a|on)|aspects?|dimensions?|categor(?:y|ies)|areas?)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def criterion_winners(
    criteria: Sequence[Criterion], evaluation: Sequence[Segment]
) -> tuple[Winner | None, ...]:
    """The winner of each criterion, under the letters that the judge saw.

    Made to be right rather than to find much. A criterion's part of the evaluation starts at a
    line that names it and ends at the next such line; within it a winner must be named, scored
    higher, or called better in a sentence that says nothing else and hedges nothing, and nothing
    there may speak for the other side.

    Returns:
        For each criterion a side, "=" where both are said to be equal, or None where the
        evaluation does not say it plainly.
    """
    lines = _own_lines(evaluation)
    parts = _parts([criterion.name for criterion in criteria], lines)
    overall = _on_all(lines)
    return tuple(
        _winner(criterion.name, parts.get(number, ()), overall)
        for number, criterion in enumerate(criteria)
    )


def _own_lines(evaluation: Sequence[Segment]) -> list[str]:
    """The judge's own words, line by line; a quotation ends a line and is none."""
    text = "\n".join(segment.text for segment in evaluation if segment.kind == "text")
    return [line for line in text.splitlines()[:_MOST_LINES] if len(line) <= _LONGEST_LINE]


def _parts(names: Sequence[str], lines: Sequence[str]) -> Mapping[int, list[str]]:
    """What the evaluation says under each criterion's name, by the criterion's number."""
    folded = [_fold(name) for name in names]
    if len(set(folded)) < len(folded):
        return {}
    parts: dict[int, list[str]] = {}
    now: int | None = None
    for line in lines:
        found = _heading(line, folded)
        if found is not None:
            now, line = found
        elif re.match(
            r"[ \t*_#]*(?:overall|in (?:summary|conclusion)|conclusion|total)\b", line, re.I
        ):
            now = None
        if now is not None and line.strip():
            parts.setdefault(now, []).append(line)
    return parts


def _heading(line: str, names: Sequence[str]) -> tuple[int, str] | None:
    """Which criterion the line names at its start, and what it says after the name."""
    start = _HEADED.match(line)
    rest = line[start.end() :] if start else line
    before, colon, after = rest.partition(":")
    if not colon:
        before, after = rest, ""
    name = _fold(re.sub(r"\([^()]{0,40}\)", " ", before))
    return (names.index(name), after) if name and name in names else None


def _fold(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _winner(name: str, lines: Sequence[str], overall: Winner | None) -> Winner | None:
    said = set(_said(name, lines))
    if overall:
        said.add(overall)
    return said.pop() if len(said) == 1 else None


def _said(name: str, lines: Sequence[str]) -> Iterator[Winner]:
    """Every plain word on who wins the criterion of this name."""
    scores: dict[str, set[float]] = {"A": set(), "B": set()}
    for line in lines:
        for match in _WINNER.finditer(line):
            yield "=" if match[2] else _letter(match[1])
        for match in _SCORE.finditer(line):
            scores[match[1]].add(float(match[2]))
        for sentence in _SENTENCE.split(line):
            winner = _in_sentence(sentence, name)
            if winner:
                yield winner
    if all(len(values) == 1 for values in scores.values()):
        a, b = scores["A"].pop(), scores["B"].pop()
        yield "=" if a == b else "A" if a > b else "B"


def _in_sentence(sentence: str, name: str) -> Winner | None:
    if _EQUAL.search(sentence):
        return None if _HEDGED.search(sentence) else "="
    both = _BOTH_BUT.match(sentence)
    sentence = sentence[both.end() :] if both else sentence
    named = _NAMED.search(sentence)
    better = _BETTER.search(sentence, named.end()) if named else None
    if not named or not better or not _is_asked_for(better[1], name):
        return None
    reason = _REASON.search(sentence, better.end())
    claim, rest = sentence[: reason.start() if reason else None], sentence[better.end() :]
    between = sentence[named.end() : better.start()]
    if _HEDGED.search(claim) or _TURNED.search(rest) or _NAMED.search(between):
        return None
    return _letter(named[1] or named[2])


def _is_asked_for(quality: str | None, name: str) -> bool:
    """Whether a comparative speaks for its side: good anyway, or what the criterion is called."""
    if quality is None or quality.casefold() in _GOOD:
        return True
    stem = quality.casefold()[:_STEM]
    return len(stem) == _STEM and any(word.startswith(stem) for word in _fold(name).split())


def _on_all(lines: Sequence[str]) -> Winner | None:
    """Who is said to be better on every criterion at once."""
    said = set()
    for line in lines:
        for sentence in _SENTENCE.split(line):
            if _ON_ALL.search(sentence) and (winner := _in_sentence(sentence, "")):
                said.add(winner)
    return said.pop() if len(said) == 1 else None


def _letter(letter: str) -> Winner:
    return "A" if Side(letter) is Side.A else "B"
