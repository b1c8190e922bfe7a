"""A person labels pairs by keyboard alone; every answer is looked up in the store."""

import json
import uuid

import pytest
from playwright.sync_api import Page, expect

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels, pairs, queues
from storage.database import Database
from tests.browser.conftest import served
from tests.replies import CHAT
from ui.annotating import is_swapped
from ui.context import Studio

pytestmark = pytest.mark.browser

UNJUDGED = Pair.of("Which month has 28 days?", "All of them.", "February.")
PAIRS = [
    Pair.of(f"What is the capital of Australia? ({n})", "Canberra.", "It is Sydney, of course.")
    for n in range(6)
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotate")
    judge = Judge(ScriptedBackend([CHAT]), load_profile("cor"))
    with Database.open(f"sqlite:///{folder / 'rmr1.db'}", folder / "labels.jsonl") as database:
        made = [judge.judge(pair, Plan()) for pair in PAIRS]
        with database.write() as session:
            for judgement in made:
                judgements.add(session, judgement)
            pairs.add(session, UNJUDGED)
        yield Studio(database, {"scripted": judge}, Plan(), folder)


@pytest.fixture(scope="module")
def url(studio):
    yield from served(studio)


class Desk:
    """A person at the page, with a queue of their own."""

    def __init__(self, page: Page, studio: Studio, url: str, name: str) -> None:
        self.page, self.database, self.name = page, studio.database, name
        with self.database.write() as session:
            queue = queues.create(session, f"queue of {name}").id
        stored = json.dumps({"who": name, "queue": queue})
        page.evaluate(f"localStorage.setItem('rmr1.name', {name!r})")
        page.evaluate(f"sessionStorage.setItem('rmr1.annotate', {stored!r})")
        page.goto(f"{url}?tab=annotate")
        self.at("blind")

    def at(self, step: str) -> None:
        """Wait for a step, and until keys count again."""
        self.page.wait_for_selector(f".annotate[data-phase=item][data-step={step}]")
        self.page.wait_for_timeout(300)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(100)
            self.page.wait_for_selector(".annotate[aria-busy=false]")
            self.page.wait_for_timeout(300)  # until keys count again

    def shown(self, side: str) -> str:
        return self.page.locator(f".annotate .response[data-side={side}] .text").inner_text()

    def prompt(self) -> str:
        return self.page.locator(".annotate .prompt .text").inner_text()

    def go_to(self, wanted: str) -> None:
        """Skip until the pair with this prompt stands there, or until it does not."""
        for _ in range(10):
            if (self.prompt() == UNJUDGED.prompt) == (wanted == "unjudged"):
                return
            self.press("s")
            self.at("blind")
        raise AssertionError(f"no {wanted} pair is served")

    def events(self, prompt: str):
        with self.database.read() as session:
            for current in [UNJUDGED, *PAIRS]:
                stored = pairs.find(session, current.hash)
                if stored and current.prompt == prompt:
                    history = labels.history(session, stored.id)
                    return [event for event in history if event.annotator == self.name]
        raise AssertionError(prompt)

    def own_side(self, shown: str, prompt: str) -> str:
        """The pair's side that stands where `shown` says."""
        pair = next(pair for pair in PAIRS if pair.prompt == prompt)
        swapped = is_swapped(self.name, pair.hash)
        return {"A": "B", "B": "A"}[shown] if swapped else shown


@pytest.fixture
def desk(page, studio, url):
    made = Desk(page, studio, url, f"person {uuid.uuid4().hex[:8]}")
    made.go_to("judged")
    return made


def test_agreeing_takes_three_keys_and_leads_to_the_next_pair(desk):
    prompt = desk.prompt()
    good = "A" if desk.shown("A") == "Canberra." else "B"
    desk.press(good.lower())
    desk.at("verdict")
    expect(desk.page.locator(".annotate .headline")).to_contain_text(f"Response {good} is better")
    desk.press("Enter")
    desk.at("reasoning")
    expect(desk.page.locator(".annotate blockquote.quote")).to_have_count(2)
    kept = str(desk.events(prompt)[-1].id)
    expect(desk.page.locator("[data-receipt]")).to_have_attribute("data-receipt", kept)
    desk.press("y")
    desk.at("blind")
    assert desk.prompt() != prompt
    said = [(event.stage, event.action, event.value) for event in desk.events(prompt)]
    assert said == [
        ("blind", "commit", "A"),
        ("verdict", "keep", "A"),
        ("reasoning", "sound", None),
    ]
    expect(desk.page.locator("[data-receipt]")).to_contain_text("✓ stored")


def test_correcting_takes_four_keys_whatever_the_order_shown(desk):
    prompt = desk.prompt()
    bad = "A" if desk.shown("A") != "Canberra." else "B"
    desk.press(bad.lower(), "Enter", "i", "Enter")
    desk.at("blind")
    commit, keep, wrong = desk.events(prompt)
    assert desk.own_side(bad, prompt) == "B"
    assert (commit.value, keep.value) == ("B", "B")
    assert (wrong.action, wrong.tags) == ("wrong", ("invented_quote",))


def test_nothing_of_the_judge_is_on_the_page_before_the_blind_answer(desk):
    desk.page.wait_for_timeout(300)
    html = desk.page.locator("#annotate").inner_html()
    for text in ("Accuracy", "is better</strong>", "The prompt asks for a fact", "scripted ·"):
        assert text not in html
    assert desk.page.locator("#annotate blockquote").count() == 0
    assert desk.page.locator("#annotate mark").count() == 0


def test_strength_comes_before_the_answer_and_a_tie_can_become_a_side(desk):
    prompt = desk.prompt()
    desk.press("=")
    desk.at("verdict")
    desk.press("2", "b")
    desk.at("reasoning")
    tie, change = desk.events(prompt)
    assert (tie.value, tie.strength) == ("tie", None)
    assert (change.action, change.strength) == ("change", 2)
    assert change.value == desk.own_side("B", prompt)


def test_undo_leads_back_into_the_pair_before(desk):
    prompt = desk.prompt()
    desk.press("a", "Enter", "y")
    desk.at("blind")
    desk.press("z")
    desk.at("reasoning")
    assert desk.prompt() == prompt
    desk.press("z", "z")
    desk.at("blind")
    assert desk.page.locator("#annotate blockquote").count() == 0
    assert all(event.undone for event in desk.events(prompt) if event.action != "undo")


def test_a_skipped_pair_can_be_brought_back(desk):
    prompt = desk.prompt()
    desk.press("s")
    desk.at("blind")
    assert desk.prompt() != prompt
    desk.press("z")
    expect(desk.page.locator(".annotate")).to_contain_text("Taken back: the skip.")
    assert desk.prompt() == prompt


def test_a_repair_shows_its_difference_and_is_checked(desk):
    prompt = desk.prompt()
    good = "a" if desk.shown("A") == "Canberra." else "b"
    desk.press(good, "Enter", "e")
    box = desk.page.locator("textarea[data-section=justify]")
    box.fill("The prompt asks for a single fact.")
    diff = desk.page.locator(".section-edit:has(textarea[data-section=justify]) .diff")
    expect(diff.locator("ins")).to_have_text("single ")
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("[data-check=ready]")).to_be_visible()
    assert desk.events(prompt)[-1].sections == {"justify": "The prompt asks for a single fact."}
    desk.at("reasoning")
    desk.press("e")
    quoted = desk.page.locator("textarea[data-section=eval]")
    expect(box).to_have_value("The prompt asks for a single fact.")
    quoted.fill("<quote_A>Perth</quote_A>")
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("[data-check=faults]")).to_contain_text("Perth")


def test_keys_are_quiet_while_a_note_is_typed(desk):
    prompt = desk.prompt()
    desk.press("n")
    desk.page.keyboard.type("abs 0 = too terse")
    desk.page.keyboard.press("Control+Enter")
    desk.press("a")
    desk.at("verdict")
    (commit,) = desk.events(prompt)
    assert (commit.action, commit.note) == ("commit", "abs 0 = too terse")


def test_keys_that_are_held_or_meet_an_unseen_step_do_nothing(desk):
    prompt = desk.prompt()
    desk.page.keyboard.down("a")
    desk.page.keyboard.down("a")  # a repeat
    desk.page.keyboard.up("a")
    desk.page.wait_for_selector(".annotate[data-step=verdict]")
    desk.page.keyboard.press("Enter")  # at once: nobody can have read it
    desk.page.wait_for_timeout(300)
    assert [event.action for event in desk.events(prompt)] == ["commit"]


def test_an_answer_that_fails_is_kept_and_sent_again_with_the_same_key(desk):
    prompt, sent = desk.prompt(), []

    def refuse(route):
        body = route.request.post_data or ""
        if '"commit"' not in body:
            return route.continue_()
        sent.append(json.loads(body)["event_data"]["key"])
        if len(sent) == 1:
            return route.fulfill(status=200, json={"data": [{}], "is_generating": False})
        return route.continue_()

    desk.page.route("**/gradio_api/run/**", refuse)
    desk.page.keyboard.press("a")
    alert = desk.page.locator(".annotate [role=alert]")
    expect(alert).to_contain_text("not stored", timeout=10_000)
    desk.page.keyboard.press("s")  # nothing else can be said meanwhile
    desk.page.wait_for_timeout(400)
    assert desk.prompt() == prompt
    desk.page.click("[data-retry]")
    desk.at("verdict")
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert [event.action for event in desk.events(prompt)] == ["commit"]


def test_a_pair_that_no_judge_has_seen_is_judged_on_request(page, studio, url):
    desk = Desk(page, studio, url, "person who asks")
    desk.go_to("unjudged")
    desk.press("u")
    desk.at("bare")
    desk.press("j")
    desk.at("verdict")
    expect(page.locator(".annotate .headline")).to_contain_text("is better")
    assert [event.value for event in desk.events(UNJUDGED.prompt)] == ["cannot_tell"]


def test_a_name_that_is_too_long_is_refused_in_one_sentence(page, url):
    page.evaluate(f"localStorage.setItem('rmr1.name', {'x' * 200!r})")
    page.goto(f"{url}?tab=annotate")
    expect(page.locator(".annotate .rest")).to_contain_text("annotator")


def test_a_reload_goes_on_with_the_pair_that_was_begun(desk):
    prompt = desk.prompt()
    desk.press("a")
    desk.at("verdict")
    desk.page.reload()
    desk.at("verdict")
    assert desk.prompt() == prompt


def test_the_end_of_a_queue_says_so_and_offers_what_was_skipped(desk):
    rest = desk.page.locator(".annotate .rest.card")
    for _ in range(3 * len(PAIRS)):
        if rest.count():
            break
        desk.press("s")
    expect(rest).to_contain_text("That was the last fresh pair")
    desk.press("Enter")
    desk.at("blind")
