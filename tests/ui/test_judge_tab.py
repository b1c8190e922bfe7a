from itertools import pairwise

import pytest

from rmr1.errors import BackendUnavailable, InputError
from rmr1.pair import Side
from storage import judgements
from tests.replies import CHAT, PAIR
from ui.judge_tab import (
    ALL_VOTES,
    JudgeForm,
    examples,
    judge_form,
    load_example,
    read_pair,
    stop_choices,
)

FORM = JudgeForm(
    PAIR.prompt,
    False,
    PAIR.response_a,
    PAIR.response_b,
    "scripted",
    "AB",
    1,
    0.0,
    512,
    0,
    False,
    False,
)


def test_a_judgement_fills_the_page_and_is_stored_under_the_key_it_shows(studio):
    views = list(judge_form(studio, FORM))
    assert views[0]["phase"] == "running"
    assert views[0]["rollouts"] == []
    assert any(view["rollouts"] and view["rollouts"][0]["criteria"] for view in views[:-1])
    with studio.database.read() as session:
        stored = judgements.get(session, views[-1]["key"])
    assert stored.judgement.verdict is Side.A
    assert stored.judgement.rollouts[0].trace.text == CHAT


def test_texts_only_grow_while_the_judge_writes(studio):
    texts = [
        view["rollouts"][0]["justify"] or ""
        for view in judge_form(studio, FORM)
        if view["rollouts"]
    ]
    assert all(after.startswith(before) for before, after in pairwise(texts))


def test_the_same_pair_judge_and_plan_is_the_stored_judgement(studio, backend):
    first = list(judge_form(studio, FORM))[-1]
    again = list(judge_form(studio, FORM))
    assert [view["key"] for view in again] == [first["key"]]
    assert "Judged before" in again[0]["notes"][0]["text"]
    assert len(backend.asked) == 1


def test_judging_anew_asks_the_judge_again(studio, backend):
    first = list(judge_form(studio, FORM))[-1]
    second = list(judge_form(studio, FORM._replace(anew=True)))[-1]
    assert first["key"] != second["key"]
    assert len(backend.asked) == 2


def test_a_failed_judge_is_shown_and_stored_as_failed_and_asked_again_next_time(studio, backend):
    backend._replies = [BackendUnavailable("the server died (signal 9)"), CHAT]
    failed = list(judge_form(studio, FORM))[-1]
    assert failed["state"] == "failed"
    assert failed["verdict"] is None
    assert "signal 9" in failed["reason"]
    with studio.database.read() as session:
        assert judgements.get(session, failed["key"]).judgement.state == "failed"
    assert list(judge_form(studio, FORM))[-1]["verdict"] == "A"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prompt": " "}, "prompt is empty"),
        ({"response_b": ""}, "Response B is empty"),
        ({"judge": "somebody"}, "no judge 'somebody'"),
        ({"votes": 0}, "votes"),
        ({"orders": "CC"}, "orders"),
        ({"prompt": "Hi", "is_conversation": True}, "must begin with"),
    ],
)
def test_a_form_that_cannot_be_used_says_which_field_and_why(studio, change, says):
    with pytest.raises(InputError, match=says):
        list(judge_form(studio, FORM._replace(**change)))


def test_about_a_dozen_examples_of_several_kinds_load_into_the_form_and_back():
    assert len(examples()) >= 12
    assert len({pair.subset for pair in examples().values()}) >= 8
    for title, pair in examples().items():
        assert read_pair(*load_example(title)) == pair


def test_an_unknown_example_empties_the_form():
    assert load_example("nothing of the kind") == ("", False, "", "")


def test_a_plan_of_the_form_may_stop_voting_early(studio):
    early = FORM._replace(votes=8, temperature=1.0, stop_at=0.95)
    assert early.plan().stop_at == 0.95
    assert FORM.plan().stop_at is None
    *_, view = judge_form(studio, early)
    assert len(view["rollouts"]) == 3  # of eight: the script always says the same


def test_the_choices_of_when_to_stop_hold_what_the_settings_name():
    assert stop_choices(None)[0] == ("after all votes", ALL_VOTES)
    assert ("at 97.5 %", 0.975) in stop_choices(0.975)
