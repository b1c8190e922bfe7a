"""Which judge speaks unless another is asked for."""

import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judges import default_judge, judges_of


def backend(*adapters: str) -> ScriptedBackend:
    return ScriptedBackend(("-",), adapters=adapters)


@pytest.mark.parametrize(
    ("adapters", "profile", "asked", "expected"),
    [
        ((), None, None, ("", "cor")),
        ((), "reasoning", None, ("", "reasoning")),
        (("judge@12345678",), None, None, ("judge@12345678", "brief")),
        (("judge@12345678",), "cor", None, ("", "cor")),
        (("judge@12345678",), None, "", ("", "cor")),
        (("judge@12345678", "mine@87654321"), None, "mine@87654321", ("mine@87654321", "cor")),
        (("mine@87654321",), None, None, ("", "cor")),
    ],
)
def test_the_packaged_adapter_speaks_unless_a_profile_or_another_adapter_is_asked_for(
    adapters: tuple[str, ...],
    profile: str | None,
    asked: str | None,
    expected: tuple[str, str],
) -> None:
    judge = default_judge(backend(*adapters), profile, asked)
    assert (judge.adapter or "", judge.profile.name) == expected


def test_a_backend_is_offered_with_each_adapter_and_bare_where_that_makes_sense() -> None:
    offered = judges_of(backend("judge@12345678", "mine@87654321"))
    assert list(offered) == [
        "judge@12345678", "mine@87654321", "cor", "plain", "reasoning", "rubrics", "verdict",
    ]  # fmt: skip
    assert list(judges_of(backend(), "reasoning")) == [
        "reasoning", "cor", "plain", "rubrics", "verdict",
    ]  # fmt: skip


def test_a_profile_that_must_be_learned_is_not_offered_without_an_adapter() -> None:
    assert "brief" not in judges_of(backend())
