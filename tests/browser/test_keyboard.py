"""From the sign-in form to the tenth label by the keyboard alone; where it is, can be seen."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import accounts, judgements, labels, pairs
from storage.database import Database
from storage.roles import Role
from storage.tables import PairRow
from tests.browser.conftest import Trouble, served
from tests.replies import CHAT
from ui.annotating import is_swapped
from ui.context import Studio
from ui.gates import AccountsGate

pytestmark = pytest.mark.browser

NAME, PASSWORD = "ann", "correct horse battery"
ANSWERS = "abbaabtab0"
"""What is said of ten pairs, as keys."""

VALUES = {"a": "A", "b": "B", "t": "tie", "0": "both_bad"}

WHERE = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  return {
    name: (at.getAttribute("aria-label") || at.textContent || at.name || "").trim(),
    inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight
      && box.right > 0 && box.left < innerWidth,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
      && !/^rgba\\(.*, 0\\)$/.test(style.outlineColor),
  };
}"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyboard")
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        asked = [Pair.of(f"Capital {n}?", "Canberra", "Sydney") for n in range(12)]
        made = [judge.judge(pair, Plan()) for pair in asked]
        with database.write() as session:
            for judgement in made:
                judgements.add(session, judgement)
            accounts.add(session, NAME, Role.ANNOTATOR, PASSWORD)
        gate = AccountsGate(database)
        yield Studio(database, {"scripted": judge}, Plan(), folder, gate=gate)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


def stop(page: Page) -> str:
    """One step of the Tab key: the name of where it leads, which must be seen."""
    page.keyboard.press("Tab")
    at = page.evaluate(WHERE)
    assert at["ring"], f"nobody sees that the keyboard is at {at['name']!r}"
    assert at["inside"], f"{at['name']!r} has the keyboard out of sight"
    return at["name"]


def go_to(page: Page, name: str):
    stops = [stop(page)]
    while name not in stops[-1]:
        assert len(stops) < 40, f"no way to {name!r} by Tab: {stops}"
        stops.append(stop(page))


def at_step(page: Page, step: str):
    page.wait_for_selector(f".annotate[data-phase=item][data-step={step}]")
    page.wait_for_timeout(300)  # a key counts once the step can have been seen


def sign_in(page: Page):
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type(NAME)
    stop(page)
    page.keyboard.type(PASSWORD)
    assert stop(page) == "Sign in"
    page.keyboard.press("Enter")
    page.wait_for_selector("#judge-go")


def label(page: Page, key: str):
    at_step(page, "blind")
    page.keyboard.press(key)
    at_step(page, "verdict")
    page.keyboard.press("Enter")
    at_step(page, "reasoning")
    page.keyboard.press("y")


def said(studio):
    """The person's blind answers in their order, each for the side as it was shown."""
    turned = {"A": "B", "B": "A"}
    answers = []
    with studio.database.read() as session:
        for pair_id in session.scalars(select(PairRow.id)):
            is_turned = is_swapped(NAME, pairs.get(session, pair_id).pair.hash)
            for event in labels.history(session, pair_id):
                if (event.action, event.annotator) == ("commit", NAME):
                    value = turned.get(event.value, event.value) if is_turned else event.value
                    answers.append((event.id, value))
    return [value for _, value in sorted(answers)]


def test_the_keyboard_alone_leads_from_signing_in_to_the_tenth_label(context, url, studio):
    page = context.new_page()
    trouble = Trouble(page, url)
    page.goto(url)
    sign_in(page)
    assert stop(page) == "Skip to the page"
    page.keyboard.press("Enter")
    go_to(page, "Annotate")
    page.keyboard.press("Enter")
    at_step(page, "blind")
    go_to(page, "Response A is better")
    page.keyboard.press("Enter")
    at_step(page, "verdict")
    page.keyboard.press("Enter")
    at_step(page, "reasoning")
    page.keyboard.press("y")
    for key in ANSWERS[1:]:
        label(page, key)
    at_step(page, "blind")
    assert said(studio) == [VALUES[key] for key in ANSWERS]
    assert trouble.lines == []
