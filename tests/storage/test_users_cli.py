"""`rmr1 users`: accounts from the command line."""

import json

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from rmr1.errors import InputError
from storage import accounts
from storage.database import Database
from storage.users_cli import app

GOOD = "correct horse battery\n"


@pytest.fixture
def users(tmp_path, monkeypatch):
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
    url = f"sqlite:///{tmp_path / 'a.db'}"

    def run(*arguments, stdin=""):
        result = CliRunner().invoke(app, [*arguments, "--database", url], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return [json.loads(line) for line in result.stdout.splitlines()]

    run.url = url
    return run


def test_accounts_are_added_listed_changed_and_closed(users):
    (added,) = users("add", "Ada", "--role", "admin", stdin=GOOD)
    assert (added["name"], added["role"], added["signs_in"]) == ("ada", "admin", True)
    assert "password" not in added
    users("add", "bob", stdin=GOOD)
    users("role", "bob", "lead")
    users("password", "bob", stdin="another password\n")
    assert [(one["name"], one["role"]) for one in users("list")] == [
        ("ada", "admin"),
        ("bob", "lead"),
    ]
    assert users("remove", "bob") == [{"removed": "bob"}]
    with pytest.raises(InputError, match="only admin"):
        users("remove", "ada")
    assert [(one["account"], one["action"], one["role"]) for one in users("history")] == [
        ("bob", "removed", None),
        ("bob", "password", None),
        ("bob", "role", "lead"),
        ("bob", "opened", "annotator"),
        ("ada", "opened", "admin"),
    ]
    (last,) = users("history", "--last", "1")
    assert last["by"] == "the command line"


def test_an_invitation_is_a_path_whose_token_opens_the_account(users):
    (told,) = users("invite", "ada", "--role", "lead")
    token = told["path"].partition("#")[2]
    with Database.open(users.url) as store, store.write() as session:
        assert accounts.accept(session, token, GOOD).name == "ada"


def test_a_link_to_another_password_is_a_path_too(users):
    users("add", "ada", stdin=GOOD)
    (told,) = users("renew", "ada")
    token = told["path"].partition("#")[2]
    with Database.open(users.url) as store, store.write() as session:
        assert accounts.accept(session, token, "another password").name == "ada"


def test_no_password_on_standard_input_is_said(users):
    with pytest.raises(InputError, match="standard input"):
        users("add", "ada")
