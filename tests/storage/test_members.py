from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from storage import accounts, assigning, labels, members, people, queues, signing_in
from storage.columns import utc_now
from storage.roles import Role

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))


def test_a_list_says_what_everybody_with_an_account_did(database, stored, make_entry):
    with database.write() as session:
        ada = accounts.add(session, "ada", Role.LEAD, GOOD)
        accounts.invite(session, "bob", Role.ANNOTATOR)
        for _ in range(2):
            signing_in.sign_in(session, ada.id, days=1)
        signing_in.sign_in(session, ada.id, days=-1)
        queue = queues.create(session, "Blind")
        bob = people.annotator_id(session, "bob")
        assert assigning.hold(session, queue, stored[0], bob)
        late = timedelta(minutes=-1)
        accounts.add(session, "eve", Role.ANNOTATOR, GOOD)
        eve = people.annotator_id(session, "eve")
        other = queues.create(session, "Over")
        assert assigning.hold(session, other, stored[0], eve, time=late)
    for name in ("ada", "gone"):
        labels.record(
            database, make_entry("blind", "commit", "A", annotator=name, pair_id=stored[0])
        )
    with database.read() as session:
        first, second, third = members.members(session)
        assert (first.account.name, first.labels, first.reserved, first.browsers) == (
            "ada",
            1,
            0,
            2,
        )
        assert utc_now() - first.signed_in_at < timedelta(minutes=1)
        assert (second.account.name, second.account.is_open) == ("bob", False)
        assert (second.reserved, second.signed_in_at, second.browsers) == (1, None, 0)
        assert (third.account.name, third.reserved) == ("eve", 0)
        assert members.without_account(session) == {"gone": 1}
