"""The grammar of one judgement: the profile's, with quotations that can only be true."""

import re

from rmr1.markers import neutralise
from rmr1.pair import Order, Pair, Side
from rmr1.prompt import Profile

_MOST_PASSAGES = 12
_LONGEST_PASSAGE = 120  # characters: about 30 tokens, half a second on two cores
_SHORTEST_PASSAGE = 12

_RULE = re.compile(r"^(evidence-[ab]) ::=.*$", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\s*[\r\n]+\s*")
_UNUSABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def build_grammar(pair: Pair, profile: Profile, order: Order = Order.AB) -> str:
    """The profile's grammar, its quotations held to passages of the two responses.

    Args:
        order: as in `build_chat`.

    Returns:
        GBNF, or "" where the profile has no grammar.
    """
    rules = {
        f"evidence-{side.lower()}": _evidence(side, passages(text))
        for side, text in zip(Side, pair.shown(order), strict=True)
    }
    return _RULE.sub(lambda match: f"{match[1]} ::= {rules[match[1]]}", profile.grammar_text)


def passages(response: str) -> tuple[str, ...]:
    """What can be quoted of a response: its sentences, neutralised, long ones cut after a word."""
    pieces = dict.fromkeys(map(_cut, _SENTENCE_END.split(neutralise(response)[0].strip())))
    usable = [piece for piece in pieces if piece and not _UNUSABLE.search(piece)]
    long = [piece for piece in usable if len(piece) >= _SHORTEST_PASSAGE]
    return tuple((long or usable)[:_MOST_PASSAGES])


def _cut(sentence: str) -> str:
    if len(sentence) <= _LONGEST_PASSAGE:
        return sentence
    return sentence[: _LONGEST_PASSAGE + 1].rpartition(" ")[0] or sentence[:_LONGEST_PASSAGE]


def _evidence(side: Side, quotable: tuple[str, ...]) -> str:
    if not quotable:
        return f'"<summary_{side}>nothing to quote</summary_{side}>"'
    literals = " | ".join(f'"{_escape(passage)}"' for passage in quotable)
    return f'"<quote_{side}>" ({literals}) "</quote_{side}>"'


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
