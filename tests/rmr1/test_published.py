import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rmr1.errors import InputError
from rmr1.pair import Message, Pair
from rmr1.prompt import build_chat, load_profile, save_profile
from rmr1.published import fetch_published_prompt

SINGLE = """Read first.
[Client Question]
Why [brackets]?

[The Start of Chatbot A's Response]
Because.
[The End of Chatbot A's Response]

[The Start of Chatbot B's Response]
Just so.
[The End of Chatbot B's Response]
Then answer."""
SEVERAL = """[The Start of the Conversation between Chatbot A and the Client]
User: Hi
Chatbot A: Ho
[The End of the Conversation between Chatbot A and the Client]

[The Start of the Conversation between Chatbot B and the Client]
User: Hi
Chatbot B: Hu
[The End of the Conversation between Chatbot B and the Client]"""


def row(user: str, system: str = "") -> dict[str, object]:
    messages = [{"role": "system", "content": system}] if system else []
    return {"context_messages": [*messages, {"role": "user", "content": user}], "winner": "model_a"}


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["train.parquet", "train.jsonl"])
def test_the_instructions_are_kept_and_the_example_is_cut_out(tmp_path: Path, name: str) -> None:
    source = written(tmp_path / name, [row(SINGLE, "Use <rubric>."), row("unused")])
    profile = fetch_published_prompt(source)
    assert profile.layout == "cor"
    assert profile.system == "Use <rubric>."
    pair = Pair.of("Why [brackets]?", "Because.", "Just so.")
    assert build_chat(pair, profile).messages[1].content == SINGLE
    save_profile(profile, tmp_path / "mine.toml")
    assert load_profile(tmp_path / "mine.toml") == profile


def test_several_turns_take_the_dialogue_markers(tmp_path: Path) -> None:
    profile = fetch_published_prompt(written(tmp_path / "t.parquet", [row(SEVERAL)]), name="p32")
    assert (profile.name, profile.layout, profile.system) == ("p32", "reasoning", "")
    turns = (
        Message(role="user", content="Hi"),
        Message(role="assistant", content="Yes?"),
        Message(role="user", content="So"),
    )
    asked = build_chat(Pair(conversation=turns, response_a="Ho", response_b="Hu"), profile)
    assert asked.messages[0].content == SEVERAL.replace(
        "User: Hi\nChatbot A: Ho", "User: Hi\nChatbot A: Yes?\nUser: So\nChatbot A: Ho"
    ).replace("User: Hi\nChatbot B: Hu", "User: Hi\nChatbot B: Yes?\nUser: So\nChatbot B: Hu")


@pytest.mark.parametrize(
    "rows", [[row("no markers")], [{"other": 1}], [{"context_messages": "text"}]]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    with pytest.raises(InputError, match=r"t\.jsonl"):
        fetch_published_prompt(written(tmp_path / "t.jsonl", rows))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.parquet"):
        fetch_published_prompt(tmp_path / "none.parquet")
