"""The Agreement page: the judge against people, people against people, and the pull between."""

from collections.abc import Callable

import gradio as gr
from sqlalchemy.orm import Session

from rmr1.errors import InputError
from storage.filters import JudgementFilter
from storage.kept import Kept
from storage.selection import state_of
from ui.access import Role, person, require
from ui.agreement_calibration import calibration_view
from ui.agreement_mirror import mirror_view
from ui.agreement_people import consensus_view, people_view
from ui.agreement_scope import Scope, head_view, read_scope
from ui.agreement_views import judge_view, pull_view
from ui.context import Studio
from ui.panels import panel, text, wire
from ui.views import View

SECTIONS: dict[str, tuple[str, Callable[[Session, Scope], View]]] = {
    "judge": ("Does the judge side with people?", judge_view),
    "people": ("Do people agree with each other?", people_view),
    "pull": ("Does the machine pull people?", pull_view),
    "calibration": ("Is the judge as often right as it is sure?", calibration_view),
    "consensus": ("What do the labels of a pair come to?", consensus_view),
}
"""The sections that leads see, in order: the question, and what answers it."""

MIRROR = "Your mirror"

_KEPT: Kept[View] = Kept(24)


def build_agreement_tab(studio: Studio) -> None:
    """Lay the page out and wire it; the scripts ask for what the address says."""
    with (
        gr.Tab("Agreement", id="agreement", elem_id="tab-agreement"),
        gr.Column(elem_id="agreement-page"),
    ):
        head = panel("agreement", ("ask",), elem_id="agreement-head")
        parts = {
            name: panel("agreementPart", ("ask",), elem_id=f"agreement-{name}")
            for name in (*SECTIONS, "mirror")
        }

    def ask(event: gr.EventData, request: gr.Request) -> View:
        return page_head(studio, request, text(event, "query"))

    wired: list[tuple[gr.HTML, Callable[..., View]]] = [(head, ask)]
    wired += [(parts[name], _section(studio, name)) for name in SECTIONS]
    wired.append((parts["mirror"], _mirror(studio)))
    for output, answer in wired:
        wire(output.ask, answer, output)


def page_head(studio: Studio, request: gr.Request, query: str) -> View:
    """The choices for leads; for others only whose mirror it is, or why there is nothing."""
    who = person(studio, request)
    if who.role < Role.ANNOTATOR:
        return {"query": query, "lead": False, "problem": "This page is for those who label."}
    if who.role < Role.LEAD:
        return {"query": query, "lead": False, "name": who.name, "problem": ""}
    return head_view(studio.database, query) | {"lead": True, "name": who.name}


def answer_section(studio: Studio, name: str, query: str) -> View:
    """One section for a page's query string."""
    with studio.database.read() as session:
        state = state_of(session, JudgementFilter(), labels=True)
        return _KEPT.get(session, (name, query), state, lambda: _section_view(session, name, query))


def _section_view(session: Session, name: str, query: str) -> View:
    title, answer = SECTIONS[name]
    try:
        scope = read_scope(session, query)
    except InputError:  # the head says what is wrong with the address
        scope = read_scope(session, "")
    return {"query": query, "title": title} | answer(session, scope)


def answer_mirror(studio: Studio, name: str) -> View:
    """One person's own figures, over all of their answers."""
    with studio.database.read() as session:
        return mirror_view(session, read_scope(session, ""), name)


def _section(studio: Studio, name: str) -> Callable[[gr.EventData, gr.Request], View]:
    def ask(event: gr.EventData, request: gr.Request) -> View:
        require(studio, request, Role.LEAD)
        return answer_section(studio, name, text(event, "query"))

    return ask


def _mirror(studio: Studio) -> Callable[[gr.EventData, gr.Request], View]:
    def ask(event: gr.EventData, request: gr.Request) -> View:
        who = require(studio, request, Role.ANNOTATOR)
        name = text(event, "name") if who.role >= Role.LEAD else who.name
        shown = answer_mirror(studio, name or who.name)
        return {"query": text(event, "query"), "title": MIRROR} | shown

    return ask
