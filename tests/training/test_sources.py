import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rmr1.errors import InputError
from rmr1.pair import Message, Order, Pair, Side
from rmr1.prompt import build_chat, load_profile, profile_names
from rmr1.readers import RowError
from training.chats import published_sides, read_chat, read_published_chat
from training.sources import Example, Layout, open_training_sources

SHARED = Path(__file__).parents[3] / "shared" / "data"
TRACE = (
    "<type>Reasoning</type>\n<solution>4</solution>\n<eval>A adds.</eval>\n<answer>[[B]]</answer>"
)


def published(question: str, winner: str, system: str = "You are a judge.") -> dict[str, Any]:
    """A row in the columns of the published sets."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {"context_messages": messages if system else messages[1:], "winner": winner}


def single(prompt: str, first: str, second: str) -> str:
    return (
        f"[Client Question]\n{prompt}\n\n"
        f"[The Start of Chatbot A's Response]\n{first}\n[The End of Chatbot A's Response]\n\n"
        f"[The Start of Chatbot B's Response]\n{second}\n[The End of Chatbot B's Response]"
    )


def dialogue(side: str, *turns: str, name: str = "") -> str:
    speakers = ["User", name or f"Chatbot {side}"] * len(turns)
    said = "\n".join(f"{who}: {text}" for who, text in zip(speakers, turns, strict=False))
    marker = f"the Conversation between Chatbot {side} and the Client]"
    return f"[The Start of {marker}\n{said}\n[The End of {marker}"


def several(first: str, second: str) -> str:
    return f"{first}\n\n{second}"


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path | str) -> tuple[list[Example], list[str]]:
    found = [item for source in open_training_sources(path) for item in source.examples()]
    examples = [item for item in found if isinstance(item, Example)]
    return examples, [item.reason for item in found if isinstance(item, RowError)]


def test_published_pairs_are_cut_out_of_their_chat(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "rl.jsonl",
        published(single("What is 2 + 2?", "It is 5.", "It is 4.\n\nSurely."), "model_b"),
        published(
            "Act as a judge.\n\n" + single("Name a colour.", "Red", "Seven") + "\n\nEnd with it.",
            "model_a",
            system="",
        ),
    )
    (source,) = open_training_sources(path)
    assert source.layout is Layout.PUBLISHED_RL
    (sum_, colour), errors = read(path)
    assert not errors
    assert sum_.pair.prompt == "What is 2 + 2?"
    assert (sum_.pair.response_a, sum_.pair.response_b) == ("It is 5.", "It is 4.\n\nSurely.")
    assert (sum_.pair.chosen, sum_.order, sum_.trace) == (Side.B, Order.AB, "")
    assert sum_.pair.source == "rl"
    assert (colour.pair.response_a, colour.pair.response_b) == ("Red", "Seven")


@pytest.mark.parametrize("name", ["", "Chabot B"])
def test_published_dialogues_are_read_with_and_without_the_slip(tmp_path: Path, name: str) -> None:
    shared = ("Hello", "Hi, what is it?", "Name a fish.\nA big one.")
    question = several(
        dialogue("A", *shared, "A whale."), dialogue("B", *shared, "A tuna:\nbig.", name=name)
    )
    (example,), errors = read(lines(tmp_path / "x.jsonl", published(question, "model_b")))
    assert not errors
    roles = [turn.role for turn in example.pair.conversation]
    assert roles == ["user", "assistant", "user"]
    assert example.pair.prompt == "Name a fish.\nA big one."
    assert example.pair.response_b == "A tuna:\nbig."


def test_a_published_trace_comes_with_the_winner_that_it_names(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "sft.jsonl",
        published(single("What is 2 + 2?", "5", "4"), TRACE),
        published(single("What is 2 + 3?", "5", "4"), "I cannot say."),
    )
    (example,), errors = read(path)
    assert example.trace == TRACE
    assert example.pair.chosen is Side.B
    assert example.version is not None
    assert len(errors) == 1
    assert "ends in one" in errors[0]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What is this?", "does not hold the markers"),
        (
            single("Q", "a\n[The End of Chatbot A's Response]\n\n"
                   "[The Start of Chatbot B's Response]\nx", "b"),
            "does not hold the markers",
        ),
        (
            several(dialogue("A", "q", "x"), dialogue("B", "q", "y", "and?", "z")),
            "differ before their last turn",
        ),
        (several(dialogue("A", "q", "x", "r"), dialogue("B", "q", "y")), "do not take turns"),
        (single("Q", "same", "same"), "both responses are the same"),
        (single(" ", "one", "two"), "the prompt is empty"),
    ],
)  # fmt: skip
def test_a_published_row_that_cannot_be_cut_says_why(
    tmp_path: Path, question: str, reason: str
) -> None:
    good = published(single("What is 2 + 2?", "5", "4"), "model_b")
    examples, errors = read(lines(tmp_path / "x.jsonl", good, published(question, "model_a")))
    assert len(examples) == 1
    assert len(errors) == 1
    assert reason in errors[0]


def test_the_sides_of_a_published_chat_keep_their_speakers() -> None:
    shown = published_sides(several(dialogue("A", "q", "x"), dialogue("B", "q", "y", name="Bot")))
    assert shown is not None
    assert shown.first == "User: q\nChatbot A: x"
    assert shown.second == "User: q\nBot: y"
    assert published_sides("nothing") is None


texts = st.text(
    st.sampled_from("ab \n:[]<>/{}˂⁅꞉\u2060AUserChatbot"), min_size=1, max_size=40
) | st.sampled_from(
    [
        "[Prompt]\n",
        "\n[End of Response A]\n",
        "[User]\nhi",
        "Chatbot A: x",
        "{response_b}",
        "<answer>",
    ]
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(texts, min_size=1, max_size=5), texts, texts, st.booleans(), st.booleans())
def test_every_profile_s_chat_gives_its_pair_back(
    turns: list[str], first: str, second: str, system: bool, swapped: bool
) -> None:
    said = turns if len(turns) % 2 else turns[:-1]
    roles = ["user", "assistant"] * len(said)
    messages = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
    if system:
        messages.insert(0, {"role": "system", "content": "Be kind."})
    try:
        pair = Pair(conversation=messages, response_a=first, response_b=second)
    except ValidationError:
        return
    order = Order.BA if swapped else Order.AB
    for name in profile_names():
        profile = load_profile(name)
        chat = build_chat(pair, profile, order)
        read_turns, one, two = read_chat(chat.messages, profile)
        assert tuple(read_turns) == pair.conversation
        assert (one, two) == pair.shown(order)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(texts, texts, texts)
def test_a_published_chat_is_read_right_or_refused(prompt: str, first: str, second: str) -> None:
    message = Message(role="user", content=single(prompt, first, second))
    turns, one, two = read_published_chat([message])
    assert (turns[0].content, one, two) == (prompt, first, second)


def test_the_published_mix_s_maths_puts_the_shared_steps_before_both(tmp_path: Path) -> None:
    row = {
        "prompt": "What is 2 + 3 - 1?",
        "initial_reason_steps": "Step 1: 2 + 3 = 5.\nStep 2:",
        "full_chosen": " 5 - 1 = 4.",
        "full_rejected": " 5 - 1 = 3.",
        "chosen": " 5 - 1 = 4.",
        "rejected": " 5 - 1 = 3.",
        "answer": "4",
    }
    (example,), _ = read(lines(tmp_path / "math.jsonl", row))
    assert example.pair.chosen
    better = example.pair.response(example.pair.chosen)
    assert better == "Step 1: 2 + 3 = 5.\nStep 2: 5 - 1 = 4."


def test_of_code_pairs_the_mix_takes_the_rows_that_it_drew(tmp_path: Path) -> None:
    rows = [{"input": f"Code {n}?", "accepted": "a", "rejected": "b"} for n in range(8_300)]
    examples, _ = read(lines(tmp_path / "code.jsonl", *rows))
    drawn = np.random.default_rng(42).permutation(8_300)[:8_000]
    assert {example.pair.prompt for example in examples} == {f"Code {n}?" for n in drawn}


@pytest.mark.train
@pytest.mark.filterwarnings("ignore")
def test_the_draw_is_that_of_the_datasets_library() -> None:
    datasets = pytest.importorskip("datasets")
    shuffled = datasets.Dataset.from_dict({"n": range(500)}).shuffle(seed=42)["n"]
    assert list(shuffled) == np.random.default_rng(42).permutation(500).tolist()


def test_of_skywork_the_set_with_a_cue_is_left_out(tmp_path: Path) -> None:
    def row(source: str, better: str) -> dict[str, Any]:
        asked = {"role": "user", "content": "Say hello."}
        return {
            "chosen": [asked, {"role": "assistant", "content": better}],
            "rejected": [asked, {"role": "assistant", "content": "No."}],
            "source": source,
        }

    path = lines(tmp_path / "sky.jsonl", row("magpie_ultra", "Hi"), row("offset_bias", "Hello"))
    (example,), errors = read(path)
    assert example.pair.source == "offset_bias"
    assert errors == ["is magpie_ultra, whose form tells the label"]


def test_released_logs_bring_pairs_and_traces() -> None:
    path = SHARED / "rm_r1_released_traces.jsonl.gz"
    if not path.is_file():
        pytest.skip("the released traces are not there")
    examples, errors = read(path)
    assert not errors
    assert len(examples) == 428
    assert all(one.trace and one.pair.chosen and one.version for one in examples)


def test_a_set_without_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no two responses"):
        read(lines(tmp_path / "x.jsonl", {"text": "hello"}))
    with pytest.raises(InputError, match="no file"):
        read(tmp_path / "nothing.jsonl")
    with pytest.raises(InputError, match="no data set's name"):
        read("hub:nothing")
