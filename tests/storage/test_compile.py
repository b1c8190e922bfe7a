import pytest

from rmr1.pair import Order, Pair, Side
from rmr1.rubric import Criterion
from rmr1.trace import Segment, TaskType, parse_trace
from storage.compile import check_target, compile_trace, recompile

PAIR = Pair.of("Which is larger, 2 or 3?", "It is 3, plainly.", "I think it is 2.", chosen=Side.A)
EVAL = "A says <quote_A>It is 3</quote_A>, B says <quote_B>it is 2</quote_B>."
CHAT = compile_trace(
    TaskType.CHAT, EVAL, Side.A, rubric="1. Truth (100%): is it so?", justify="Nothing else counts."
)
REASONING = compile_trace(TaskType.REASONING, EVAL, Side.A, solution="3 is larger.")


@pytest.mark.parametrize("text", [CHAT, REASONING])
def test_a_compiled_trace_is_ready_to_train_on(text: str) -> None:
    assert check_target(PAIR, Order.AB, text) == []


def test_a_compiled_trace_says_what_its_sections_said() -> None:
    trace = parse_trace(
        compile_trace(
            TaskType.CHAT,
            [Segment("text", "Seen:"), Segment("quote", "It is 3", Side.A)],
            Side.B,
            rubric=[Criterion("Truth", "is it so?", share=0.6), Criterion("Tone", "", "(40%)")],
            justify="Both.",
        )
    )
    assert trace.rubric == "1. Truth (60%): is it so?\n2. Tone (40%)"
    assert [criterion.name for criterion in trace.criteria] == ["Truth", "Tone"]
    assert trace.justify == "Both."
    assert trace.evaluation == (Segment("text", "Seen:"), Segment("quote", "It is 3", Side.A))
    assert "Seen: <quote_A>It is 3</quote_A>" in trace.text
    assert trace.verdict is Side.B
    assert trace.slips == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHAT.replace("[[A]]", "[[B]]"), "its verdict is B, the label A"),
        (CHAT.replace("It is 3<", "It is 77, surely<"), "not in the response: “It is 77, surely”"),
        (CHAT.replace("<answer>[[A]]</answer>", ""), "it has no verdict"),
        (CHAT.replace("<justify>\nNothing else counts.\n</justify>", ""), "is not justified"),
        (CHAT.replace("<type>Chat</type>", ""), "does not say whether"),
        (CHAT.replace("Chat", "Reasoning"), "has no solution"),
        (REASONING.replace("Reasoning", "Chat"), "its rubric has no criterion"),
        (CHAT + "</answer>", "</answer>"),
        (CHAT.replace("</eval>", ""), "eval"),
        ("Well. " + CHAT, "text outside"),
        (CHAT + CHAT.replace("[[A]]", "[[B]]"), "contradictory"),
        ("", "no verdict"),
    ],
)
def test_what_stands_against_training_on_a_trace_is_said(text: str, words: str) -> None:
    assert any(words in fault for fault in check_target(PAIR, Order.AB, text))


def test_the_verdict_is_read_in_the_order_that_the_judge_saw() -> None:
    swapped = compile_trace(
        TaskType.REASONING,
        "<quote_B>It is 3</quote_B> is right.",
        Side.B,
        solution="3 is larger.",
    )
    assert check_target(PAIR, Order.BA, swapped) == []
    assert check_target(PAIR, Order.AB, swapped) != []


def test_a_trace_without_a_label_is_not_ready() -> None:
    unknown = PAIR.model_copy(update={"chosen": None})
    assert check_target(unknown, Order.AB, CHAT) == ["nobody has said which response is better"]
    assert check_target(unknown, Order.AB, CHAT, Side.A) == []


def test_a_reasoning_layout_needs_its_answer_alone() -> None:
    text = "So it is three.</think>It is 3. <answer>[[A]]</answer>"
    assert check_target(PAIR, Order.AB, text, layout="reasoning") == []


def test_a_repaired_section_takes_the_place_of_the_judges_own() -> None:
    broken = CHAT.replace("It is 3<", "It is 77, surely<").replace("[[A]]", "[[B]]")
    repaired = recompile(parse_trace(broken), {"eval": EVAL, "answer": "[[A]]"})
    assert parse_trace(repaired) == parse_trace(CHAT)
    assert check_target(PAIR, Order.AB, repaired) == []


def test_what_was_not_repaired_stays_to_the_letter() -> None:
    text = recompile(parse_trace(CHAT), {"justify": "Truth comes first."})
    assert text == CHAT.replace("Nothing else counts.", "Truth comes first.")


def test_a_repair_may_change_the_type() -> None:
    text = recompile(parse_trace(CHAT), {"type": "reasoning", "solution": "3 is larger."})
    assert parse_trace(text) == parse_trace(REASONING)


def test_a_repair_that_names_no_letter_leaves_no_verdict() -> None:
    text = recompile(parse_trace(CHAT), {"answer": "both"})
    assert "it has no verdict" in check_target(PAIR, Order.AB, text)
