import json

import pytest

from ui.data_tab import look, take, undo

CSV = "ask,good,bad\nWhat is 2 + 2?,4,5\n,no prompt,here\nColour of the sky?,Blue,Green\n"
NAMED = {"prompt": "ask", "chosen": "good", "rejected": "bad"}


@pytest.fixture
def file(tmp_path):
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def test_columns_of_unknown_names_are_asked_for_until_two_responses_are_named(file):
    path = file("pairs.csv", CSV)
    assert look(path, "")["columns"] == ["ask", "good", "bad"]
    half = look(path, "", {"prompt": "ask"})
    assert "names no two responses" in half["error"]
    assert half["mapping"]["prompt"] == "ask"
    whole = look(path, "", NAMED)
    assert whole["is_mapped"]
    assert ["unusable rows", 1] in whole["figures"]


def test_a_file_of_a_known_shape_is_read_by_its_shape_and_asks_for_no_columns(file):
    row = {
        "prompt": "p",
        "completions": [{"response": r, "overall_score": s} for r, s in (("good", 9), ("bad", 2))],
    }
    seen = look(file("rated.jsonl", json.dumps(row)), "")
    assert seen["shape"] == "rated completions"
    assert "columns" not in seen
    assert not seen["is_mapped"]


def test_an_import_is_taken_with_its_mapping_and_taken_back(studio, file):
    report = take(studio.database, file("pairs.csv", CSV), "", {"mapping": NAMED})["report"]
    assert ["new pairs", 2] in report["figures"]
    assert undo(studio.database, {"run": report["run"]})["said"].startswith("2 pairs")
