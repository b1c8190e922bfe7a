import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import InputError
from rmr1.judge import Judge
from rmr1.pair import Pair
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import judgements, labels, queues
from storage.entries import LabelEntry
from storage.filters import JudgementFilter
from tests.replies import CHAT, PAIR, REASONING, SUM
from ui import exploring
from ui.exploring import Place


@pytest.fixture
def store(database):
    def put(text=CHAT, pair=PAIR, plan=None, **known):
        judge = Judge(ScriptedBackend([text]), load_profile("cor"))
        judgement = judge.judge(pair.model_copy(update=known), plan or Plan())
        with database.write() as session:
            return judgements.add(session, judgement)

    return put


def names(view, facet):
    options = next(f["options"] for f in view["facets"] if f["name"] == facet)
    return {option["title"]: option["count"] for option in options}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("", Place()),
        ("?tab=explore&judgement=abc", Place()),
        ("type=Chat&list_page=3", Place(JudgementFilter(type="Chat"), page=3)),
        ("sort=least+confident", Place(sort="least confident")),
        ("list_page=-1", Place()),
        ("list_page=x", Place()),
        ("list_page=99999999999999999999", Place()),
        ("text=a+b%26c", Place(JudgementFilter(text="a b&c"))),
        ("verdict=", Place()),
        ("text=%00%FF", Place(JudgementFilter(text="\x00\ufffd"))),
    ],
)
def test_an_address_says_where_one_is(query, place):
    assert Place.from_query(query) == place


@pytest.mark.parametrize("query", ["sort=best", "type=Poem", "confidence_min=7", "run_id=x"])
def test_an_address_that_asks_for_what_does_not_exist_is_refused(query):
    with pytest.raises(InputError):
        Place.from_query(query)


def test_a_list_whose_address_is_wrong_says_so_and_shows_everything(database, store):
    store()
    view = exploring.list_view(database, "type=Poem")
    assert "Poem" in view["problem"]
    assert (view["total"], view["query"]) == (1, "type=Poem")


def test_a_row_says_what_came_out(database, store):
    store(CHAT, PAIR, chosen="B", source="quiz", subset="easy")
    row = exploring.list_view(database, "")["rows"][0]
    assert (row["prompt"], row["origin"]) == (PAIR.prompt, "quiz · easy")
    assert (row["verdict"], row["outcome"], row["type"], row["state"]) == (
        "A",
        "wrong",
        "Chat",
        "complete",
    )
    assert row["quotes"] == [[2, "exact"]]
    assert (row["swap"], row["labels"]) == (None, 0)


@pytest.mark.parametrize(
    ("text", "chosen", "outcome"),
    [
        (CHAT, "A", "correct"),
        (CHAT, "B", "wrong"),
        (CHAT, None, "unknown"),
        ("I will not say.", "A", "none"),
        ("I will not say.", None, "none"),
    ],
)
def test_no_verdict_is_never_wrong(database, store, text, chosen, outcome):
    store(text, chosen=chosen)
    assert exploring.list_view(database, "")["rows"][0]["outcome"] == outcome


def test_a_prompt_of_many_lines_is_one_line(database, store):
    store(pair=Pair.of("one\n\n  two\tthree " + "x" * 500, "a", "b"))
    prompt = exploring.list_view(database, "")["rows"][0]["prompt"]
    assert prompt.startswith("one two three xxx")
    assert len(prompt) <= 160


def test_filters_count_what_each_choice_would_leave(database, store):
    store(CHAT, PAIR, chosen="A", source="quiz")
    store(CHAT, PAIR.swapped(), chosen="A", source="quiz")
    store(REASONING, SUM, source="sums")
    view = exploring.list_view(database, "type=Chat")
    assert view["total"] == 2
    assert names(view, "type") == {"Chat": 2, "Reasoning": 1}
    assert names(view, "correct") == {"correct": 2}
    assert names(view, "source") == {"quiz": 2}
    on = [o["value"] for f in view["facets"] for o in f["options"] if o["on"]]
    assert on == ["Chat"]


def test_a_choice_that_nothing_fits_can_still_be_taken_back(database, store):
    store()
    view = exploring.list_view(database, "verdict=B")
    options = next(f["options"] for f in view["facets"] if f["name"] == "verdict")
    assert {"value": "B", "title": "B is better", "count": 0, "on": True} in options
    assert (view["total"], view["first"], view["last"], view["pages"]) == (0, 0, 0, 1)


def test_every_filter_is_a_chip_that_names_what_it_takes_away(database, store):
    store()
    query = "type=Chat&text=capital&confidence_min=0.5&confidence_max=0.9&run_id=4&verdict=none"
    chips = exploring.list_view(database, query)["chips"]
    assert {chip["text"]: chip["names"] for chip in chips} == {
        "Text: capital": ["text"],
        "Task type: Chat": ["type"],
        "Verdict: no verdict": ["verdict"],
        "Run 4": ["run_id"],
        "Confidence 50–90 %": ["confidence_min", "confidence_max"],
    }


def test_a_judge_is_named_by_its_title(database, store):
    store()
    (title,) = names(exploring.list_view(database, ""), "judge_version")
    assert title == "scripted · cor"


def test_pages_are_fifty_long(database, store):
    for number in range(51):
        store(pair=Pair.of(f"question {number}", "a", "b"))
    first, second = (exploring.list_view(database, f"list_page={n}") for n in (1, 2))
    assert (len(first["rows"]), first["first"], first["last"], first["pages"]) == (50, 1, 50, 2)
    assert (len(second["rows"]), second["first"], second["last"]) == (1, 51, 51)


def test_a_label_shows_in_the_list_without_its_value(database, store):
    store()
    labels.record(
        database,
        LabelEntry(
            key="k" * 8, annotator="Ada", pair_id=1, stage="blind", action="commit", value="B"
        ),
    )
    view = exploring.list_view(database, "")
    assert view["rows"][0]["labels"] == 1
    assert names(view, "agreement") == {"disagree": 1}


def test_a_queue_is_made_of_the_filter_in_force(database, store):
    store()
    view = exploring.make_queue(database, "type=Chat&sort=slowest", "chats")
    assert view["made"]["name"] == "chats"
    assert view["total"] == 1
    with database.read() as session:
        assert queues.get(session, view["made"]["id"]).filter == JudgementFilter(type="Chat")


def test_a_queue_whose_name_is_taken_is_refused(database, store):
    exploring.make_queue(database, "", "chats")
    with pytest.raises(InputError, match="chats"):
        exploring.make_queue(database, "", "chats")
