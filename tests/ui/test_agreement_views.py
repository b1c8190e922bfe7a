"""The Agreement page's sections as dictionaries, and who may see which."""

from dataclasses import replace
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from sqlalchemy import select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels
from storage.database import Database
from storage.entries import LabelEntry
from storage.filters import JudgementFilter, narrow
from storage.roles import Role
from storage.tables import JudgementRow
from tests.replies import CHAT
from ui import agreement_tab, exploring
from ui.agreement_blocks import estimate_cell, p_words, share_cell
from ui.agreement_scope import head_view
from ui.agreement_tab import SECTIONS, answer_mirror, answer_section, page_head
from ui.context import Studio
from ui.gates import LocalGate

NUMBERS = iter(range(10**6))


def judged(studio, number, verdict="A"):
    pair = Pair.of(f"Question {number}?", "Canberra.", "It is Sydney", chosen="A")
    text = CHAT.replace("[[A]]", f"[[{verdict}]]")
    said = Judge(ScriptedBackend([text]), load_profile("cor")).judge(pair, Plan())
    with studio.database.write() as session:
        key = judgements.add(session, said)
        return judgements.get(session, key).pair_id, key


def say(studio, item, name, blind, after=None, why="random"):
    about = {"annotator": name, "pair_id": item[0], "judgement_key": item[1], "why": why}
    steps = [("blind", "commit", blind)]
    if after:
        steps.append(("verdict", "keep" if after == blind else "change", after))
    for stage, action, value in steps:
        entry = {"key": f"key-{next(NUMBERS):06}", "stage": stage, "action": action, **about}
        if action != "keep":
            entry["value"] = value
        labels.record(studio.database, LabelEntry.model_validate(entry))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Ada answers twelve pairs blind, four against the judge, and goes over to it on one."""
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open() as database:
        studio = Studio(database, {"scripted": judge}, Plan(), tmp_path_factory.mktemp("studio"))
        for number in range(12):
            item = judged(studio, number)
            blind = "B" if number < 4 else "A"
            say(studio, item, "Ada", blind, "A" if number == 0 else blind)
            if number < 3:
                say(studio, item, "Bob", "A")
        say(studio, judged(studio, 99, "B"), "Ada", "B", why="order:newest")
        yield studio


def cells(block):
    """All figures and cells of a block, and of those inside it."""
    if block["kind"] == "figures":
        yield from block["rows"]
    elif block["kind"] == "table":
        yield from (cell for row in block["rows"] for cell in row)
    for inner in block.get("blocks", ()):
        yield from cells(inner)


def found(studio, query):
    with studio.database.read() as session:
        wanted = JudgementFilter.from_query(query)
        return session.scalars(narrow(session, select(JudgementRow.id), wanted, counted=())).all()


def test_the_judge_stands_to_people_with_figures_that_lead_to_their_items(labelled):
    view = answer_section(labelled, "judge", "")
    assert "in 73 % of 15 answers (blind, before the verdict)" in view["lead"]
    figures = next(block for block in view["blocks"] if block["kind"] == "figures")
    agreement = figures["rows"][0]
    assert agreement["n"] == "n = 15 answers"
    agree, differ = agreement["links"]
    assert len(found(labelled, agree["query"])) == 11
    assert len(found(labelled, differ["query"])) == 4
    kappa = figures["rows"][1]
    assert kappa["words"] == "–"
    assert "always says A" in kappa["why"]
    fold = view["blocks"][-1]
    assert fold["title"] == "Targeted items: 1 answer"


def test_every_figure_has_an_interval_or_says_why_not(labelled):
    for name in SECTIONS:
        for block in answer_section(labelled, name, "")["blocks"]:
            for cell in cells(block):
                if "n" not in cell or cell["words"].startswith("–"):
                    continue
                assert " to " in cell["words"] or cell["why"], (name, cell)


def test_every_link_is_a_filter_that_explore_reads_and_says(labelled):
    for name in SECTIONS:
        for block in answer_section(labelled, name, "")["blocks"]:
            for cell in cells(block):
                for link in cell.get("links", ()):
                    if "tab" not in link:
                        shown = exploring.list_view(labelled.database, link["query"])
                        assert shown["problem"] == ""
                        assert len(shown["chips"]) >= 1


def test_the_pull_is_told_in_a_sentence(labelled):
    view = answer_section(labelled, "pull", "")
    assert "Of 12 blind answers 1 moved: 1 towards the judge and 0 away" in view["lead"]
    towards = view["blocks"][1]["rows"][1]
    assert len(found(labelled, towards["links"][0]["query"])) == 1


def test_people_who_share_few_pairs_get_figures_without_intervals(labelled):
    view = answer_section(labelled, "people", "")
    rows = {row["name"]: row for row in view["blocks"][1]["rows"]}
    assert rows["All say the same"]["words"].startswith("0 %")
    assert "too few" in rows["Gwet's AC1"]["why"]


@pytest.mark.parametrize("name", SECTIONS)
def test_an_empty_database_explains_itself(studio, name):
    view = answer_section(studio, name, "")
    assert view["lead"]
    assert not any(" nan" in str(cell).lower() for b in view["blocks"] for cell in cells(b))


def test_an_address_that_makes_no_sense_is_told_once(studio):
    assert "Everything is shown instead" in head_view(studio.database, "stage=later")["problem"]
    assert answer_section(studio, "people", "stage=later")["lead"]


def test_filters_of_the_address_narrow_the_figures(labelled):
    assert "of 3 answers" in answer_section(labelled, "judge", "annotator=Bob")["lead"]
    assert "after the judge's verdict" in answer_section(labelled, "judge", "stage=verdict")["lead"]


def test_a_mirror_shows_only_its_person(labelled):
    view = answer_mirror(labelled, "Bob")
    assert "Bob: 3 answers" in view["lead"]
    assert "Ada" not in str(view)
    assert "answered nothing" in answer_mirror(labelled, "Nobody")["lead"]


def test_annotators_get_their_own_mirror_and_nothing_else(labelled):
    annotator = replace(labelled, gate=LocalGate(Role.ANNOTATOR))
    head = page_head(annotator, gr.Request(), "")
    assert head == {"query": "", "lead": False, "name": "local", "problem": ""}

    class Sent(gr.EventData):
        def __init__(self):
            self._data = {"query": "", "name": "Ada"}

    with pytest.raises(gr.Error, match="for leads"):
        agreement_tab._section(annotator, "people")(Sent(), gr.Request())
    mine = agreement_tab._mirror(annotator)(Sent(), gr.Request())
    assert mine["lead"].startswith("local has answered nothing")
    theirs = agreement_tab._mirror(labelled)(Sent(), gr.Request())
    assert theirs["lead"].startswith("Ada: 13 answers")


def test_visitors_are_told_that_the_page_is_not_for_them(studio):
    public = replace(studio, gate=LocalGate(Role.VISITOR))
    head = page_head(public, gr.Request(), "")
    assert "those who label" in head["problem"]
    assert "choices" not in head


def test_filters_on_people_are_dropped_for_those_who_may_not_look():
    kept = exploring.without_people("source=x&annotator=Ada&label=A&sort=newest")
    assert dict(parse_qsl(kept)) == {"source": "x", "sort": "newest"}
    assert exploring.without_people("annotator=Ada&label=A", "Ada") == "annotator=Ada&label=A"
    assert exploring.without_people("annotator=Ada&people=differ", "Ada") == ""
    assert exploring.without_people("annotator=Ada", "Bob") == ""


@pytest.mark.parametrize(
    ("value", "words"), [(None, "–"), (1e-9, "p < 0.001"), (0.04, "p = 0.040"), (0.5, "p = 0.50")]
)
def test_p_values_are_written_to_a_fitting_length(value, words):
    assert p_words(value) == words


def test_what_is_undefined_is_a_dash_and_a_sentence():
    from rmr1.share import Share
    from storage.estimate import Estimate

    assert share_cell(Share.of(0, 0))["why"]
    cell = estimate_cell(Estimate.undefined(0, "pairs", "Nothing."), scale=(0, 1))
    assert (cell["words"], cell["why"]) == ("–", "Nothing.")
    assert "at" not in cell
