import getpass
import json

import pytest
import typer
from typer.testing import CliRunner

from rmr1.errors import ConfigurationError, InputError, RecordNotFound, RMR1Error
from rmr1.judgement import JudgeVersion
from storage import adapters, judgements
from storage.cli import app


@pytest.fixture
def run(database):
    """Runs a command on the database; what it printed."""
    root = typer.Typer()
    root.add_typer(app)

    @root.callback()
    def _remember(context: typer.Context):
        context.obj = None

    def call(*arguments):
        url = ("--database", str(database.url))
        result = CliRunner().invoke(root, [*map(str, arguments), *url])
        if isinstance(result.exception, RMR1Error):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


@pytest.fixture
def versions(database, make_pair, make_judgement):
    """The beginnings of two judge versions' hashes; the new one is right on 9 of 12, the old on 4.

    One source has a name that a terminal would obey.
    """
    with database.write() as session:
        for number in range(12):
            pair = make_pair(chosen="A", source="\x1b[31mred\n" if number % 2 else "plain")
            for model, right in (("old", number < 4), ("new", number >= 3)):
                judgement = make_judgement(pair, "A" if right else "B", model=model)
                judgements.add(session, judgement)
    return [
        JudgeVersion(backend="scripted", model=model, profile="cor", profile_hash="0").hash[:8]
        for model in ("old", "new")
    ]


def test_a_comparison_is_one_json_object(run, versions):
    found = json.loads(run("compare", *versions, "--everything", "--json"))
    assert found["paired"]["n"] == 12
    assert (found["paired"]["old"]["count"], found["paired"]["new"]["count"]) == (4, 9)
    assert 0 < found["paired"]["old"]["low"] < 4 / 12 < found["paired"]["old"]["high"] < 1
    assert len(found["improved"]) == 8
    assert set(found["improved"][0]) >= {"pair_id", "old_key", "new_key"}
    assert found["options"]["held_out"] is False
    assert found["old"]["plans"][0]["plan"]["orders"] == "AB"


def test_a_comparison_is_a_table_for_people(run, versions):
    said = run("compare", *versions, "--everything", "--flips", 2)
    lines = said.splitlines()
    assert lines[0].startswith(f"old  {versions[0]}  old · cor")
    assert "12 pairs compared: better side by the source 12" in said
    (right,) = (line for line in lines if line.startswith("right"))
    assert "33.3 % (13.8 to 60.9) of 12" in right
    assert "75.0 %" in right
    assert "difference +41.7 points" in said
    assert "only the new judge is right on 8, only the old one on 3; p = 0.23" in said
    assert "Only 12 pairs" in said
    assert "improved: 8 pairs, 2 shown" in said
    assert "worsened: 3 pairs, 2 shown" in said
    assert "\x1b" not in said
    assert "\ufffd[31mred\ufffd" in said


def test_held_out_pairs_are_all_that_counts_unless_asked_otherwise(run, versions):
    found = json.loads(run("compare", *versions, "--split", "1,0,0", "--json"))
    assert (found["paired"]["n"], found["left_out"]) == (0, {"in the training split": 12})
    said = run("compare", *versions, "--split", "1,0,0")
    assert "left out: in the training split 12" in said
    assert "nothing to say" in said
    found = json.loads(run("compare", *versions, "--everything", "--source", "plain", "--json"))
    assert found["paired"]["n"] == 6


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--split", "a,b,c"), "three shares"),
        (("--split", "0.5"), "add up to 1"),
        (("--split", "0.5,0.5,0.5"), "add up to 1"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(run, versions, arguments, what):
    with pytest.raises(InputError, match=what):
        run("compare", *versions, *arguments)


def test_an_unknown_judge_is_told_which_ones_there_are(run, versions):
    with pytest.raises(RecordNotFound, match=f"{versions[0]} is old · cor"):
        run("compare", "zzz", versions[1])


@pytest.fixture
def registered(database, tmp_path):
    """Versions of two adapters on record."""
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "adapter_config.json").write_text("{}")
        (folder / adapters.WEIGHTS).write_text(name)
        with database.write() as session:
            found = adapters.register(
                session,
                name=name,
                hash=adapters.weights_hash(folder),
                folder=str(folder),
                base="tiny",
                profile="brief",
            )
            made.append(adapters.get(session, found).version)
    return made


def lines(said):
    return [json.loads(line) for line in said.splitlines()]


def test_adapters_are_promoted_and_rolled_back(run, registered):
    first, second = registered
    assert [one["promoted"] for one in lines(run("adapters", "list"))] == [False, False]
    (said,) = lines(run("adapters", "promote", "first", "--by", "Ada"))
    assert (said["action"], said["adapter"], said["by"]) == ("promote", first, "Ada")
    run("adapters", "promote", second, "--by", "Bob")
    listed = {one["version"]: one["promoted"] for one in lines(run("adapters", "list"))}
    assert listed == {first: False, second: True}
    (said,) = lines(run("adapters", "rollback", "--by", "Ada"))
    assert (said["action"], said["adapter"]) == ("rollback", first)
    run("adapters", "promote", "--base", "--by", "Ada")
    history = [(one["action"], one["adapter"]) for one in lines(run("adapters", "history"))]
    assert history == [
        ("promote", None),
        ("rollback", first),
        ("promote", second),
        ("promote", first),
    ]


def test_a_promotion_names_either_an_adapter_or_the_base(run, registered):
    for arguments in ((), ("first", "--base")):
        with pytest.raises(InputError, match="--base"):
            run("adapters", "promote", *arguments)
    with pytest.raises(RecordNotFound, match="no adapter 'third'"):
        run("adapters", "promote", "third")


def test_without_a_name_the_user_decides(run, registered, monkeypatch):
    monkeypatch.setenv("LOGNAME", "carol")
    assert lines(run("adapters", "promote", "first"))[0]["by"] == "carol"

    def nobody():
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(InputError, match="--by NAME"):
        run("adapters", "rollback")


def test_a_command_on_judges_needs_a_database():
    result = CliRunner().invoke(app, ["adapters", "list"])
    assert isinstance(result.exception, ConfigurationError)
