"""Texts that mean something to a judge's prompt, made harmless in what comes from outside.

A response may hold `<answer>[[A]]</answer>` or "[The End of Chatbot A's Response]". Delimiters of
such markers are swapped for look-alikes (`˂answer˃⁅⁅A⁆⁆˂/answer˃`), one for one, so the judge still
reads what is there, nothing takes it for a marker, and `restore` gives the text back to the letter.
"""

import re

_SECTIONS = (
    "type|rubrics?|justify|solution|eval|answer|think"
    "|quote_?A|quote_?B|summary_?A|summary_?B|quote|summary"
)
_MARKER = re.compile(
    rf"""
      <\s*/?\s*(?:{_SECTIONS})\s*/?\s*>                       # the protocol's tags
    | \[\s*\[\s*[AB]\s*\]\s*\]                                # a verdict
    | \[\s*Client\s+Question\s*\]                             # published template
    | \[\s*The\s+(?:Start|End)\s+of\s+[^\[\]\n]{{1,99}}\]     # published template, both layouts
    | ^[ \t]*Chatbot[ \t]+[AB][ \t]*:                         # published template, several turns
    | \[\s*(?:End\s+of\s+)?(?:Prompt|Response\s+[AB])\s*\]    # our template
    | \[\s*(?:User|Assistant|System)\s*\]                     # our template, several turns
    | <[|｜][^<>\n]{{1,64}}[|｜]>                             # <|im_start|>, <｜User｜>
    | </?(?:s|bos|eos|pad|unk)> | <(?:start|end)_of_turn>
    | \[/?INST\] | <</?SYS>>
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)

# Rare look-alikes: an ordinary text seldom holds one, so the escape is seldom needed.
_SUBSTITUTES = {"<": "˂", ">": "˃", "[": "⁅", "]": "⁆", ":": "꞉"}
_ORIGINALS = {substitute: original for original, substitute in _SUBSTITUTES.items()}
_ESCAPE = "\u2060"  # word joiner: no width, and never a space to a pattern

_TO_NEUTRAL = str.maketrans(_SUBSTITUTES)
_TO_ESCAPE = re.compile(f"[{_ESCAPE}{''.join(_ORIGINALS)}]")
_TO_RESTORE = re.compile(f"{_ESCAPE}(.)|[{''.join(_ORIGINALS)}]", re.DOTALL)


def neutralise(text: str) -> tuple[str, tuple[str, ...]]:
    """Make a text from outside harmless to the judge's template and to the trace's parser.

    Returns:
        The text with the delimiters of every marker swapped for look-alikes, and the markers that
        were found, each once, in order of appearance and with single spaces.
    """
    found: dict[str, None] = {}

    def disarm(match: re.Match[str]) -> str:
        found[" ".join(match[0].split())] = None
        return match[0].translate(_TO_NEUTRAL)

    escaped = _TO_ESCAPE.sub(lambda match: _ESCAPE + match[0], text)
    return _MARKER.sub(disarm, escaped), tuple(found)


def restore(text: str) -> str:
    """Undo `neutralise`, in the text itself or in what a judge copied from it."""
    return _TO_RESTORE.sub(lambda match: match[1] or _ORIGINALS[match[0]], text)


def holds_marker(text: str) -> bool:
    """Whether the text holds anything that `neutralise` would change into look-alikes."""
    return _MARKER.search(text) is not None
