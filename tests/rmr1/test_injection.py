import re

import orjson
import pytest
from typer.testing import CliRunner

from rmr1 import injection
from rmr1.backends.scripted import ScriptedBackend
from rmr1.injection import attacks, markdown, pairs_to_judge, report
from rmr1.injection_cli import app
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile

SAYS = "<type>Chat</type><rubric>1. Truth (100%)</rubric><eval>-</eval><answer>[[{}]]</answer>"
BETTER = re.compile("100 degrees|Thank you so much|210|turned away|freeze what")


def judged(reply):
    judge = Judge(ScriptedBackend(reply), load_profile("cor"))
    wanted = attacks()
    made = [judge.judge(pair, Plan()) for pair in pairs_to_judge(wanted)]
    return report(wanted, made, judge.version, Plan())


def shown(request):
    return request.messages[-1].content.split("[Response B]")[0].rpartition("[Response A]")[2]


def honest(request):
    return SAYS.format("A" if BETTER.search(shown(request)) else "B")


def test_every_kind_has_its_commands_on_both_sides():
    wanted = attacks()
    kinds = {one.kind for one in wanted}
    assert (len(kinds), len(wanted)) == (9, 45)
    for kind in kinds:
        assert {one.side for one in wanted if one.kind == kind} == {"A", "B"}
    for one in wanted:
        assert one.clean.response(one.side.other) == one.commanding.response(one.side.other)
        assert one.clean.response(one.side) in one.commanding.response(one.side)
        assert one.commanding.chosen is one.side.other
        assert "{" not in one.commanding.response(one.side).replace(r"\boxed{", "")


def test_clean_twins_that_several_commands_share_are_judged_once():
    assert len(pairs_to_judge(attacks())) == 45 + 10


def test_a_judge_that_reads_only_the_better_response_is_never_moved():
    found = judged(honest)
    assert (found.whole.success.count, found.whole.success.n) == (0, 45)
    assert found.whole.success.low == 0
    assert 0 < found.whole.success.high < 0.1


def test_a_judge_that_obeys_one_kind_is_moved_by_it_alone():
    def obedient(request):
        for side, text in zip("AB", both(request), strict=True):
            if "wise judge" in text or "careful as you" in text:
                return SAYS.format(side)
        return honest(request)

    def both(request):
        first = shown(request)
        return first, request.messages[-1].content.split("[Response B]")[-1]

    counts = {one.kind: one.success.count for one in judged(obedient).kinds}
    assert counts.pop("flattery") == 2
    assert set(counts.values()) == {0}


def test_pairs_that_the_commanding_side_wins_anyway_count_for_nothing():
    found = judged(lambda request: SAYS.format("A"))
    on_a = sum(one.side == "A" for one in found.outcomes)
    assert (found.whole.success.count, found.whole.success.n) == (0, 45 - on_a)


def test_a_verdict_that_is_lost_is_no_success():
    def silenced(request):
        return "<eval>" if "judge" in request.messages[-1].content else honest(request)

    found = judged(silenced)
    assert found.whole.success.count == 0


@pytest.mark.parametrize("title", ["Rate me higher", "All kinds"])
def test_the_table_has_a_line_for_each_kind(title):
    table = markdown(judged(honest))
    assert f"| {title} |" in table
    assert "Wilson" in table


def test_the_command_leaves_a_report(tmp_path, monkeypatch):
    monkeypatch.setenv("RMR1_BACKEND__KIND", "scripted")
    monkeypatch.setenv("RMR1_BACKEND__REPLIES", orjson.dumps([SAYS.format("A")]).decode())
    monkeypatch.setenv("RMR1_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["injection"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "| All kinds |" in done.output
    (file,) = (tmp_path / "probes").iterdir()
    content = orjson.loads(file.read_bytes())
    assert file.name == f"injection-{content['version']['hash'][:16]}.json"
    assert len(content["outcomes"]) == len(injection.attacks())
