from collections.abc import Callable

import pytest

from rmr1.errors import InputError, RecordNotFound
from rmr1.pair import Pair, Side
from storage import labels, pairs, snapshots
from storage.database import Database
from storage.decisions import decide, decisions
from storage.entries import LabelEntry
from storage.snapshots import FrozenLabel, LabelCounts, LabelFilter


@pytest.fixture
def say(database: Database, make_entry: Callable[..., LabelEntry]) -> Callable[..., None]:
    def record(pair_id: int, value: str | None, **rest: object) -> None:
        stage = rest.pop("stage", "blind")
        action = rest.pop("action", "commit")
        labels.record(database, make_entry(stage, action, value, pair_id=pair_id, **rest))

    return record


@pytest.fixture
def ids(database: Database, make_pair: Callable[..., Pair]) -> list[int]:
    found = [make_pair(source="HH" if n < 2 else "own", chosen=Side.B) for n in range(4)]
    with database.write() as session:
        return pairs.add_many(session, found).ids


def counted(database: Database, **wanted: object) -> LabelCounts:
    with database.read() as session:
        return snapshots.count(session, LabelFilter.model_validate(wanted))


def frozen(database: Database, name: str = "s", **wanted: object) -> list[FrozenLabel]:
    snapshot = snapshots.create(database, name, LabelFilter.model_validate(wanted))
    with database.read() as session:
        return list(snapshots.labels(session, snapshot))


def test_a_snapshot_holds_the_labels_of_its_day(
    database: Database, ids: list[int], say: Callable[..., None]
) -> None:
    say(ids[0], "A", strength=3)
    first = snapshots.create(database, "first", LabelFilter())
    say(ids[1], "B")
    second = snapshots.create(database, "second", LabelFilter())
    with database.read() as session:
        assert snapshots.get(session, "first") == first
        assert [one.name for one in snapshots.newest_first(session)] == ["second", "first"]
        (label,) = snapshots.labels(session, first)
    assert (label.pair_id, label.annotator, label.value, label.strength) == (ids[0], "Ada", "A", 3)
    assert (first.counts.labels, second.counts.labels) == (1, 2)
    assert first.hash != second.hash


def test_the_same_labels_have_the_same_hash(
    database: Database, ids: list[int], say: Callable[..., None]
) -> None:
    say(ids[0], "A")
    one = snapshots.create(database, "one", LabelFilter())
    two = snapshots.create(database, "two", LabelFilter())
    other = snapshots.create(database, "other", LabelFilter(stage="final"))
    assert one.hash == two.hash != other.hash


def test_the_stage_says_which_label_counts(
    database: Database,
    stored: tuple[int, str],
    say: Callable[..., None],
) -> None:
    pair_id, key = stored
    say(pair_id, "B")
    say(pair_id, "A", stage="verdict", action="change", judgement_key=key)
    assert [label.value for label in frozen(database, "blind", stage="blind")] == ["B"]
    assert [label.value for label in frozen(database, "final", stage="final")] == ["A"]


def test_labels_made_with_the_verdict_in_view_stay_out(
    database: Database, stored: tuple[int, str], ids: list[int], say: Callable[..., None]
) -> None:
    pair_id, key = stored
    say(pair_id, "A", stage="inspection", judgement_key=key)
    say(ids[0], "tie")
    assert counted(database).left_out == {"made with the verdict in view": 1}
    assert counted(database, stage="final", inspection=True).labels == 2
    assert counted(database, stage="blind", inspection=True).left_out == {"no blind label": 1}


def test_a_blind_label_given_again_does_not_count_as_blind(
    database: Database, stored: tuple[int, str], say: Callable[..., None]
) -> None:
    pair_id, _ = stored
    say(pair_id, "A")
    labels.undo_last(database, "Ada", "undo-key")
    say(pair_id, "B")
    counts = counted(database)
    assert counts.labels == 0
    assert counts.left_out == {"blind label given again after the verdict was seen": 1}
    assert counted(database, stage="final").values == {"B": 1}


def test_filters_take_people_sources_and_sides(
    database: Database, ids: list[int], say: Callable[..., None]
) -> None:
    say(ids[0], "A")
    say(ids[0], "tie", annotator="Bo")
    say(ids[2], "both_bad", annotator="Bo")
    assert counted(database, annotators=["Bo"]).values == {"tie": 1, "both_bad": 1}
    assert counted(database, sources=["own"]).labels == 1
    dropped = counted(database, ties="drop")
    assert (dropped.values, dropped.left_out) == ({"A": 1}, {"names no better side": 2})
    assert (counted(database).pairs, counted(database).annotators) == (2, 2)


def test_what_a_source_knew_counts_where_nobody_labelled(
    database: Database, ids: list[int], say: Callable[..., None]
) -> None:
    say(ids[0], "A")
    counts = counted(database, known=True)
    assert (counts.labels, counts.known, counts.values) == (1, 3, {"B": 3, "A": 1})
    found = {
        label.pair_id: (label.annotator, label.value) for label in frozen(database, known=True)
    }
    assert found[ids[0]] == ("Ada", "A")
    assert found[ids[3]] == (None, "B")


def test_a_snapshot_needs_a_free_name_and_a_label(
    database: Database, ids: list[int], say: Callable[..., None]
) -> None:
    with pytest.raises(InputError, match="takes no label"):
        snapshots.create(database, "s", LabelFilter())
    say(ids[0], "A")
    snapshots.create(database, " s ", LabelFilter())
    with pytest.raises(InputError, match="named 's' already"):
        snapshots.create(database, "s", LabelFilter())
    with pytest.raises(InputError, match="needs a name"):
        snapshots.create(database, " ", LabelFilter())
    with database.read() as session, pytest.raises(RecordNotFound, match="'t'"):
        snapshots.get(session, "t")


def label(value: str, pair_id: int = 1, strength: int | None = None) -> FrozenLabel:
    return FrozenLabel(
        pair_id=pair_id,
        annotator="Ada",
        value=value,
        blind_value=None,
        strength=strength,
        judgement_id=None,
        reasoning=None,
        note=None,
        tags=(),
        sections=None,
    )


@pytest.mark.parametrize(
    ("values", "decided", "winner"),
    [
        (["A"], "A", Side.A),
        (["A", "B", "B"], "B", Side.B),
        (["A", "B"], None, None),
        (["A", "tie", "tie"], "tie", None),
        (["A", "B", "tie"], None, None),
    ],
)
def test_most_labels_decide(values: list[str], decided: str | None, winner: Side | None) -> None:
    decision = decide(1, [label(value) for value in values])
    assert (decision.value, decision.winner) == (decided, winner)


def test_the_strength_is_that_of_the_labels_that_decided() -> None:
    decision = decide(1, [label("A", strength=3), label("A", strength=2), label("B", strength=1)])
    assert decision.strength == 2.5
    assert decide(1, [label("A")]).strength is None


def test_each_pair_is_decided_by_its_own_labels() -> None:
    found = decisions([label("A"), label("A"), label("B", pair_id=2)])
    assert [(one.pair_id, one.value, len(one.labels)) for one in found] == [
        (1, "A", 2),
        (2, "B", 1),
    ]
