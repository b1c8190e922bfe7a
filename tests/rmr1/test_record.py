import json

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import InputError
from rmr1.judge import Judge
from rmr1.pair import Side
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from rmr1.record import judgement_from_record, judgement_record, pair_from_record
from tests.replies import CHAT, PAIR, REASONING, SUM, THINKING


def test_a_judgement_becomes_one_json_object_with_the_promised_keys():
    record = json.loads(
        json.dumps(
            judgement_record(
                Judge(ScriptedBackend([CHAT]), load_profile("cor")).judge(PAIR, Plan())
            )
        )
    )
    promised = (
        "id verdict state confidence type criteria justify solution eval quotes tokens seconds "
        "text judge_version"
    )
    assert set(promised.split()) <= set(record)
    assert record["criteria"][0] == {
        "name": "Accuracy",
        "weight": 0.6,
        "weight_text": "60%",
        "text": "is it right?",
    }
    quote = record["quotes"][1]
    assert PAIR.response_b[quote["start"] : quote["end"]] == "It is Sydney"
    assert record["eval"] in CHAT


def test_chosen_and_rejected_stand_on_either_side_and_always_on_the_same_one():
    records = [{"prompt": f"p{i}", "chosen": "good", "rejected": "bad"} for i in range(200)]
    pairs = [pair_from_record(record) for record in records]
    assert pairs == [pair_from_record(record) for record in records]
    assert all(pair.response(pair.chosen) == "good" for pair in pairs)
    assert 60 < sum(pair.chosen is Side.A for pair in pairs) < 140


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"response_a": "a", "response_b": "b"}, "prompt"),
        ({"prompt": "p", "response_a": "a"}, "response_b: expected a text, found nothing"),
        ({"prompt": "p", "response_a": "a", "response_b": 3}, "found int"),
        ({"prompt": "p"}, "chosen"),
        ({"prompt": "", "response_a": "a", "response_b": "b"}, "empty"),
        ({"prompt": [{"role": "robot", "content": "x"}], "chosen": "a", "rejected": "b"}, "role"),
    ],
)
def test_a_bad_pair_is_refused_by_the_name_of_its_field(record, says):
    with pytest.raises(InputError, match=says):
        pair_from_record(record)


@pytest.mark.parametrize(
    ("pair", "reply", "profile"),
    [(PAIR, CHAT, "cor"), (SUM, REASONING, "cor"), (SUM, THINKING, "reasoning"), (SUM, "", "cor")],
)
def test_a_judgement_comes_back_from_its_record_as_it_was(pair, reply, profile):
    judge = Judge(ScriptedBackend([reply]), load_profile(profile))
    judgement = judge.judge(pair, Plan(orders="both", votes=2, temperature=0.5))
    assert judgement_from_record(json.loads(json.dumps(judgement_record(judgement)))) == judgement


@pytest.mark.parametrize("spoilt", ["pair", "plan", "judge_version", "rollouts", "state"])
def test_a_record_that_is_no_judgement_is_refused(spoilt):
    record = judgement_record(
        Judge(ScriptedBackend([CHAT]), load_profile("cor")).judge(PAIR, Plan())
    )
    with pytest.raises(InputError, match="judgement"):
        judgement_from_record({**record, spoilt: "nonsense"})
    del record[spoilt]
    with pytest.raises(InputError, match="judgement"):
        judgement_from_record(record)
