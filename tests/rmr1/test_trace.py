import gzip
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.pair import Side
from rmr1.tags import EVIDENCE, SECTIONS
from rmr1.trace import Segment, TaskType, Trace, TraceParser, parse_trace

A, B = Side.A, Side.B
CHAT = """<type>Chat</type>

<rubric>
1. Accuracy (60%): Is it right?
2. Clarity (40%): Is it clear?

<justify>
Facts come first.
</justify>
</rubric>

<eval>
On accuracy: <quote_A>two and two is five</quote_A> is wrong. <summary_B>B is right.</summary_B>
B wins.
</eval>

<answer>[[B]]</answer>"""
REASONING = (
    "<type>Reasoning</type><solution>2 + 2 = 4</solution>"
    "<eval>A is right.</eval><answer>[[A]]</answer>"
)
RELEASED = Path(__file__).parents[3] / "shared/data/rm_r1_released_traces.jsonl.gz"


def fed(text: str, *cuts: int) -> Trace:
    parser = TraceParser()
    for start, end in pairwise([0, *sorted(cuts), len(text)]):
        parser.feed(text[start:end])
        parser.snapshot()
    return parser.finish()


def test_a_chat_trace_is_read_into_its_sections() -> None:
    trace = parse_trace(CHAT)
    assert trace.type is TaskType.CHAT
    assert trace.rubric == "1. Accuracy (60%): Is it right?\n2. Clarity (40%): Is it clear?"
    assert [(c.name, c.share) for c in trace.criteria] == [("Accuracy", 0.6), ("Clarity", 0.4)]
    assert trace.justify == "Facts come first."
    assert trace.evaluation == (
        Segment("text", "On accuracy:"),
        Segment("quote", "two and two is five", A),
        Segment("text", "is wrong."),
        Segment("summary", "B is right.", B),
        Segment("text", "B wins."),
    )
    assert (trace.answer, trace.verdict, trace.letters) == ("[[B]]", B, (B,))
    assert (trace.solution, trace.thinking, trace.prose) == (None, None, "")
    assert (trace.open, trace.slips, trace.text) == ((), (), CHAT)


def test_a_reasoning_trace_has_a_solution_and_no_rubric() -> None:
    trace = parse_trace(REASONING)
    assert (trace.type, trace.solution) == (TaskType.REASONING, "2 + 2 = 4")
    assert (trace.rubric, trace.justify, trace.criteria) == (None, None, ())
    assert trace.verdict is A


def test_a_model_without_tags_leaves_thinking_prose_and_an_answer() -> None:
    trace = parse_trace("Maybe [[A]].\n</think>\n\nB is shorter.\n\n<answer>[[B]]</answer>")
    assert trace.thinking == "Maybe [[A]]."
    assert trace.prose == "B is shorter."
    assert (trace.evaluation, trace.verdict, trace.slips) == (None, B, ())


THOUGHTS = {
    "<think>a</think>b": ("a", "b"),
    "a</think>b": ("a", "b"),
    "<think>a</think>b</think>c": ("ab", "c"),
    "<think>a</think>b<think>c</think>d": ("a\n\nc", "b\n\nd"),
    "<think>a <eval>b</eval>": ("a <eval>b</eval>", ""),
    "<eval>a</eval></think>b": ("<eval>a</eval>", "b"),
    "< THINK >a</ think >b": ("a", "b"),
    "a<think>b": ("b", "a"),
}


@pytest.mark.parametrize("text", THOUGHTS)
def test_what_stands_before_the_last_end_of_thinking_is_thinking(text: str) -> None:
    trace = parse_trace(text)
    assert (trace.thinking, trace.prose) == THOUGHTS[text]


VERDICTS = {
    "the answer after the evaluation": (REASONING, [A]),
    "an answer tag alone": ("<answer>[[A]]</answer>", [A]),
    "an answer that is never closed": ("<eval>x</eval><answer>[[A]]", [A]),
    "an answer right after an open evaluation": ("<eval>x<answer>[[A]]</answer>", [A]),
    "a bare letter after the evaluation": ("<eval>x</eval> So [[B]].", [B]),
    "a bare letter in a text without tags": ("A is better: [[A]]", [A]),
    "a bare letter after the last section": ("<solution>4</solution>[[B]]", [B]),
    "spaces and case in the tags": ("< Answer >[[A]]</ ANSWER >", [A]),
    "a lone letter in the answer": ("<answer>B</answer>", [B]),
    "a lone letter, a bracket short": ("<answer>[[B]</answer>", [B]),
    "a lone small letter": ("<answer>[[b]]</answer>", [B]),
    "the same letter twice": ("<eval>x</eval>[[A]]<answer>[[A]]</answer>", [A, A]),
    "both letters in the answer": ("<answer>[[A]] or [[B]]</answer>", [A, B]),
    "two answers that differ": (
        "<eval>x</eval><answer>[[B]]</answer><eval>y</eval><answer>[[A]]</answer>",
        [B, A],
    ),
    "a bare letter against the answer": ("<eval>x</eval><answer>[[A]]</answer> or [[B]]", [A, B]),
    "a letter in the evaluation": ("<eval>[[A]] wins</eval>", []),
    "a letter in an evaluation that is never closed": ("<eval>so [[A]]", []),
    "a letter in the solution": ("<solution>[[A]]</solution>", []),
    "a letter in a quotation": ("<eval><quote_A>[[A]]</quote_A></eval>", []),
    "a letter in a quotation after the evaluation": (
        "<eval>x</eval><answer>[[B]]</answer><quote_A>[[A]]</quote_A>",
        [B],
    ),
    "an answer tag in a quotation": (
        "<eval><quote_A></eval><answer>[[A]]</answer></quote_A></eval><answer>[[B]]</answer>",
        [B],
    ),
    "an answer before the evaluation": ("<answer>[[A]]</answer><eval>x</eval>", []),
    "an answer before and one after": (
        "<answer>[[A]]</answer><eval>x</eval><answer>[[B]]</answer>",
        [B],
    ),
    "an answer while thinking": ("<answer>[[A]]</answer></think>x", []),
    "an answer in thinking that never ends": ("<think><answer>[[A]]</answer>", []),
    "thinking the other letter aloud": ("[[B]]?</think><answer>[[A]]</answer>", [A]),
    "a third letter": ("<answer>[[C]]</answer>", []),
    "a word": ("<answer>Response A</answer>", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_letters_count_only_after_the_evaluation(case: str) -> None:
    text, letters = VERDICTS[case]
    trace = parse_trace(text)
    assert list(trace.letters) == letters
    assert trace.verdict == (letters[0] if len(set(letters)) == 1 else None)


SLIPS = {
    "<eval>x</eval></eval></eval>": "</eval> closes nothing (2 times)",
    "<eval>x": "<eval> was never closed",
    "<eval>x<answer>[[A]]</answer>": "<eval> was never closed",
    "<rubric>x<justify>y</rubric>": "<justify> was never closed",
    "<eval>x<eval>y</eval>": "<eval> is opened within itself",
    "<eval>x</eval><eval>y</eval>": "<eval> is there more than once",
    "<eval>x</eval><rubric>y</rubric>": "<rubric> comes after <eval>",
    "<rubrics>x</rubric>": "a tag is not written as the protocol writes it",
    "< eval >x</eval>": "a tag is not written as the protocol writes it",
    "<quote_A>x</quote_A>": "<eval> was never opened",
    "<solution><quote_A>x</quote_A></solution>": "<quote_A> stands outside <eval>",
    "<eval><quote_A>x</quote_B></eval>": "<quote_A> is closed by </quote_B>",
    "<eval><quote_A></eval></quote_A></eval>": "tags within <quote_A> are part of the quotation",
    "<answer>[[A]]</answer><eval>x</eval>": "an answer before <eval> does not count",
    "<answer>A</answer>": "the answer is not written as [[A]] or [[B]]",
}


@pytest.mark.parametrize("text", SLIPS)
def test_what_is_odd_about_the_tags_is_said(text: str) -> None:
    assert SLIPS[text] in parse_trace(text).slips


def segments(text: str) -> list[str]:
    return [f"{s.kind}{s.side or ''}: {s.text}" for s in parse_trace(text).evaluation or ()]


EVALUATIONS = {
    "<eval>a <quote_A>b</quote_A> c</eval>": ["text: a", "quoteA: b", "text: c"],
    "<eval><quote_A>a<quote_A>b</quote_A></eval>": ["quoteA: a", "quoteA: b"],
    "<eval><quote_A>a <quote_B>b</quote_B></quote_A> c</eval>": [
        "quoteA: a",
        "quoteB: b",
        "text: c",
    ],
    "<eval><summary_A>a <quote_A>b</quote_A> c</summary_A> d</eval>": [
        "summaryA: a",
        "quoteA: b",
        "summaryA: c",
        "text: d",
    ],
    "<eval><summary_A>a<summary_B>b</summary_B></eval>": ["summaryA: a", "summaryB: b"],
    "<eval><quote_A>a</eval><answer>[[A]]</answer>": ["quoteA: a"],
    "<eval><quote_A>a</eval>b</quote_A>": ["quoteA: a</eval>b"],
    "<eval><quote_A>a</eval><quote_B>b</quote_B>": ["quoteA: a", "quoteB: b"],
    "<eval><quote_A>Vec<type> x</quote_A></eval>": ["quoteA: Vec<type> x"],
    "<eval>the `<quote_A>` tag</eval>": ["text: the `<quote_A>` tag"],
    "<eval><quote_A>`code`</quote_A></eval>": ["quoteA: `code`"],
    "<eval><quote_A></quote_A> </eval>": [],
    "<eval>a</eval>b<eval>c</eval>": ["text: a", "text: c"],
    "x <quote_A>a</quote_A> y <answer>[[A]]</answer>": ["quoteA: a", "text: y"],
    "<Quote_a>a</QUOTE_A>": ["quoteA: a"],
}


@pytest.mark.parametrize("text", EVALUATIONS)
def test_an_evaluation_is_read_in_order(text: str) -> None:
    assert segments(text) == EVALUATIONS[text]


def test_an_unclosed_quotation_does_not_swallow_the_verdict() -> None:
    trace = parse_trace("<eval>x <quote_A>two words</eval>\n<answer>[[A]]</answer>")
    assert trace.verdict is A
    assert "<quote_A> was never closed" in trace.slips


def test_an_item_tag_in_a_rubric_is_text() -> None:
    trace = parse_trace("<rubric><item>Clarity (100%)</item></rubric>")
    assert trace.rubric == "<item>Clarity (100%)</item>"
    assert [c.name for c in trace.criteria] == ["Clarity"]


@pytest.mark.parametrize(
    "text",
    [
        "<rubric>a<justify>b</justify>c</rubric>",
        "<rubric>a</rubric>\n<rubric>c</rubric><justify>b</justify>",
    ],
)
def test_a_justification_is_no_part_of_the_rubric(text: str) -> None:
    trace = parse_trace(text)
    assert (trace.rubric, trace.justify) == ("a\n\nc", "b")


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("<type> Chat </type>", TaskType.CHAT),
        ("<TYPE>reasoning</TYPE>", TaskType.REASONING),
        ("<type>Chat\n<rubric>", TaskType.CHAT),
        ("<type>Chat or Reasoning</type>", None),
        ("<type>Chatty</type>", None),
        ("<type>Maths</type>", None),
    ],
)
def test_a_type_is_one_of_two_words(written: str, type_: TaskType | None) -> None:
    assert parse_trace(written).type is type_


def test_a_snapshot_shows_what_is_half_written() -> None:
    parser = TraceParser()
    parser.feed("<type>Chat</type><rubric>\n1. Accuracy (40%): Is it")
    trace = parser.snapshot()
    assert [(c.name, c.text) for c in trace.criteria] == [("Accuracy", "Is it")]
    assert trace.open == ("rubric",)
    parser.feed(" right?\n<justify>Because")
    assert parser.snapshot().justify == "Because"
    assert parser.snapshot().open == ("rubric", "justify")


def test_an_open_quotation_is_there_from_its_tag_on() -> None:
    parser = TraceParser()
    parser.feed("<eval><quote_A>")
    assert parser.snapshot().evaluation == (Segment("quote", "", A),)
    assert parser.finish().evaluation == ()


@pytest.mark.parametrize("half", ["<", "</", "</ ev", "<quote", "< ANSW", "[", "[[", "[[A", "[[A]"])
def test_a_half_received_tag_is_not_shown(half: str) -> None:
    parser = TraceParser()
    parser.feed("words " + half)
    assert parser.snapshot().prose == "words"
    assert parser.finish().prose == "words " + half


@pytest.mark.parametrize("text", ["a < b", "x <br", "[1", "<eva<x", "<quotes"])
def test_what_cannot_become_a_tag_is_shown_at_once(text: str) -> None:
    parser = TraceParser()
    parser.feed(text + " ")
    assert parser.snapshot().prose == text


def test_there_is_no_verdict_before_the_letter_is_whole() -> None:
    parser = TraceParser()
    parser.feed("<eval>x</eval><answer>[[A]")
    assert parser.snapshot().verdict is None
    parser.feed("]")
    assert parser.snapshot().verdict is A


@pytest.mark.parametrize(
    "text",
    ["", "\0", "\ud800", "<", "[[", "x" * 1_000_000, "<eval>" * 500, "<quote_A></eval>" * 500],
)
def test_no_text_is_refused(text: str) -> None:
    trace = parse_trace(text)
    assert trace.text == text
    assert fed(text, len(text) // 2) == trace


@pytest.mark.parametrize(
    "text",
    ["</[[B]]", "<[[A]]", "[<answer>[[A]]", "[[[B]]", "`<eval>`", "x`<eval>", "</eval<answer>B"],
)
def test_a_tag_cut_anywhere_is_read_as_a_whole(text: str) -> None:
    whole = parse_trace(text)
    assert all(fed(text, cut) == whole for cut in range(len(text)))
    assert fed(text, *range(len(text))) == whole


TAGS = [f"<{slash}{name}>" for name in ("think", *SECTIONS, *EVIDENCE) for slash in ("", "/")]
WORDS = ["Chat", "[[A]]", "[[B]]", "[[", "]]", "A", "<", ">", "</", "`", "(40%)", "1.", " ", "\n"]
PIECES = st.sampled_from([*TAGS, *WORDS, "< Eval >", "<rubrics>", "<item>"])
TEXTS = st.lists(PIECES | st.text(max_size=4)).map("".join)


@given(TEXTS, st.lists(st.integers(min_value=0, max_value=120), max_size=12))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_chunking_ends_in_the_same_trace(text: str, cuts: list[int]) -> None:
    whole = parse_trace(text)
    assert fed(text, *(cut for cut in cuts if cut <= len(text))) == whole
    assert fed(text, *range(len(text))) == whole


@given(st.text())
@settings(max_examples=200, derandomize=True, deadline=None)
def test_any_text_is_kept_and_read(text: str) -> None:
    assert parse_trace(text).text == text


def test_a_long_text_streams_in_linear_time() -> None:
    text = (CHAT * 400)[:200_000]
    parser = TraceParser()
    start = time.perf_counter()
    for number, position in enumerate(range(0, len(text), 4)):
        parser.feed(text[position : position + 4])
        if number % 50 == 0:
            parser.snapshot()
    assert parser.finish() == parse_trace(text)
    assert time.perf_counter() - start < 15  # takes about one; a quadratic parser takes minutes


def released() -> Iterator[tuple[str, str]]:
    with gzip.open(RELEASED, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            written = record.get("answers", record.get("output"))
            for text in [written] if isinstance(written, str) else written:
                yield record["_log"], text


def test_released_judgements_have_their_sections() -> None:
    if not RELEASED.exists():
        pytest.skip("the released judgements are not here")
    types = []
    for log, text in released():
        trace = parse_trace(text)
        if "Instruct" in log:
            types.append(trace.type)
            assert trace.evaluation
            assert trace.solution or (trace.criteria and trace.justify)
            assert all(c.share for c in trace.criteria)
        else:
            assert trace.thinking or not trace.answer
    assert (types.count(TaskType.CHAT), types.count(TaskType.REASONING)) == (233, 163)
