from contextlib import ExitStack

import pytest

from app import load_judges, open_database, plans_of_others
from rmr1.errors import ConfigurationError
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.settings import Settings


def test_every_backend_is_offered_under_every_profile_and_the_default_comes_first(monkeypatch):
    monkeypatch.setenv("RMR1_BACKEND", '{"kind": "scripted", "replies": ["-"]}')
    monkeypatch.setenv("RMR1_BACKENDS", '{"server": {"kind": "openai", "model": "rm-r1-7b"}}')
    monkeypatch.setenv("RMR1_PROFILE", "reasoning")
    with ExitStack() as stack:
        judges = load_judges(Settings(), stack)
        kinds = [title.split(" · ")[0] for title in judges]
        profiles = ["reasoning", "cor", "plain", "rubrics", "verdict"]
        assert kinds == ["scripted"] * 5 + ["server"] * 5
        assert [judge.profile.name for judge in judges.values()] == profiles * 2
        plans = plans_of_others(Settings(), judges)
        assert {title: plan.max_tokens for title, plan in plans.items()} == {
            f"server · {name}": 4096 for name in profiles
        }


def test_a_judge_stands_in_for_a_backend_that_cannot_be_made(monkeypatch, capsys):
    monkeypatch.setenv("RMR1_BACKEND__KIND", "embedded")
    monkeypatch.setenv("RMR1_BACKEND__WEIGHTS", "/nowhere/model.gguf")
    with ExitStack() as stack:
        with pytest.raises(ConfigurationError, match="is not there"):
            load_judges(Settings(), stack)
        (first, *_) = load_judges(Settings(), stack, or_absent=True).values()
        judged = first.judge(Pair.of("What?", "This.", "That."), Plan())
    assert judged.state == "failed"
    assert "/nowhere/model.gguf" in judged.reason
    assert "no judge on embedded" in capsys.readouterr().err


def test_backends_are_closed_with_the_app(monkeypatch):
    monkeypatch.setenv("RMR1_BACKEND", '{"kind": "scripted", "replies": ["-"]}')
    with ExitStack() as stack:
        (first, *_) = load_judges(Settings(), stack).values()
        assert not first.backend.closed
    assert first.backend.closed


def test_the_database_and_its_journal_lie_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("RMR1_DATA_DIR", str(tmp_path / "new"))
    with open_database(Settings()):
        assert (tmp_path / "new" / "rmr1.db").exists()
