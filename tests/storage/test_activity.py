from datetime import timedelta

from storage import activity, labels
from storage.columns import utc_now


def test_what_a_person_did_is_counted_without_what_was_taken_back(database, stored, make_entry):
    pair_id, key = stored
    start = utc_now()

    def say(stage, action, value=None, **rest):
        fields = {"pair_id": pair_id, "judgement_key": key} | rest
        labels.record(database, make_entry(stage, action, value, **fields))

    say("blind", "commit", "A", seconds=2.0)
    say("verdict", "keep")
    say("blind", "commit", "B", seconds=8.0)
    say("verdict", "change", "A")
    say("blind", "skip")
    say("blind", "flag")
    labels.undo_last(database, "Ada", "undo-one")
    say("blind", "commit", "A", annotator="Bob", seconds=60.0)
    with database.read() as session:
        done = activity.since(session, "Ada", start)
        later = activity.since(session, "Ada", utc_now() + timedelta(hours=1))
        everybody = activity.people(session)
    assert (done.labels, done.kept, done.changed, done.skipped, done.flagged) == (1, 1, 1, 1, 0)
    assert done.median_seconds == 5.0
    assert done.actions == {"commit": 2, "keep": 1, "change": 1, "skip": 1}
    assert later == activity.Activity(0, 0, 0, 0, 0, {}, None)
    assert [(person.name, person.labels) for person in everybody] == [("Ada", 1), ("Bob", 1)]
