from contextlib import ExitStack
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage import accounts
from storage.database import Database
from tests.replies import CHAT
from tests.ui.forging import GOOD, PEOPLE
from ui.context import Studio
from ui.gates import AccountsGate
from ui.limits import Buckets
from ui.studio import build_page, launch


@pytest.fixture
def database():
    with Database.open() as opened:
        yield opened


@pytest.fixture
def backend():
    return ScriptedBackend([CHAT], delay_s=0.01, chunk=40)


@pytest.fixture
def studio(database, backend, tmp_path):
    judge = Judge(backend, load_profile("cor"))
    return Studio(database, {"scripted": judge}, Plan(), tmp_path)


@pytest.fixture(scope="module")
def cheap_hashes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", PasswordHasher(1, 8, 1))
        yield


@pytest.fixture
def served(studio, cheap_hashes):
    """A page that visitors may see, and its address."""
    gate = AccountsGate(studio.database, admits_visitors=True)
    with studio.database.write() as session:
        for name, role in PEOPLE.items():
            accounts.add(session, name, role, GOOD)
    open_to_all = replace(studio, gate=gate, visitor_rollouts=Buckets(3, 3))
    page = build_page(open_to_all)
    with ExitStack() as stack:
        stack.callback(page.close)
        yield page, launch(page, open_to_all, host="127.0.0.1", port=0, block=False)
