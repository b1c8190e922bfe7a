import pytest

from rmr1.backends.scripted import ScriptedBackend
from rmr1.judge import Judge
from rmr1.plan import Plan
from rmr1.prompt import load_profile
from storage.database import Database
from tests.replies import CHAT
from ui.context import Studio


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
