"""The People page: what admins see and do, through the real server."""

import json

import pytest

from storage import accounts, labels
from storage.entries import LabelEntry
from storage.roles import Role
from tests.replies import PAIR
from tests.ui.forging import GOOD, client_of, forge, handlers


@pytest.fixture
def people(served):
    """What an event of the page answers to an admin who forges it."""
    page, address = served
    index = {name: number for number, name in handlers(page).items()}

    def ask(event, who="adi", **sent):
        with client_of(address, who) as client:
            number = index[f"people-page.{event}"]
            said = forge(page, client, [number], {**sent, "mark": "m"})[number]
            return json.loads(said)["data"][0]

    return ask


def role_of(studio, name):
    with studio.database.read() as session:
        found = {one.name: one.role for one in accounts.all_accounts(session)}
    return found.get(name)


def test_an_admin_sees_everybody(people):
    view = people("ask")
    rows = {row["name"]: row for row in view["rows"]}
    assert {name: row["role"] for name, row in rows.items()} == {
        "adi": "admin",
        "ann": "annotator",
        "lea": "lead",
    }
    assert (rows["adi"]["me"], rows["adi"]["browsers"], rows["ann"]["browsers"]) == (True, 1, 0)
    assert [title for title, _ in view["roles"]] == ["annotator", "lead", "admin"]


def test_an_invitation_lets_somebody_in_once(people, served):
    told = people("invite", name=" Bob ", role="lead")["told"]
    _, address = served
    path, _, token = told["path"].partition("#")
    assert path == "/welcome?name=bob"
    with client_of(address) as client:
        shown = client.get(path)
        assert 'readonly tabindex="-1" value="bob"' in shown.text
        for status in (303, 422):
            given = {"name": "bob", "token": token, "password": GOOD}
            assert client.post(path, data=given).status_code == status
    with client_of(address, "bob") as client:
        assert client.get("/whoami").json()["role"] == "lead"


def test_a_reset_is_a_link_and_a_new_password_signs_out(people, served):
    told = people("renew", name="ann")["told"]
    assert "until then the old one counts" in told["said"]
    _, address = served
    with client_of(address, "ann") as before, client_of(address) as client:
        given = {"token": told["path"].partition("#")[2], "password": GOOD + "!"}
        answer = client.post("/welcome?name=ann&tab=annotate", data=given)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?tab=annotate")
        assert client.get("/whoami").json()["name"] == "ann"
        assert before.get("/whoami").json()["name"] == "visitor"


def test_a_role_changes_and_the_list_says_so(people, studio):
    view = people("role", name="ann", role="lead")
    assert view["told"]["said"] == "ann is a lead from their next click on."
    assert role_of(studio, "ann") is Role.LEAD
    assert next(row for row in view["rows"] if row["name"] == "ann")["role"] == "lead"
    last = view["done"][0]
    assert (last["account"], last["done"], last["by"]) == ("ann", "role changed to lead", "adi")


def test_an_account_is_closed_and_its_labels_stay(people, studio):
    from storage import pairs

    with studio.database.write() as session:
        pair_id = pairs.add(session, PAIR)
    labels.record(
        studio.database,
        LabelEntry(
            key="key of ann",
            annotator="ann",
            pair_id=pair_id,
            stage="blind",
            action="commit",
            value="A",
        ),
    )
    view = people("remove", name="ann")
    assert [row["name"] for row in view["rows"]] == ["adi", "lea"]
    assert view["gone"] == [["ann", 1]]
    with studio.database.read() as session:
        assert len(labels.current(session, annotator="ann")) == 1


@pytest.mark.parametrize(
    ("event", "sent", "sentence"),
    [
        ("remove", {"name": "adi"}, "adi is the only admin: make somebody else one first."),
        ("role", {"name": "adi", "role": "lead"}, "the only admin"),
        ("role", {"name": "ann", "role": "visitor"}, "no such role"),
        ("role", {"name": "ann", "role": ["admin"]}, "no such role"),
        ("role", {"name": "nobody", "role": "lead"}, "There is no account"),
        ("invite", {"name": "ann", "role": "admin"}, "set its password or its role"),
        ("invite", {"name": "<b>", "role": "lead"}, "cannot be the name"),
        ("invite", {"role": "lead"}, "cannot be the name"),
        ("renew", {"name": {"a": 1}}, "cannot be the name"),
        ("remove", {}, "cannot be the name"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(people, studio, event, sent, sentence):
    view = people(event, **sent)
    assert sentence in view["told"]["refused"]
    assert len(view["rows"]) == 3
    assert role_of(studio, "adi") is Role.ADMIN
    assert role_of(studio, "ann") is Role.ANNOTATOR


def test_the_tab_is_hidden_from_all_but_admins(served):
    _, address = served
    for who, is_hidden in ((None, True), ("ann", True), ("lea", True), ("adi", False)):
        with client_of(address, who) as client:
            assert ("people" in client.get("/whoami").json()["hidden"]) is is_hidden


def test_a_studio_without_accounts_says_where_people_are(studio):
    from ui.access import Person
    from ui.people_tab import shown

    assert "RMR1_AUTH__MODE=accounts" in shown(studio, Person("local", Role.ADMIN))["problem"]
