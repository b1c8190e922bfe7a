"""The gallery without any judge, and what a visitor's game keeps and tells."""

import json

import gradio as gr
import pytest

from rmr1.backends.absent import AbsentBackend
from rmr1.errors import InputError, RecordNotFound
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels, runs, visitors
from tests.replies import PAIR, SUM
from ui import gallery, gallery_cli, gallery_views
from ui.context import Studio
from ui.studio import build_page, open_tab

VISIT = "0123456789abcdef"


@pytest.fixture
def run(studio):
    """A run with two judgements by the scripted judge: one known to be right, one not known."""
    known = SUM.model_copy(update={"chosen": "A"})
    with studio.database.write() as session:
        number = runs.start(session, "import", "a log")
        for pair in (known, PAIR):
            judged = studio.judges["scripted"].judge(pair, Plan(orders="both"))
            judgements.add(session, judged, run_id=number, origin="import")
        runs.finish(session, number)
    return str(number)


def play(database, run, item, **changes):
    said = {
        "visit": VISIT,
        "item": item,
        "value": "A",
        "seconds": 1.5,
        "consent": visitors.CONSENT,
        "key": f"a key for {item}",
        **changes,
    }
    return gallery_views.answer(database, run, said)


def test_the_shipped_gallery_opens_and_each_card_leads_to_its_case(database):
    view = gallery_views.list_view(database, "")
    assert len(view["cards"]) == view["total"] >= 12
    assert len({card["id"] for card in view["cards"]}) == len(view["cards"])
    json.dumps(view, allow_nan=False)
    for card in view["cards"]:
        case = gallery_views.case_view(database, "", card["id"])
        assert case["verdict"] == card["verdict"]
        assert {rollout["order"] for rollout in case["rollouts"]} == {"AB", "BA"}


def test_every_figure_of_the_gallery_says_of_how_many_it_is(database):
    for figure in gallery_views.list_view(database, "")["figures"]:
        for share in (figure["right"], figure["same"]):
            assert share["count"] <= share["n"] <= figure["n"]
            assert "n = " in share["words"]


def test_a_page_whose_backend_failed_has_the_gallery_all_the_same(database, tmp_path):
    judge = Judge(AbsentBackend("embedded", "The weights are not there."), load_profile("cor"))
    page = build_page(Studio(database, {"embedded": judge}, Plan(), tmp_path))
    assert "tab-gallery" in {block.elem_id for block in page.blocks.values()}
    judged = judge.judge(PAIR, Plan())
    assert judged.state == "failed"
    assert "weights are not there" in judged.reason


def test_a_run_is_a_gallery(studio, run):
    view = gallery_views.list_view(studio.database, run)
    assert view["title"] == f"Import {run}: a log"
    assert [card["judge"] for card in view["cards"]] == ["scripted · cor"] * 2
    case = gallery_views.case_view(studio.database, run, view["cards"][0]["id"])
    assert case["key"] == view["cards"][0]["id"]


@pytest.mark.parametrize("wrong", ["999", "-1", "x", "9" * 40, "<script>"])
def test_a_run_that_is_not_there_is_said_to_be(database, wrong):
    view = gallery_views.list_view(database, wrong)
    assert "no run" in view["problem"].lower()
    assert view["cards"] == []


def test_a_card_that_is_not_there_is_said_to_be(database):
    with pytest.raises(RecordNotFound):
        gallery_views.case_view(database, "", "../../etc/passwd")


def test_a_dealt_pair_tells_nothing_of_the_answer(database):
    view = gallery_views.deal(database, "", VISIT, ())
    told = json.dumps(view["pair"])
    assert '"chosen": true' not in told
    assert set(view) == {"score", "left", "of", "item", "judge", "pair"}


def test_an_answer_is_kept_apart_and_brings_verdict_and_known_answer(studio, run):
    database = studio.database
    dealt = gallery_views.deal(database, run, VISIT, ())
    assert (dealt["left"], dealt["of"]) == (1, 1)  # of the other pair nothing is known
    told = play(database, run, dealt["item"])
    assert told["chosen"] in ("A", "B")
    assert told["score"] == {
        "n": 1,
        "visitor": int(told["chosen"] == "A"),
        "judge": int(told["verdict"] == told["chosen"]),
    }
    again = play(database, run, dealt["item"], value="B", key="quite another key")
    assert again["score"] == told["score"]
    assert gallery_views.deal(database, run, VISIT, ())["item"] is None
    with database.read() as session:
        assert labels.current(session) == []
        (row,) = visitors.rows(session)
    assert row["chosen"] == "A"  # under the pair's own sides, whatever was shown
    assert (row["value"] == "A") is (told["chosen"] == "A")


def test_pairs_that_were_looked_at_are_not_dealt(database):
    dealt = gallery_views.deal(database, "", VISIT, ())
    seen = gallery.shipped().card(dealt["item"])["pair"]
    after = gallery_views.deal(database, "", VISIT, {seen})
    assert after["item"] != dealt["item"]
    assert after["left"] == dealt["left"] - 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"consent": ""}, "Agree first"),
        ({"value": "both_bad"}, "value"),
        ({"value": ["A"]}, "value"),
        ({"visit": "<b>"}, "session"),
        ({"key": "short"}, "key"),
        ({"seconds": -1}, "seconds"),
    ],
)
def test_a_forged_answer_is_refused_and_not_kept(database, changes, sentence):
    item = gallery.shipped().cards[0]["id"]
    with pytest.raises(InputError, match=sentence):
        play(database, "", item, **changes)
    with database.read() as session:
        assert list(visitors.rows(session)) == []


def test_packing_judgements_gives_back_the_same_gallery(studio, tmp_path, monkeypatch):
    found = [studio.judges["scripted"].judge(pair, Plan(orders="both")) for pair in (SUM, PAIR)]
    packed = gallery.pack(found, {}, "Two")
    monkeypatch.setattr(gallery.resources, "files", lambda _: tmp_path)
    (tmp_path / gallery.FILE).write_bytes(packed)
    gallery.shipped.cache_clear()
    try:
        read = gallery.shipped()
        assert [card["pair"] for card in read.cards] == [one.pair.hash for one in found]
        assert gallery.judgement_of_shipped(read.cards[1]["id"]) == found[1]
    finally:
        gallery.shipped.cache_clear()
        gallery.judgement_of_shipped.cache_clear()


def test_the_command_packs_what_judge_wrote(studio, tmp_path):
    from rmr1.record import judgement_record

    judged = studio.judges["scripted"].judge(SUM, Plan(orders="both"))
    (tmp_path / "one.jsonl").write_text(json.dumps(judgement_record(judged)) + "\n")
    gallery_cli.gallery([str(tmp_path / "one.jsonl")], tmp_path / "out.gz", "One")
    assert (tmp_path / "out.gz").stat().st_size > 300
    with pytest.raises(InputError, match="no judgement"):
        gallery_cli.gallery([], tmp_path / "out.gz", "None")


def test_a_link_to_a_gallery_opens_its_tab():
    request = gr.Request()
    request.query_params = {"gallery": "3"}
    assert open_tab(request).selected == "gallery"
