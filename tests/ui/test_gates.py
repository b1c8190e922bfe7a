"""The ways in which a request says whose it is."""

import time

import pytest
from starlette.requests import Request

from rmr1.auth_settings import AuthSettings
from rmr1.errors import ConfigurationError
from storage.roles import VISITOR, Person, Role
from ui.gates import AccountsGate, HeaderGate, LocalGate, OAuthGate, RoleBook, gate_of
from ui.limits import Buckets

BOOK = RoleBook.of_settings(
    AuthSettings(mode="oauth", roles={"Ada": "admin", "org:Acme": "lead", "bob": "annotator"})
)


def signed_in(name, orgs=(), lasts=1e6):
    user = {"preferred_username": name, "orgs": [{"preferred_username": one} for one in orgs]}
    info = {"userinfo": user, "expires_at": time.time() + lasts}
    return Request({"type": "http", "headers": [], "session": {"oauth_info": info}})


@pytest.mark.parametrize(
    ("request_", "person"),
    [
        (signed_in("ada"), Person("ada", Role.ADMIN)),
        (signed_in("ADA"), Person("ada", Role.ADMIN)),
        (signed_in("bob", ["acme"]), Person("bob", Role.LEAD)),
        (signed_in("bob", ["other"]), Person("bob", Role.ANNOTATOR)),
        (signed_in("eve"), Person("eve", Role.VISITOR)),
        (signed_in("org:acme"), VISITOR),
        (signed_in("visitor"), VISITOR),
        (signed_in(""), VISITOR),
        (signed_in("ada", lasts=-1), VISITOR),
        (Request({"type": "http", "headers": [], "session": {}}), VISITOR),
        (Request({"type": "http", "headers": []}), VISITOR),
        (None, VISITOR),
    ],
)
def test_the_hub_says_who_it_is_and_the_settings_as_what(request_, person):
    assert OAuthGate(BOOK).person(request_) == person


def test_the_settings_choose_the_gate(database):
    def made(is_local=True, **values):
        return gate_of(AuthSettings(**values), database, is_local=is_local, oauth_secret="secret")

    assert made() == LocalGate(Role.ADMIN)
    assert made(is_local=False) == LocalGate(Role.VISITOR)
    assert made(mode="accounts") == AccountsGate(database, 14.0, False)
    assert made(mode="accounts", visitors=True).admits_visitors
    assert isinstance(made(mode="header"), HeaderGate)
    assert not made(mode="header").admits_visitors
    assert made(mode="oauth").admits_visitors
    with pytest.raises(ConfigurationError, match="hf_oauth"):
        gate_of(AuthSettings(mode="oauth"), database, is_local=False)
    with pytest.raises(ConfigurationError, match="AUTH__ROLES"):
        made(mode="header", roles={"two words": "lead"})


def test_on_a_space_its_owner_is_the_admin(monkeypatch):
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "s")
    monkeypatch.setenv("SPACE_AUTHOR_NAME", "Ada")
    settings = AuthSettings()
    assert (settings.mode, settings.roles) == ("oauth", {"Ada": "admin"})
    assert settings.role_of_others == "visitor"


def test_a_bucket_empties_and_fills_again():
    now = [0.0]
    buckets = Buckets(10, 3600, lambda: now[0])
    assert buckets.take("a", 8) == 0
    assert buckets.take("a", 4) == 2.0
    assert buckets.take("b", 10) == 0
    now[0] += 2
    assert buckets.take("a", 4) == 0
    assert buckets.take("a", 11) == float("inf")
    now[0] += 1e6
    assert buckets.take("a", 10) == 0
    assert buckets.take("a") == 1.0


def test_an_empty_allowance_lets_nothing_through():
    assert Buckets(0, 0).take("a") == float("inf")
