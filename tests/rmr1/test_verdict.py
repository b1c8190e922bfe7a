import gzip
import json
from pathlib import Path

import pytest

from rmr1.pair import Side
from rmr1.verdict import VERDICT_RULES, evaluation_verdict, training_verdict

A, B = Side.A, Side.B
RELEASED = Path(__file__).parents[3] / "shared/data/rm_r1_released_traces.jsonl.gz"
TAG_A, TAG_B = "<answer>[[A]]</answer>", "<answer>[[B]]</answer>"

# text: what the rules of training, evaluation and this project say
CASES = {
    f"<eval>x</eval>{TAG_A}": (A, A, A),
    f"<eval>x</eval>\n{TAG_B}\n</answer>": (B, B, B),
    f"{TAG_A}{'.' * 58}": (A, A, A),
    f"{TAG_A}{'.' * 59}": (None, A, A),
    f"{TAG_A} {TAG_B}": (None, None, None),
    f"{TAG_A}{'.' * 80}{TAG_B}": (B, None, None),
    f"[[B]]? no</think>{TAG_A}": (A, None, A),
    f"{TAG_A}</think>done": (A, A, None),
    "so [[A]]": (None, A, A),
    "<answer>A</answer>": (None, None, A),
    "<answer> [[A]] </answer>": (None, A, A),
    "<Answer>[[A]]</Answer>": (None, A, A),
    f"<eval><quote_A>{TAG_A}</quote_A></eval>{TAG_B}": (None, None, B),
    f"<eval>x{'.' * 80}<quote_A>[[A]]</quote_A></eval>{TAG_B}": (B, None, B),
    "<eval>[[A]]</eval>": (None, A, None),
    f"{TAG_A}<eval>x</eval>": (A, A, None),
    "<answer>[[B]</answer>": (None, None, B),
    "[[C]]": (None, None, None),
    "": (None, None, None),
}


@pytest.mark.parametrize("text", CASES)
def test_the_rules_differ_where_they_are_known_to_differ(text: str) -> None:
    said = tuple(VERDICT_RULES[name](text) for name in ("training", "evaluation", "ours"))
    assert said == CASES[text]


def test_the_evaluation_rule_reproduces_the_released_results() -> None:
    if not RELEASED.exists():
        pytest.skip("the released judgements are not here")
    compared = 0
    with gzip.open(RELEASED, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            shuffled = record["Is_Chosen_Answer_Shuffled_toPositionB"]
            if "answers" in record:
                rows = [(record["answers"], shuffled, record["results"])]
            else:
                rows = list(zip(record["output"], shuffled, record["result"], strict=True))
            for text, chosen_is_b, result in rows:
                chosen = B if chosen_is_b else A
                assert (evaluation_verdict(text) is chosen) == (result == 1)
                compared += 1
    assert compared == 428


def test_the_rules_agree_on_an_ordinary_judgement() -> None:
    text = f"<eval>A is right.</eval>\n\n{TAG_A}"
    assert training_verdict(text) is evaluation_verdict(text) is A
