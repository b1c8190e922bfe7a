import json

import pytest
import typer
from typer.testing import CliRunner

from rmr1.errors import InputError
from storage import journal, labels, pairs, snapshots, visitors
from storage.cli import app
from storage.database import Database
from storage.snapshots import LabelFilter
from storage.visitors import VisitorEntry

VISIT = "0123456789abcdef"


def entry(pair_hash="a" * 64, **changes):
    return VisitorEntry.read(
        {
            "key": f"key-{pair_hash[:4]}-{changes.get('session', VISIT)}",
            "session": VISIT,
            "item": "boil-egg",
            "pair_hash": pair_hash,
            "judge_version": "f" * 64,
            "value": "A",
            "chosen": "A",
            "verdict": "B",
            "display_swapped": True,
            "seconds": 2.5,
            "consent": visitors.CONSENT,
            **changes,
        }
    )


def test_an_answer_is_kept_once_and_the_first_one_stays(database):
    first = visitors.record(database, entry())
    again = visitors.record(database, entry())
    other = visitors.record(database, entry(key="another-key", value="B"))
    assert (first.duplicate, again.duplicate, other.duplicate) == (False, True, True)
    with database.read() as session:
        assert [row["value"] for row in visitors.rows(session)] == ["A"]


def test_the_score_is_over_pairs_whose_better_side_is_known(database):
    visitors.record(database, entry("a" * 64))
    visitors.record(database, entry("b" * 64, value="tie", verdict="A"))
    visitors.record(database, entry("c" * 64, chosen=None))
    visitors.record(database, entry("d" * 64, session="f" * 16))
    with database.read() as session:
        assert visitors.score(session, VISIT) == visitors.Score(n=2, visitor=1, judge=1)
        assert visitors.answered(session, VISIT) == {"a" * 64, "b" * 64, "c" * 64}


def test_without_consent_nothing_is_kept():
    with pytest.raises(InputError, match="consent"):
        entry(consent="")


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": "<script>"},
        {"value": "both_bad"},
        {"seconds": float("nan")},
        {"note": "free text"},
    ],
)
def test_hostile_answers_are_refused_in_a_sentence(wrong):
    with pytest.raises(InputError, match="cannot be used"):
        entry(**wrong)


def test_visitors_are_in_no_label_snapshot_or_count(database, make_pair):
    pair = make_pair()
    with database.write() as session:
        pairs.add(session, pair)
    visitors.record(database, entry(pair.hash))
    with database.read() as session:
        assert labels.current(session) == []
        assert list(snapshots.current(session, LabelFilter(stage="final", inspection=True))) == []
        assert snapshots.count(session, LabelFilter(inspection=True)).labels == 0


def test_the_journal_puts_visitors_answers_back(database, journal_path):
    visitors.record(database, entry())
    assert journal.check(database, journal_path).agree
    with Database.open() as rebuilt:
        assert journal.replay(rebuilt, journal_path).added == 1
        assert journal.replay(rebuilt, journal_path).added == 0
        with rebuilt.read() as session, database.read() as before:
            assert list(visitors.rows(session)) == list(visitors.rows(before))


def test_an_answer_cannot_be_changed(database):
    visitors.record(database, entry())
    with pytest.raises(Exception, match="never changed"), database.write() as session:
        session.connection().exec_driver_sql("UPDATE visitor_label SET value = 'B'")


def test_the_command_says_an_answer_a_line(database):
    root = typer.Typer()
    root.add_typer(app)

    @root.callback()
    def _remember(context: typer.Context) -> None:
        context.obj = lambda: Database.open(str(database.url), None)

    visitors.record(database, entry())
    said = CliRunner().invoke(root, ["db", "visitors"])
    assert json.loads(said.stdout)["value"] == "A"
