from dataclasses import replace

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.judgement import JudgeVersion
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.share import Share
from storage import adapters, judgements
from storage.paired import Paired, compare_outcomes
from tests.replies import CHAT
from ui import compare_views
from ui.compare_views import page_view, sentence

OLD = JudgeVersion("scripted", "tiny", profile="brief")
NEW = JudgeVersion("scripted", "tiny", adapter="short@12345678", profile="brief")


def pair(number):
    made = Pair.of(f"Question {number}?", "Canberra.", "It is Sydney", chosen="A")
    return made.model_copy(update={"source": "even" if number % 2 == 0 else "odd"})


def judge(database, version, number, verdict):
    text = CHAT.replace("[[A]]", f"[[{verdict}]]") if verdict else "No idea."
    said = Judge(ScriptedBackend([text]), load_profile("cor")).judge(pair(number), Plan())
    with database.write() as session:
        return judgements.add(session, replace(said, version=version))


@pytest.fixture
def judged(database):
    """The old judge is right on the first four of eight pairs, the new one on the last six."""
    for number in range(8):
        judge(database, OLD, number, "A" if number < 4 else "B")
        judge(database, NEW, number, "A" if number > 1 else "")
    return database


def test_both_are_shown_with_intervals_slices_and_what_changed(judged):
    view = page_view(judged, "all=1")
    assert view["problem"] == ""
    assert (view["old"], view["new"]) == (OLD.hash, NEW.hash)
    assert view["n"] == 8
    assert view["accuracy"]["old"]["share"] == 0.5
    assert view["accuracy"]["new"]["share"] == 0.75
    assert "it puts 4 right that the old got wrong, and 2 wrong" in view["sentence"]
    assert "chance alone does as much easily" in view["sentence"]
    assert [row["name"] for row in view["slices"][0]["rows"]] == ["even", "odd"]
    assert view["flips"]["improved"]["total"] == 4
    first = view["flips"]["worsened"]["rows"][0]
    assert (first["prompt"], first["old"], first["new"]) == ("Question 0?", "A", None)
    rows = {row[0]: row[1:3] for row in view["figures"]}
    assert rows["No verdict"] == ["0", "2"]
    assert view["basis"] == "The better side is known 8 by their source."
    assert view["line"].startswith("rmr1 compare ")


def test_little_data_is_said_in_words(judged):
    assert any("8 pairs" in remark for remark in page_view(judged, "all=1")["remarks"])


def test_the_promoted_adapter_is_the_old_judge_and_the_newest_is_the_new_one(judged, tmp_path):
    (tmp_path / adapters.WEIGHTS).write_bytes(b"w")
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with judged.write() as session:
        known = adapters.weights_hash(tmp_path)
        adapter_id = adapters.register(
            session, name="short", hash=known, folder=str(tmp_path), base="b", profile="p"
        )
        promoted = adapters.promote(session, adapter_id, "x").adapter
    version = replace(NEW, adapter=promoted.version)
    newest = replace(NEW, adapter="later@00000000")
    judge(judged, version, 1, "A")
    judge(judged, newest, 1, "B")
    view = page_view(judged, "")
    assert (view["old"], view["new"]) == (version.hash, newest.hash)


def test_a_version_is_named_by_its_hash_or_by_its_adapter(judged):
    view = page_view(judged, f"old={OLD.hash}&new=short@12345678&truth=known&all=1")
    assert (view["old"], view["new"], view["truth"]) == (OLD.hash, NEW.hash, "known")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("new=other@00000000", "other@00000000 has judged nothing yet"),
        (f"old={OLD.hash}&new={OLD.hash}", "same judge version"),
    ],
)
def test_what_cannot_be_compared_is_said(judged, query, words):
    view = page_view(judged, query)
    assert words in view["problem"]
    assert "sentence" not in view


def test_without_two_judges_there_is_nothing_to_compare(database):
    assert "none has judged" in page_view(database, "")["problem"]
    judge(database, OLD, 1, "A")
    assert "1 has judged" in page_view(database, "")["problem"]


def test_a_query_that_makes_no_sense_is_passed_over(judged):
    assert page_view(judged, "truth=nonsense&all=9&x=<b>")["truth"] == "either"


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([], "no pair"),
        ([(True, True)] * 3, "the very same pairs"),
        ([(False, True)] * 20, "100.0 points better"),
        ([(False, True)] * 20, "chance alone would rarely do that"),
        ([(False, True)] * 20, "p < 0.001"),
        ([(True, False)] * 2 + [(True, True)] * 8, "20.0 points worse"),
        ([(True, False), (False, True)], "as good as the old"),
    ],
)
def test_the_test_is_said_in_one_sentence(outcomes, words):
    assert words in sentence(compare_outcomes(outcomes))


def test_a_share_of_nothing_is_nothing():
    nothing = Share.of(0, 0)
    assert compare_views.share_view(nothing) is None
    empty = compare_views.paired_view(Paired(0, nothing, nothing, 0, 0, None, None))
    assert (empty["difference"], empty["p"]) == ("", "")


def test_two_judgements_of_a_pair_are_read_beside_each_other(judged):
    row = page_view(judged, "all=1")["flips"]["improved"]["rows"][0]
    both = compare_views.both_view(judged, row["old_key"], row["new_key"])
    assert both["asked"] == f"{row['old_key']} {row['new_key']}"
    assert both["old"]["pair"] == both["new"]["pair"]
    assert (both["old"]["outcome"], both["new"]["outcome"]) == ("wrong", "correct")
    assert "problem" in compare_views.both_view(judged, "gone", row["new_key"])["old"]
