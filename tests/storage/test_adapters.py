import hashlib

import pytest
from sqlalchemy import text

from rmr1.errors import InputError, RecordNotFound
from storage import adapters, runs


@pytest.fixture
def register(database, tmp_path):
    """Registers an adapter whose weights are the given bytes; its id."""

    def make(name="judge", weights=b"weights", **rest):
        folder = tmp_path / f"{name}-{hashlib.sha256(weights).hexdigest()[:8]}"
        folder.mkdir(exist_ok=True)
        (folder / "adapter_config.json").write_text("{}")
        (folder / adapters.WEIGHTS).write_bytes(weights)
        fields = {"base": "tiny", "profile": "brief", **rest}
        with database.write() as session:
            return adapters.register(
                session,
                name=name,
                hash=adapters.weights_hash(folder),
                folder=str(folder),
                **fields,
            )

    return make


@pytest.fixture
def promote(database):
    def decide(adapter_id, by="Ada"):
        with database.write() as session:
            return adapters.promote(session, adapter_id, by)

    return decide


@pytest.fixture
def rollback(database):
    def decide(by="Ada"):
        with database.write() as session:
            return adapters.rollback(session, by)

    return decide


def judging(database):
    with database.read() as session:
        adapter = adapters.promoted(session)
        return adapter and adapter.id


def test_an_adapter_is_known_by_its_weights(database, register):
    with database.write() as session:
        run_id = runs.start(session, "training", "t")
    made = register(weights=b"one", run_id=run_id, figures={"accuracy": 0.6}, gguf="a.gguf")
    other = register(weights=b"two")
    with database.read() as session:
        adapter = adapters.get(session, made)
        assert [one.id for one in adapters.all(session)] == [other, made]
    assert adapter.hash == hashlib.sha256(b"one").hexdigest()
    assert adapter.version == f"judge@{adapter.hash[:8]}"
    assert (adapter.run_id, adapter.figures, adapter.merged) == (run_id, {"accuracy": 0.6}, "")


def test_the_same_weights_registered_again_are_the_same_adapter(database, register):
    first = register(figures={"accuracy": 0.6}, gguf="a.gguf")
    assert register(merged="m.gguf", profile="cor") == first
    with database.read() as session:
        adapter = adapters.get(session, first)
    assert (adapter.gguf, adapter.merged, adapter.profile) == ("a.gguf", "m.gguf", "cor")
    assert adapter.figures == {"accuracy": 0.6}


@pytest.mark.parametrize("name", ["", "a@b", "a b", "../up", "7", "-x", "a" * 65, "ä", "a\n"])
def test_a_name_that_cannot_stand_in_a_version_is_refused(database, name):
    fields = {"hash": "0", "folder": "f", "base": "b", "profile": "p"}
    with database.write() as session, pytest.raises(InputError, match="cannot be named"):
        adapters.register(session, name=name, **fields)


def test_a_folder_without_weights_is_no_adapter(tmp_path):
    with pytest.raises(InputError, match=r"adapter_model\.safetensors is missing"):
        adapters.weights_hash(tmp_path)


def test_an_adapter_is_found_by_id_version_or_name(database, register):
    old, new = register(weights=b"old"), register(weights=b"new")
    with database.read() as session:
        version = adapters.get(session, old).version
        assert adapters.find(session, str(old)).id == old
        assert adapters.find(session, version).id == old
        assert adapters.find(session, "judge").id == new
        for unknown in ("judge@ffffffff", "gone", "99", "9" * 30, "²"):
            with pytest.raises(RecordNotFound, match=f"on record: judge@.*{version}"):
                adapters.find(session, unknown)
    with database.read() as session, pytest.raises(RecordNotFound, match="no adapter 99"):
        adapters.get(session, 99)


def test_a_promotion_says_who_and_when(database, register, promote):
    made = register()
    assert judging(database) is None
    promotion = promote(made, "  Ada ")
    assert judging(database) == made
    with database.read() as session:
        assert adapters.promotions(session) == [promotion]
    assert (promotion.by, promotion.action, promotion.adapter.id) == ("Ada", "promote", made)
    assert promotion.created_at.tzinfo is not None


def test_rolling_back_restores_one_after_the_other_and_the_base_last(
    database, register, promote, rollback
):
    one, two, three = (register(weights=bytes([n])) for n in range(3))
    for adapter in (one, two):
        promote(adapter)
    assert rollback("Bob").adapter.id == one
    promote(three)
    assert [rollback().adapter.id, rollback().adapter, judging(database)] == [one, None, None]
    with pytest.raises(InputError, match="nothing to roll back"):
        rollback()
    with database.read() as session:
        history = [(p.action, p.adapter and p.adapter.id) for p in adapters.promotions(session)]
    assert history == [
        ("rollback", None),
        ("rollback", one),
        ("promote", three),
        ("rollback", one),
        ("promote", two),
        ("promote", one),
    ]


def test_nothing_can_be_rolled_back_before_a_promotion(rollback):
    with pytest.raises(InputError, match="nothing to roll back"):
        rollback()


def test_the_base_model_can_be_promoted_and_that_rolled_back(database, register, promote, rollback):
    made = register()
    with pytest.raises(InputError, match="judges already"):
        promote(None)
    promote(made)
    assert promote(None).adapter is None
    assert judging(database) is None
    assert rollback().adapter.id == made


def test_promoting_what_judges_already_adds_nothing(database, register, promote):
    made = register()
    assert promote(made, "Ada") == promote(made, "Bob")
    with database.read() as session:
        assert len(adapters.promotions(session)) == 1


def test_somebody_has_to_decide(register, promote):
    with pytest.raises(InputError, match="who decides"):
        promote(register(), " ")


@pytest.mark.parametrize("gone", ["adapter_config.json", adapters.WEIGHTS, "x.gguf", "x.merged"])
def test_an_adapter_whose_files_are_gone_cannot_judge(
    database, register, promote, rollback, tmp_path, gone
):
    forms = {"gguf": tmp_path / "x.gguf", "merged": tmp_path / "x.merged"}
    for path in forms.values():
        path.write_bytes(b"")
    made = register(**{form: str(path) for form, path in forms.items()})
    other = register(weights=b"other")
    promote(made)
    promote(other)
    with database.read() as session:
        folder = adapters.get(session, made).folder
    (tmp_path / folder / gone if gone.startswith("adapter") else tmp_path / gone).unlink()
    for decide in (lambda: promote(made), rollback):
        with pytest.raises(InputError, match=rf"cannot judge: its file '.*{gone}' is gone"):
            decide()
    assert judging(database) == other


def test_an_adapter_whose_weights_were_exchanged_cannot_judge(database, register, promote):
    made = register()
    with database.read() as session:
        folder = adapters.get(session, made).folder
    with open(f"{folder}/{adapters.WEIGHTS}", "wb") as file:
        file.write(b"others")
    with pytest.raises(InputError, match="no longer those that were registered"):
        promote(made)


@pytest.mark.parametrize("change", ["UPDATE promotion SET by = 'x'", "DELETE FROM promotion"])
def test_a_promotion_is_never_changed(database, register, promote, change):
    promote(register())
    with pytest.raises(Exception, match="never changed"), database.write() as session:
        session.execute(text(change))
