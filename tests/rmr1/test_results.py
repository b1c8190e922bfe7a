from operator import attrgetter
from pathlib import Path

import pytest

from rmr1.errors import InputError
from rmr1.judgement import Judgement, JudgeVersion, conclude
from rmr1.pair import Order
from rmr1.plan import Plan
from rmr1.results import opened_results
from rmr1.rollout import read_rollout
from tests.replies import CHAT, PAIR

VERSION = JudgeVersion(backend="scripted", model="m")
PLAN = Plan()
KEY = attrgetter("hash")
SAME = (PLAN.hash, VERSION.hash)


def judged(error: str | None = None) -> Judgement:
    rollout = read_rollout(PAIR, Order.AB, CHAT, error=error)
    return conclude(PAIR, VERSION, PLAN, [rollout])


def test_what_was_added_is_held_when_it_is_opened_again(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with opened_results(out, KEY) as results:
        assert not results.hold(PAIR, *SAME)
        assert results.add(judged()) is False
    with opened_results(out, KEY) as results:
        assert results.hold(PAIR, *SAME)
        assert not results.hold(PAIR, Plan(votes=2).hash, VERSION.hash)
        assert not results.hold(PAIR.swapped(), *SAME)


def test_a_judgement_whose_backend_failed_is_not_held(tmp_path: Path) -> None:
    with opened_results(tmp_path / "out.jsonl", KEY) as results:
        assert results.add(judged(error="gone")) is True
    with opened_results(tmp_path / "out.jsonl", KEY) as results:
        assert not results.hold(PAIR, *SAME)


def test_a_line_that_a_kill_cut_short_is_cut_off(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with opened_results(out, KEY) as results:
        results.add(judged())
    whole = out.read_bytes()
    out.write_bytes(whole + whole[:50])
    with opened_results(out, KEY) as results:
        assert results.hold(PAIR, *SAME)
        results.add(judged())
    assert out.read_bytes() == whole * 2


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "notes.txt"
    out.write_text("first\nsecond", encoding="utf-8")
    with pytest.raises(InputError, match="line 1: is no judgement"), opened_results(out, KEY):
        pass
    assert out.read_text(encoding="utf-8") == "first\nsecond"


def test_two_runs_cannot_write_to_one_file(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with (
        opened_results(out, KEY),
        pytest.raises(InputError, match="another run"),
        opened_results(out, KEY),
    ):
        pass
    with opened_results(out, KEY):
        pass


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    out = tmp_path / "no folder" / "out.jsonl"
    with (
        pytest.raises(InputError, match=r"out\.jsonl: cannot be written"),
        opened_results(out, KEY),
    ):
        pass
