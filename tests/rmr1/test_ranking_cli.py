import io
import json
import sys

import pytest
from typer.testing import CliRunner

from app import cli, main
from rmr1.errors import BackendError, InputError

REPLIES = ["<type>Chat</type><eval>-</eval><answer>[[A]]</answer>"]
ROW = {"id": "one", "prompt": "Which?", "responses": ["first", "second", "third\x1b[31m"]}


@pytest.fixture(autouse=True)
def _scripted(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMR1_BACKEND", json.dumps({"kind": "scripted", "replies": REPLIES}))


def run(*arguments, **options):
    return CliRunner().invoke(cli, ["rank", *arguments], catch_exceptions=False, **options)


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_ranking_is_a_json_object_a_line(tmp_path):
    rows = [ROW, {"prompt": "Or?", "responses": ["x", "y"]}]
    result = run(write(tmp_path / "in.jsonl", *rows), "--json")
    one, two = (json.loads(line) for line in result.stdout.splitlines())
    assert (one["id"], one["judgements"], one["method"]) == ("one", 3, "round-robin")
    assert two["id"] == "2"
    assert [place["index"] for place in two["ranking"]] == [0, 1]  # the judge takes what is first
    assert one["ties"] == [[0, 1, 2]]  # each stood first once
    assert "at most 4 pairs" in result.stderr


def test_the_table_shows_no_control_characters_and_names_ties(tmp_path):
    shown = run(write(tmp_path / "in.jsonl", ROW)).stdout
    assert "tied: #0, #1, #2" in shown
    assert "\x1b" not in shown
    assert "third [31m" in shown


def test_a_knockout_takes_fewer_judgements(tmp_path):
    rows = {"prompt": "Which?", "responses": [str(number) for number in range(8)]}
    result = run(write(tmp_path / "in.jsonl", rows), "--json", "--method", "knockout")
    assert json.loads(result.stdout)["judgements"] == 7
    assert "at most 16 pairs" in result.stderr


def test_both_orders_of_a_judge_that_takes_the_first_decide_nothing(tmp_path):
    found = json.loads(run(write(tmp_path / "in.jsonl", ROW), "--json", "--orders", "both").stdout)
    assert {one["state"] for one in found["undecided"]} == {"contradictory"}
    assert [one["win_rate"] for one in found["ranking"]] == [None] * 3


def test_rows_come_from_standard_input():
    assert json.loads(run("-", "--json", input=json.dumps(ROW)).stdout)["id"] == "one"


def test_a_bad_row_is_named_by_its_line(tmp_path):
    file = write(tmp_path / "in.jsonl", ROW, {"prompt": "p"})
    with pytest.raises(InputError, match=r"in\.jsonl, line 2: responses"):
        run(file)


def test_an_unknown_method_is_refused(tmp_path):
    result = run(write(tmp_path / "in.jsonl", ROW), "--method", "swiss")
    assert result.exit_code == 2
    assert "knockout" in result.stderr


def test_a_backend_that_fails_ends_with_1_and_the_ranking_is_written(monkeypatch, capsys, tmp_path):
    dead = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    monkeypatch.setenv("RMR1_BACKEND", json.dumps(dead))
    monkeypatch.setattr(sys, "argv", ["rmr1", "rank", "-", "--json"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(ROW)))
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    assert left.value.code == 1
    assert json.loads(said.out)["undecided"][0]["state"] == "failed"
    assert str(BackendError("the judge failed on 3 pairs")) in said.err
