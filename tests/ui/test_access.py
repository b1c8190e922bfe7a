"""Who asks, and whether they may."""

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rmr1.settings import default_plan
from storage.database import Database
from ui import access
from ui.access import Person, Role
from ui.context import Studio
from ui.gates import LocalGate


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    database = Database.open(f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "labels.jsonl")
    return Studio(database, {}, default_plan("embedded"), tmp_path)


def test_without_accounts_everybody_is_the_admin(studio: Studio) -> None:
    assert access.require(studio, gr.Request(), Role.ADMIN) == Person("local", Role.ADMIN)


def test_without_accounts_people_call_themselves_what_they_like(studio: Studio) -> None:
    who = access.person(studio, gr.Request())
    assert access.name_for(studio, who, " ada ") == "ada"
    assert access.name_for(studio, who, None) == "local"


def test_a_visitor_is_told_to_sign_in(studio: Studio) -> None:
    public = replace(studio, gate=LocalGate(Role.VISITOR))
    assert access.require(public, gr.Request(), Role.VISITOR).role is Role.VISITOR
    with pytest.raises(gr.Error, match="for leads: sign in first"):
        access.require(public, gr.Request(), Role.LEAD)


def test_a_route_refuses_with_403(studio: Studio) -> None:
    public = replace(studio, gate=LocalGate(Role.VISITOR))
    request = Request({"type": "http", "headers": []})
    with pytest.raises(HTTPException) as refused:
        access.require_on_route(public, request, Role.ANNOTATOR)
    assert refused.value.status_code == 403
