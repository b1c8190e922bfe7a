"""A conversation read back out of text that a chat template has written.

Trainers hand over a policy's prompt as the policy saw it, and its completion behind it. A judge
wants the turns. What no known template has written is one turn of the user, as it stands.
"""

import re
from typing import Final

from rmr1.errors import InputError
from rmr1.pair import Message, Role

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "gpt": "assistant",
}


def _until(end: str, start: str) -> str:
    """Content up to `end` that holds no `start`: so that a text is walked through only once."""
    return rf"((?:(?!{start}).)*?){end}"


_TURNS: Final = tuple(
    re.compile(pattern, re.DOTALL | re.IGNORECASE)
    for pattern in (
        # ChatML: Qwen, SmolLM2, Yi
        r"<\|im_start\|>(\w+)\n" + _until(r"<\|im_end\|>", r"<\|im_start\|>"),
        # Llama 3
        r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n"
        + _until(r"<\|eot_id\|>", r"<\|start_header_id\|>"),
        # Gemma
        r"<start_of_turn>(\w+)\n" + _until("<end_of_turn>", "<start_of_turn>"),
        # Phi, Zephyr
        r"<\|(system|user|assistant)\|>\n?"
        + _until(r"(?:<\|end\|>|</s>)", r"<\|(?:system|user|assistant)\|>"),
        # DeepSeek: a turn ends where the next begins
        r"<｜(User|Assistant)｜>" + _until(r"(?=<｜)", "<｜"),
        # Mistral
        r"\[(INST)\]" + _until(r"\[/INST\]", r"\[INST\]"),
    )
)
_SPECIAL: Final = r"(?:<[|｜][^<>\n]{1,64}[|｜]>|</s>|<s>|<eos>|<bos>|<end_of_turn>)"
_BEGINNING: Final = re.compile(rf"\A(?:{_SPECIAL}\s*)+")
_LAST: Final = re.compile(rf"{_SPECIAL}\Z")
_LONGEST = 68  # characters of a special token


def read_templated(prompt: str) -> tuple[Message, ...]:
    """The turns of a prompt that ends where the assistant's turn begins.

    Turns behind the user's last one are left out: an answer that was begun is the policy's.
    """
    for pattern in _TURNS:
        turns = [_turn(role, content) for role, content in pattern.findall(prompt)]
        while turns and turns[-1].role != "user":
            turns.pop()
        if turns:
            return tuple(turns)
    plain = _without_end(_BEGINNING.sub("", prompt))
    return (Message(role="user", content=plain),)


def completion_of(query: str, prompt: str) -> str:
    """What a policy wrote behind its prompt, without the tokens that end a turn.

    Raises:
        InputError: the prompt does not stand in the text.
    """
    # A tokenizer that reads and writes the text anew may put a token before it, or lose one.
    bare = _BEGINNING.sub("", prompt) or prompt
    at = query.find(bare)
    if at < 0:
        raise InputError("the prompt does not stand at the beginning of its query")
    return _without_end(query[at + len(bare) :])


def _without_end(text: str) -> str:
    """Without special tokens at the end, and the space around them."""
    end = whole = len(text)
    while True:
        last = end
        while last and text[last - 1].isspace():
            last -= 1
        found = _LAST.search(text, max(0, last - _LONGEST), last)
        if not found:
            return text if end == whole else text[:last]
        end = found.start()


def _turn(role: str, content: str) -> Message:
    return Message(role=_ROLES.get(role.lower(), "user"), content=content.strip())
