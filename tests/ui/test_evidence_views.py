import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements
from tests.replies import CHAT, PAIR, REASONING, SUM
from ui import evidence_views, inspecting


def judged(text, pair, plan=None):
    return Judge(ScriptedBackend([text]), load_profile("cor")).judge(pair, plan or Plan())


def test_the_page_says_whether_a_solution_agrees_with_the_responses():
    view = evidence_views.quick_evidence(judged(REASONING, SUM))
    ((finding,),) = (rollout["findings"] for rollout in view["rollouts"])
    assert (finding["check"], finding["outcome"], view["pending"]) == ("solution", "holds", False)


def test_answers_that_need_an_algebra_system_are_left_for_later():
    pair = Pair.of("Expand (x+1)^2", r"\boxed{x^2+2x+1}", r"\boxed{x^2+1}")
    text = REASONING.replace("The sum is 43.", r"\boxed{(x+1)^2}")
    assert evidence_views.quick_evidence(judged(text, pair))["pending"]
    later = evidence_views.evidence(judged(text, pair), lambda a, b: "2x" in b)
    assert later["rollouts"][0]["findings"][0]["outcome"] == "holds"
    assert not later["pending"]


def test_both_orders_are_held_against_each_other_where_there_are_both():
    assert evidence_views.evidence(judged(CHAT, PAIR))["moved"] is None
    moved = evidence_views.evidence(judged(CHAT, PAIR, Plan(orders="both")))["moved"]
    assert moved["verdicts"] == ("A", "B")
    assert moved["moved"][0] == "The verdict: A against B."


def test_weights_that_a_person_moved_are_added_up():
    rows = [{"weight": 60, "winner": "A"}, {"weight": 40, "winner": "B"}]
    view = evidence_views.reweighed(rows)
    assert (view["verdict"], view["sentence"]) == ("A", "These weights give A.")
    assert view["flip"]["points"] == pytest.approx(0.1)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=5)
            | st.dictionaries(st.sampled_from(["weight", "winner", "x"]), inner, max_size=3)
        ),
        max_leaves=20,
    )
)
def test_whatever_a_page_sends_is_added_up_to_something(rows):
    view = evidence_views.reweighed(rows)
    assert view["verdict"] in ("A", "B", None)
    assert 0 <= view["a"] <= 1


def test_the_judgement_page_carries_its_evidence(database):
    with database.write() as session:
        key = judgements.add(session, judged(CHAT, PAIR))
    view = inspecting.page_view(database, key)
    assert [row["name"] for row in view["evidence"]["rollouts"][0]["rows"]] == [
        "Accuracy",
        "Brevity",
    ]
    assert inspecting.checked(database, key)["evidence"]["pending"] is False
    assert inspecting.checked(database, "nonsense") == {}
