"""What was done to accounts: each change is noted with whoever made it, refused ones are not."""

import pytest
from argon2 import PasswordHasher

from rmr1.errors import InputError
from storage import account_events, accounts
from storage.account_events import CONSOLE, AccountAction
from storage.roles import Role

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))


def told(database, limit=50):
    with database.read() as session:
        return [
            (one.by, one.account, one.action, one.role)
            for one in account_events.latest(session, limit)
        ]


def test_every_change_is_noted_and_outlives_its_account(database):
    with database.write() as session:
        accounts.add(session, "Ada", Role.ADMIN, GOOD)
        token = accounts.invite(session, "Bob", Role.LEAD, by="ada")
        accounts.accept(session, token, GOOD)
        accounts.set_role(session, "bob", Role.ANNOTATOR, by="ada")
        accounts.renew(session, "bob", by="ada")
        accounts.set_password(session, "bob", GOOD + "!")
        accounts.remove(session, "bob", by="ada")
    assert told(database) == [
        ("ada", "bob", AccountAction.REMOVED, None),
        (CONSOLE, "bob", AccountAction.PASSWORD, None),
        ("ada", "bob", AccountAction.RENEWED, None),
        ("ada", "bob", AccountAction.ROLE, Role.ANNOTATOR),
        ("bob", "bob", AccountAction.ACCEPTED, None),
        ("ada", "bob", AccountAction.INVITED, Role.LEAD),
        (CONSOLE, "ada", AccountAction.OPENED, Role.ADMIN),
    ]
    assert len(told(database, limit=2)) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda session: accounts.remove(session, "ada", by="ada"),
        lambda session: accounts.set_role(session, "ada", Role.LEAD, by="ada"),
        lambda session: accounts.invite(session, "ada", Role.LEAD, by="ada"),
        lambda session: accounts.set_password(session, "ada", "short", by="ada"),
        lambda session: accounts.accept(session, "no token", GOOD),
    ],
    ids=["the last admin goes", "the last admin steps down", "is open", "short", "unknown"],
)
def test_what_was_refused_is_not_noted(database, change):
    with database.write() as session:
        accounts.add(session, "ada", Role.ADMIN, GOOD)
    before = told(database)
    with pytest.raises(InputError), database.write() as session:
        change(session)
    assert told(database) == before
