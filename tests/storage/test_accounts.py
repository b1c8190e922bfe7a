"""Accounts: names, passwords, invitations, and who is signed in."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmr1.errors import InputError, RecordNotFound
from storage import accounts, signing_in
from storage.account_tables import AccountRow, SignInRow
from storage.columns import utc_now
from storage.database import Database
from storage.roles import Person, Role

GOOD = "correct horse battery"


@pytest.fixture
def session(database: Database):
    with database.write() as opened:
        yield opened


@pytest.mark.parametrize("name", ["Ada", " ada ", "ADA", "ａｄａ"])
def test_a_name_is_one_name_however_it_is_written(session, name):
    accounts.add(session, name, Role.LEAD, GOOD)
    assert [one.name for one in accounts.all_accounts(session)] == ["ada"]
    with pytest.raises(InputError, match="already"):
        accounts.add(session, "ada", Role.LEAD, GOOD)


@pytest.mark.parametrize("name", ["", " ", "a b", "a\nb", "visitor", "Visitor", "x" * 81, "<b>"])
def test_what_cannot_be_a_name_is_refused(session, name):
    with pytest.raises(InputError, match="cannot be the name"):
        accounts.add(session, name, Role.LEAD, GOOD)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.text(max_size=90))
def test_a_normalised_name_stays_as_it_is(name):
    try:
        once = accounts.normalised(name)
    except InputError:
        return
    assert accounts.normalised(once) == once


@pytest.mark.parametrize("password", ["", "short", "x" * 9, "x" * 1001])
def test_a_password_has_a_length(session, password):
    with pytest.raises(InputError, match="at least 10"):
        accounts.add(session, "ada", Role.LEAD, password)


def test_only_the_right_password_of_a_known_name_opens(session):
    made = accounts.add(session, "ada", Role.LEAD, GOOD)
    assert accounts.check(session, " ADA", GOOD) == made
    for name, password in [("ada", GOOD + "r"), ("eve", GOOD), ("", ""), ("ada", "x" * 10_000)]:
        assert accounts.check(session, name, password) is None


def test_a_password_is_kept_as_argon2id(session):
    accounts.add(session, "ada", Role.LEAD, GOOD)
    session.flush()
    row = session.query(AccountRow).one()
    assert row.password.startswith("$argon2id$")
    assert GOOD not in row.password


def test_an_invitation_counts_once(session):
    token = accounts.invite(session, "ada", Role.ANNOTATOR)
    assert accounts.check(session, "ada", "") is None
    with pytest.raises(InputError, match="at least"):
        accounts.accept(session, token, "short")
    assert accounts.accept(session, token, GOOD).role is Role.ANNOTATOR
    with pytest.raises(InputError, match="unknown, used or too old"):
        accounts.accept(session, token, GOOD)
    with pytest.raises(InputError, match="set its password"):
        accounts.invite(session, "ada", Role.ADMIN)


def test_a_second_invitation_ends_the_first(session):
    first = accounts.invite(session, "ada", Role.ANNOTATOR)
    second = accounts.invite(session, "ada", Role.LEAD)
    with pytest.raises(InputError):
        accounts.accept(session, first, GOOD)
    assert accounts.accept(session, second, GOOD).role is Role.LEAD


def test_a_link_to_another_password_leaves_the_old_one_until_it_is_taken_up(session):
    ada = accounts.add(session, "ada", Role.LEAD, GOOD)
    signed_in = signing_in.sign_in(session, ada.id, days=1)
    token = accounts.renew(session, "Ada")
    assert accounts.check(session, "ada", GOOD).link_until > utc_now()
    assert signing_in.person_of(session, signed_in)
    assert accounts.accept(session, token, GOOD + "!").role is Role.LEAD
    assert accounts.check(session, "ada", GOOD) is None
    assert accounts.check(session, "ada", GOOD + "!").link_until is None
    assert signing_in.person_of(session, signed_in) is None
    with pytest.raises(RecordNotFound):
        accounts.renew(session, "eve")


def test_a_link_names_whom_it_is_for_and_sends_its_token_to_nobody(session):
    assert accounts.welcome_path("Ada+x", "t0ken") == "/welcome?name=ada%2Bx#t0ken"


def test_an_old_invitation_counts_no_longer(session):
    token = accounts.invite(session, "ada", Role.ANNOTATOR)
    session.query(AccountRow).one().invited_until = utc_now() - timedelta(seconds=1)
    session.flush()
    with pytest.raises(InputError, match="too old"):
        accounts.accept(session, token, GOOD)


def test_somebody_stays_admin(session):
    accounts.add(session, "ada", Role.ADMIN, GOOD)
    accounts.invite(session, "bob", Role.ADMIN)
    assert accounts.has_admin(session)
    for act in (
        lambda: accounts.remove(session, "ada"),
        lambda: accounts.set_role(session, "ada", Role.LEAD),
    ):
        with pytest.raises(InputError, match="the only admin"):
            act()
    accounts.add(session, "eve", Role.ADMIN, GOOD)
    accounts.remove(session, "ada")
    with pytest.raises(RecordNotFound):
        accounts.set_role(session, "ada", Role.LEAD)


def test_a_role_counts_at_once_and_a_new_password_signs_out(session):
    ada = accounts.add(session, "ada", Role.ANNOTATOR, GOOD)
    token = signing_in.sign_in(session, ada.id, days=1)
    assert signing_in.person_of(session, token) == Person("ada", Role.ANNOTATOR)
    accounts.set_role(session, "ada", Role.LEAD)
    assert signing_in.person_of(session, token) == Person("ada", Role.LEAD)
    accounts.set_password(session, "ada", GOOD + "!")
    assert signing_in.person_of(session, token) is None


def test_a_closed_account_is_signed_out(session):
    ada = accounts.add(session, "ada", Role.ANNOTATOR, GOOD)
    token = signing_in.sign_in(session, ada.id, days=1)
    accounts.remove(session, "ada")
    session.flush()
    assert signing_in.person_of(session, token) is None


def test_signing_in_runs_out_and_what_is_stored_is_no_token(session):
    ada = accounts.add(session, "ada", Role.ANNOTATOR, GOOD)
    old = signing_in.sign_in(session, ada.id, days=-1)
    assert signing_in.person_of(session, old) is None
    new = signing_in.sign_in(session, ada.id, days=1)
    assert [row.token for row in session.query(SignInRow)] == [accounts.hash_of(new)]
    signing_in.sign_out(session, new)
    assert signing_in.person_of(session, new) is None
