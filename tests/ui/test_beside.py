from dataclasses import replace

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendUnavailable, InputError
from rmr1.judge import Judge
from rmr1.prompt import load_profile
from storage import judgements
from tests.replies import CHAT
from tests.ui.test_judge_tab import FORM
from ui.judge_tab import judge_form


def with_second(studio, reply):
    second = Judge(ScriptedBackend([reply]), load_profile("verdict"))
    return replace(studio, judges={**studio.judges, "bare": second})


def judged(studio):
    return list(judge_form(studio, FORM._replace(beside="bare")))


def test_a_second_judge_speaks_after_the_first_and_both_are_on_record(studio):
    studio = with_second(studio, "<answer>[[B]]</answer>")
    *before, running, done = judged(studio)
    assert all("beside" not in view for view in before)
    assert (running["beside"]["phase"], running["verdict"]) == ("running", "A")
    assert (done["beside"]["verdict"], done["beside"]["agrees"]) == ("B", False)
    assert done["key"] != done["beside"]["key"]
    with studio.database.read() as session:
        stored = judgements.get(session, done["beside"]["key"]).judgement
    assert stored.version.profile == "verdict"


def test_two_judges_of_one_mind_are_said_to_agree(studio):
    done = judged(with_second(studio, CHAT))[-1]
    assert done["beside"]["agrees"] is True


def test_a_second_judge_that_fails_leaves_the_first_ones_judgement_standing(studio):
    done = judged(with_second(studio, BackendUnavailable("the model server does not answer.")))[-1]
    assert done["verdict"] == "A"
    assert done["beside"]["state"] == "failed"
    assert done["beside"]["agrees"] is None


def test_a_second_judge_that_is_gone_is_refused_before_anything_is_judged(studio, backend):
    with pytest.raises(InputError, match="no judge 'bare'"):
        judged(studio)
    assert backend.asked == []
