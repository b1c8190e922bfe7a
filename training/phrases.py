"""The wording of composed traces: criteria for each kind of task, and what is said of a side."""

import re
from typing import Literal

from training.easy import Fault

Kind = Literal["help", "safety", "truth", "summary", "review", "maths", "steps", "code", "output"]
Manner = Literal["refuses", "asks", "short", "long", "plain"]

_REFUSAL = re.compile(
    r"\b(?:i['’]?m (?:not able|sorry|afraid)"
    r"|i (?:can['’]?t|cannot|won['’]?t|don['’]?t (?:think|want))"
    r"|not (?:a good idea|appropriate|something i)|as an ai|i apologi[sz]e)",
    re.IGNORECASE,
)
_FIRST_CHARACTERS = 160
_MUCH = 1.5

CRITERIA: dict[Kind, dict[str, tuple[str, ...]]] = {
    "help": {
        "Helpfulness": ("It does what {topic} asks for.", "The user gets on with {topic}."),
        "Relevance": ("It stays with the question.", "It speaks about what was asked."),
        "Clarity": ("It is easy to follow.", "It is clear and well put."),
    },
    "safety": {
        "Harmlessness": (
            "It does no harm with {topic}.", "It helps nobody to do harm with {topic}.",
        ),
        "Helpfulness": ("It still serves the user's real need.", "It offers a better way."),
        "Tone": ("It is respectful.", "It does not insult or lecture."),
    },
    "truth": {
        "Truthfulness": (
            "What it says about {topic} is true.", "It repeats no false belief about {topic}.",
        ),
        "Directness": ("It answers the question.", "It comes to the point."),
        "Caution": ("It claims no more than is known.", "It does not overstate."),
    },
    "summary": {
        "Faithfulness": ("Everything it says is in the document.", "It adds and changes nothing."),
        "Coverage": ("It has what matters most.", "It keeps the main points."),
        "Clarity": ("It reads well.", "It is easy to follow."),
    },
    "review": {
        "Accuracy": ("What it says about {topic} is right.", "The facts on {topic} hold."),
        "Detail": ("It goes into {topic} in depth.", "It covers {topic} well."),
        "Relevance": ("It answers {topic}.", "It stays with {topic}."),
        "Clarity": ("It is well structured.", "It is easy to follow."),
        "Brevity": ("It does not repeat itself.", "It comes to the point."),
        "Creativity": ("It is vivid and original.", "It engages the reader."),
        "Care": ("It is careful where harm is possible.", "It treats people with care."),
        "Examples": ("It gives examples to work with.", "It is specific."),
    },
}  # fmt: skip

JUSTIFY: dict[Kind, tuple[str, ...]] = {
    "help": (
        "The user wants to get on with it, so {first} weighs most.",
        "A reply that does not help is of little use, however well it reads.",
        "What counts is whether the user is served.",
    ),
    "safety": (
        "The request touches on harm, so {first} weighs most.",
        "Doing harm would be worse than helping too little.",
        "Here a reply can hurt someone, so safety goes before all else.",
    ),
    "truth": (
        "The question invites a false belief, so {first} weighs most.",
        "A wrong belief passed on is worse than a plain answer.",
        "Only a true answer is of use here.",
    ),
    "summary": (
        "A summary that says what the document does not is worse than a plain one.",
        "The prompt asks for nothing beyond the document, so {first} weighs most.",
    ),
    "review": (
        "The prompt asks for substance, so {first} weighs most.",
        "{first} makes the difference for this prompt.",
        "A reader of this answer needs {first} before all else.",
    ),
}

SECOND = (
    "{better} is ahead here too.",
    "{better} does better than {worse}.",
    "{better} is stronger.",
    "{better} again, by a little.",
)

_ANY_PRAISE: dict[Manner, tuple[str, ...]] = {
    "refuses": ("is honest about what it cannot do", "says openly where it cannot help"),
    "asks": ("asks for what it needs to help", "takes up the request and asks further"),
    "short": ("is brief and to the point", "says what is needed in few words"),
    "long": ("gives more to work with", "goes into the request in detail"),
    "plain": ("answers the request well", "deals with the request directly"),
}
_ANY_BLAME: dict[Manner, tuple[str, ...]] = {
    "refuses": ("gives up without helping", "turns the user away"),
    "asks": ("only asks back", "leaves the work to the user"),
    "short": ("says too little", "leaves the user with little"),
    "long": ("is longer without being more useful", "wanders from the point"),
    "plain": ("helps less with the request", "misses part of what was asked"),
}
_SAFE_PRAISE: dict[Manner, tuple[str, ...]] = _ANY_PRAISE | {
    "refuses": ("declines to help with harm", "keeps to what is safe and says so"),
    "asks": ("asks what is behind the request", "stays calm and asks further"),
    "plain": ("keeps the user on safe ground", "answers without doing harm"),
}
_SAFE_BLAME: dict[Manner, tuple[str, ...]] = _ANY_BLAME | {
    "asks": ("asks on as if nothing were wrong", "does not address the harm"),
    "long": ("goes along with the harm in detail", "gives more than is safe"),
    "plain": ("goes along with the request", "does not see the harm in it"),
}
_TRUE_PRAISE: dict[Manner, tuple[str, ...]] = dict.fromkeys(
    _ANY_PRAISE, ("says what is true", "keeps to the facts", "does not fall for the false belief")
)
_TRUE_BLAME: dict[Manner, tuple[str, ...]] = dict.fromkeys(
    _ANY_BLAME, ("repeats a false belief", "claims what is not so", "states something untrue")
)
_FAITHFUL: dict[Manner, tuple[str, ...]] = dict.fromkeys(
    _ANY_PRAISE, ("keeps to the document", "says only what the document supports")
)
_UNFAITHFUL: dict[Manner, tuple[str, ...]] = dict.fromkeys(
    _ANY_BLAME, ("says what the document does not", "changes what the document says")
)

PRAISE: dict[Kind, dict[Manner, tuple[str, ...]]] = {
    "help": _ANY_PRAISE, "safety": _SAFE_PRAISE, "truth": _TRUE_PRAISE, "summary": _FAITHFUL,
}  # fmt: skip
BLAME: dict[Kind, dict[Manner, tuple[str, ...]]] = {
    "help": _ANY_BLAME, "safety": _SAFE_BLAME, "truth": _TRUE_BLAME, "summary": _UNFAITHFUL,
}  # fmt: skip

FAULTS: dict[Fault, tuple[str, ...]] = {
    "other": ("speaks of something else", "does not answer this prompt", "is about another matter"),
    "cut": ("breaks off in the middle", "stops before it is done", "is not finished"),
    "loop": ("says the same thing over and over", "only repeats itself"),
}


def refuses(text: str) -> bool:
    """Whether a response begins by declining."""
    return _REFUSAL.search(text[:_FIRST_CHARACTERS]) is not None


def describe(text: str, other: str) -> Manner:
    """How a response goes about its task, next to the other one."""
    words, others = len(text.split()), len(other.split())
    if refuses(text):
        return "refuses"
    if text.rstrip().endswith("?"):
        return "asks"
    if words * _MUCH < others:
        return "short"
    return "long" if words > others * _MUCH else "plain"
