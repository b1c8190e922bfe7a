import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.cells import CellError
from rmr1.pair import Pair, Side
from storage.records import pairs_of
from storage.shapes import Shape, detect

USER = {"role": "user", "content": "p"}
GOOD = {"role": "assistant", "content": "good"}
BAD = {"role": "assistant", "content": "bad"}
FIRST = {"role": "assistant", "content": "hm"}
AGAIN = {"role": "user", "content": "again"}


def made(row: dict[str, Any]) -> list[Pair]:
    shape, mapping = detect([row], "t.jsonl")
    return pairs_of(shape, row, mapping)


def better_and_worse(pair: Pair) -> tuple[list[str], str, str]:
    assert pair.chosen is not None
    turns = [f"{turn.role}: {turn.content}" for turn in pair.conversation]
    return turns, pair.response(pair.chosen), pair.response(pair.chosen.other)


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        ({"prompt": "p", "chosen": "good", "rejected": "bad"}, ["user: p"]),
        ({"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]}, ["user: p"]),
        ({"prompt": "p", "chosen": [USER, GOOD], "rejected": [USER, BAD]}, ["user: p"]),
        ({"chosen": [USER, GOOD], "rejected": [USER, BAD]}, ["user: p"]),
        (
            {"chosen": [USER, FIRST, AGAIN, GOOD], "rejected": [USER, FIRST, AGAIN, BAD]},
            ["user: p", "assistant: hm", "user: again"],
        ),
        (
            {"prompt": "p", "chosen": [FIRST, AGAIN, GOOD], "rejected": [FIRST, AGAIN, BAD]},
            ["user: p", "assistant: hm", "user: again"],
        ),
        (
            {
                "chosen": "\n\nHuman: p\n\nAssistant: hm\n\nHuman: again\n\nAssistant: good",
                "rejected": "\n\nHuman: p\n\nAssistant: hm\n\nHuman: again\n\nAssistant: bad",
            },
            ["user: p", "assistant: hm", "user: again"],
        ),
        (
            {"system": "be kind", "question": "p", "chosen": "good", "rejected": "bad"},
            ["system: be kind", "user: p"],
        ),
        (
            {"instruction": "p", "input": "text", "chosen": "good", "rejected": "bad"},
            ["user: p\n\ntext"],
        ),
        (
            {
                "chosen": [{"from": "human", "value": "p"}, {"from": "gpt", "value": "good"}],
                "rejected": [{"from": "human", "value": "p"}, {"from": "gpt", "value": "bad"}],
            },
            ["user: p"],
        ),
        ({"prompt": json.dumps([USER]), "chosen": "good", "rejected": "bad"}, ["user: p"]),
        (
            {
                "prompt": [{"role": "user", "content": [{"type": "text", "text": "p"}]}],
                "chosen": "good",
                "rejected": "bad",
            },
            ["user: p"],
        ),
    ],
)
def test_the_usual_spellings_of_a_preference_are_read(
    row: dict[str, Any], turns: list[str]
) -> None:
    (pair,) = made(row)
    assert better_and_worse(pair) == (turns, "good", "bad")


@pytest.mark.parametrize(
    ("winner", "side", "kept"),
    [
        ("A", Side.A, None),
        ("model_b", Side.B, None),
        (" response_A ", Side.A, None),
        ("tie", None, "tie"),
        ("tie (bothbad)", None, "tie (bothbad)"),
        ("", None, ""),
        (None, None, None),
    ],
)
def test_the_winner_is_a_side_or_nobody(
    winner: str | None, side: Side | None, kept: str | None
) -> None:
    (pair,) = made({"prompt": "p", "response_a": "x", "response_b": "y", "winner": winner})
    assert (pair.response_a, pair.chosen, pair.meta.get("winner")) == ("x", side, kept)


def test_whole_conversations_with_a_winner_are_read() -> None:
    row = {"conversation_a": [USER, BAD], "conversation_b": [USER, GOOD], "winner": "model_b"}
    (pair,) = made(row)
    assert better_and_worse(pair) == (["user: p"], "good", "bad")


def test_what_has_no_column_of_its_own_is_kept() -> None:
    row = {"prompt": "p", "chosen": "x", "rejected": "y", "margin": 2, "id": 7, "source": "S"}
    (pair,) = made(row)
    assert (pair.id, pair.source, pair.meta) == ("7", "S", {"margin": 2})


def test_ties_have_no_better_side() -> None:
    (pair,) = made({"prompt": "p", "responses": ["x", "y"], "subset": "tie"})
    assert (pair.response_a, pair.response_b, pair.chosen) == ("x", "y", None)


def test_an_rm_bench_record_gives_nine_pairs() -> None:
    row = {
        "id": 602,
        "subset": "chat",
        "prompt": "p",
        "chosen": ["c0", "c1", "c2"],
        "rejected": ["r0", "r1", "r2"],
    }
    pairs = made(row)
    assert {pair.id: better_and_worse(pair)[1:] for pair in pairs} == {
        f"602:{i}-{j}": (f"c{i}", f"r{j}") for i in range(3) for j in range(3)
    }
    assert {(pair.source, pair.subset) for pair in pairs} == {("RM-Bench", "chat")}


def test_best_of_n_gives_the_best_against_every_loser() -> None:
    row = {
        "conversation_input": [USER | {"language": "English"}],
        "bon_best": {"llm_name": "m", "answer": "good"},
        "loser_list": [{"llm_name": "n", "answer": "bad"}, {"llm_name": "o", "answer": "worse"}],
        "bon_uid": "9",
        "category_path": "BoN_set/Harmlessness/S6",
    }
    pairs = made(row)
    assert [(pair.id, *better_and_worse(pair)[1:]) for pair in pairs] == [
        ("9:0", "good", "bad"),
        ("9:1", "good", "worse"),
    ]
    assert pairs[0].meta == {"chosen_model": "m", "rejected_model": "n", "losers": 2}


def test_rated_completions_give_the_best_against_every_lower_one() -> None:
    row = {
        "instruction": "p",
        "completions": [
            {"model": "m", "response": "bad", "overall_score": 2.0},
            {"model": "n", "response": "good", "overall_score": 9},
            {"model": "o", "response": "also good", "overall_score": 9},
        ],
    }
    assert [better_and_worse(pair)[1:] for pair in made(row)] == [("good", "bad")]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({"prompt": "p", "chosen": "", "rejected": "y"}, "chosen", "is empty"),
        ({"prompt": "p", "chosen": "x", "rejected": None}, "rejected", "is missing"),
        ({"prompt": "p", "chosen": "x", "rejected": 4}, "rejected", "is a number, not a text"),
        ({"prompt": "p", "chosen": float("nan"), "rejected": "y"}, "chosen", "is NaN, not a text"),
        ({"prompt": True, "chosen": "x", "rejected": "y"}, "prompt", "is a truth value"),
        ({"prompt": "p", "chosen": "x\0", "rejected": "y"}, "chosen", "holds a NUL character"),
        ({"prompt": "p", "chosen": "x", "rejected": "x"}, "", "both responses are the same"),
        ({"prompt": " ", "chosen": "x", "rejected": "y"}, "prompt", "is empty"),
        ({"prompt": [], "chosen": "x", "rejected": "y"}, "prompt", "is an empty list"),
        ({"prompt": [USER, GOOD], "chosen": "x", "rejected": "y"}, "", "must end with a user"),
        ({"prompt": ["p"], "chosen": "x", "rejected": "y"}, "prompt", "where a message is wanted"),
        (
            {"prompt": [{"role": "tool", "content": "p"}], "chosen": "x", "rejected": "y"},
            "prompt",
            "of the unknown role 'tool'",
        ),
        ({"chosen": "x", "rejected": "y"}, "chosen", "comes without a prompt"),
        ({"chosen": [USER, GOOD], "rejected": [AGAIN, BAD]}, "rejected", "differ before"),
        ({"chosen": [USER], "rejected": [USER]}, "chosen", "does not end with the assistant"),
        ({"prompt": "p", "responses": ["x"]}, "responses", "not a list of two"),
        (
            {"prompt": "p", "response_a": "x", "response_b": "y", "winner": 1},
            "winner",
            "is '1' where A, B or tie is wanted",
        ),
        (
            {"prompt": [{"role": "user", "content": [{"type": "image_url"}]}]}
            | {"chosen": "x", "rejected": "y"},
            "prompt",
            "something else than text",
        ),
        ({"prompt": "p", "chosen": ["x"] * 2, "rejected": ["y"] * 2}, "chosen", "three chosen"),
        ({"instruction": "p", "completions": [{"response": "x"}]}, "completions", "without a"),
        (
            {"conversation_input": [USER], "chosen": "x", "reject": "y"},
            "chosen",
            "where an object with an answer",
        ),
    ],
)
def test_a_row_that_cannot_be_used_says_which_cell_and_why(
    row: dict[str, Any], column: str, reason: str
) -> None:
    with pytest.raises(CellError) as caught:
        made(row)
    assert caught.value.column == column
    assert reason in caught.value.reason


def test_the_better_response_stands_on_either_side_and_always_on_the_same() -> None:
    rows = [{"prompt": f"p{n}", "chosen": "good", "rejected": "bad"} for n in range(2000)]
    sides = [made(row)[0].chosen for row in rows]
    assert 900 < sides.count(Side.A) < 1100
    assert sides == [made(row)[0].chosen for row in rows]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "from", "value", "x"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(shape=st.sampled_from(list(Shape)), cells=st.tuples(JSON, JSON, JSON))
def test_any_cells_give_pairs_or_one_named_cell(
    shape: Shape, cells: tuple[object, object, object]
) -> None:
    row = dict(zip(("prompt", "chosen", "rejected"), cells, strict=True))
    row |= {"completions": cells[1], "conversation_input": cells[0], "loser_list": cells[2]}
    _, mapping = detect([{"prompt": "p", "chosen": "x", "rejected": "y"}], "t")
    try:
        pairs = pairs_of(shape, row, mapping)
    except CellError:
        return
    assert all(isinstance(pair, Pair) for pair in pairs)
