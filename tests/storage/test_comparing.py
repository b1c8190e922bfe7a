from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from rmr1.errors import InputError, RecordNotFound
from rmr1.judgement import JudgeVersion
from rmr1.pair import Side
from rmr1.plan import Plan
from rmr1.share import Share
from storage import judgements, labels
from storage.comparing import CompareOptions, compare
from storage.paired import compare_outcomes
from storage.splits import Fractions
from storage.tables import JudgementRow

ALL = CompareOptions(held_out=False)


def version(model):
    return JudgeVersion(backend="scripted", model=model, profile="cor", profile_hash="0").hash


OLD, NEW = version("old"), version("new")


@pytest.fixture
def judge(database, make_judgement):
    """Puts a judgement of a pair on record; its key."""

    def make(pair, model, letter="A", **rest):
        with database.write() as session:
            return judgements.add(session, make_judgement(pair, letter, model=model, **rest))

    return make


@pytest.fixture
def compared(database):
    def make(options=ALL, old=OLD, new=NEW):
        with database.read() as session:
            return compare(session, old, new, options)

    return make


def pair_id(database, key):
    with database.read() as session:
        return judgements.get(session, key).pair_id


def test_the_better_judge_is_right_more_often(make_pair, judge, compared):
    for number in range(10):
        pair = make_pair(chosen="B")
        judge(pair, "old", "B" if number < 3 else "A")
        judge(pair, "new", "B" if number > 1 else "A")
    found = compared()
    assert (found.paired.n, found.paired.old.count, found.paired.new.count) == (10, 3, 8)
    assert (found.paired.only_old, found.paired.only_new) == (2, 7)
    assert found.paired.difference == pytest.approx(0.5)
    assert found.paired.p_value == pytest.approx(2 * sum(comb(9, k) for k in range(3)) / 2**9)
    assert found.truths == {"known": 10}
    assert (len(found.improved), len(found.worsened)) == (7, 2)


def test_flips_name_the_pair_and_both_judgements(database, make_pair, judge, compared):
    better, worse, same = (make_pair(chosen="A", source="s") for _ in range(3))
    keys = [judge(better, "old", "B"), judge(better, "new", "A")]
    judge(worse, "old", "A"), judge(worse, "new", text="nothing to read")
    judge(same, "old", "A"), judge(same, "new", "A")
    found = compared()
    (flip,) = found.improved
    assert flip.pair_id == pair_id(database, keys[0])
    assert (flip.old_key, flip.new_key, flip.source) == (*keys, "s")
    assert (flip.old_verdict, flip.new_verdict, flip.truth) == (Side.B, Side.A, Side.A)
    (flip,) = found.worsened
    assert flip.new_verdict is None


def test_a_missing_verdict_is_wrong_and_counted_apart(make_pair, judge, compared):
    for text in ("nothing to read", None):
        pair = make_pair(chosen="A")
        judge(pair, "old")
        judge(pair, "new", text=text)
    found = compared()
    assert (found.new.no_verdict, found.old.no_verdict) == (1, 0)
    assert (found.paired.new.count, found.paired.new.n) == (1, 2)
    assert (found.new.complete.count, found.old.complete.count) == (1, 2)


def test_only_pairs_that_both_judged_count(make_pair, judge, compared):
    judge(make_pair(chosen="A"), "old")
    judge(make_pair(chosen="A"), "new")
    pair = make_pair(chosen="A")
    judge(pair, "old"), judge(pair, "new")
    found = compared()
    assert (found.paired.n, found.old.judged, found.new.judged) == (1, 2, 2)


def test_the_newest_judgement_counts_unless_its_backend_failed(
    database, make_pair, judge, compared
):
    pair = make_pair(chosen="A")
    judge(pair, "old", "A")
    judge(pair, "new", "B")
    judge(pair, "new", "A", plan=Plan(max_tokens=99))
    failed = judge(pair, "new", "B", plan=Plan(max_tokens=98))
    other = make_pair(chosen="A")
    judge(other, "old")
    never = judge(other, "new")
    with database.write() as session:
        for key in (failed, never):
            row = session.scalar(select(JudgementRow).where(JudgementRow.key == key))
            row.state = "failed"
    found = compared()
    assert (found.paired.n, found.paired.new.count) == (1, 1)
    assert [use.plan.max_tokens for use in found.new.plans] == [99]
    assert found.improved == found.worsened == ()
    assert any("same plans" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("truth", "n", "right", "truths", "left_out"),
    [
        ("labels", 1, 0, {"labels": 1}, {"labels name no better side": 2, "no label": 2}),
        ("known", 3, 3, {"known": 3}, {"no better side is known": 2}),
        (
            "either",
            2,
            1,
            {"labels": 1, "known": 1},
            {"labels name no better side": 2, "no better side is known": 1},
        ),
    ],
)
def test_what_is_right_is_said_by_people_by_the_source_or_by_either(
    database, make_pair, judge, compared, make_entry, truth, n, right, truths, left_out
):
    said = {"B": "A", "tie": "A", "split": None, "nothing": None, "known": "A"}
    for label, chosen in said.items():
        pair = make_pair(chosen=chosen)
        judge(pair, "old", "A")
        where = {"pair_id": pair_id(database, judge(pair, "new", "A"))}
        for name, value in {"Ada": label, "Bob": "B"}.items():
            value = {"split": "A" if name == "Ada" else "B"}.get(label, label)
            if value in ("A", "B", "tie"):
                entry = make_entry("blind", "commit", value, annotator=name, **where)
                labels.record(database, entry)
    found = compared(CompareOptions(truth=truth, held_out=False))
    assert (found.paired.n, found.paired.old.count) == (n, right)
    assert (found.truths, found.left_out) == (truths, left_out)


@pytest.mark.parametrize(("stage", "right"), [("blind", 1), ("final", 0)])
def test_a_label_counts_as_it_was_at_the_stage_that_is_asked_for(
    database, make_pair, judge, compared, make_entry, stage, right
):
    pair = make_pair()
    judge(pair, "old", "A")
    key = judge(pair, "new", "A")
    where = {"pair_id": pair_id(database, key)}
    labels.record(database, make_entry("blind", "commit", "A", **where))
    labels.record(database, make_entry("verdict", "change", "B", judgement_key=key, **where))
    found = compared(CompareOptions(stage=stage, held_out=False))
    assert (found.paired.n, found.paired.new.count) == (1, right)


def test_pairs_that_may_have_been_trained_on_are_left_out(make_pair, judge, compared):
    for _ in range(40):
        pair = make_pair(chosen="A")
        judge(pair, "old"), judge(pair, "new")
    half = CompareOptions(fractions=Fractions(0.5, 0.25, 0.25))
    found = compared(half)
    assert found.left_out == {"in the training split": 40 - found.paired.n}
    assert 8 < found.paired.n < 32
    other = compared(half.model_copy(update={"seed": 1}))
    assert other.paired.n != found.paired.n
    assert any("trained on" in remark for remark in compared().remarks)


def test_each_part_of_the_pairs_is_compared_on_its_own(make_pair, judge, compared):
    chat = "<type>Chat</type><answer>[[A]]</answer>"
    reasoning = "<type>Reasoning</type><answer>[[B]]</answer>"
    short, long = make_pair(chosen="A", source="x"), make_pair(chosen="A", response_a="a" * 5000)
    middle = make_pair(chosen="A", source="x", response_b="ä" * 970)
    judge(short, "old", text=chat), judge(short, "new", text=chat)
    judge(long, "old", text=chat), judge(long, "new", text=reasoning)
    judge(middle, "old", text="[[A]]"), judge(middle, "new", text="[[A]]")
    found = compared()
    sliced = {(one.kind, one.name): (one.paired.old.count, one.paired.n) for one in found.slices}
    assert sliced == {
        ("source", "x"): (2, 2),
        ("source", "no source"): (1, 1),
        ("type", "Chat"): (1, 1),
        ("type", "taken differently"): (1, 1),
        ("type", "none said"): (1, 1),
        ("length", "under 1,000 characters"): (1, 1),
        ("length", "1,000 to 3,999 characters"): (1, 1),
        ("length", "4,000 characters and more"): (1, 1),
    }
    only_x = compared(ALL.model_copy(update={"sources": ("x",)}))
    assert only_x.paired.n == 2


def test_the_figures_of_each_judge_stand_beside_each_other(database, make_pair, judge, compared):
    for number in range(4):
        pair = make_pair(chosen="A")
        judge(pair, "old", "A", quote="an invented thing" if number else "The first answer")
        key = judge(pair, "new", "A", plan=Plan(orders="both"))
        with database.write() as session:
            row = session.scalar(select(JudgementRow).where(JudgementRow.key == key))
            row.tokens, row.seconds = 100 + number, number / 2
    found = compared()
    assert (found.old.absent_quotes.count, found.old.absent_quotes.n) == (3, 4)
    assert (found.new.absent_quotes.count, found.new.absent_quotes.n) == (0, 8)
    assert (found.old.named_first.count, found.old.named_first.n) == (4, 4)
    assert (found.new.named_first.count, found.new.named_first.n) == (4, 8)
    assert (found.old.swap_consistent.n, found.new.swap_consistent.count) == (0, 4)
    assert (found.old.tokens, found.new.tokens, found.new.seconds) == (None, 101.5, 0.75)
    assert [(use.plan.orders, use.judgements) for use in found.new.plans] == [("both", 4)]
    assert found.new.title == "new · cor"


def test_without_a_pair_there_is_no_figure_but_a_sentence(make_pair, judge, compared):
    judge(make_pair(), "old"), judge(make_pair(), "new")
    found = compared()
    assert found.paired.n == 0
    assert (found.paired.difference, found.paired.p_value, found.paired.old.low) == (None,) * 3
    assert found.slices == ()
    assert "nothing to say" in found.remarks[0]


def test_few_pairs_are_said_to_be_few(make_pair, judge, compared):
    pair = make_pair(chosen="A")
    judge(pair, "old", "A"), judge(pair, "new", "B")
    remarks = compared().remarks
    assert any("Only 1 pair:" in remark for remark in remarks)
    assert any("fewer than 6" in remark for remark in remarks)


def test_a_judge_version_is_named_by_the_beginning_of_its_hash(make_pair, judge, compared):
    pair = make_pair(chosen="A")
    judge(pair, "old"), judge(pair, "new")
    assert compared(old=OLD[:10].upper(), new=NEW[:10]).paired.n == 1
    with pytest.raises(InputError, match="same judge version"):
        compared(new=OLD)
    with pytest.raises(RecordNotFound, match=f"on record: .*{OLD[:8]} is old · cor"):
        compared(old="nothing")
    with pytest.raises(RecordNotFound, match="no judge version ''"):
        compared(old="")


def test_a_beginning_that_fits_several_versions_is_refused(make_pair, judge, compared):
    first: dict[str, str] = {}
    for number in range(40):
        model = f"m{number}"
        judge(make_pair(), model)
        if (letter := version(model)[0]) in first:
            break
        first[letter] = model
    with pytest.raises(InputError, match="Several judge versions begin with"):
        compared(old=letter)


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (2, -1, 0), (float("nan"), 0, 1)])
def test_shares_that_do_not_add_up_are_refused(shares):
    with pytest.raises(ValueError, match="add up to 1"):
        CompareOptions(fractions=Fractions(*shares))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_the_other_way_round_the_difference_is_the_opposite(outcomes):
    one = compare_outcomes(outcomes)
    other = compare_outcomes([(new, old) for old, new in outcomes])
    assert (one.old, one.only_old, one.p_value) == (other.new, other.only_new, other.p_value)
    assert one.old.count == sum(old for old, _ in outcomes)
    if outcomes:
        assert one.difference == pytest.approx(one.new.share - one.old.share)
        assert 0 < one.p_value <= 1
        assert one.old.low <= one.old.share <= one.old.high
        significant = one.p_value <= 0.05
        assert not (significant and one.only_old + one.only_new < 6)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(count, n, low, high):
    found = Share.of(count, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
