"""Traces composed from what a preference set says itself."""

import pytest

from rmr1.grounding import Match
from rmr1.judgement import State
from rmr1.pair import Order, Pair, Side
from rmr1.rollout import read_rollout
from rmr1.trace import TaskType, parse_trace
from training.composing import compose, known_from_record
from training.condensing import condense

HELP = {"source": "hh-rlhf", "subset": "helpful-base"}
MATHS = {"source": "GSM8K-GPT3", "subset": "gsm8k-test"}
CODE = {"source": "DebugBench", "rationale": "Response 2 subtracts where it must add."}
REVIEW = {
    "source": "Vicuna-reviews",
    "rationale": "Assistant 1 is vague. Assistant 2 gives accurate, detailed steps.",
    "meta": {"chosen_is": 2, "category": "generic"},
}


def pair_of(prompt: str, chosen: str, rejected: str, better: Side = Side.A) -> Pair:
    a, b = (chosen, rejected) if better is Side.A else (rejected, chosen)
    return Pair.model_validate(
        {
            "conversation": [{"role": "user", "content": prompt}],
            "response_a": a,
            "response_b": b,
            "chosen": better,
        }
    )


CASES = {
    "help": (HELP, "How do I bake bread?", "Mix flour and water. Then bake it.", "No idea."),
    "safety": (
        {"source": "hh-rlhf", "subset": "harmless-base"},
        "Help me to hurt him.",
        "I'm sorry, I can't help with that.",
        "Sure, take a stick.",
    ),
    "truth": (
        {"source": "TruthfulQA"},
        "Do we use a tenth of our brain?",
        "No, we use all of it.",
        "Yes, only a tenth of it.",
    ),
    "summary": (
        {"source": "SummEdits"},
        "Summarise the document.",
        "Ann met Bob. They had tea.",
        "Ann met Tim. They had tea.",
    ),
    "maths": (MATHS, "What is 3 x 4?", "3 x 4 = 12\nThe answer is 12", "3 + 4 = 7\nA: 7"),
    "code": (CODE, "Add them.", "def f(a):\n    return a + 1", "def f(a):\n    return a - 1"),
    "review": (REVIEW, "How do I save money?", "Make a budget first.", "Just try to save."),
}
TYPES = {"maths": TaskType.REASONING, "code": TaskType.REASONING}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("better", list(Side))
def test_a_composed_trace_is_whole_right_grounded_and_of_the_right_type(
    name: str, order: Order, better: Side
) -> None:
    record, prompt, chosen, rejected = CASES[name]
    pair = pair_of(prompt, chosen, rejected, better)
    known = known_from_record(record, pair)
    assert known
    text = compose(known, order)
    assert text
    rollout = read_rollout(pair, order, text, finish_reason="stop")
    assert (rollout.state, rollout.verdict) == (State.COMPLETE, better)
    assert rollout.trace.type is TYPES.get(name, TaskType.CHAT)
    assert all(quote.match is not Match.ABSENT for quote in rollout.quotes)
    if rollout.trace.criteria:
        assert sum(one.weight or 0 for one in rollout.trace.criteria) == 100


def test_quotations_do_not_depend_on_which_response_is_better() -> None:
    found = set()
    for better in Side:
        pair = pair_of("Why?", "It rains. So there.", "It snows. So there.", better)
        pair = pair.model_copy(
            update={"response_a": "It rains. So there.", "response_b": "It snows. So there."}
        )
        known = known_from_record(HELP, pair)
        assert known
        text = compose(known, Order.AB)
        assert text
        rollout = read_rollout(pair, Order.AB, text, finish_reason="stop")
        found.add(tuple(quote.text for quote in rollout.quotes))
    assert found == {("It rains.", "It snows.")}


def test_a_given_reason_is_told_under_the_letters_that_the_judge_sees() -> None:
    pair = pair_of("How do I save money?", "Make a budget first.", "Just try to save.", Side.B)
    known = known_from_record(REVIEW, pair)
    assert known
    shown = compose(known, Order.BA)
    assert shown
    assert "A gives accurate, detailed steps." in shown
    assert "Assistant" not in shown


def test_answers_that_are_the_same_on_both_sides_give_no_trace() -> None:
    pair = pair_of("What is 3 x 4?", "3 x 4 = 12", "4 x 3 = 12")
    known = known_from_record(MATHS, pair)
    assert known
    assert compose(known, Order.AB) is None


@pytest.mark.parametrize(
    "record",
    [
        {"source": "elsewhere"},
        {**REVIEW, "rationale": ""},
        {**REVIEW, "meta": {"chosen_is": 2, "category": "coding"}},
    ],
)
def test_rows_that_say_too_little_are_left_out(record: dict[str, object]) -> None:
    assert known_from_record(record, pair_of("Why?", "So.", "No.")) is None


def test_the_same_arguments_compose_the_same_trace() -> None:
    record, *texts = CASES["help"]
    known = known_from_record(record, pair_of(*texts))
    assert known
    assert compose(known, Order.AB, 3) == compose(known, Order.AB, 3)


LONG = """<type>Chat</type>
<rubric>
1. Accuracy (60%): Is what it says right? Look at every claim.
2. Clarity (40%): Can one follow it?
<justify>Facts matter here. There is more to say, at length.</justify>
</rubric>
<eval>
1. Accuracy: <quote_A>It rains today. So there.</quote_A> Chatbot A is right.
<summary_B>Chatbot B says that it snows. It goes on.</summary_B>
Overall, Chatbot A is better.
</eval>
<answer>[[A]]</answer>"""


def test_a_long_trace_is_condensed_to_what_decides() -> None:
    pair = pair_of("Why?", "It rains today. So there.", "It snows. So there.")
    text = condense(parse_trace(LONG), pair, Order.AB)
    assert text
    trace = parse_trace(text)
    assert [(one.name, one.weight_text) for one in trace.criteria] == [
        ("Accuracy", "60%"),
        ("Clarity", "40%"),
    ]
    assert trace.justify == "Facts matter here."
    assert "<quote_A>It rains today.</quote_A>" in text
    assert "<summary_B>B says that it snows.</summary_B>" in text
    assert "Overall, A is better." in text
    assert "Chatbot" not in text


def test_a_trace_without_verdict_or_type_is_not_condensed() -> None:
    pair = pair_of("Why?", "It rains.", "It snows.")
    assert condense(parse_trace("I like it."), pair, Order.AB) is None
    assert condense(parse_trace(LONG.replace("<answer>[[A]]</answer>", "")), pair, Order.AB) is None
