"""Prompt profiles, and the chat that asks a judge about a pair."""

import hashlib
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rmr1.errors import ConfigurationError
from rmr1.markers import neutralise
from rmr1.pair import Message, Order, Pair, Side

Layout = Literal["cor", "reasoning"]

_SLOT = re.compile(r"\{(prompt|conversation|response_a|response_b|conversation_a|conversation_b)\}")
_BOTH_SIDES = ({"response_a", "response_b"}, {"conversation_a", "conversation_b"})


class Profile(BaseModel):
    """How a judge is asked, and what its reply looks like.

    The templates hold slots in braces: `{prompt}` (the prompt as plain text), `{conversation}` (its
    turns, each under a marker), `{response_a}`, `{response_b}`, and `{conversation_a}`,
    `{conversation_b}` (one side's whole dialogue, as the published checkpoints read it).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    title: str = ""
    description: str = ""
    layout: Layout = Field(description="which sections the reply has")
    system: str = Field(default="", description="system message; none is sent when empty")
    user: str = Field(description="template of the user message for a single turn")
    multi_turn: str = Field(description="template of the user message for a conversation")
    stop: tuple[str, ...] = Field(default=(), description="the reply ends with one of these")
    grammar: str = Field(default="", description="name of a packaged grammar, or empty")
    source: str = Field(default="", description="where the wording comes from")
    learned: bool = Field(
        default=False, description="whether only a judge that was trained on it understands it"
    )

    @model_validator(mode="after")
    def _shows_both_responses(self) -> Self:
        for field in ("user", "multi_turn"):
            slots = set(_SLOT.findall(getattr(self, field)))
            if not any(both <= slots for both in _BOTH_SIDES):
                raise ValueError(f"`{field}` must hold {{response_a}} and {{response_b}}")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of everything that a judgement depends on: wording, stop texts, grammar."""
        parts = self.model_dump_json(exclude={"name", "title", "description", "source", "learned"})
        return hashlib.sha256((parts + self.grammar_text).encode()).hexdigest()

    @property
    def grammar_text(self) -> str:
        """The grammar in GBNF, or "" where the profile has none.

        Raises:
            ConfigurationError: no grammar has that name.
        """
        if not self.grammar:
            return ""
        file = resources.files("rmr1") / "grammars" / f"{self.grammar}.gbnf"
        if not file.is_file():
            raise ConfigurationError(
                f"profile {self.name!r} asks for a grammar that does not exist: {self.grammar!r}."
            )
        return file.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Chat:
    """What a judge is asked.

    Attributes:
        injected: markers that the prompt or a response tried to forge, each once.
    """

    messages: tuple[Message, ...]
    injected: tuple[str, ...] = ()


def profile_names() -> tuple[str, ...]:
    """The packaged profiles."""
    folder = resources.files("rmr1") / "profiles"
    names = (Path(file.name) for file in folder.iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".toml"))


def load_profile(name_or_path: str | Path) -> Profile:
    """Read a packaged profile by its name, or a user's profile by the path of its TOML file.

    Raises:
        ConfigurationError: there is no such profile, or the file is not one.
    """
    if str(name_or_path) in profile_names():
        file = resources.files("rmr1") / "profiles" / f"{name_or_path}.toml"
        return _parse_profile(file.read_text(encoding="utf-8"), str(name_or_path))
    try:
        text = Path(name_or_path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(profile_names())
        raise ConfigurationError(
            f"no prompt profile {str(name_or_path)!r}: name one of {known}, or a TOML file."
        ) from error
    return _parse_profile(text, str(name_or_path))


def _parse_profile(text: str, where: str) -> Profile:
    try:
        profile = Profile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"prompt profile {where!r} is not valid: {error}") from error
    _ = profile.grammar_text  # a missing grammar shows now, not at the first judgement
    return profile


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile as a TOML file that `load_profile` reads back to the letter."""
    lines = []
    for key, value in profile.model_dump().items():
        lines.append(f"{key} = {_toml(value)}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def _toml(value: str | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    text = value
    escaped = re.sub(r'[\\"\x00-\x09\x0b-\x1f\x7f]', lambda match: f"\\u{ord(match[0]):04X}", text)
    return f'"""\n{escaped}"""' if "\n" in text else f'"{escaped}"'


def build_chat(pair: Pair, profile: Profile, order: Order = Order.AB) -> Chat:
    """Ask `profile`'s question about `pair`.

    Everything that comes from the pair is neutralised; what a judge copies from it is given back
    by `markers.restore`.

    Args:
        order: which response stands first, under the letter A.
    """
    found: dict[str, None] = {}

    def clean(text: str) -> str:
        harmless, names = neutralise(text)
        found.update(dict.fromkeys(names))
        return harmless

    turns = [turn.model_copy(update={"content": clean(turn.content)}) for turn in pair.conversation]
    first, second = (clean(text) for text in pair.shown(order))
    texts = {
        "prompt": _plain(turns),
        "conversation": _marked(turns),
        "response_a": first,
        "response_b": second,
        "conversation_a": _dialogue(turns, first, Side.A),
        "conversation_b": _dialogue(turns, second, Side.B),
    }
    template = profile.multi_turn if pair.is_multi_turn else profile.user
    # One pass over the template: a slot's name inside a response is text, not a slot.
    question = _SLOT.sub(lambda match: texts[match[1]], template)
    messages = [Message(role="user", content=question)]
    if profile.system:
        messages.insert(0, Message(role="system", content=profile.system))
    return Chat(tuple(messages), tuple(found))


def _plain(turns: Sequence[Message]) -> str:
    return turns[0].content if len(turns) == 1 else _marked(turns)


def _marked(turns: Sequence[Message]) -> str:
    return "\n\n".join(f"[{turn.role.capitalize()}]\n{turn.content}" for turn in turns)


def _dialogue(turns: Sequence[Message], response: str, side: Side) -> str:
    names = {"system": "System", "user": "User", "assistant": f"Chatbot {side}"}
    lines = [f"{names[turn.role]}: {turn.content}" for turn in turns]
    return "\n".join([*lines, f"Chatbot {side}: {response}"])
