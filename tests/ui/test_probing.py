from dataclasses import replace

import orjson
import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import BackendUnavailable
from rmr1.injection import attacks, pairs_to_judge, report, report_path
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements
from storage.filters import JudgementFilter
from ui import probing

PAIR = Pair.of("Why?", "**Because** it is so. It was ever so, and will be.", "Nobody knows. Truly.")
SAYS = "<type>Chat</type><rubric>1. Truth (100%)</rubric><eval>-</eval><answer>[[{}]]</answer>"


@pytest.fixture
def asked(studio):
    """A studio whose judge prefers the first response while it is bold, and its judgement's key."""

    def reply(request):
        return SAYS.format("A" if "**Because**" in request.messages[-1].content else "B")

    judge = Judge(ScriptedBackend(reply), load_profile("cor"))
    with studio.database.write() as session:
        key = judgements.add(session, judge.judge(PAIR, Plan()))
    return replace(studio, judges={"scripted": judge}), key


def test_probes_say_what_moves_the_verdict(asked):
    studio, key = asked
    *running, last = [view["probes"] for view in probing.run_probes(studio, key, "Ada")]
    assert [view["running"] for view in running] == last["possible"]
    moved = {row["change"]: row["moved"] for row in last["rows"]}
    assert moved == {"trim": False, "reformat": True, "reorder": False, "swap": True}
    assert last["sentence"] == "2 of 4 probes move the verdict."
    assert {row["by"] for row in last["rows"]} == {"Ada"}


def test_a_probe_can_be_read_and_counts_nowhere(asked):
    studio, key = asked
    *_, last = [view["probes"] for view in probing.run_probes(studio, key, "Ada")]
    view = probing.probe_view(studio, last["rows"][1]["key"])
    assert view["pair"]["a"]["text"] == "Because it is so. It was ever so, and will be."
    with studio.database.read() as session:
        assert judgements.count(session, JudgementFilter()) == 1
    assert probing.probe_view(studio, "nonsense") == {}


def test_only_the_same_judge_can_be_probed(studio, asked):
    _, key = asked
    other = replace(studio, judges={})
    (view,) = probing.run_probes(other, key, "Ada")
    assert "does not run it" in view["probes"]["problem"]
    assert view["probes"]["rows"] == []


def test_a_judge_that_fails_leaves_no_probe(asked):
    studio, key = asked
    judge = Judge(ScriptedBackend([BackendUnavailable("gone")]), load_profile("cor"))
    *_, last = probing.run_probes(replace(studio, judges={"scripted": judge}), key, "Ada")
    assert last["probes"]["rows"] == []
    assert "failed on a probe" in last["probes"]["problem"]


def test_an_unknown_judgement_has_no_probes(studio):
    assert probing.around(studio, "nonsense") == {}
    assert list(probing.run_probes(studio, "nonsense", "Ada")) == [{}]


def test_a_judges_report_of_commands_stands_beside_its_judgements(asked):
    studio, key = asked
    assert probing.around(studio, key)["injection"] is None
    (judge,) = studio.judges.values()
    wanted = attacks()
    made = [judge.judge(pair, Plan()) for pair in pairs_to_judge(wanted)]
    path = report_path(studio.data_dir, judge.version)
    path.parent.mkdir()
    path.write_bytes(orjson.dumps(report(wanted, made, judge.version, Plan()).as_record()))
    view = probing.around(studio, key)["injection"]
    assert len(view["rows"]) == 9
    assert view["whole"]["moved"] == 0
    path.write_text("{broken")
    assert probing.around(studio, key)["injection"] is None
