import json
from dataclasses import replace

import pytest

from rmr1.evaluation import evaluate
from rmr1.evaluation_text import evaluation_text
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order, Pair, Side
from rmr1.plan import Plan
from rmr1.rollout import State, read_rollout
from rmr1.trace import TaskType

VERSION = JudgeVersion(backend="scripted", model="tiny", profile="cor")
TRACE = """<type>{type}</type>
<rubric>1. Accuracy (100%): right facts.<justify>Facts matter.</justify></rubric>
<eval><quote_A>{quote}</quote_A> is what it says.</eval>
<answer>[[{letter}]]</answer>"""


def judged(chosen, letters, *, source="", a="short", b="rather longer", quote="short", **measured):
    """A judgement whose rollouts, in the orders AB and BA, end with the letters given."""
    pair = Pair.of(f"{chosen} {letters} {source} {measured}", a, b, chosen=chosen, source=source)
    rollouts = [
        read_rollout(
            pair,
            order,
            TRACE.format(type="Chat", quote=quote, letter=letter) if letter else "",
            **measured,
        )
        for order, letter in zip(Order, letters, strict=False)
    ]
    return conclude(pair, VERSION, Plan(orders="both" if len(letters) == 2 else "AB"), rollouts)


def counts(share):
    return share.count, share.n


def test_a_judgement_without_a_verdict_is_not_right_and_is_told_apart():
    found = evaluate([judged("A", "A"), judged("B", "A"), judged("A", [""])])
    assert counts(found.whole.right) == (1, 3)
    assert counts(found.whole.right_of_verdicts) == (1, 2)
    assert counts(found.whole.complete) == (2, 3)
    assert found.states == {State.COMPLETE: 2, State.UNPARSEABLE: 1}


def test_a_pair_whose_better_side_is_unknown_is_left_out():
    found = evaluate([judged(None, "A"), judged("A", "A")])
    assert found.skipped == 1
    assert counts(found.whole.right) == (1, 1)


def test_slices_go_by_source_and_types_only_where_one_is_expected():
    given = [judged("A", "A", source="talk", prompt_tokens=n) for n in range(3)]
    given += [judged("A", "B", source="sums"), judged("A", "A")]
    found = evaluate(given, {"talk": TaskType.CHAT, "sums": TaskType.REASONING})
    assert list(found.slices) == ["talk", "sums", "(no source)"]
    assert counts(found.slices["talk"].right_type) == (3, 3)
    assert counts(found.slices["sums"].right_type) == (0, 1)
    assert counts(found.slices["(no source)"].right_type) == (0, 0)
    assert counts(found.whole.right_type) == (3, 4)
    assert counts(found.slices["sums"].right) == (0, 1)


def test_a_judge_that_always_names_the_first_shows():
    found = evaluate([judged("A", "AA"), judged("B", "AA"), judged("A", "A")])
    assert counts(found.position.names_first) == (5, 5)
    assert counts(found.position.right_when_first) == (3, 3)
    assert counts(found.position.right_when_second) == (0, 2)
    assert counts(found.swap_consistent) == (0, 2)
    assert counts(found.whole.right) == (1, 3)  # a draw of both orders is no verdict


def test_a_judge_that_likes_length_shows_and_equal_lengths_are_left_out():
    given = [judged("B", "B"), judged("A", "B"), judged("A", "A", a="same", b="size")]
    found = evaluate(given)
    assert counts(found.length.names_longer) == (2, 2)
    assert counts(found.length.right_when_longer) == (1, 1)
    assert counts(found.length.right_when_shorter) == (0, 1)


def test_invented_quotations_are_counted():
    found = evaluate([judged("A", "A"), judged("A", "A", quote="It never said this at all.")])
    assert counts(found.absent_quotes) == (1, 2)


def test_medians_add_up_a_judgements_rollouts_and_skip_what_was_not_measured():
    given = [
        judged("A", "AB", seconds=2.0, completion_tokens=100),
        judged("A", "A", seconds=1.0, completion_tokens=50),
        judged("B", "A"),
    ]
    found = evaluate(given)
    assert found.seconds == 2.5
    assert found.tokens == 125


@pytest.mark.parametrize(
    ("right", "wrong", "p"),
    [(5, 5, 1.0), (10, 0, 2 / 2**10), (9, 1, 22 / 2**10), (0, 6, 2 / 2**6)],
)
def test_the_sign_test_is_exact(right, wrong, p):
    given = [judged("A", "A", vote=n) for n in range(right)]
    given += [judged("A", "B", vote=n) for n in range(wrong)]
    assert evaluate(given).whole.p_value == pytest.approx(p)


def test_nothing_has_no_figures_and_still_reads():
    found = evaluate([])
    assert found.whole.p_value is None
    assert found.seconds is None
    assert "| **all** | none | none | none | none | none |" in evaluation_text(found)


def test_the_text_names_every_slice_and_survives_a_source_with_a_bar():
    found = evaluate([judged("A", "A", source="a|b", seconds=1.25, completion_tokens=1200)])
    text = evaluation_text(found)
    assert "| a\\|b | 100.0% (20.7 to 100.0%, n = 1) |" in text
    assert "1.2 s, 1,200 tokens" in text
    assert "States: complete 1" in text


def test_the_record_is_json():
    record = json.loads(json.dumps(evaluate([judged("A", "A")]).as_record()))
    assert record["whole"]["right"]["share"] == 1.0
    assert record["states"] == {"complete": 1}


def test_a_swapped_judgement_is_as_right_as_before():
    one: Judgement = judged("B", "B")
    swapped = replace(one, pair=one.pair.swapped(), verdict=Side.A)
    assert evaluate([one]).whole.right == evaluate([swapped]).whole.right
