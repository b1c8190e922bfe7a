"""Every event and route, forged as every role, through the real server.

Whoever adds an event or a route says here from which role on it may be used; one that is not
named here fails the first two tests.
"""

import re

import pytest

from storage import accounts, judgements, labels
from tests.ui.forging import ADMIN, ANNOTATOR, LEAD, PEOPLE, VISITOR, client_of, forge, handlers
from ui.access import TAB_ROLES
from ui.studio import TABS, build_page

EVENTS = {
    VISITOR: (
        "open_tab look_again choices plan_of judge-go.click judge-case.example "
        "judge-example.input rank-form.rank explore-found.ask explore-charts.draw "
        "explore-case.show judgement-page.reread judgement-page.open judgement-page.weigh "
        "judgement-page.check "
        "compare-found.ask compare-both.show agreement-head.ask benchmarks.open benchmarks.poll "
        "benchmark-scaling.look benchmark-scaling.work data-file.clear "
        "gallery-page.ask gallery-page.show gallery-page.deal gallery-page.answer"
    ),
    ANNOTATOR: (
        "judge-case.inspect judgement-page.inspect judgement-page.probe "
        "annotate.open annotate.more annotate.say "
        "annotate.undo annotate.judge queues-list.ask agreement-mirror.ask"
    ),
    LEAD: (
        "annotate.examples explore-found.queue "
        "queues-list.make queues-list.settle queues-list.gold queues-list.ungold "
        "queues-list.foretell queues-list.regret "
        "queues-list.admit queues-conflicts.show queues-conflicts.decide queues-conflicts.back "
        "queues-conflicts.withdraw "
        "agreement-judge.ask agreement-people.ask agreement-pull.ask agreement-calibration.ask "
        "agreement-consensus.ask "
        "train-data.open train-data.count train-data.freeze train-data.make train-recipe.open "
        "train-recipe.line train-recipe.start train-run.open train-run.poll train-run.stop "
        "train-run.resume train-adapters.open train-adapters.register train-adapters.promote "
        "train-adapters.rollback "
        "benchmarks.stop benchmarks.resume benchmark-form.open benchmark-form.line "
        "benchmark-form.start "
        "data-batches.look data-batches.start data-batches.stop data-file.upload on_look "
        "data-import.remap data-import.take data-import.undo data-imports.undo on_count "
        "data-freeze.click data-snapshot.change data-export.click tab-data.select"
    ),
    ADMIN: (
        "people-page.ask people-page.invite people-page.role people-page.renew people-page.remove"
    ),
}
NEEDED = {name: role for role, names in EVENTS.items() for name in names.split()}

ROUTES = {
    "/healthz": VISITOR,
    "/readyz": VISITOR,
    "/plotly.min.js": VISITOR,
    "/judgements/{key}.json": VISITOR,
    "/whoami": VISITOR,
    "/offsite": VISITOR,
    "/labels/{event:int}.json": LEAD,
    "/sign-in": VISITOR,
    "/welcome": VISITOR,
    "/sign-out": VISITOR,
    "/benchmarks/report.{kind}": VISITOR,
}

REFUSED = re.compile(r"This is for (annotators|leads|admins)|[Ss]ign in first")


def test_every_event_is_decided_upon(studio):
    page = build_page(studio)
    undecided = sorted({name for name in handlers(page).values() if name not in NEEDED})
    assert undecided == [], "say in EVENTS above from which role on these may be used"


def test_every_tab_that_is_hidden_exists_or_will():
    assert set(TAB_ROLES) <= set(TABS)


@pytest.mark.parametrize("name", [None, *PEOPLE])
def test_a_forged_event_is_refused_below_its_role_and_only_there(served, name):
    page, address = served
    role = PEOPLE.get(name, VISITOR)
    events = handlers(page)
    wrong = []
    with client_of(address, name) as client:
        indices = list(events)
        for start in range(0, len(indices), 16):
            for index, told in forge(page, client, indices[start : start + 16]).items():
                if bool(REFUSED.search(told)) != (role < NEEDED[events[index]]):
                    wrong.append((events[index], told[:200]))
    assert wrong == []


@pytest.mark.parametrize("way", ["run/predict", "api/predict", "call"])
def test_the_other_ways_to_an_event_are_no_way_around(served, way):
    page, address = served
    index = next(i for i, name in handlers(page).items() if name == "annotate.say")
    body = {"fn_index": index, "data": [], "session_hash": "x", "event_data": {}}
    way = way if "/" in way else f"call/{page.fns[index].api_name}"
    with client_of(address) as client:
        told = client.post(f"/gradio_api/{way}", json=body)
        if told.status_code == 200 and "event_id" in told.json():
            told = client.get(f"/gradio_api/{way}/{told.json()['event_id']}")
    assert told.status_code >= 400 or REFUSED.search(told.text), told.text


def test_every_route_is_decided_upon(served):
    page, _ = served
    own = {
        route.path
        for route in page.app.router.routes
        if getattr(route, "endpoint", None) and route.endpoint.__module__.startswith("ui.")
    }
    assert own <= set(ROUTES), "say in ROUTES above from which role on these may be used"


def test_another_persons_session_hash_gives_nothing(served):
    page, address = served
    by_name = {name: index for index, name in handlers(page).items()}
    with client_of(address, "lea") as lead, client_of(address) as visitor:
        assert not REFUSED.search(
            forge(page, lead, [by_name["on_count"]], session="shared")[by_name["on_count"]]
        )
        told = forge(page, visitor, [by_name["on_count"]], session="shared")
        assert REFUSED.search(told[by_name["on_count"]])


def test_a_label_is_stored_under_the_name_of_who_is_signed_in(served, studio):
    from rmr1.plan import Plan
    from tests.replies import PAIR

    page, address = served
    with studio.database.write() as session:
        key = judgements.add(session, studio.judges["scripted"].judge(PAIR, Plan()))
        pair_id = judgements.get(session, key).pair_id
    by_name = {name: index for index, name in handlers(page).items()}
    said = {"key": "key of the first", "annotator": "lea", "value": "A"}
    inspected = {**said, "judgement": key}
    blind = {**said, "request": "r", "pair_id": pair_id, "stage": "blind", "action": "commit"}
    with client_of(address, "ann") as client:
        forge(page, client, [by_name["judgement-page.inspect"]], inspected)
        forge(page, client, [by_name["annotate.say"]], {**blind, "key": "key of the second"})
    with studio.database.read() as session:
        assert {event.annotator for event in labels.history(session, pair_id)} == {"ann"}
        assert len(labels.history(session, pair_id)) == 2


def test_a_visitor_judges_now_and_then(served):
    page, address = served
    by_name = {name: index for index, name in handlers(page).items()}
    go = by_name["judge-go.click"]
    page.fns[go].inputs[0].value, page.fns[go].inputs[2].value = "Which?", "This one."
    page.fns[go].inputs[3].value = "That one."
    with client_of(address) as visitor, client_of(address, "ann") as annotator:
        told = [forge(page, visitor, [go])[go] for _ in range(4)]
        assert "or sign in" not in "".join(told[:3])
        assert "try again in 20 minutes, or sign in" in told[3]
        assert "or sign in" not in forge(page, annotator, [go])[go]


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/sign-in", "/sign-out"])
def test_pages_of_other_origins_act_for_nobody(served, path):
    _, address = served
    with client_of(address, "adi") as client:
        answer = client.post(path, json={}, headers={"origin": "https://evil.test"})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_files_go_to_and_from_leads_alone(served, tmp_path):
    _, address = served
    files = {"files": ("x.jsonl", b"{}")}
    for name, status in ((None, 403), ("ann", 403), ("lea", 200)):
        with client_of(address, name) as client:
            assert client.post("/gradio_api/upload", files=files).status_code == status


def test_a_role_taken_away_is_gone_with_the_next_click(served, studio):
    page, address = served
    by_name = {name: index for index, name in handlers(page).items()}
    index = by_name["on_count"]
    with client_of(address, "lea") as client:
        assert not REFUSED.search(forge(page, client, [index])[index])
        with studio.database.write() as session:
            accounts.set_role(session, "lea", ANNOTATOR)
        assert REFUSED.search(forge(page, client, [index])[index])
