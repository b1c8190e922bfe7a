import json

import pytest

from rmr1.errors import RecordNotFound
from storage import labels, runs, snapshots
from storage.passports import passport
from storage.snapshots import LabelFilter


@pytest.fixture
def labelled(database, stored, make_entry):
    """Id of the event that set a label."""
    pair_id, key = stored
    for stage, action, value in [("blind", "commit", "B"), ("verdict", "change", "A")]:
        entry = make_entry(
            stage, action, value, pair_id=pair_id, judgement_key=key, seconds=4.5, why="random"
        )
        receipt = labels.record(database, entry)
    return receipt.id


def test_a_passport_names_what_the_label_depended_on(database, stored, labelled, tmp_path):
    with database.read() as session:
        one = passport(session, labelled, tmp_path)
    assert (one["label"]["value"], one["label"]["seconds"], one["served"]["why"]) == (
        "A",
        4.5,
        "random",
    )
    assert one["judgement"]["key"] == stored[1]
    assert one["judgement"]["judge_version"]["profile_hash"] == "0"
    assert one["order"] == {"person_read_first": "A", "judge_read": ["AB"]}
    assert [event["value"] for event in one["revisions"]] == ["B", "A"]
    assert one["adjudication"] == []
    assert one["used_by"]["snapshots"] == []
    json.dumps(one)


def test_a_passport_names_what_used_the_label(database, labelled, tmp_path):
    frozen = snapshots.create(database, "first", LabelFilter())
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "exports" / f"{frozen.hash[:12]}-sft").mkdir(parents=True)
    (tmp_path / "exports" / "another-sft").mkdir()
    manifest = {"snapshot_hash": frozen.hash}
    (data / "sft.manifest.json").write_text(json.dumps(manifest))
    (data / "rlvr.manifest.json").write_text("{broken")
    with database.write() as session:
        run = runs.start(session, "training", "sft", {"data": str(data), "data_hash": "d"})
        runs.start(session, "training", "other", {"data": str(tmp_path / "gone")})
    with database.read() as session:
        used = passport(session, labelled, tmp_path)["used_by"]
    assert [(one["name"], one["value"]) for one in used["snapshots"]] == [
        ("first", "B")
    ]  # what was said blind counts
    assert used["exports"] == [f"{frozen.hash[:12]}-sft"]
    assert [(one["run"], one["data_hash"]) for one in used["trainings"]] == [(run, "d")]
    assert used["adapters"] == used["promotions"] == []


def test_a_later_label_is_not_in_an_earlier_snapshot(
    database, stored, labelled, make_entry, tmp_path
):
    snapshots.create(database, "first", LabelFilter())
    again = make_entry("verdict", "change", "tie", pair_id=stored[0], judgement_key=stored[1])
    later = labels.record(database, again).id
    with database.read() as session:
        assert passport(session, later, tmp_path)["used_by"]["snapshots"] == []
        assert passport(session, labelled - 1, tmp_path)["used_by"]["snapshots"] != []


def test_there_is_no_passport_of_nothing(database, tmp_path):
    with database.read() as session, pytest.raises(RecordNotFound):
        passport(session, 99, tmp_path)
