"""Judges that come and go with what is promoted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmr1.backends.base import Capabilities
from rmr1.backends.scripted import ScriptedBackend
from rmr1.errors import InputError
from rmr1.judge import Judge
from rmr1.prompt import load_profile
from storage import adapters
from storage.adapters import Adapter
from storage.database import Database
from storage.offered import OfferedJudges


class Adaptable(ScriptedBackend):
    """Takes every adapter but those whose name says that they do not fit."""

    def __init__(self) -> None:
        super().__init__(("-",))
        self.taken: list[str] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(adapters=tuple(self.taken))

    def add_adapter(self, name: str, path: Path) -> str:
        if name == "misfit":
            raise InputError("the adapter does not fit.")
        identity = f"{name}@{adapters.weights_hash(path)[:8]}"
        self.taken.append(identity)
        return identity


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path / 'database.sqlite'}") as opened:
        yield opened


def register(database: Database, folder: Path, name: str) -> Adapter:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2}))
    (folder / adapters.WEIGHTS).write_bytes(name.encode())
    with database.write() as session:
        adapter_id = adapters.register(
            session,
            name=name,
            hash=adapters.weights_hash(folder),
            folder=str(folder),
            base="SmolLM2",
            profile="brief",
        )
        return adapters.get(session, adapter_id)


def offered(database: Database) -> OfferedJudges:
    backend = Adaptable()
    fixed = {"embedded · cor": Judge(backend, load_profile("cor"))}
    return OfferedJudges(database, fixed)


def test_an_adapter_on_record_is_offered_and_judges_first_once_promoted(
    database: Database, tmp_path: Path
) -> None:
    judges = offered(database)
    assert list(judges) == ["embedded · cor"]
    adapter = register(database, tmp_path / "one", "one")
    title = f"embedded · {adapter.version}"
    assert list(judges) == ["embedded · cor", title]
    with database.write() as session:
        adapters.promote(session, adapter.id, "Ada")
    assert list(judges) == [title, "embedded · cor"]
    assert (judges[title].adapter, judges[title].profile.name) == (adapter.version, "brief")
    with database.write() as session:
        adapters.rollback(session, "Ada")
    assert next(iter(judges)) == "embedded · cor"


def test_an_adapter_is_handed_to_the_backend_once(database: Database, tmp_path: Path) -> None:
    judges = offered(database)
    register(database, tmp_path / "one", "one")
    backend = judges["embedded · cor"].backend
    assert len(judges) == len(judges) == 2
    assert isinstance(backend, Adaptable)
    assert len(backend.taken) == 1


def test_an_adapter_that_does_not_fit_is_left_out(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judges = offered(database)
    adapter = register(database, tmp_path / "misfit", "misfit")
    with database.write() as session:
        adapters.promote(session, adapter.id, "Ada")
    assert list(judges) == ["embedded · cor"]
    assert "does not fit" in caplog.text


def test_where_no_backend_takes_adapters_the_settings_alone_decide(
    database: Database, tmp_path: Path
) -> None:
    register(database, tmp_path / "one", "one")
    fixed = {"server · cor": Judge(ScriptedBackend(("-",)), load_profile("cor"))}
    assert list(OfferedJudges(database, fixed)) == ["server · cor"]
