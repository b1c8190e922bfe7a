import pytest

from rmr1.errors import InputError
from storage.shapes import ColumnMapping, Shape, detect, propose_mapping


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["id", "prompt", "response_a", "response_b", "chosen"],
            ColumnMapping(
                id="id",
                prompt="prompt",
                response_a="response_a",
                response_b="response_b",
                winner="chosen",
            ),
        ),
        (
            ["Question", "Chosen", "Rejected"],
            ColumnMapping(prompt="Question", chosen="Chosen", rejected="Rejected"),
        ),
        (["chosen", "rejected"], ColumnMapping(chosen="chosen", rejected="rejected")),
        (
            ["instruction", "input", "chosen", "rejected", "system"],
            ColumnMapping(
                prompt="instruction",
                context="input",
                chosen="chosen",
                rejected="rejected",
                system="system",
            ),
        ),
        (
            ["input", "accepted", "rejected"],
            ColumnMapping(prompt="input", chosen="accepted", rejected="rejected"),
        ),
        (
            ["question_id", "conversation_a", "conversation_b", "winner"],
            ColumnMapping(
                id="question_id",
                response_a="conversation_a",
                response_b="conversation_b",
                winner="winner",
            ),
        ),
        (
            ["prompt", "responses", "subset"],
            ColumnMapping(prompt="prompt", responses="responses", subset="subset"),
        ),
    ],
)
def test_columns_are_known_by_their_names(columns: list[str], expected: ColumnMapping) -> None:
    assert propose_mapping(columns) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "p", "response_a": "a", "response_b": "b"}, Shape.PAIRS),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, Shape.PREFERENCES),
        ({"chosen": [{"role": "user"}], "rejected": []}, Shape.PREFERENCES),
        ({"instruction": "p", "completions": [{"response": "a"}]}, Shape.RATED),
        ({"prompt": "p", "chosen": ["a"], "rejected": ["b"], "id": 1}, Shape.RM_BENCH),
        ({"conversation_input": [], "chosen": {}, "reject": {}}, Shape.RMB_PAIRS),
        ({"conversation_input": [], "bon_best": {}, "loser_list": []}, Shape.RMB_BEST_OF_N),
        (
            {
                "prompt": "p",
                "chosen": "a",
                "chosen_model": "",
                "rejected": "b",
                "subset": "s",
                "id": 1,
            },
            Shape.REWARD_BENCH,
        ),
        ({"text_chosen": [], "text_rejected": [], "answers": "", "results": 1}, Shape.RELEASED),
        ({"chosen": ["a"], "rejected": ["b"], "output": [], "result": []}, Shape.RELEASED),
        ({"rollouts": [], "judge_version": {}, "plan": {}, "pair": {}}, Shape.JUDGEMENTS),
    ],
)
def test_rows_are_known_by_what_is_in_them(row: dict[str, object], expected: Shape) -> None:
    assert detect([row], "t.jsonl")[0] is expected


def test_single_responses_with_a_score_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="rates single responses") as caught:
        detect([{"prompt": "p", "response": "r", "score": 3}], "t.jsonl")
    assert str(caught.value).count(".") == 2


def test_a_file_of_other_columns_names_them() -> None:
    with pytest.raises(InputError, match=r"its columns are 'text', 'x{40}'"):
        detect([{"text": "p", "x" * 90: "r"}], "t.jsonl")
