import pytest

from rmr1.consistency import check, winners_of
from rmr1.orders import compare_orders
from rmr1.pair import Order, Pair, Side
from rmr1.rollout import read_rollout
from tests.replies import PAIR, REASONING, SUM

RUBRIC = """<type>Chat</type><rubric>
1. Accuracy (60%): right?
2. Brevity (40%): short?
</rubric><eval>{eval}</eval><answer>[[{letter}]]</answer>"""


def rollout(evaluation, letter="A", order=Order.AB, pair=PAIR, text=RUBRIC):
    return read_rollout(
        pair, order, text.format(eval=evaluation, letter=letter), finish_reason="stop"
    )


def outcomes(pair, one):
    return {found.check: found.outcome for found in check(pair, one, lambda a, b: None).findings}


@pytest.mark.parametrize(
    ("evaluation", "letter", "outcome"),
    [
        ("Accuracy: A wins\nBrevity: B wins", "A", "holds"),
        ("Accuracy: A wins\nBrevity: B wins", "B", "contradicts"),
        ("Accuracy: A wins", "B", "contradicts"),
        ("Brevity: A wins", "B", "open"),
        ("Both are fine.", "B", "open"),
        ("Accuracy: A wins\nBrevity: B wins", "C", "open"),
    ],
)
def test_row_winners_times_weights_are_held_against_the_verdict(evaluation, letter, outcome):
    assert outcomes(PAIR, rollout(evaluation, letter))["criteria"] == outcome


@pytest.mark.parametrize(
    ("evaluation", "outcome"),
    [("Total: A 8, B 5", "holds"), ("Total: A 4, B 5", "contradicts"), ("Total: A 4, B 4", "open")],
)
def test_totals_are_held_against_the_verdict(evaluation, outcome):
    assert outcomes(PAIR, rollout(evaluation))["totals"] == outcome


def test_letters_are_the_pairs_own_whatever_the_judge_read_first():
    one = rollout("Accuracy: A wins\nBrevity: B wins\nTotal: A 8, B 5", order=Order.BA)
    assert winners_of(one) == ("B", "A")
    assert one.verdict is Side.B
    assert outcomes(PAIR, one) == {"criteria": "holds", "totals": "holds"}


@pytest.mark.parametrize(("letter", "outcome"), [("A", "holds"), ("B", "contradicts")])
def test_the_solution_is_held_against_both_responses(letter, outcome):
    text = REASONING.replace("[[A]]", f"[[{letter}]]")
    one = read_rollout(SUM, Order.AB, text, finish_reason="stop")
    found = check(SUM, one)
    assert found.answers == ("43", "43", "33")
    (finding,) = found.findings
    assert finding.outcome == outcome
    assert "comes to 43" in finding.sentence
    assert found.contradicts is (outcome == "contradicts")


@pytest.mark.parametrize(
    ("a", "b"),
    [("It is 43.", "It is 43."), ("It is 1.", "It is 2."), ("Who knows?", "It is 43."), ("?", "!")],
)
def test_answers_that_do_not_tell_the_sides_apart_say_nothing(a, b):
    pair = Pair.of("What is 17 + 26?", a, b)
    one = read_rollout(pair, Order.AB, REASONING, finish_reason="stop")
    assert outcomes(pair, one) == {"solution": "open"}


def test_an_order_that_changes_nothing_moves_nothing():
    first = rollout("Accuracy: A wins <quote_A>Canberra</quote_A>")
    second = rollout("Accuracy: B wins <quote_B>Canberra</quote_B>", "B", Order.BA)
    compared = compare_orders(first, second)
    assert compared.moved == ()
    assert compared.quotes_kept == 1
    assert [row.moved for row in compared.criteria] == [False, False]


def test_what_moves_with_the_order_is_named():
    first = rollout("Accuracy: A wins <quote_A>Canberra</quote_A>\nTotal: A 8, B 5")
    text = RUBRIC.replace("Brevity (40%)", "Tone (20%)").replace("(60%)", "(80%)")
    evaluation = "Accuracy: A wins <quote_A>It is Sydney</quote_A>\nTotal: A 8, B 5"
    second = rollout(evaluation, "A", Order.BA, text=text)
    compared = compare_orders(first, second)
    assert compared.verdicts == (Side.A, Side.B)
    assert [(row.name, row.there, row.winners) for row in compared.criteria] == [
        ("Accuracy", (True, True), ("A", "B")),
        ("Brevity", (True, False), (None, None)),
        ("Tone", (False, True), (None, None)),
    ]
    assert compared.only == ((0,), (0,))
    assert compared.totals == ((8, 5), (5, 8))
    assert [sentence.split(":")[0] for sentence in compared.moved] == [
        "The verdict",
        "The rubric",
        "The quotations",
        "The totals",
    ]
