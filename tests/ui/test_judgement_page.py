from itertools import pairwise

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels
from storage.entries import LabelEntry
from tests.replies import CHAT, PAIR
from ui import downloads, inspecting


@pytest.fixture
def store(database):
    def put(text=CHAT, pair=PAIR, plan=None, profile=True, **known):
        judge = Judge(ScriptedBackend([text]), load_profile("cor"))
        judgement = judge.judge(pair.model_copy(update=known), plan or Plan())
        kept = judge.profile.model_dump_json() if profile else ""
        with database.write() as session:
            return judgements.add(session, judgement, profile_text=kept)

    return put


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("A", "The judge answered A, the chosen response."),
        ("B", "The judge answered A, the rejected response."),
        (None, "The judge answered A; which response is better is not on record."),
    ],
)
def test_one_sentence_says_what_happened(database, store, chosen, sentence):
    view = inspecting.page_view(database, store(chosen=chosen))
    assert view["sentence"] == f"{sentence} It read the responses as stored, A first."


def test_the_order_is_explained_where_the_letters_are_turned(database, store):
    view = inspecting.page_view(database, store(plan=Plan(orders="BA")))
    assert view["verdict"] == "B"
    assert view["sentence"].endswith("It read response B first, so its own letter was A.")


def test_a_verdict_that_flips_with_the_order_is_said_to(database, store):
    view = inspecting.page_view(database, store(plan=Plan(orders="both")))
    assert "gave no verdict" in view["sentence"]
    assert "both orders, and the order changes the verdict." in view["sentence"]
    assert view["outcome"] == "none"


def test_votes_are_counted(database, store):
    view = inspecting.page_view(database, store(plan=Plan(votes=3)))
    assert view["sentence"].endswith("3 of 3 rollouts stand behind the verdict.")


@pytest.mark.parametrize("key", ["", "nonsense", "f" * 32, "../../etc/passwd", "<script>", "\x00"])
def test_an_unknown_key_is_answered_with_a_sentence(database, key):
    for view in (inspecting.page_view(database, key), inspecting.preview(database, key)):
        assert "no judgement under this link" in view["problem"]
        assert view["asked"] == key


def test_neighbours_are_those_of_the_list(database, store):
    keys = [
        store(pair=Pair.of(f"q{n}", "a", "b"), source="odd" if n % 2 else "even") for n in range(4)
    ]
    for before, after in pairwise([keys[3], keys[1]]):
        view = inspecting.page_view(database, before, "source=odd")
        assert (view["previous"], view["following"]) == (None, after)
    assert inspecting.page_view(database, keys[1], "type=Poem")["previous"] == keys[2]


def test_everything_about_it_is_in_tables(database, store):
    key = store(source="quiz", plan=Plan(orders="both", seed=7), meta={"level": 3})
    groups = {group["title"]: group for group in inspecting.page_view(database, key)["about"]}
    assert list(groups) == ["Judgement", "Judge version", "Plan", "Pair", "Rollouts"]
    assert dict(groups["Judgement"]["rows"])["key"] == key
    assert dict(groups["Judge version"]["rows"])["prompt profile"] == "cor"
    assert dict(groups["Plan"]["rows"])["seed"] == "7"
    assert dict(groups["Pair"]["rows"])["source says: level"] == "3"
    rollouts = groups["Rollouts"]
    assert [row[0] for row in rollouts["table"]] == ["A first", "B first"]
    assert "seed" in rollouts["head"]


def test_the_prompt_is_built_again_for_each_order(database, store):
    prompts = inspecting.page_view(database, store(plan=Plan(orders="both")))["prompts"]
    assert [prompt["title"] for prompt in prompts] == ["A first", "B first"]
    first, second = (prompt["text"] for prompt in prompts)
    assert first.index("Canberra.") < first.index("It is Sydney")
    assert second.index("It is Sydney") < second.index("Canberra.")


def test_without_its_profile_the_prompt_is_not_made_up(database, store):
    assert inspecting.page_view(database, store(profile=False))["prompts"] == []


def test_labels_stand_in_the_history(database, store):
    key = store()
    labels.record(
        database,
        LabelEntry(
            key="k" * 8, annotator="Ada", pair_id=1, stage="blind", action="commit", value="tie"
        ),
    )
    (event,) = inspecting.page_view(database, key)["history"]
    assert (event["who"], event["stage"], event["value"]) == ("Ada", "blind", "tie")
    assert "history" not in inspecting.preview(database, key)


def test_a_megabyte_is_cut_until_all_is_asked_for(database, store):
    key = store(pair=Pair.of("q", "long " * 250_000, "short"))
    cut, whole = (inspecting.page_view(database, key, whole=whole) for whole in (False, True))
    assert cut["cut"] >= 1
    assert len(cut["pair"]["a"]["text"]) < inspecting.LONG_TEXT + 100
    assert cut["pair"]["a"]["text"].endswith("more characters")
    assert (whole["cut"], len(whole["pair"]["a"]["text"])) == (0, 1_250_000)


def test_cutting_counts_what_it_cuts_and_leaves_the_rest():
    value = {"a": "x" * 20, "b": ["y" * 20, 1, None], "c": "short"}
    cut, number = inspecting.shortened(value, 10)
    assert number == 2
    assert cut["c"] == "short"
    assert cut["b"][1:] == [1, None]
    assert cut["a"] == "x" * 10 + "\n… 10 more characters"
    assert inspecting.shortened(value, None) == (value, 0)


def test_the_record_can_be_fetched(studio, store):
    key = store()
    with TestClient(Starlette(routes=downloads.routes(studio))) as client:
        record = client.get(f"/judgements/{key}.json").json()
        missing = client.get("/judgements/nonsense.json")
        library = client.get("/plotly.min.js")
    assert (record["key"], record["verdict"], record["text"]) == (key, "A", CHAT)
    assert (missing.status_code, "error" in missing.json()) == (404, True)
    assert library.headers["content-type"].startswith("text/javascript")
    assert len(library.content) > 1_000_000
